//! What clicks and menus open by scripts.

use memchr::{memchr, memmem};

use crate::diversion::uses;

/// The address that a click opens by a script: `window.open('/a.html')`, `location.href='/a.html'`. One that
/// the script puts together is not known.
pub(crate) fn opened(code: &str) -> Option<&str> {
    let code = match code.get(.."javascript:".len()) {
        Some(scheme) if scheme.eq_ignore_ascii_case("javascript:") => &code[scheme.len()..],
        _ => code,
    };
    if memmem::find(code.as_bytes(), b"open").is_none()
        && memmem::find(code.as_bytes(), b"location").is_none()
    {
        return None;
    }
    let windows = uses(code, "open").filter_map(|(at, rest)| {
        // Others have something to open, too: `request.open('GET', …)`.
        let of = code[..at].strip_suffix('.').map(|before| {
            before.rsplit(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next().unwrap_or_default()
        });
        let own = of.is_none_or(|of| matches!(of, "window" | "self" | "top" | "parent"));
        rest.trim_start().strip_prefix('(').filter(|_| own)
    });
    let places = uses(code, "location").filter_map(|(_, rest)| {
        let called = [".replace", ".assign"].iter().find_map(|call| rest.strip_prefix(call));
        match called {
            Some(rest) => rest.trim_start().strip_prefix('('),
            None => {
                let rest = rest.strip_prefix(".href").unwrap_or(rest);
                rest.trim_start().strip_prefix('=').filter(|value| !value.starts_with('='))
            }
        }
    });
    windows.chain(places).find_map(literal)
}

/// A text between quotes, if that is the whole of an argument or a value.
fn literal(code: &str) -> Option<&str> {
    let code = code.trim_start();
    let quote = code.bytes().next().filter(|byte| matches!(byte, b'"' | b'\''))?;
    let end = memchr(quote, &code.as_bytes()[1..])? + 1;
    let text = code[1..end].trim();
    let after = code[end + 1..].trim_start();
    (!text.is_empty() && !text.contains('\\') && !after.starts_with(['+', '?', '.'])).then_some(text)
}

/// What an entry of a menu leads to: `<option value="http://…">`; a path only where choosing it opens
/// something.
pub(crate) fn chosen(value: &str, opens: bool) -> Option<&str> {
    let value = value.trim();
    let has =
        |scheme: &str| value.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    let path = || {
        let is_page = value.starts_with(['/', '.']) || PAGES.iter().any(|ending| value.contains(ending));
        opens && is_page && !value.contains(char::is_whitespace) && !value.ends_with("://")
    };
    // The first entry often leads nowhere.
    let whole = ["http://", "https://"].iter().any(|scheme| has(scheme) && value.len() > scheme.len());
    (whole || path()).then_some(value)
}

/// Endings of pages.
const PAGES: [&str; 6] = [".htm", ".shtm", ".jsp", ".asp", ".php", ".do"];

/// Whether choosing an entry of a menu opens just what its value says.
pub(crate) fn opens_choice(handler: &str) -> bool {
    let opens = ["open", "location", "href", "jump", "Jump"].iter().any(|sign| handler.contains(sign));
    // What is put together is another address.
    opens && !handler.contains('+')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_click_opens() {
        for (code, wanted) in [
            ("window.open('/a.html')", Some("/a.html")),
            ("javascript:window.open(\"http://b.cn/\",'_blank');return false;", Some("http://b.cn/")),
            ("JavaScript:open('a.html')", Some("a.html")),
            ("location.href='/a.html'", Some("/a.html")),
            ("self.location = '/a.html';", Some("/a.html")),
            ("document.location.replace( '/a.html' )", Some("/a.html")),
            ("if(confirm('去？')){window.open('http://b.cn/')}", Some("http://b.cn/")),
            ("window.open('/show?id=' + id)", None),
            ("location.href=url", None),
            ("if(location.href=='/a.html')x()", None),
            ("request.open('GET','/a')", None),
            ("reopen('/a')", None),
            ("window.open('')", None),
            ("openWin('/a.html')", None),
            ("window.open(\"\\x2fa\")", None),
            ("javascript:;", None),
            ("javascript:字", None),
            ("", None),
        ] {
            assert_eq!(opened(code), wanted, "{code}");
        }
    }

    #[test]
    fn what_a_menu_leads_to() {
        for (value, opens, wanted) in [
            (" http://b.cn/ ", false, Some("http://b.cn/")),
            ("HTTPS://b.cn", false, Some("HTTPS://b.cn")),
            ("http://", false, None),
            ("/col/1/", true, Some("/col/1/")),
            ("/col/1/", false, None),
            ("1", true, None),
            ("请选择", true, None),
            ("1.5", true, None),
            ("2020/01", true, None),
            ("2.htm", true, Some("2.htm")),
        ] {
            assert_eq!(chosen(value, opens), wanted, "{value}");
        }
        assert!(opens_choice("if(this.value)window.open(this.value)"));
        assert!(opens_choice("MM_jumpMenu('parent',this,0)"));
        assert!(!opens_choice("check(this)"));
        assert!(!opens_choice("location.href='list.jsp?month='+this.value"));
    }
}
