//! What addresses are used for, and addresses in unusual places.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};
use memchr::{memchr, memchr2, memmem, memrchr};
use percent_encoding::percent_decode_str;
use xunjian_model::{LinkKind, PageUrl};

use crate::names::{Room, lower_case};

/// Whether an address is one of a document or archive offered for download, by its ending.
pub fn is_attachment(url: &PageUrl) -> bool {
    kind_of_anchor(url.as_str()) == LinkKind::Attachment
}

/// What an `<a href>` leads to, by the ending of its path.
pub(crate) fn kind_of_anchor(url: &str) -> LinkKind {
    let path = &url[..memchr2(b'?', b'#', url.as_bytes()).unwrap_or(url.len())];
    let slash = memrchr(b'/', path.as_bytes()).unwrap_or(0);
    if slash < "https://".len() {
        // What stands there is the host.
        return LinkKind::Page;
    }
    match path[slash + 1..].rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() => kind_of_ending(ending),
        _ => LinkKind::Page,
    }
}

/// Documents and archives are offered for download, pictures shown.
fn kind_of_ending(ending: &str) -> LinkKind {
    match lower_case(ending, &mut Room::default()) {
        Some(
            "pdf" | "doc" | "docx" | "xls" | "xlsx" | "ppt" | "pptx" | "wps" | "et" | "dps" | "zip" | "rar"
            | "7z" | "gz" | "tar" | "txt" | "csv" | "rtf" | "ofd" | "ceb" | "mp3" | "mp4" | "wmv" | "avi"
            | "apk" | "exe",
        ) => LinkKind::Attachment,
        Some("png" | "jpg" | "jpeg" | "gif" | "bmp" | "webp" | "svg" | "ico") => LinkKind::Image,
        _ => LinkKind::Page,
    }
}

/// The target in `<meta http-equiv=refresh content="0; url=...">`.
pub(crate) fn refresh_target(content: &str) -> Option<&str> {
    let at = content.to_ascii_lowercase().find("url")?;
    let target = content[at + 3..].trim_start().strip_prefix('=')?.trim();
    let target = target.trim_matches(['"', '\'']);
    (!target.is_empty()).then_some(target)
}

/// The addresses of a `srcset`.
pub(crate) fn srcset(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').filter_map(|part| part.split_ascii_whitespace().next())
}

/// The addresses of `url(...)` in a style.
pub(crate) fn css_urls(style: &str) -> impl Iterator<Item = &str> {
    const URL: &[u8] = b"url(";
    let mut places = memmem::find_iter(style.as_bytes(), URL).peekable();
    std::iter::from_fn(move || {
        let at = places.next()? + URL.len();
        Some(&style[at..places.peek().copied().unwrap_or(style.len())])
    })
    .filter_map(|rest| {
        let inner = rest[..memchr(b')', rest.as_bytes())?].trim().trim_matches(['"', '\'']);
        (!inner.is_empty() && !inner.starts_with("data:")).then_some(inner)
    })
}

/// A search for constant words. Leftmost, since only then are vector instructions used to skip what
/// cannot be one of them.
#[allow(clippy::unwrap_used, reason = "constant words, compiled in every test")]
pub(crate) fn searcher<'w>(words: impl Iterator<Item = &'w &'w str>) -> AhoCorasick {
    AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(words).unwrap()
}

/// Whether a script seems to fill a list or the page from elsewhere.
pub(crate) fn fills_page(script: &str) -> bool {
    // jQuery's `load` asks and writes in one.
    const ASKS: [&str; 10] = [
        "fetch(", "$.ajax", "$.get", "$.post", "XMLHttpRequest", "axios", "getJSON", "new Vue", ".load('",
        ".load(\"",
    ];
    const WRITES: [&str; 8] = [
        "innerHTML", ".html(", ".append(", "document.write", "insertAdjacentHTML", "new Vue", ".load('",
        ".load(\"",
    ];
    static WORDS: LazyLock<[AhoCorasick; 2]> = LazyLock::new(|| {
        let words = [&ASKS[..], &WRITES[..]];
        words.map(|words| searcher(words.iter()))
    });
    WORDS.iter().all(|words| words.is_match(script))
}

/// Films and documents that a script shows where it stands, as those of Visual SiteBuilder do:
/// `showVsbVideo("/a.mp4", …)`, `showVsbpdfIframe("/a.pdf", …)`.
pub(crate) fn players(script: &str) -> impl Iterator<Item = &str> {
    memmem::find_iter(script.as_bytes(), b"showVsb").filter_map(|at| {
        let (_, rest) = script[at..].split_once('(')?;
        let quote = rest.chars().next().filter(|first| matches!(first, '"' | '\''))?;
        rest[1..].split_once(quote).map(|(address, _)| address)
    })
}

/// Films that a script gives a player, each in quotes of its own: `{f:'/a.flv'}`, `"src":"/a.mp4?t=1"`. What is put
/// together from parts is no address.
pub(crate) fn films(script: &str) -> impl Iterator<Item = &str> {
    const ENDS: [&str; 10] =
        [".mp4", ".flv", ".m3u8", ".webm", ".wmv", ".mp3", ".mov", ".avi", ".rmvb", ".f4v"];
    static ENDINGS: LazyLock<AhoCorasick> = LazyLock::new(|| searcher(ENDS.iter()));
    let mut read = 0;
    ENDINGS.find_iter(script).filter_map(move |hit| {
        let start = script[read.min(hit.start())..hit.start()].rfind(['"', '\'']).map(|at| read + at + 1)?;
        let quote = script[..start].chars().next_back()?;
        let end = start + script[start..].find(quote)?;
        let address = script[start..end].trim();
        let ends = script[hit.end()..end].is_empty() || script[hit.end()..].starts_with(['?', '#']);
        read = end + 1;
        let is_part =
            script[end + 1..].trim_start().starts_with('+') || script[..start - 1].trim_end().ends_with('+');
        let is_address =
            hit.start() > start && !address.contains(|c: char| c.is_whitespace() || "<>(){},|".contains(c));
        (ends && is_address && !is_part).then_some(address)
    })
}

/// The place a link points to, if a page can be asked for it: not the top, not a script's route,
/// not a highlighted text.
pub(crate) fn fragment(url: &url::Url) -> Option<String> {
    let raw = url.fragment()?;
    let raw = raw.split(":~:").next().unwrap_or_default();
    is_place(raw).then(|| percent_decode_str(raw).decode_utf8().ok().map(|id| id.into_owned()))?
}

/// Whether a fragment names a place of the page.
pub(crate) fn is_place(raw: &str) -> bool {
    !(raw.is_empty()
        || raw.eq_ignore_ascii_case("top")
        || raw.starts_with(['/', '!', '?'])
        || raw.contains('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_in_odd_places() {
        assert_eq!(refresh_target("0; URL='/new/'"), Some("/new/"));
        assert_eq!(refresh_target("30"), None);
        assert_eq!(srcset("a.png 1x, b.png 2x").collect::<Vec<_>>(), ["a.png", "b.png"]);
        assert_eq!(css_urls("background:url('x.png')").collect::<Vec<_>>(), ["x.png"]);
        let place = |text: &str| fragment(&url::Url::parse(text).expect(text));
        assert_eq!(place("http://a.cn/#%E7%AC%AC1").as_deref(), Some("第1"));
        for none in ["http://a.cn/#", "http://a.cn/#top", "http://a.cn/#/route", "http://a.cn/#:~:text=x"] {
            assert_eq!(place(none), None, "{none}");
        }
        assert!(fills_page("fetch('/a').then(r=>{e.innerHTML=r})"));
        assert!(fills_page("$('#footer').load('/inc/footer.html')"));
        assert!(!fills_page("window.load(function(){})"));
        for (script, found) in [
            ("var flashvars={f:'/a.flv',c:0};", &["/a.flv"][..]),
            ("new Player({\"src\": \"/a.mp4?t=1\", 'poster':'/a.png', x:'b.mp3'})", &["/a.mp4?t=1", "b.mp3"]),
            ("play(host + '/a.mp4'); play('/a' + '.mp4'); play('/a.mp4' + t)", &[]),
            ("if(/\\.mp4$/.test(u) || u.indexOf('.mp4')>0) alert('不是 a.mp4 文件'); '", &[]),
            ("f('a.mp4", &[]),
        ] {
            assert_eq!(films(script).collect::<Vec<_>>(), found, "{script}");
        }
    }
}
