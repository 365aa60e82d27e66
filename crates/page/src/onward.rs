//! Where a page's script leads its visitors on: `location.href = "..."`, run when the page is read and on no
//! condition. What a click, a search box or another kind of device sets off leads nobody anywhere.

use memchr::memmem;

/// Longest script that is read for it, in bytes: one that leads on does little else.
const SCRIPT_MAX: usize = 1_000;
/// What a condition that asks for phones names.
const PHONES: [&str; 6] = ["android", "iphone", "mobile", "midp", "phone", "useragent"];

/// The address a script sends every visitor to.
pub(crate) fn target(script: &str) -> Option<&str> {
    if script.len() > SCRIPT_MAX || memmem::find(script.as_bytes(), b"location").is_none() {
        return None;
    }
    let code = Code { tokens: tokens(script) };
    // Each open block, and whether it and all around it are run.
    let mut blocks: Vec<(Block<'_>, bool)> = Vec::new();
    let mut closed = None;
    for at in 0..code.tokens.len() {
        let runs = blocks.last().is_none_or(|(_, runs)| *runs);
        match code.tokens[at].kind {
            Kind::Sign(b'{') => {
                let block = code.block(at, closed.take());
                blocks.push((block, runs && code.runs(block)));
            }
            Kind::Sign(b'}') => closed = blocks.pop().map(|(block, _)| block),
            Kind::Word("location") if runs => {
                let found = code.begins_statement(at, closed).then(|| code.assigned(at)).flatten();
                if found.is_some() {
                    return found;
                }
            }
            Kind::Word("setTimeout") if runs => {
                // Its code may be a text.
                if let Some([Kind::Sign(b'('), Kind::Text(inner)]) = code.kinds(at + 1)
                    && let Some(found) = target(inner)
                {
                    return Some(found);
                }
            }
            _ => {}
        }
    }
    None
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind<'s> {
    Word(&'s str),
    /// A text between quotes.
    Text(&'s str),
    Sign(u8),
}

#[derive(Clone, Copy, Debug)]
struct Token<'s> {
    kind: Kind<'s>,
    /// It is the first of its line.
    first: bool,
}

/// What stands between braces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Block<'s> {
    /// It is run as it stands.
    Runs,
    /// The body of a function.
    Of(&'s str),
    /// What is done on phones alone.
    ForPhones,
    /// On some other condition, or later.
    Else,
}

struct Code<'s> {
    tokens: Vec<Token<'s>>,
}

impl<'s> Code<'s> {
    fn kind(&self, at: usize) -> Option<Kind<'s>> {
        self.tokens.get(at).map(|token| token.kind)
    }

    /// Two tokens from a place on.
    fn kinds(&self, at: usize) -> Option<[Kind<'s>; 2]> {
        self.kind(at).zip(self.kind(at + 1)).map(|(one, other)| [one, other])
    }

    fn before(&self, at: usize) -> Option<Kind<'s>> {
        self.kind(at.checked_sub(1)?)
    }

    fn word_before(&self, at: usize) -> &'s str {
        match self.before(at) {
            Some(Kind::Word(word)) => word,
            _ => "",
        }
    }

    /// Where the parenthesis opens that closes in front of a place.
    fn opens(&self, at: usize) -> Option<usize> {
        let mut depth = 0;
        for back in (0..at).rev() {
            match self.tokens[back].kind {
                Kind::Sign(b')') => depth += 1,
                Kind::Sign(b'(') if depth == 1 => return Some(back),
                Kind::Sign(b'(') => depth -= 1,
                _ if depth == 0 => return None,
                _ => {}
            }
        }
        None
    }

    /// What the block is that opens at a place; `closed` is what the one before was.
    fn block(&self, at: usize, closed: Option<Block<'s>>) -> Block<'s> {
        let arrow = self.before(at) == Some(Kind::Sign(b'>'))
            && at >= 2
            && self.kind(at - 2) == Some(Kind::Sign(b'='));
        if arrow {
            return self.opens(at - 2).map_or(Block::Else, |from| self.function(from));
        }
        match self.before(at) {
            Some(Kind::Word("else")) if closed == Some(Block::ForPhones) => Block::Runs,
            Some(Kind::Word("else" | "do")) => Block::Else,
            Some(Kind::Sign(b')')) => {
                let Some(open) = self.opens(at) else { return Block::Else };
                match self.word_before(open) {
                    "function" => self.function(open - 1),
                    "if" if self.asks_for_phones(open, at) => Block::ForPhones,
                    name if open >= 2 && self.word_before(open - 1) == "function" => Block::Of(name),
                    _ => Block::Else,
                }
            }
            _ => Block::Runs,
        }
    }

    fn asks_for_phones(&self, from: usize, to: usize) -> bool {
        let negated = self.kind(from + 1) == Some(Kind::Sign(b'!'));
        let names = |token: &Token<'_>| match token.kind {
            Kind::Word(text) | Kind::Text(text) => {
                let text = text.to_ascii_lowercase();
                PHONES.iter().any(|phone| text.contains(phone))
            }
            Kind::Sign(_) => false,
        };
        !negated && self.tokens[from..to].iter().any(names)
    }

    /// What becomes of a function without a name that begins at a place.
    fn function(&self, at: usize) -> Block<'s> {
        match self.before(at) {
            Some(Kind::Sign(b'!' | b'+' | b'~')) => Block::Runs,
            Some(Kind::Sign(b'(')) => match self.before(at - 1) {
                None | Some(Kind::Sign(b';' | b'{' | b'}' | b'!')) => Block::Runs,
                Some(Kind::Word("$" | "jQuery" | "ready" | "setTimeout")) => Block::Runs,
                _ => Block::Else,
            },
            Some(Kind::Sign(b'=')) => match self.word_before(at - 1) {
                "onload" => Block::Runs,
                name => Block::Of(name),
            },
            _ => Block::Else,
        }
    }

    /// Whether what stands in a block is run when the page is read.
    fn runs(&self, block: Block<'s>) -> bool {
        match block {
            Block::Runs => true,
            Block::ForPhones | Block::Else => false,
            Block::Of(name) => self.is_called(name),
        }
    }

    /// Whether a function is called, or handed over to be, outside of all blocks.
    fn is_called(&self, name: &str) -> bool {
        let mut depth = 0_usize;
        for (at, token) in self.tokens.iter().enumerate() {
            match token.kind {
                Kind::Sign(b'{') => depth += 1,
                Kind::Sign(b'}') => depth = depth.saturating_sub(1),
                Kind::Word(word) if word == name && depth == 0 => {
                    let declared = matches!(self.word_before(at), "function" | "var" | "let" | "const");
                    let set = self.kind(at + 1) == Some(Kind::Sign(b'='));
                    if !declared && !set {
                        return true;
                    }
                }
                Kind::Text(text) if depth == 0 && text.trim_end_matches([';', ')', '(']) == name => {
                    return true;
                }
                _ => {}
            }
        }
        false
    }

    /// Whether a statement begins with the `location` at a place, and on no condition.
    fn begins_statement(&self, at: usize, closed: Option<Block<'s>>) -> bool {
        let mut from = at;
        while self.before(from) == Some(Kind::Sign(b'.')) {
            match self.word_before(from - 1) {
                "window" | "top" | "self" | "parent" | "document" => from -= 2,
                _ => return false,
            }
        }
        match self.before(from) {
            None | Some(Kind::Sign(b';' | b'{' | b'}')) => true,
            Some(Kind::Word("else")) => closed == Some(Block::ForPhones),
            Some(Kind::Word(word)) => self.tokens[from].first && !matches!(word, "do" | "return" | "typeof"),
            Some(Kind::Text(_)) => self.tokens[from].first,
            // The end of a call in the line before, not of a condition.
            Some(Kind::Sign(b')')) if self.tokens[from].first => self
                .opens(from)
                .is_some_and(|open| !matches!(self.word_before(open), "if" | "while" | "for" | "with" | "")),
            // `() => location.href = …`
            Some(Kind::Sign(b'>')) if from >= 2 && self.kind(from - 2) == Some(Kind::Sign(b'=')) => {
                self.opens(from - 2).is_some_and(|open| self.function(open) == Block::Runs)
            }
            _ => false,
        }
    }

    /// The whole text that the `location` at a place is set to.
    fn assigned(&self, at: usize) -> Option<&'s str> {
        let mut at = at + 1;
        let is = |at: usize, kind: Kind<'_>| self.kind(at) == Some(kind);
        let dot = Kind::Sign(b'.');
        if is(at, dot) && is(at + 1, Kind::Word("href")) {
            at += 2;
        }
        let called = is(at, dot) && (is(at + 1, Kind::Word("replace")) || is(at + 1, Kind::Word("assign")));
        let text = match called {
            true if is(at + 2, Kind::Sign(b'(')) => at + 3,
            false if is(at, Kind::Sign(b'=')) => at + 1,
            _ => return None,
        };
        let Some(Kind::Text(target)) = self.kind(text) else { return None };
        // What is put together is another address.
        let ends = match self.kind(text + 1) {
            None | Some(Kind::Sign(b';' | b')' | b'}' | b',' | b'<')) => true,
            Some(Kind::Sign(_)) => false,
            Some(_) => self.tokens[text + 1].first,
        };
        (ends && !target.trim().is_empty() && !target.contains('\\')).then_some(target)
    }
}

/// The words, texts and signs of a script, without its remarks.
fn tokens(script: &str) -> Vec<Token<'_>> {
    let bytes = script.as_bytes();
    let mut tokens = Vec::new();
    let (mut at, mut first) = (0, true);
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || byte >= 0x80;
    let line_end = |from: usize| memchr::memchr(b'\n', &bytes[from..]).map_or(bytes.len(), |end| from + end);
    while at < bytes.len() {
        let rest = &bytes[at..];
        let from = at;
        let kind = match bytes[at] {
            b'\n' | b'\r' => {
                first = true;
                at += 1;
                continue;
            }
            byte if byte.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            _ if rest.starts_with(b"//") || rest.starts_with(b"<!--") || rest.starts_with(b"-->") => {
                at = line_end(at);
                continue;
            }
            _ if rest.starts_with(b"/*") => {
                at = memmem::find(rest, b"*/").map_or(bytes.len(), |end| at + end + 2);
                continue;
            }
            quote @ (b'"' | b'\'' | b'`') => {
                let mut end = at + 1;
                while end < bytes.len() && bytes[end] != quote {
                    end += if bytes[end] == b'\\' { 2 } else { 1 };
                }
                at = end + 1;
                // Without its end nothing is known of what follows.
                let Some(text) = script.get(from + 1..end).filter(|_| end < bytes.len()) else { break };
                Kind::Text(text)
            }
            byte if is_word(byte) => {
                at += rest.iter().position(|byte| !is_word(*byte)).unwrap_or(rest.len());
                Kind::Word(&script[from..at])
            }
            sign => {
                at += 1;
                Kind::Sign(sign)
            }
        };
        tokens.push(Token { kind, first });
        first = false;
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leads_every_visitor_on() {
        for script in [
            "location.href='/a'",
            "window.location = \"/a\"",
            "location.replace('/a')",
            "\n<!--\nself.location='/a';\n//-->\n",
            "// to the new site\nvar x = 1;\ntop.location.href = '/a';",
            "(function(){ location.href = '/a' })();",
            "!function(){location='/a'}()",
            "$(function(){ window.location.href='/a'; });",
            "$(document).ready(function () {\n  location.assign('/a')\n});",
            "window.onload = function() { location.href = '/a'; }",
            "function go(){ location.href='/a'; }\nsetTimeout(go, 3000);",
            "function go(){ location.href='/a'; } setTimeout('go()', 3000)",
            "var go = function(){ location.href='/a'; };\ngo();",
            "setTimeout(() => { location.href='/a' }, 100)",
            "setTimeout(() => location.href='/a', 100)",
            "setTimeout(\"location.href='/a'\", 100)",
            "alert('moved')\nlocation.href='/a'",
            "if(/Android|iPhone/i.test(navigator.userAgent)){location.href='/m/'}else{location.href='/a'}",
            "try{location.href='/a'}catch(e){}",
        ] {
            assert_eq!(target(script), Some("/a"), "{script}");
        }
    }

    #[test]
    fn what_a_click_a_box_or_a_phone_sets_off() {
        for script in [
            "function sousuo(){ window.location = '//s.gov.cn/?keywords=' + $('#q').val(); }",
            "function search() { location.href = '/search?q='; }\n$('#q').keydown(function(e){ if(e.keyCode==13){ search(); } })",
            "$('.exit').on('click', function(){ location.href='/a'; })",
            "$('#x').click(function(){location.href='/a'})",
            "document.getElementById('x').onclick = function(){ location.href='/a' }",
            "if(isMobile()){location.href='/m/'}",
            "if(/Android|iPhone/.test(navigator.userAgent)){window.location.href='/m/';}",
            "if (x)\n  location.href='/a'",
            "x && (location.href='/a')",
            "x ? location='/a' : 0",
            "location.href = location.href + '?x'",
            "if(location.href=='/a'){}",
            "var l = location.pathname",
            "for(;;) location.href='/a'",
            "else location.href='/a'",
            "location.href='/a' + x",
            "location.href='",
            "function go(){ location.href='/a'; }",
            "var location='/a'",
            "(function(u){if((u.indexOf('iP')>-1||u.indexOf('Android')>-1)&&document.location.href!='/m'){document.location.href='/m'}})(navigator.userAgent);",
            "}}}{{{)))(((location",
            "",
        ] {
            assert_eq!(target(script), None, "{script}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_script_is_read_to_its_end(
            script in "(location|\\.href|=|'|\"|\\\\|/a|function|\\(|\\)|\\{|\\}|=>|if|else|setTimeout|go|;|\n|//|/\\*|字| ){0,40}",
        ) {
            let _ = target(&script);
        }
    }
}
