//! Named parts of a page: a label with what stands behind it, in tables, lists and lines.

use xunjian_model::{Facts, Zone};

/// Longest label with its number, in characters.
const LABEL_CHARS_MAX: usize = 14;
/// Blocks that belong to one part at most.
const VALUE_BLOCKS_MAX: usize = 60;

/// A part: which of the wanted ones, its text, and the blocks it stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) which: usize,
    pub(crate) text: String,
    pub(crate) blocks: std::ops::Range<usize>,
}

/// The parts of a page's main text, each the first time it is named. `names` are the words each
/// part may have as its label.
pub(crate) fn parts(facts: &Facts, names: &[&[&str]]) -> Vec<Part> {
    let main: Vec<usize> = (0..facts.blocks.len())
        .filter(|&at| facts.blocks[at].zone == Zone::Main && !facts.blocks[at].hidden)
        .collect();
    let labels: Vec<Option<(usize, &str)>> =
        main.iter().map(|&at| label(&facts.blocks[at].text, names)).collect();
    let mut parts: Vec<Part> = Vec::new();
    for (at, found) in labels.iter().enumerate() {
        let Some((which, rest)) = *found else { continue };
        if parts.iter().any(|part| part.which == which) {
            continue;
        }
        let after = &labels[at + 1..];
        let until = after.iter().take(VALUE_BLOCKS_MAX).position(Option::is_some);
        let own = until.unwrap_or(if rest.is_empty() { 1.min(after.len()) } else { 0 });
        let mut text = rest.to_owned();
        for &block in &main[at + 1..at + 1 + own] {
            text.push(' ');
            text.push_str(facts.blocks[block].text.trim());
        }
        let first = if rest.is_empty() && own > 0 { main[at + 1] } else { main[at] };
        let blocks = first..main[at + own] + 1;
        parts.push(Part { which, text: text.trim().to_owned(), blocks });
    }
    parts
}

/// Which part a block names, and what of it stands in the same block.
fn label<'t>(text: &'t str, names: &[&[&str]]) -> Option<(usize, &'t str)> {
    let text = text.trim();
    // Most blocks are long and hold no colon near their beginning.
    let head_end = text.char_indices().nth(LABEL_CHARS_MAX).map_or(text.len(), |(at, _)| at);
    let (head, rest) = match text[..head_end].find([':', '：', '】']) {
        Some(at) => (&text[..at], text[at..].trim_start_matches([':', '：', '】', ' ', '\u{3000}'])),
        None if head_end == text.len() => (text, ""),
        None => return None,
    };
    let number = |c: char| c.is_ascii_digit() || "一二三四五六七八九十（）()、.．【[* \u{3000}".contains(c);
    let head = head.trim_start_matches(number).trim_end();
    let which = names.iter().position(|words| words.contains(&head))?;
    Some((which, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use xunjian_model::PageUrl;

    #[test]
    fn parts_are_read_from_tables_lists_and_lines() {
        const NAMES: &[&[&str]] = &[&["办理地点", "办理地址"], &["收费标准"], &["办理流程"]];
        let read = |html: &str| {
            let url = PageUrl::parse("http://a.gov.cn/1.html").expect("url");
            let html = format!("<div class=main>{html}</div>");
            let limits = xunjian_page::Limits::default();
            let facts =
                xunjian_page::extract(html.as_bytes(), Some("text/html; charset=utf-8"), &url, limits);
            parts(&facts, NAMES).into_iter().map(|part| (part.which, part.text)).collect::<Vec<_>>()
        };
        let wanted = vec![(0, "民安路3号".to_owned()), (1, "不收费".to_owned())];
        assert_eq!(read("<table><tr><th>办理地点<td>民安路3号<tr><th>收费标准<td>不收费</table>"), wanted);
        assert_eq!(read("<dl><dt>办理地址：<dd>民安路3号<dt>收费标准：<dd>不收费</dl>"), wanted);
        assert_eq!(read("<p>一、办理地点：民安路3号<p>（二）收费标准：不收费"), wanted);
        assert_eq!(read("<p>【办理地点】民安路3号<p>3.收费标准: 不收费"), wanted);
        let long = read("<h3>三、办理流程</h3><p>申请。<p>受理。<h3>收费标准</h3><p>不收费");
        assert_eq!(long, [(2, "申请。 受理。".to_owned()), (1, "不收费".to_owned())]);
        assert_eq!(read("<p>请到办理地点咨询收费标准，谢谢。"), []);
        assert_eq!(read("<table><tr><th>办理地点<td><tr><th>收费标准<td>不收费</table>").len(), 2);
    }
}
