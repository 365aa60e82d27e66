//! The foot of a page where nothing but its text tells it from the rest: old pages draw it as one more table.

use xunjian_model::{Facts, ListItem, Zone};

use crate::title::title_at;

/// Blocks at the end of a page that are looked at.
const BLOCKS_MAX: usize = 24;
/// Characters of a block of a foot, and of one that may stand there whatever it says: 回到顶部.
const CHARS_MAX: usize = 300;
const SHORT_CHARS_MAX: usize = 12;
/// What only feet say, by itself and before a number; what they may begin with; and what stands between.
const SIGNS: [&str; 3] = ["版权所有", "Copyright", "©"];
const NUMBERED: [&str; 3] = ["ICP备", "公网安备", "标识码"];
const BEGINNINGS: [&str; 7] = ["主办", "承办", "技术支持", "建议使用", "分辨率", "备案号", "网站地图"];
const BETWEEN: [&str; 6] = ["地址", "邮编", "电话", "传真", "邮箱", "访问"];

/// Gives the foot of a page to its zone. `media` are the blocks that were read before each picture and film of the main
/// text.
pub(super) fn set_apart(facts: &mut Facts, media: &[u32]) {
    let Some(start) = start(facts) else { return };
    for block in facts.blocks[start..].iter_mut().filter(|block| block.zone == Zone::Main) {
        block.zone = Zone::Footer;
    }
    // Pictures and frames are in no block.
    let blocks = start..facts.blocks.len();
    let first = facts.links.iter().position(|link| blocks.contains(&(link.block as usize)));
    let links = facts.links.iter_mut().skip(first.unwrap_or(usize::MAX));
    for link in links.filter(|link| link.zone == Zone::Main) {
        link.zone = Zone::Footer;
    }
    let inside = media.iter().filter(|block| **block as usize > start).count();
    facts.main_media = facts.main_media.saturating_sub(inside as u32);
}

/// The block a foot begins with: no title, row of a list, heading or text stands behind it.
fn start(facts: &Facts) -> Option<usize> {
    let row = |item: &ListItem| Some(facts.links.get(item.link as usize)?.block as usize);
    let dated = facts.items.iter().filter(|item| item.date.is_some()).filter_map(row).max();
    let above = title_at(facts).max(dated);
    let shown = facts.blocks.iter().enumerate().rev();
    let shown = shown.filter(|(_, block)| block.zone == Zone::Main && !block.hidden).take(BLOCKS_MAX);
    let (mut start, mut signed) = (None, false);
    for (at, block) in shown.take_while(|(at, block)| block.heading == 0 && Some(*at) > above) {
        let chars = block.text.chars().count();
        let says = |words: &[&str]| chars <= CHARS_MAX && words.iter().any(|word| block.text.contains(word));
        // What is a sentence may be all that the page says.
        let is_sentence = block.text.contains('。');
        let is_sign = says(&SIGNS) || chars <= CHARS_MAX && is_numbered(&block.text);
        if is_sign || says(&BEGINNINGS) && !is_sentence {
            signed |= is_sign;
            start = Some(at);
        } else if is_sentence || chars > SHORT_CHARS_MAX && !says(&BETWEEN) {
            break;
        }
    }
    start.filter(|_| signed)
}

fn is_numbered(text: &str) -> bool {
    let digit = |(at, word): (usize, &str)| {
        let behind = text[at + word.len()..].trim_start_matches(['：', ':', ' ', '　']);
        behind.starts_with(|c: char| c.is_ascii_digit())
    };
    NUMBERED.iter().any(|word| text.match_indices(word).any(digit))
}
