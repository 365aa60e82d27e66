//! Where a page's script leads its visitors on: `location.href = "..."`, run when the page is read and on no
//! condition. What a click, a search box or another kind of device sets off leads nobody anywhere.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use memchr::memmem;

use crate::links::searcher;
use crate::script::{Block, Code, Kind, Nesting};

/// Longest script that is read for it, in bytes: one that leads on does little else.
const SCRIPT_MAX: usize = 1_000;

/// Whether a script is of a kind that leads on.
pub(crate) fn may_lead(script: &str) -> bool {
    static WORDS: LazyLock<AhoCorasick> = LazyLock::new(|| searcher(["location", "open"].iter()));
    script.len() <= SCRIPT_MAX && WORDS.is_match(script)
}

/// The address a script sends every visitor to.
pub(crate) fn target(script: &str) -> Option<&str> {
    if !may_lead(script) {
        return None;
    }
    let code = Code::new(script);
    let mut nesting = Nesting::default();
    for at in 0..code.tokens.len() {
        let runs = nesting.pass(&code, at, |block| code.runs(block));
        match code.tokens[at].kind {
            Kind::Word("location") if runs => {
                let found = code.begins_statement(at, nesting.closed).then(|| code.assigned(at)).flatten();
                if found.is_some() {
                    return found;
                }
            }
            Kind::Word("open") if runs && code.begins_statement(at, nesting.closed) => {
                if let Some(Kind::Text(found)) = code.own_window(at)
                    && !found.trim().is_empty()
                    && !found.contains('\\')
                {
                    return Some(found);
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

/// Where a script leads that sends its visitors on under conditions, or to what stands in an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doubtful<'s> {
    /// To an address that it holds.
    Address(&'s str),
    /// To one that an element of the page holds.
    Element,
}

/// Where a page may lead that shows nothing else. A template of the field holds the address in a hidden element.
pub(crate) fn doubtful(script: &str) -> Option<Doubtful<'_>> {
    if !may_lead(script) {
        return None;
    }
    let asks_element = memmem::find(script.as_bytes(), b"getElementById").is_some();
    let code = Code::new(script);
    (0..code.tokens.len()).find_map(|at| match code.kind(at)? {
        Kind::Word("location") => {
            let address = code.assigned(at).map(Doubtful::Address);
            address.or_else(|| (asks_element && code.value(at).is_some()).then_some(Doubtful::Element))
        }
        Kind::Word("open") => match (code.own_window(at)?, asks_element) {
            (Kind::Text(address), _) if !address.contains('\\') => Some(Doubtful::Address(address)),
            (Kind::Word(_), true) => Some(Doubtful::Element),
            _ => None,
        },
        _ => None,
    })
}

impl<'s> Code<'s> {
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

    /// What opens in the same window by the `open` at a place: `open(url, '_self')`.
    fn own_window(&self, at: usize) -> Option<Kind<'s>> {
        let [Kind::Sign(b'('), address] = self.kinds(at + 1)? else { return None };
        let [Kind::Sign(b','), Kind::Text("_self" | "_top" | "_parent")] = self.kinds(at + 3)? else {
            return None;
        };
        Some(address)
    }

    /// Where the value begins that the `location` at a place is set to.
    fn value(&self, at: usize) -> Option<usize> {
        let mut at = at + 1;
        let is = |at: usize, kind: Kind<'_>| self.kind(at) == Some(kind);
        let dot = Kind::Sign(b'.');
        if is(at, dot) && is(at + 1, Kind::Word("href")) {
            at += 2;
        }
        let called = is(at, dot) && (is(at + 1, Kind::Word("replace")) || is(at + 1, Kind::Word("assign")));
        match called {
            true => is(at + 2, Kind::Sign(b'(')).then_some(at + 3),
            false => (is(at, Kind::Sign(b'=')) && !is(at + 1, Kind::Sign(b'='))).then_some(at + 1),
        }
    }

    /// The whole text that the `location` at a place is set to.
    fn assigned(&self, at: usize) -> Option<&'s str> {
        let text = self.value(at)?;
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
            "window.open('/a', '_self');",
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
            "window.open('/a')",
            "window.open('/a', '_blank')",
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

    #[test]
    fn where_a_page_may_lead_that_shows_nothing_else() {
        for (script, wanted) in [
            ("if(x){location.href='/a'}", Some(Doubtful::Address("/a"))),
            ("if(x) window.open('/a','_self')", Some(Doubtful::Address("/a"))),
            (
                "(function(){\n var url = document.getElementById('url').innerText;\n if(url){\n window.open(url,'_self');\n }\n})();",
                Some(Doubtful::Element),
            ),
            ("var u = document.getElementById('u').innerHTML; location.replace(u)", Some(Doubtful::Element)),
            ("location.href = u", None),
            ("if (location.href == '/a') {}", None),
            ("open('/a', '_blank')", None),
            ("", None),
        ] {
            assert_eq!(doubtful(script), wanted, "{script}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_script_is_read_to_its_end(
            script in "(location|open|, '_self'|getElementById|\\.href|=|'|\"|\\\\|/a|function|\\(|\\)|\\{|\\}|=>|if|else|setTimeout|go|;|\n|//|/\\*|字| ){0,40}",
        ) {
            let _ = (target(&script), doubtful(&script));
        }
    }
}
