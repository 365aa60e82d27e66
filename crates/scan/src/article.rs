//! Whether an article has a body at all.

use std::collections::HashSet;

use rustc_hash::FxHashSet;

use xunjian_model::{Block, Facts, Form, Link, LinkKind, PageKind, Zone, anchor_hash};

use crate::furniture::is_furniture;

/// Characters under the title from which an article is not empty.
const BODY_CHARS_MIN: usize = 10;
/// What a page asks for that shows nothing before: files of Visual SiteBuilder are handed out so.
const CODE: &str = "请输入验证码";
/// Longest line of date, source and counters under a title.
const INFO_CHARS_MAX: usize = 120;
/// Longest line that may be the template's, and most such lines of a page that is no text.
const LINE_CHARS_MAX: usize = 60;
const LINES_MAX: usize = 48;
/// Rows that are a list beside an article.
const LISTED_MIN: usize = 3;
/// Characters of a title that is known where a line repeats it.
const TITLE_CHARS_MIN: usize = 6;

/// What stands in a page's main text besides its title, its line of date and source, and tools.
#[derive(Debug, Default)]
pub(crate) struct Rest<'f> {
    /// A text, or what nobody can compare.
    pub(crate) has_text: bool,
    /// Hashes of all short lines of the page.
    pub(crate) lines: Vec<u32>,
    /// Of those that are left; the template's stand in other articles, too.
    pub(crate) left: Vec<u32>,
    /// Characters of these lines.
    pub(crate) chars: usize,
    /// Addresses of what it leads to, shows and plays.
    pub(crate) links: Vec<&'f str>,
    /// A script or a reader may have to add something.
    pub(crate) in_doubt: bool,
}

impl Rest<'_> {
    /// Whether there is nothing at all.
    pub(crate) fn is_nothing(&self) -> bool {
        !self.has_text && self.chars < BODY_CHARS_MIN && self.links.is_empty() && !self.in_doubt
    }
}

/// Reads what is left of a page without its title and what stands around every text.
pub(crate) fn rest_of(facts: &Facts) -> Rest<'_> {
    let mut rest = Rest { in_doubt: facts.scripted || asks(facts), ..Rest::default() };
    let is_shown = |link: &&Link| link.zone == Zone::Main && !link.hidden;
    let is_played =
        |link: &&Link| matches!(link.kind, LinkKind::Image | LinkKind::Media | LinkKind::Attachment);
    let played = facts.links.iter().filter(is_shown).filter(is_played).count();
    rest.has_text = facts.refresh.is_some() || facts.main_media as usize > played;
    // What is listed beside it with dates of its own is no part of it; one row may be its own attachment.
    let rows = || facts.main_items().filter_map(|item| Some(facts.links.get(item.link as usize)?.block));
    let listed: HashSet<u32> = if rows().count() < LISTED_MIN { HashSet::new() } else { rows().collect() };
    // A line that is mostly a link leads to content of its own, whatever date stands beside it.
    let linked = linked_chars(facts);
    let title = facts.label("ArticleTitle").unwrap_or(&facts.title);
    let mut headings = 0;
    let mut kept = HashSet::new();
    for ((block, linked), at) in facts.blocks.iter().zip(linked).zip(0..) {
        if block.zone != Zone::Main || block.hidden || listed.contains(&at) {
            continue;
        }
        rest.has_text |= block.text.contains(CODE);
        let own = block.text.trim().chars().count();
        headings += usize::from(block.heading > 0);
        // The first heading is the title's; names of columns are headings, too. A text may be written as one.
        let is_name = block.heading > 0 && (headings == 1 || own < BODY_CHARS_MIN);
        let is_linked = linked * 2 > own;
        let line = (!is_linked && own <= INFO_CHARS_MAX).then(|| line_hash(&block.text));
        rest.lines.extend(line.filter(|line| rest.lines.len() < LINES_MAX && !rest.lines.contains(line)));
        // Most pages have a text, and of lists nothing else is asked.
        if rest.has_text || facts.kind == PageKind::List {
            continue;
        }
        if is_name
            || !is_linked && (is_info(block) || is_title(block, title, &facts.title))
            || is_furniture(&block.text)
        {
            continue;
        }
        kept.insert(at);
        if is_linked {
            continue;
        }
        rest.chars += own;
        rest.has_text |= own > LINE_CHARS_MAX || block.text.contains(['。', '！']);
        rest.left.extend(line);
    }
    // A table has many short lines, and is a text.
    rest.has_text |= rest.left.len() > LINES_MAX;
    if rest.chars < BODY_CHARS_MIN {
        rest.left.clear();
    }
    if rest.has_text {
        return rest;
    }
    let counts = |link: &&Link| match link.kind {
        LinkKind::Page => kept.contains(&link.block) && !facts.link_text(link).is_empty(),
        LinkKind::Image | LinkKind::Attachment | LinkKind::Frame | LinkKind::Data => true,
        _ => false,
    };
    // What plays films is the same everywhere; what it plays is not.
    rest.has_text |= facts.links.iter().filter(is_shown).any(|link| link.kind == LinkKind::Media);
    rest.links = facts.links.iter().filter(is_shown).filter(counts).map(|link| link.url.as_str()).collect();
    rest
}

/// Characters of a page's main text that are neither linked nor in lines of its template, by their hashes.
pub(crate) fn own_chars(facts: &Facts, template: &FxHashSet<u32>) -> usize {
    let linked = linked_chars(facts);
    let is_own = |block: &Block| {
        block.zone == Zone::Main
            && !block.hidden
            && block.heading == 0
            && !template.contains(&line_hash(&block.text))
    };
    let own = facts.blocks.iter().zip(linked).filter(|(block, _)| is_own(block));
    own.map(|(block, linked)| block.text.chars().count().saturating_sub(linked)).sum()
}

/// Characters of links in each block.
fn linked_chars(facts: &Facts) -> Vec<usize> {
    let mut linked = vec![0_usize; facts.blocks.len()];
    for link in &facts.links {
        if let Some(count) = linked.get_mut(link.block as usize) {
            *count += facts.link_text(link).chars().count();
        }
    }
    linked
}

/// Numbers count: reports of every day have the same words.
fn line_hash(line: &str) -> u32 {
    anchor_hash(&line.split_whitespace().collect::<String>())
}

/// The addresses of a page's own pictures, those that come late and others.
pub(crate) fn pictures(facts: &Facts) -> impl Iterator<Item = &str> {
    let shown = |link: &&Link| link.kind == LinkKind::Image && link.zone == Zone::Main && !link.hidden;
    facts.links.iter().filter(shown).map(|link| link.url.as_str())
}

/// Whether a page is there to be filled in. Every page may have a form to search.
pub(crate) fn asks(facts: &Facts) -> bool {
    facts.loose_fields > 0 || facts.forms.iter().any(is_for_filling_in)
}

/// Whether a form is what its page is there for, such as a login or a question by number; every page may have a search
/// box.
fn is_for_filling_in(form: &Form) -> bool {
    let mut typed = form.fields.iter().filter(|field| field.is_typed());
    match (typed.next(), typed.next()) {
        (Some(_), Some(_)) => true,
        (Some(field), None) => form.main && !field.says_search() && !form.says_search(),
        (None, _) => false,
    }
}

/// Date, source and counters, and no sentence with a date in it.
fn is_info(block: &Block) -> bool {
    let words = ["来源", "发布", "日期", "时间", "浏览", "点击", "阅读", "访问", "字体", "字号"];
    block.text.chars().count() <= INFO_CHARS_MAX
        && !block.text.contains(['。', '；', '！'])
        && (words.iter().any(|word| block.text.contains(word))
            || xunjian_page::date_in_text(&block.text).is_some())
}

fn is_title(block: &Block, label: &str, title: &str) -> bool {
    let text = block.text.trim();
    let (label, title) = (label.trim(), title.trim());
    // Some tools repeat it: 信息名称：关于召开会议的通知.
    let repeats = label.chars().count() >= TITLE_CHARS_MIN
        && text.chars().count() <= LINE_CHARS_MAX + label.chars().count()
        && text.contains(label);
    !text.is_empty() && (label.contains(text) || title.contains(text) || repeats)
}

#[cfg(test)]
mod tests {
    use xunjian_model::PageUrl;

    use super::*;

    #[test]
    fn what_is_a_body_and_what_is_none() {
        let url = PageUrl::parse("http://a.gov.cn/t1.html").expect("url");
        let has = |body: &str| {
            let html = format!(
                "<title>关于任职的通知</title><h1>关于任职的通知</h1><p>来源：某局 2026-06-07</p>{body}"
            );
            let facts = xunjian_page::extract(html.as_bytes(), None, &url, xunjian_page::Limits::default());
            let rest = rest_of(&facts);
            match (rest.is_nothing(), rest.has_text, rest.in_doubt) {
                (true, ..) => Has::Nothing,
                (_, true, _) => Has::Text,
                (.., true) => Has::Doubts,
                _ => Has::Parts,
            }
        };
        let nothing = [
            "",
            "<p>发布日期：2026-06-07 浏览次数：12</p>",
            "<form><input name=q></form>",
            "<form action=/search><input name=x></form>",
            "<form><input name=x placeholder=请输入关键字><input type=button value=查找></form>",
            "<form><input name=x><input type=submit value=搜索></form>",
            "<input id=searchword><button>找</button>",
            "<noscript>您的浏览器不支持脚本，部分内容无法显示。</noscript>",
            "<p>【打印本页】【关闭窗口】 扫一扫在手机打开当前页</p><p>上一篇：<a href=2>关于召开某某会议的通知</a></p>",
            "<h2>人事信息</h2>",
            "<p>信息名称：关于任职的通知</p>",
        ];
        let parts = [
            "<p><a href=b.html>关于任职的通知</a></p>",
            "<img src=a.png>",
            "<p>附件：<a href=a.doc>名单</a></p>",
            "<p>中央人民政府门户网站 智能问答 长者专版</p>",
        ];
        let doubts = [
            "<form><input name=bjbh><input type=submit value=查询></form>",
            "<input id=bjbh><button>查询</button>",
            "<form><input name=user><input name=word type=password></form>",
            "<script>$.ajax({url:'/c',success:function(d){$('#c').html(d)}})</script>",
        ];
        let texts = [
            "<p>经2026年6月5日会议研究决定，任命张三为科长。</p>",
            "<h2>信息查询修改系统 请于2026年6月30日之前到 http://yjs.a.gov.cn/ 查询。</h2>",
            "<p>请输入验证码</p>",
            &"<tr><td>3章</td><td>已录制</td></tr>".repeat(30),
            "<embed src=/player.swf flashvars='file=/a.flv'>",
        ];
        let all =
            [(Has::Nothing, &nothing[..]), (Has::Parts, &parts), (Has::Doubts, &doubts), (Has::Text, &texts)];
        for (wanted, bodies) in all {
            for body in bodies {
                assert_eq!(has(body), wanted, "{body}");
            }
        }
    }

    #[derive(Debug, PartialEq)]
    enum Has {
        Nothing,
        Parts,
        Doubts,
        Text,
    }
}
