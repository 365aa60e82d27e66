//! What a page shows in frames, and in lists its scripts ask for. Where a site is built so, its columns and the news of
//! its home page stand in them.

use std::collections::HashSet;

use xunjian_model::{Facts, Link, LinkKind, Zone};

/// Frames of a page that are looked into, those in frames among them.
const FRAMES_MAX: usize = 64;

/// A page with what its frames show, as a reader sees it; title, labels and dates stay its own. `read` answers
/// with the facts of a page of the site, if it is known. Where one is not, the page may show more than is seen, as if
/// a script filled it.
pub fn with_frames<E>(
    mut facts: Facts,
    mut read: impl FnMut(&str) -> Result<Option<Facts>, E>,
) -> Result<Facts, E> {
    let is_shown =
        |link: &&Link| matches!(link.kind, LinkKind::Frame if !link.hidden) || link.kind == LinkKind::Data;
    if facts.piece {
        end_of_list(&mut facts);
    }
    let mut seen = HashSet::new();
    let mut at = 0;
    // What is taken in may have frames, too: its links come behind.
    while seen.len() < FRAMES_MAX {
        let Some(frame) = facts.links[at..].iter().position(|link| is_shown(&link)) else { break };
        at += frame + 1;
        let Link { url, kind, zone, .. } = facts.links[at - 1].clone();
        if !seen.insert(url.clone()) {
            continue;
        }
        match read(&url)? {
            Some(mut frame) => {
                if kind == LinkKind::Data {
                    end_of_list(&mut frame);
                }
                take_in(&mut facts, frame, zone);
            }
            // Beside the main text stand the weather and the like.
            None => facts.scripted |= zone == Zone::Main,
        }
    }
    Ok(facts)
}

/// Of a list that a script asks for only the first part is shown: the others come when a reader turns the page.
fn end_of_list(list: &mut Facts) {
    for part in list.links.iter_mut().filter(|link| link.kind == LinkKind::Data) {
        (part.kind, part.hidden) = (LinkKind::Page, true);
    }
}

/// Takes in what a frame shows that stands in a zone: in a menu everything is one.
fn take_in(whole: &mut Facts, frame: Facts, zone: Zone) {
    let (blocks, links) = (whole.blocks.len() as u32, whole.links.len() as u32);
    let zone_of = |own: Zone| if zone == Zone::Main { own } else { zone };
    whole.blocks.extend(frame.blocks.into_iter().map(|mut block| {
        block.zone = zone_of(block.zone);
        block
    }));
    whole.links.extend(frame.links.into_iter().map(|mut link| {
        // `u32::MAX` stands for none.
        link.block = link.block.saturating_add(blocks);
        link.zone = zone_of(link.zone);
        link
    }));
    whole.items.extend(frame.items.into_iter().map(|mut item| {
        item.link += links;
        item
    }));
    whole.forms.extend(frame.forms.into_iter().map(|mut form| {
        form.charset.get_or_insert(frame.charset.name.clone());
        form
    }));
    if zone == Zone::Main {
        whole.main_chars += frame.main_chars;
        whole.main_media += frame.main_media;
    }
    whole.scripted |= frame.scripted;
    if whole.entrance_code.is_none() {
        whole.entrance_code = frame.entrance_code;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use xunjian_model::PageUrl;

    fn facts(html: &str) -> Facts {
        let base = PageUrl::parse("http://a.gov.cn/").expect("base");
        xunjian_page::extract(html.as_bytes(), None, &base, xunjian_page::Limits::default())
    }

    fn whole(html: &str) -> Facts {
        let read = |url: &str| {
            Ok::<_, std::convert::Infallible>(match url.trim_start_matches("http://a.gov.cn") {
                "/menu.html" => Some(facts("<ul><li><a href=/zwgk/>政务公开</a></ul>")),
                "/main.html" => {
                    Some(facts("<p>要闻</p><iframe src=/list.html></iframe><iframe src=/main.html></iframe>"))
                }
                "/list.html" => Some(facts(
                    "<ul><li><a href=/1.html>甲</a> 2026-05-06</li><li><a href=/2.html>乙</a> 2026-05-05</li></ul>\
                     <form action=/s><input name=q></form>",
                )),
                "/unit?a=1" => Some(facts(
                    r#"{"data":{"html":"<ul><li><a href=\"/1.html\">甲</a> 2026-05-06</li></ul>"}}"#,
                )),
                _ => None,
            })
        };
        match with_frames(facts(html), read) {
            Ok(whole) => whole,
            Err(never) => match never {},
        }
    }

    #[test]
    fn frames_are_part_of_their_page() {
        let whole =
            whole("<title>局</title><frameset><frame src=/menu.html><frame src=/main.html></frameset>");
        let texts: Vec<&str> =
            whole.links.iter().map(|link| whole.link_text(link)).filter(|text| !text.is_empty()).collect();
        assert_eq!(texts, ["政务公开", "甲", "乙"]);
        let items: Vec<_> = whole
            .items
            .iter()
            .map(|item| {
                (whole.link_text(&whole.links[item.link as usize]), item.date.map(|date| date.to_string()))
            })
            .collect();
        assert_eq!(items, [("甲", Some("2026-05-06".to_owned())), ("乙", Some("2026-05-05".to_owned()))]);
        assert_eq!((whole.title.as_str(), whole.forms.len(), whole.scripted), ("局", 1, false));
    }

    #[test]
    fn lists_that_scripts_ask_for_are_part_of_their_page() {
        let asks = |program: &str| {
            whole(&format!("<title>局</title><script url={program} querydata=\"{{'a':1}}\"></script>"))
        };
        let listed = asks("/unit");
        assert_eq!((listed.items.len(), listed.scripted), (1, false));
        assert!(asks("/other").scripted, "nobody saw what it hands out");
    }

    #[test]
    fn what_a_frame_shows_that_is_not_seen_is_not_known() {
        assert!(whole("<iframe src=http://b.cn/x></iframe>").scripted);
        assert!(!whole("<iframe src=http://b.cn/x width=0></iframe>").scripted, "hidden");
        assert!(!whole("<div class=nav><iframe src=http://weather.cn/x></iframe></div>").scripted, "beside");
        assert!(!whole("<p>无</p>").scripted);
        let menu = whole("<div class=nav><iframe src=/list.html></iframe></div>");
        assert!(menu.links.iter().all(|link| link.zone == Zone::Navigation));
    }
}
