//! Signs on a home page that not every browser shows it alike (D21). They are shown to the person who judges.

use std::collections::BTreeSet;

use xunjian_model::{Facts, LinkKind, Offer, PageUrl};

/// Endings of what only a plug-in shows, which no browser has any more.
const PLUG_INS: [&str; 4] = [".swf", ".cab", ".ocx", ".xap"];
/// What says that a browser is to be used, and which.
const ASKS: [&str; 5] = ["请使用", "建议使用", "推荐使用", "请用", "最佳浏览"];
const BROWSERS: [&str; 6] = ["IE", "Internet Explorer", "Chrome", "谷歌", "360浏览器", "火狐"];

fn sign(what: &str, count: usize, url: &str) -> Offer {
    Offer { indicator: "D21".to_owned(), what: what.to_owned(), count: count as u64, url: url.to_owned() }
}

/// Things that need a plug-in.
pub(crate) fn plug_in(home: &Facts) -> Option<Offer> {
    let needs = |url: &str| {
        let path = url.split(['?', '#']).next().unwrap_or(url).to_ascii_lowercase();
        PLUG_INS.iter().any(|ending| path.ends_with(ending))
    };
    // An object and what stands in it for other browsers name the same.
    let found: BTreeSet<&str> = home
        .links
        .iter()
        .filter(|link| link.kind == LinkKind::Media && needs(&link.url))
        .map(|link| link.url.as_str())
        .collect();
    found.first().map(|first| sign("needs a plug-in", found.len(), first))
}

/// A line that asks for a certain browser.
pub(crate) fn asks_for_browser(home: &Facts, url: &PageUrl) -> Option<Offer> {
    let has = |words: &[&str], text: &str| words.iter().any(|word| text.contains(word));
    let asks = |text: &str| has(&ASKS, text) && has(&BROWSERS, text);
    let count = home.blocks.iter().filter(|block| asks(&block.text)).count();
    (count > 0).then(|| sign("asks for a certain browser", count, url.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use xunjian_page::{Limits, extract};

    #[test]
    fn plug_ins_and_requests_are_signs() {
        let url = PageUrl::parse("http://www.a.gov.cn/").expect("an address");
        let signs = |html: &str| {
            let facts = extract(html.as_bytes(), None, &url, Limits::default());
            let all = [plug_in(&facts), asks_for_browser(&facts, &url)];
            all.map(|sign| sign.map(|sign| sign.count))
        };
        let old = "<object><param name=movie value=a.swf><embed src=/a.swf></object><embed src=/top.swf?v=1><p>建议使用IE8以上浏览器浏览</p>";
        assert_eq!(signs(old), [Some(2), Some(1)]);
        assert_eq!(signs("<video src=a.mp4></video><p>浏览器</p>")[0], None);
        assert_eq!(signs("<p>请使用普通话</p><p>Chrome</p>"), [None, None]);
    }
}
