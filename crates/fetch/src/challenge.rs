//! Answers that are no page but a script which only a browser passes: what firewalls of the field send to
//! whoever has not run it yet, with 200, 202, 403, 412, 503 or a number of their own. They say nothing of
//! the page that was asked for.
//!
//! Such an answer shows a reader nothing at all, and does one of a few things. A page that merely is filled by
//! its scripts does none of them.

use hyper::HeaderMap;
use memchr::memmem;

/// Bytes above which nothing is taken for one.
const BYTES_MAX: usize = 512 << 10;
/// Names that the scripts and cookies of widespread firewalls bear.
const NAMES: [&[u8]; 11] = [
    b"$_ts", b"__jsl_clearance", b"acw_sc__v2", b"wzwschallenge", b"WZWS_CONFIRM", b"security_verify_data",
    b"/_guard/", b"EO_Bot_Ssid", b"__tst_status", b"/TSPD/", b"/cdn-cgi/challenge-platform",
];
/// How a script, its white space taken away, asks for its own page once more.
const ONCE_MORE: [&[u8]; 6] = [
    b"location.reload(", b"location.pathname", b"location=location", b"location.href=location",
    b"location.href=window.location", b"location.replace(location",
];
/// Elements whose content no reader sees.
const UNSEEN: [&[u8]; 5] = [b"script", b"style", b"noscript", b"title", b"template"];
/// Elements that show something without a text.
const SHOWING: [&[u8]; 9] =
    [b"a", b"img", b"form", b"input", b"frame", b"iframe", b"object", b"embed", b"area"];

/// Whether an answer is one.
pub(crate) fn is_challenge(status: u16, headers: &HeaderMap, body: &[u8]) -> bool {
    if headers.get("cf-mitigated").is_some_and(|value| value.as_bytes() == b"challenge") {
        return true;
    }
    // Error pages that lead elsewhere by script are just that.
    if matches!(status, 404 | 410) || body.len() > BYTES_MAX || !is_script_alone(body) {
        return false;
    }
    // With nothing but a script no server of pages sends these.
    matches!(status, 202 | 412 | 521) || has_any(body, &NAMES) || sets_cookie_and_asks_again(body)
}

fn has_any(body: &[u8], sought: &[&[u8]]) -> bool {
    sought.iter().any(|one| memmem::find(body, one).is_some())
}

fn sets_cookie_and_asks_again(body: &[u8]) -> bool {
    let dense: Vec<u8> = body.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    memmem::find(&dense, b"document.cookie=").is_some() && has_any(&dense, &ONCE_MORE)
}

/// Whether there is a script, and nothing that a reader sees. Ends with the first thing seen.
fn is_script_alone(body: &[u8]) -> bool {
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    let mut rest = body;
    let mut scripts = false;
    while let Some(at) = memchr::memchr(b'<', rest) {
        if !rest[..at].trim_ascii().is_empty() {
            return false;
        }
        rest = &rest[at + 1..];
        if let Some(comment) = rest.strip_prefix(b"!--") {
            let Some(end) = memmem::find(comment, b"-->") else { return scripts };
            rest = &comment[end + 3..];
            continue;
        }
        let name = &rest[..rest.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count()];
        if SHOWING.iter().any(|one| name.eq_ignore_ascii_case(one)) {
            return false;
        }
        let Some(end) = memchr::memchr(b'>', rest) else { return scripts };
        rest = &rest[end + 1..];
        if let Some(name) = UNSEEN.into_iter().find(|one| name.eq_ignore_ascii_case(one)) {
            scripts |= name == b"script";
            let Some(after) = after_element(rest, name) else { return scripts };
            rest = after;
        }
    }
    scripts && rest.trim_ascii().is_empty()
}

/// What follows the end tag of an element whose content is text.
fn after_element<'b>(content: &'b [u8], name: &[u8]) -> Option<&'b [u8]> {
    let mut rest = content;
    loop {
        let at = memmem::find(rest, b"</")?;
        rest = &rest[at + 2..];
        if rest.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name)) {
            let end = memchr::memchr(b'>', rest)?;
            return Some(&rest[end + 1..]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(status: u16, body: &str) -> bool {
        is_challenge(status, &HeaderMap::new(), body.as_bytes())
    }

    #[test]
    fn scripts_that_a_browser_has_to_pass() {
        let meta = "<!DOCTYPE html><html><head><meta charset=\"utf-8\"><meta id=\"9Dhef\" content=\"abc\" r=\"m\"><title></title>";
        let packed = "<script r='m'>$_ts=window['$_ts'];if(!$_ts)$_ts={};$_ts.cd=\"q\";</script><script src=\"/4Qb/d.js\" r='m'></script></head><body></body></html>";
        for status in [200, 202, 400, 412] {
            assert!(is(status, &format!("{meta}{packed}")), "{status}");
        }
        assert!(is(
            521,
            "<script>document.cookie=('_')+('_')+('j');location.href=location.pathname+location.search</script>"
        ));
        assert!(is(
            200,
            "\u{feff}<html><script>\nvar arg1='AB12';\nfunction reload(x) { document.cookie = 'k=' + x; document.location . reload(); }</script></html>"
        ));
        assert!(is(
            403,
            "<HTML><HEAD><!-- a --><SCRIPT>document.cookie = 'a=1'; window.location.href = window.location.href;</SCRIPT></HEAD><noscript>请开启脚本</noscript></HTML>"
        ));
        assert!(is(412, "<script>var a = 1 // cut in the mid"));
        let mut headers = HeaderMap::new();
        headers.insert("cf-mitigated", "challenge".parse().expect("a value"));
        assert!(is_challenge(403, &headers, b"<title>Just a moment...</title><p>Checking"));
    }

    #[test]
    fn pages_that_are_none() {
        for (status, body) in [
            // Filled by its scripts.
            (200, "<html><body><div id=app></div><script src=/app.js></script></body></html>"),
            // Leads on.
            (200, "<html><script>location.href='/zwgk/index.html'</script></html>"),
            (200, "<script>document.cookie='v=1';location.href='/index.shtml'</script>"),
            (404, "<script>document.cookie='a=1';location.reload()</script>"),
            (500, "<script>window.location='/error.html'</script>"),
            // Shows something.
            (200, "<html><body>首页<script>document.cookie='a=1';location.reload()</script></body></html>"),
            (
                200,
                "<frameset><frame src=a.html></frameset><script>document.cookie='a=1';location.reload()</script>",
            ),
            (412, "<html><body><h1>412 Precondition Failed</h1></body></html>"),
            (521, "<html><script>var a</script><p>Web server is down</p></html>"),
            (202, "<html><body></body></html>"),
            (202, ""),
        ] {
            assert!(!is(status, body), "{status} {body}");
        }
    }
}
