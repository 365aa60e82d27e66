//! Markup to tags and text, by the WHATWG tokenization (HTML standard, section 13.2.5), without a
//! copy of anything that stands in the page as it is.
//!
//! html5ever's tokenizer is the reference: the tests hold both against each other on anything
//! that proptest can think of. This one is several times as fast, because it looks for the next
//! `<` or quote instead of at each character, and has nothing to give but what is asked for.

use memchr::{memchr, memchr2, memmem};

use crate::attribute::Attributes;
use crate::element::Name;

/// What comes next.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Token<'t> {
    /// Text as it is written, character references and all.
    Text(&'t str),
    /// Text that holds no references: of a section `<![CDATA[`.
    Plain(&'t str),
    /// A start tag; its attributes are in the buffer that was handed over.
    Start { name: Name<'t>, self_closing: bool },
    /// An end tag.
    End(Name<'t>),
}

/// Reads a page from its beginning.
#[derive(Debug)]
pub(crate) struct Reader<'t> {
    text: &'t str,
    at: usize,
    /// What is read stands in a drawing or a formula, where `<![CDATA[` means something and `<title>`
    /// is an element as any other.
    pub(crate) foreign: bool,
}

/// What begins such a section.
const CDATA: &str = "<![CDATA[";

/// A tag was not ended: the rest of the page is nothing.
struct Unended;

impl<'t> Reader<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self { text: text.strip_prefix('\u{FEFF}').unwrap_or(text), at: 0, foreign: false }
    }

    fn bytes(&self) -> &'t [u8] {
        self.text.as_bytes()
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes().get(self.at + ahead).copied()
    }

    fn find(&self, byte: u8) -> Option<usize> {
        memchr(byte, &self.bytes()[self.at..]).map(|ahead| self.at + ahead)
    }

    /// The next token; `None` at the end.
    pub(crate) fn next(&mut self, attributes: &mut Attributes<'t>) -> Option<Token<'t>> {
        let mut start = self.at;
        loop {
            let Some(open) = self.find(b'<') else {
                self.at = self.text.len();
                return (start < self.at).then(|| Token::Text(&self.text[start..]));
            };
            self.at = open;
            let opens = match self.peek(1) {
                Some(b'/') => self.peek(2).is_some(),
                Some(byte) => byte.is_ascii_alphabetic() || matches!(byte, b'!' | b'?'),
                None => false,
            };
            if !opens {
                // A `<` that opens nothing is text.
                self.at = open + 1;
                continue;
            }
            if start < open {
                return Some(Token::Text(&self.text[start..open]));
            }
            match self.markup(attributes) {
                Ok(Some(token)) => return Some(token),
                // A comment or the like.
                Ok(None) => start = self.at,
                Err(Unended) => {
                    self.at = self.text.len();
                    return None;
                }
            }
        }
    }

    /// Reads from a `<` that opens something.
    fn markup(&mut self, attributes: &mut Attributes<'t>) -> Result<Option<Token<'t>>, Unended> {
        match self.peek(1) {
            Some(b'!') if self.foreign && self.text[self.at..].starts_with(CDATA) => {
                self.at += CDATA.len();
                let rest = &self.text[self.at..];
                let (content, ends) = rest.split_once("]]>").unwrap_or((rest, ""));
                self.at = self.text.len() - ends.len();
                Ok(Some(Token::Plain(content)))
            }
            Some(b'!') => {
                self.at += 2;
                self.declaration();
                Ok(None)
            }
            Some(b'?') => {
                self.at += 1;
                self.bogus_comment();
                Ok(None)
            }
            Some(b'/') => match self.peek(2) {
                Some(byte) if byte.is_ascii_alphabetic() => {
                    self.at += 2;
                    let name = self.name();
                    attributes.clear();
                    self.attributes(attributes)?;
                    Ok(Some(Token::End(name)))
                }
                Some(b'>') => {
                    self.at += 3;
                    Ok(None)
                }
                _ => {
                    self.at += 2;
                    self.bogus_comment();
                    Ok(None)
                }
            },
            _ => {
                self.at += 1;
                let name = self.name();
                attributes.clear();
                let self_closing = self.attributes(attributes)?;
                Ok(Some(Token::Start { name, self_closing }))
            }
        }
    }

    /// After `<!`: a comment, or anything up to `>`.
    fn declaration(&mut self) {
        let rest = &self.bytes()[self.at..];
        if !rest.starts_with(b"--") {
            return self.bogus_comment();
        }
        self.at += 2;
        let rest = &rest[2..];
        if rest.starts_with(b">") {
            self.at += 1;
            return;
        }
        if rest.starts_with(b"->") {
            self.at += 2;
            return;
        }
        // Ended by `-->`, or wrongly by `--!>`.
        let mut from = 0;
        while let Some(dashes) = memmem::find(&rest[from..], b"--") {
            let after = from + dashes + 2;
            match rest.get(after) {
                Some(b'>') => {
                    self.at += after + 1;
                    return;
                }
                Some(b'!') if rest.get(after + 1) == Some(&b'>') => {
                    self.at += after + 2;
                    return;
                }
                _ => from = after - 1,
            }
        }
        self.at = self.text.len();
    }

    fn bogus_comment(&mut self) {
        self.at = self.find(b'>').map_or(self.text.len(), |close| close + 1);
    }

    fn name(&mut self) -> Name<'t> {
        let start = self.at;
        self.skip_to(|byte| is_space(byte) || matches!(byte, b'/' | b'>'));
        Name::of(&self.text[start..self.at])
    }

    fn skip_to(&mut self, stop: impl Fn(u8) -> bool) {
        let rest = &self.bytes()[self.at..];
        self.at += rest.iter().position(|byte| stop(*byte)).unwrap_or(rest.len());
    }

    /// Reads attributes up to and with the `>`; whether the tag closes itself.
    fn attributes(&mut self, attributes: &mut Attributes<'t>) -> Result<bool, Unended> {
        loop {
            self.skip_to(|byte| !is_space(byte));
            match self.peek(0) {
                None => return Err(Unended),
                Some(b'>') => {
                    self.at += 1;
                    return Ok(false);
                }
                Some(b'/') => {
                    self.at += 1;
                    if self.peek(0) == Some(b'>') {
                        self.at += 1;
                        return Ok(true);
                    }
                    continue;
                }
                _ => {}
            }
            let start = self.at;
            // A name may begin with `=`.
            self.at += 1;
            self.skip_to(|byte| is_space(byte) || matches!(byte, b'/' | b'>' | b'='));
            let name = (start, self.at);
            self.skip_to(|byte| !is_space(byte));
            let value = match self.peek(0) {
                Some(b'=') => {
                    self.at += 1;
                    self.value()?
                }
                _ => "",
            };
            attributes.push(&self.text[name.0..name.1], value);
        }
    }

    fn value(&mut self) -> Result<&'t str, Unended> {
        self.skip_to(|byte| !is_space(byte));
        match self.peek(0) {
            Some(quote @ (b'"' | b'\'')) => {
                self.at += 1;
                let start = self.at;
                let end = self.find(quote).ok_or(Unended)?;
                self.at = end + 1;
                Ok(&self.text[start..end])
            }
            _ => {
                let start = self.at;
                self.skip_to(|byte| is_space(byte) || byte == b'>');
                Ok(&self.text[start..self.at])
            }
        }
    }

    // ---- elements whose content is no markup --------------------------------------------------

    /// The content of such an element up to its end tag, which is read, too; `None` when it has
    /// none: then the rest of the page is its content, and it never ends. In a drawing it would be markup.
    pub(crate) fn raw(&mut self, name: Name<'t>) -> Option<&'t str> {
        let start = self.at;
        while let Some(open) = self.find(b'<') {
            self.at = open + 1;
            if self.is_end_of(name) {
                return self.end_raw(start, open, name);
            }
        }
        self.at = if self.foreign { start } else { self.text.len() };
        None
    }

    /// All that is left.
    pub(crate) fn rest(&mut self) -> &'t str {
        let start = std::mem::replace(&mut self.at, self.text.len());
        &self.text[start..]
    }

    /// The same for a script, where `<!--<script>` hides an end tag (section 13.2.5.17 and on).
    pub(crate) fn script(&mut self, name: Name<'t>) -> Option<&'t str> {
        let start = self.at;
        // Inside `<!--`, and inside `<script` inside that.
        let (mut escaped, mut double) = (false, false);
        loop {
            let rest = &self.bytes()[self.at..];
            // Dashes end what `<!--` began, and mean nothing elsewhere.
            let ahead = if escaped { memchr2(b'<', b'-', rest) } else { memchr(b'<', rest) };
            let Some(ahead) = ahead else { break };
            let here = self.at + ahead;
            let rest = &self.bytes()[here..];
            self.at = here + 1;
            if rest.starts_with(b"-->") {
                (escaped, double) = (false, false);
            } else if !escaped && rest.starts_with(b"<!--") {
                escaped = true;
                // Its own dashes may be those of `-->`.
                self.at = here + 2;
            } else if rest[0] == b'<' && !double && self.is_end_of(name) {
                return self.end_raw(start, here, name);
            } else if escaped && is_word(&rest[1..], b"script") && !double {
                double = true;
            } else if double && rest.starts_with(b"</") && is_word(&rest[2..], b"script") {
                double = false;
            }
        }
        self.at = if self.foreign { start } else { self.text.len() };
        None
    }

    /// Whether `/name` and what may follow a name come next.
    fn is_end_of(&self, name: Name<'t>) -> bool {
        let rest = &self.bytes()[self.at..];
        rest.first() == Some(&b'/') && is_word(&rest[1..], name.text.as_bytes())
    }

    fn end_raw(&mut self, start: usize, open: usize, name: Name<'t>) -> Option<&'t str> {
        self.at = open + 2 + name.text.len();
        let mut ignored = Attributes::default();
        if self.attributes(&mut ignored).is_err() {
            self.at = self.text.len();
            return None;
        }
        Some(&self.text[start..open])
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0C)
}

/// Whether a word stands here, in any case, with its end.
fn is_word(bytes: &[u8], word: &[u8]) -> bool {
    bytes.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
        && bytes.get(word.len()).is_some_and(|byte| is_space(*byte) || matches!(byte, b'/' | b'>'))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use html5ever::tendril::StrTendril;
    use html5ever::tokenizer::states::{RawKind, ScriptEscapeKind};
    use html5ever::tokenizer::{
        BufferQueue, TagKind, Token as Reference, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
    };

    use super::*;
    use crate::references;

    /// A token in words, for comparison.
    #[derive(Debug, Default, PartialEq, Eq)]
    struct Said(Vec<String>);

    impl Said {
        fn text(&mut self, text: &str) {
            // How a text is cut is no matter.
            match self.0.last_mut().filter(|last| last.starts_with('"')) {
                Some(last) => last.push_str(text),
                None => self.0.push(format!("\"{text}")),
            }
        }
    }

    fn raw_kind(name: &str) -> Option<RawKind> {
        match name {
            "title" | "textarea" => Some(RawKind::Rcdata),
            "style" | "xmp" => Some(RawKind::Rawtext),
            "script" => Some(RawKind::ScriptData),
            _ => None,
        }
    }

    struct Sink(RefCell<Said>);

    impl TokenSink for Sink {
        type Handle = ();
        fn process_token(&self, token: Reference, _: u64) -> TokenSinkResult<()> {
            let mut said = self.0.borrow_mut();
            match token {
                Reference::CharacterTokens(text) => said.text(&text),
                Reference::TagToken(tag) if tag.kind == TagKind::EndTag => {
                    said.0.push(format!("/{}", tag.name))
                }
                Reference::TagToken(tag) => {
                    let mut words = format!("{} {}", tag.name, tag.self_closing);
                    for attribute in &tag.attrs {
                        words.push_str(&format!(" {}={:?}", attribute.name.local, &*attribute.value));
                    }
                    said.0.push(words);
                    if let Some(kind) = raw_kind(&tag.name) {
                        return TokenSinkResult::RawData(kind);
                    }
                }
                _ => {}
            }
            TokenSinkResult::Continue
        }
    }

    fn reference(text: &str) -> Said {
        let tokenizer = Tokenizer::new(Sink(RefCell::default()), TokenizerOpts::default());
        let input = BufferQueue::default();
        input.push_back(StrTendril::from_slice(text));
        let _ = tokenizer.feed(&input);
        tokenizer.end();
        tokenizer.sink.0.into_inner()
    }

    fn ours(text: &str) -> Said {
        let mut said = Said::default();
        let mut reader = Reader::new(text);
        let mut attributes = Attributes::default();
        while let Some(token) = reader.next(&mut attributes) {
            match token {
                Token::Text(text) => said.text(&references::decoded(text, false)),
                Token::Plain(text) => said.text(text),
                Token::End(name) => said.0.push(format!("/{}", name.text.to_ascii_lowercase())),
                Token::Start { name, self_closing } => {
                    let lower = name.text.to_ascii_lowercase();
                    let mut words = format!("{lower} {self_closing}");
                    let mut seen = Vec::new();
                    for (key, value) in attributes.iter() {
                        if !seen.contains(&key) {
                            words.push_str(&format!(" {key}={value:?}"));
                            seen.push(key);
                        }
                    }
                    said.0.push(words);
                    let Some(kind) = raw_kind(&lower) else { continue };
                    let start = reader.at;
                    let content = match kind {
                        RawKind::ScriptData | RawKind::ScriptDataEscaped(ScriptEscapeKind::Escaped) => {
                            reader.script(name)
                        }
                        _ => reader.raw(name),
                    };
                    let text = content.unwrap_or(&reader.text[start..]);
                    let unended = content.is_none();
                    let text = match kind {
                        RawKind::Rcdata => references::decoded(text, false),
                        _ => text.to_owned(),
                    };
                    if unended {
                        // Where a page ends in the middle of an end tag no two readers agree on
                        // the text, which is of no use anyway.
                        said.0.push("unended".to_owned());
                        return said;
                    }
                    if !text.is_empty() {
                        said.text(&text);
                    }
                    said.0.push(format!("/{lower}"));
                }
            }
        }
        said
    }

    fn compare(text: &str) {
        // Line ends and NULs are made uniform by one and left by the other.
        let (mut one, mut other) = (ours(text), reference(text));
        if one.0.last().is_some_and(|last| last == "unended") {
            one.0.pop();
            other.0.truncate(one.0.len());
        }
        assert_eq!(one, other, "{text:?}");
    }

    /// The public cases of html5lib, which are no part of this repository: `tests/run.sh` fetches them.
    fn public_cases(kind: &str, ending: &str) -> Vec<(String, String)> {
        let folder = std::env::var("HTML5LIB_TESTS").expect("HTML5LIB_TESTS names the folder of the cases");
        let folder = std::path::Path::new(&folder).join(kind);
        let files =
            std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let files = files.map(|file| file.expect("a file").path());
        let files = files.filter(|file| file.extension().is_some_and(|one| one == ending));
        files
            .map(|file| {
                let bytes = std::fs::read(&file).expect("readable");
                (file.display().to_string(), String::from_utf8_lossy(&bytes).into_owned())
            })
            .collect()
    }

    /// What a case of the tokenizer asks for, in our words; `None`: it is about something that is read
    /// otherwise here (another state to begin with, elements whose content is raw).
    fn wanted(case: &serde_json::Value) -> Option<Said> {
        let states = case["initialStates"].as_array();
        if states.is_some_and(|states| !states.iter().any(|one| one == "Data state")) {
            return None;
        }
        let mut said = Said::default();
        for token in case["output"].as_array()? {
            let text = |at: usize| token[at].as_str().unwrap_or_default();
            match text(0) {
                "Character" => said.text(text(1)),
                "EndTag" => said.0.push(format!("/{}", text(1))),
                "StartTag" if Raw::is(text(1)) => return None,
                "StartTag" => {
                    let mut words = vec![format!("{} {}", text(1), token[3] == true)];
                    words.extend(
                        token[2]
                            .as_object()?
                            .iter()
                            .map(|(name, value)| format!("{name}={:?}", value.as_str().unwrap_or_default())),
                    );
                    said.0.push(words.join(" "));
                }
                _ => {}
            }
        }
        Some(said)
    }

    struct Raw;

    impl Raw {
        fn is(name: &str) -> bool {
            raw_kind(name).is_some() || matches!(name, "plaintext" | "iframe" | "noembed" | "noframes")
        }
    }

    #[test]
    #[ignore = "needs the cases that tests/run.sh fetches"]
    fn the_public_cases_of_the_tokenizer() {
        let (mut tried, mut left) = (0, 0);
        for (file, text) in public_cases("tokenizer", "test") {
            let cases: serde_json::Value = serde_json::from_str(&text).expect("JSON");
            for case in cases["tests"].as_array().into_iter().flatten() {
                let input = case["input"].as_str().expect("an input");
                let wanted = wanted(case)
                    .filter(|_| case["doubleEscaped"] != true && !input.contains(['\r', '\0', '\u{FEFF}']));
                let Some(wanted) = wanted else {
                    left += 1;
                    continue;
                };
                tried += 1;
                // Attributes are an object there, without an order.
                let sorted = |said: Said| {
                    let sort = |words: String| match words.split_once(' ') {
                        Some((head, rest)) if !words.starts_with(['"', '/']) => {
                            let mut rest: Vec<&str> = rest.split(' ').collect();
                            rest.sort_unstable();
                            format!("{head} {}", rest.join(" "))
                        }
                        _ => words,
                    };
                    said.0.into_iter().map(sort).collect::<Vec<_>>()
                };
                assert_eq!(sorted(ours(input)), sorted(wanted), "{file}: {input:?}");
            }
        }
        assert!(tried > 1_000, "{tried} tried, {left} left out");
    }

    #[test]
    #[ignore = "needs the cases that tests/run.sh fetches"]
    fn the_public_cases_of_the_tree() {
        let mut tried = 0;
        for (_, text) in public_cases("tree-construction", "dat") {
            for case in text.split("#data\n").skip(1) {
                let input = case.split("\n#errors").next().unwrap_or_default();
                if !input.contains(['\r', '\0']) && !input.to_ascii_lowercase().contains("<plaintext") {
                    compare(input);
                    tried += 1;
                }
            }
        }
        assert!(tried > 1_000, "{tried}");
    }

    #[test]
    fn what_the_standard_says_of_odd_markup() {
        for text in [
            "a<b",
            "a < b",
            "<",
            "</",
            "</>x",
            "<a",
            "<a b",
            "<!",
            "<!-",
            "<!-->x",
            "<!--->x",
            "<!--a--!>x",
            "<!--a",
            "<!--a--->x",
            "<!-- -- -->x",
            "<![CDATA[x]]>y",
            "<!doctype html public \"a>b\">c",
            "<?x y?>z",
            "</ a>x",
            "<a/b>",
            "<a /b/>",
            "<a =x>",
            "<a b = c>",
            "<a b='c'd>",
            "<a b=\"c\"/>",
            "<a b=c/>",
            "<a b=>x",
            "<a b c=d b=e>",
            "<br/>",
            "<A HREF=X>",
            "<a href=?a=1&copy=2&amp;b>",
            "<a href=&copy>",
            "<a href='&copy;x'>",
            "&amp&lt;&nbsp",
            "&notit; &notin; &not",
            "&#x41;&#65&#0;&#x80;&#xD800;&#99999999999;&#x;&#;&#",
            "&",
            "&&amp;",
            "&unknown;",
            "&fjlig;",
            "<title>a&amp;<b></title>c",
            "<title>a</titlex></title >b",
            "<TITLE>a</tItLe>b",
            "<style>a<b</style x=y>c",
            "<script>a</script>b",
            "<script><!--</script>b",
            "<script><!--<script></script>--></script>b",
            "<script><!--<script>x</script>y</script>z",
            "<script><!--><script></script>b",
            "<script><!---><script></script>b",
            "<script><!-- <scriptx></script>b",
            "<script></scriptx></script/>b",
            "<script>a",
            "<title>a",
            "<a></a b='>'>c",
        ] {
            compare(text);
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(2_000))]
        #[test]
        fn the_reference_says_the_same(
            text in "(<|>|/|!|-|--|<!--|-->|--!>|\\?|=|\"|'|&|;|#|#x|amp|copy|not|in|a|b|A| |x|1|<a|</a>|<p |<script>|</script>|<script|</script|<title>|</title>|<style>|</style>|<xmp>|</xmp>|政|\n|\t|<!doctype|<!\\[CDATA\\[){0,40}"
        ) {
            compare(&text);
        }
    }
}
