//! What a page's scripts write where they stand: `document.write('<a href="../gk/">' + name + '</a>')`. Menus and
//! footers of many templates are made so, and in sites that were broken into the box around hidden links.

use std::collections::HashMap;

use memchr::memmem;

use crate::script::{Block, Code, Kind, Nesting};

/// Longest script that is read for it, in bytes.
const SCRIPT_MAX: usize = 16_000;

/// The markup that a script writes, as far as it is known, in its order: of `if (…) {…} else {…}` the first. A call
/// that puts a tag together from parts is left out as a whole.
pub(crate) fn written(script: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    if script.len() > SCRIPT_MAX || memmem::find(script.as_bytes(), b"document.write").is_none() {
        return parts;
    }
    let code = Code::new(script);
    let constants = constants(&code);
    let mut nesting = Nesting::default();
    for at in 0..code.tokens.len() {
        let runs = nesting.pass(&code, at, |block| block == Block::If || code.runs(block));
        match code.tokens[at].kind {
            Kind::Word("write" | "writeln") if runs && is_call(&code, at) => {
                parts.extend(arguments(&code, at + 2, &constants).unwrap_or_default());
            }
            _ => {}
        }
    }
    parts
}

/// Names that are given a text once and for all: `var name = 'text';`.
fn constants<'s>(code: &Code<'s>) -> HashMap<&'s str, &'s str> {
    let declared = (0..code.tokens.len()).filter_map(|at| {
        let Some(Kind::Word("var" | "let" | "const")) = code.kind(at) else { return None };
        let [Kind::Word(name), Kind::Sign(b'=')] = code.kinds(at + 1)? else { return None };
        let Kind::Text(text) = code.kind(at + 3)? else { return None };
        let ends = match code.kind(at + 4) {
            None | Some(Kind::Sign(b';' | b',')) => true,
            Some(_) => code.tokens[at + 4].first,
        };
        (ends && !text.contains('\\')).then_some((name, text))
    });
    declared.collect()
}

/// Whether `write` at a place is the document's, called by a statement that is run on no or any condition.
fn is_call(code: &Code<'_>, at: usize) -> bool {
    if code.kind(at + 1) != Some(Kind::Sign(b'(')) || code.before(at) != Some(Kind::Sign(b'.')) || at < 2 {
        return false;
    }
    let mut from = at - 2;
    if code.kind(from) != Some(Kind::Word("document")) {
        return false;
    }
    if code.before(from) == Some(Kind::Sign(b'.')) && code.word_before(from - 1) == "window" {
        from -= 2;
    }
    match code.before(from) {
        Some(Kind::Word("else")) => false,
        Some(Kind::Sign(b')')) if !code.tokens[from].first => {
            let condition = code.opens(from).map(|open| (open, code.word_before(open)));
            condition.is_some_and(|(open, word)| word == "if" && !code.asks_for_phones(open, from))
        }
        _ => true,
    }
}

/// The texts a call writes, whose arguments begin at a place; `None` where a tag is put together.
fn arguments<'s>(
    code: &Code<'s>,
    mut at: usize,
    constants: &HashMap<&'s str, &'s str>,
) -> Option<Vec<&'s str>> {
    let (mut texts, mut depth) = (Vec::new(), 0_usize);
    loop {
        match code.kind(at)? {
            Kind::Sign(b')') if depth == 0 => return Some(texts),
            Kind::Sign(b'(' | b'[' | b'{') => depth += 1,
            Kind::Sign(b')' | b']' | b'}') => depth = depth.checked_sub(1)?,
            // Of a choice, or of a call, it is not known.
            Kind::Sign(b'?') => return None,
            Kind::Text(text) if depth == 0 => {
                let whole = text.rfind('<') < text.rfind('>') || !text.contains('<');
                if text.contains('\\') || !whole {
                    return None;
                }
                texts.push(text);
            }
            Kind::Word(name) if depth == 0 => {
                let alone = !matches!(code.before(at), Some(Kind::Sign(b'.')))
                    && !matches!(code.kind(at + 1), Some(Kind::Sign(b'.' | b'(' | b'[')));
                texts.extend(constants.get(name).filter(|_| alone));
            }
            _ => {}
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_scripts_write_where_they_stand() {
        for (script, wanted) in [
            ("document.write('<a href=\"/a/\">甲</a>');", &["<a href=\"/a/\">甲</a>"][..]),
            (
                "var n='乙';\nvar u = '/b/'\ndocument.write('<a href=\"/b/\">' + n + '</a>')",
                &["<a href=\"/b/\">", "乙", "</a>"],
            ),
            ("document.writeln(\"<p>\" + new Date() + \"</p>\");", &["<p>", "</p>"]),
            ("if (x != y) {document.write('<b>')} else {document.write('<i>')}", &["<b>"]),
            ("if (x) {a()} else if (y) {document.write('<b>')}", &[]),
            ("if (x) document.write('<b>'); else document.write('<i>');", &["<b>"]),
            ("window.document.write('<b>')", &["<b>"]),
            ("function f(){document.write('<b>')} f()", &["<b>"]),
            ("function f(){document.write('<b>')}", &[]),
            ("if(/Android/.test(navigator.userAgent)){document.write('<b>')}", &[]),
            ("if(/iPhone/.test(navigator.userAgent)) document.write('<b>')", &[]),
            ("for (i in a) document.write('<b>')", &[]),
            ("document.write('<a href=\"' + u + '\">x</a>')", &[]),
            ("document.write('<a href=\\\"/a\\\">x</a>')", &[]),
            ("document.write(x ? '<b>' : '<i>')", &[]),
            ("document.write(f('<b>'))", &[]),
            ("document.write(unescape('%3Cb%3E'))", &[]),
            ("frames[0].write('<b>'); w.document.write('<b>'", &[]),
            ("document.write(", &[]),
        ] {
            assert_eq!(written(script), wanted, "{script}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_script_is_read_to_its_end(
            script in "(document|\\.write|ln|\\(|\\)|\\{|\\}|'|\"|\\\\|<a>|var|x|=|\\+|if|else|;|\n|字| ){0,40}",
        ) {
            let _ = written(&script);
        }
    }
}
