//! Scripts that show something else to whoever comes from a search engine, or to the engine itself. An
//! editor, who comes by himself, sees nothing of it.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use memchr::memmem;
use xunjian_model::Diversion;

use crate::links::searcher;

/// How search engines are named there, also with the backslash of a pattern.
const ENGINES: [&str; 12] = [
    "baidu", "Baidu", "sogou", "Sogou", "haosou", "so.com", "so\\.com", "google", "Google", "youdao",
    "yisou", "bing",
];
/// Bytes around a sign in which the rest has to stand.
const NEAR: usize = 1_000;
/// Signs of a script that are looked at.
const SIGNS_MAX: usize = 16;
/// Bytes of what it does that are told, and of what stands before.
const SHOWN: usize = 160;

/// What a script does to visitors from search engines.
pub(crate) fn of_script(script: &str) -> impl Iterator<Item = Diversion> {
    let looked_at = |sign: &'static str| {
        let signs = memmem::find_iter(script.as_bytes(), sign).take(SIGNS_MAX);
        signs
            .map(move |at| (at, part(script, at + sign.len()..at + NEAR)))
            .filter(|(at, _)| names_engine(script, *at))
    };
    let sent = looked_at("referrer").flat_map(move |(at, (from, after))| {
        goes_elsewhere(after).filter_map(move |deed| {
            let (script, hit) = told(script, at, from + deed);
            // Where it leads has to be said: what goes on to its own address is no diversion.
            let target = target(&script[hit.clone()])?.to_owned();
            Some(Diversion { target: Some(target), script, hit })
        })
    });
    let titled = looked_at("userAgent").flat_map(move |(at, (from, after))| {
        assigned(after, "document.title").map(move |deed| {
            let (script, hit) = told(script, at, from + deed);
            Diversion { target: None, script, hit }
        })
    });
    sent.chain(titled)
}

/// Whether a search engine is named around a place.
fn names_engine(script: &str, at: usize) -> bool {
    static NAMES: LazyLock<AhoCorasick> = LazyLock::new(|| searcher(ENGINES.iter()));
    NAMES.is_match(part(script, at.saturating_sub(NEAR)..at + NEAR).1)
}

/// The part of a script from a sign to the deed and behind it, and the deed's bytes in that.
fn told(script: &str, sign: usize, deed: usize) -> (String, Range<usize>) {
    let (_, before) = part(script, sign.saturating_sub(SHOWN)..deed);
    let (_, hit) = part(script, deed..deed + SHOWN);
    let hit = &hit[..hit.find([';', '}', '\n']).unwrap_or(hit.len())];
    let (_, rest) = part(script, deed + hit.len()..deed + hit.len() + SHOWN);
    (format!("{before}{hit}{rest}"), before.len()..before.len() + hit.len())
}

/// The whole address a deed leads to: one that begins a text, or is what an attribute is set to.
fn target(deed: &str) -> Option<&str> {
    memmem::find_iter(deed.as_bytes(), "//").find_map(|slashes| {
        let scheme = ["https:", "http:"].iter().find(|scheme| deed[..slashes].ends_with(**scheme));
        let (before, rest) = deed.split_at(slashes - scheme.map_or(0, |scheme| scheme.len()));
        let end = rest.find(['"', '\'', '`', ' ', '>', '<', ')', '\\']).unwrap_or(rest.len());
        before.ends_with(['"', '\'', '`', '=']).then_some(&rest[..end])
    })
}

/// A range of a text without the halves of characters at its ends, and where it begins.
fn part(text: &str, range: Range<usize>) -> (usize, &str) {
    let mut start = range.start.min(text.len());
    while !text.is_char_boundary(start) {
        start += 1;
    }
    let mut end = range.end.min(text.len()).max(start);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    (start, &text[start..end])
}

/// Where a script goes to another address, or writes a frame or a script of its own.
fn goes_elsewhere(script: &str) -> impl Iterator<Item = usize> {
    let called = uses(script, "location").filter_map(|(at, rest)| {
        (rest.starts_with(".replace(") || rest.starts_with(".assign(")).then_some(at)
    });
    let written = uses(script, "document.write").filter_map(|(at, rest)| {
        let (_, rest) = part(rest, 0..SHOWN);
        (rest.contains("iframe") || rest.contains("<scr")).then_some(at)
    });
    assigned(script, "location").chain(called).chain(written)
}

/// Where a variable is set.
fn assigned(script: &str, name: &'static str) -> impl Iterator<Item = usize> {
    uses(script, name).filter_map(|(at, rest)| {
        let rest = rest.strip_prefix(".href").unwrap_or(rest).trim_start();
        let value = rest.strip_prefix('=')?;
        (!value.starts_with('=')).then_some(at)
    })
}

/// Where a name stands as a word, and what is behind it.
pub(crate) fn uses<'s>(script: &'s str, name: &'static str) -> impl Iterator<Item = (usize, &'s str)> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$');
    memmem::find_iter(script.as_bytes(), name)
        .filter(move |at| !at.checked_sub(1).is_some_and(|before| is_word(script.as_bytes()[before])))
        .map(move |at| (at, &script[at + name.len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(script: &str) -> Option<(String, Option<String>)> {
        let found = of_script(script).next()?;
        Some((found.script[found.hit].to_owned(), found.target))
    }

    #[test]
    fn scripts_that_send_visitors_of_search_engines_elsewhere() {
        for (script, deed, target) in [
            (
                "if(/baidu|sogou/i.test(document.referrer)){location.href='http://x.com/';}",
                "location.href='http://x.com/'",
                "http://x.com/",
            ),
            (
                r#"var regexp=/\.(sogou|soso|baidu)(\.[a-z0-9\-]+){1,2}\//ig; var where=document.referrer;
                if(regexp.test(where)) { window.location = "//x.com/?a=1" }"#,
                r#"location = "//x.com/?a=1" "#,
                "//x.com/?a=1",
            ),
            (
                "var s=document.referrer;if(location.href=='/x'||s.indexOf('google')>0)self.location.replace('https://x.com')",
                "location.replace('https://x.com')",
                "https://x.com",
            ),
            (
                "if(document.referrer.match('so.com'))document.write('<iframe src=//x.com></iframe>');",
                "document.write('<iframe src=//x.com></iframe>')",
                "//x.com",
            ),
        ] {
            assert_eq!(found(script), Some((deed.to_owned(), Some(target.to_owned()))), "{script}");
        }
    }

    #[test]
    fn every_deed_of_a_script_is_told() {
        let script = "if(/baidu/.test(document.referrer)){location='http://a.cn/';location='http://x.com/'}";
        let targets: Vec<_> = of_script(script).filter_map(|found| found.target).collect();
        assert_eq!(targets, ["http://a.cn/", "http://x.com/"]);
    }

    #[test]
    fn scripts_that_hide_the_title_from_people() {
        let script = "if(navigator.userAgent.toLowerCase().indexOf('baidu')==-1){document.title='某某局'}";
        assert_eq!(found(script), Some(("document.title='某某局'".to_owned(), None)));
    }

    #[test]
    fn what_counters_and_mobile_sites_do_is_left_alone() {
        for script in [
            "var _hmt=_hmt||[];(function(){var hm=document.createElement('script');hm.src='https://hm.baidu.com/hm.js?1'})()",
            "var r=document.referrer;if(r.indexOf('baidu')>0){source='baidu'};var here=location.href;if(location.href==r){}",
            "if(/Android|iPhone/.test(navigator.userAgent)){location.href='/m/'}",
            "var back=document.referrer;if(back==''){location.href='http://a.cn/'}",
            "if(document.referrer.match('baidu')){location.href='/go//x.html'} // away",
            // Out of a frame, to its own address.
            "if(top.location!=location&&document.referrer.search('google.com')<0){top.location.href=location.href}",
            "var ua=navigator.userAgent;if(/baidu/.test(ua)){bot=true}document.titles='x';if(document.title=='x'){}",
            "",
        ] {
            assert_eq!(found(script), None, "{script}");
        }
        let far = format!("document.referrer;'baidu';{};location='http://x.com/'", "a();".repeat(NEAR));
        assert_eq!(found(&far), None);
    }

    proptest::proptest! {
        #[test]
        fn any_script_is_cut_between_characters(
            script in "(document\\.referrer|baidu|location=|userAgent|document\\.title=|[字符;}\n ]|a{1,200}){0,30}",
        ) {
            for found in of_script(&script) {
                proptest::prop_assert!(found.script.is_char_boundary(found.hit.start));
                proptest::prop_assert!(script.contains(&found.script));
                proptest::prop_assert!(found.script[found.hit].len() <= SHOWN);
            }
        }
    }
}
