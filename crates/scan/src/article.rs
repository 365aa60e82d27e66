//! Whether an article has a body at all.

use std::collections::HashSet;

use xunjian_model::{Block, Facts, Form, Link, LinkKind, Zone};

use crate::furniture::is_furniture;

/// Characters under the title from which an article is not empty.
const BODY_CHARS_MIN: usize = 10;
/// What a page asks for that shows nothing before: files of Visual SiteBuilder are handed out so.
const CODE: &str = "请输入验证码";
/// Longest line of date, source and counters under a title.
const INFO_CHARS_MAX: usize = 120;

/// Whether nothing but title and date line stands in the main text: no text, no attachment, no film, no frame. There
/// may be pictures, which may be the template's.
pub(crate) fn has_no_text(facts: &Facts) -> bool {
    let other_content = facts.main_media as usize > pictures(facts).count()
        || facts.scripted
        || facts.refresh.is_some()
        || asks(facts)
        || facts.links.iter().any(|link| {
            link.zone == Zone::Main
                && matches!(
                    link.kind,
                    LinkKind::Attachment | LinkKind::Frame | LinkKind::Media | LinkKind::Data
                )
        });
    if other_content {
        return false;
    }
    let title = facts.label("ArticleTitle").unwrap_or(&facts.title);
    // A line that is mostly a link leads to content of its own, whatever date stands beside it.
    let mut linked = vec![0_usize; facts.blocks.len()];
    for link in &facts.links {
        if let Some(count) = linked.get_mut(link.block as usize) {
            *count += facts.link_text(link).chars().count();
        }
    }
    // What is listed beside it with dates of its own is no part of it.
    let listed: HashSet<u32> =
        facts.main_items().filter_map(|item| Some(facts.links.get(item.link as usize)?.block)).collect();
    let mut headings = 0;
    let mut chars = 0;
    for ((block, linked), at) in facts.blocks.iter().zip(linked).zip(0..) {
        if block.zone != Zone::Main || block.hidden || listed.contains(&at) {
            continue;
        }
        if block.text.contains(CODE) {
            return false;
        }
        let own = block.text.trim().chars().count();
        headings += usize::from(block.heading > 0);
        // The first heading is the title's; names of columns are headings, too. A text may be written as one.
        let is_name = block.heading > 0 && (headings == 1 || own < BODY_CHARS_MIN);
        let is_linked = linked * 2 > own;
        if is_name
            || !is_linked && (is_info(block) || is_title(block, title, &facts.title))
            || is_furniture(&block.text)
        {
            continue;
        }
        // A text may be what is linked, under the title or under nothing but "here".
        chars += if is_linked { own.max(BODY_CHARS_MIN) } else { own };
        if chars >= BODY_CHARS_MIN {
            return false;
        }
    }
    true
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
    let words = ["来源", "发布", "日期", "时间", "浏览", "字体"];
    block.text.chars().count() <= INFO_CHARS_MAX
        && !block.text.contains(['。', '；', '！'])
        && (words.iter().any(|word| block.text.contains(word))
            || xunjian_page::date_in_text(&block.text).is_some())
}

fn is_title(block: &Block, label: &str, title: &str) -> bool {
    let text = block.text.trim();
    !text.is_empty() && (label.contains(text) || title.contains(text))
}

#[cfg(test)]
mod tests {
    use xunjian_model::PageUrl;

    use super::*;

    #[test]
    fn what_is_no_body() {
        let url = PageUrl::parse("http://a.gov.cn/t1.html").expect("url");
        let lacks = |body: &str| {
            let html = format!(
                "<title>关于任职的通知</title><h1>关于任职的通知</h1><p>来源：某局 2026-06-07</p>{body}"
            );
            has_no_text(&xunjian_page::extract(html.as_bytes(), None, &url, xunjian_page::Limits::default()))
        };
        assert!(lacks(""));
        assert!(lacks("<p>发布日期：2026-06-07 浏览次数：12</p>"));
        for search in [
            "<form><input name=q></form>",
            "<form action=/search><input name=x></form>",
            "<form><input name=x placeholder=请输入关键字><input type=button value=查找></form>",
            "<form><input name=x><input type=submit value=搜索></form>",
            "<input id=searchword><button>找</button>",
        ] {
            assert!(lacks(search), "{search}");
        }
        for query in [
            "<form><input name=bjbh><input type=submit value=查询></form>",
            "<input id=bjbh><button>查询</button>",
        ] {
            assert!(!lacks(query), "{query}");
        }
        assert!(!lacks("<p>经2026年6月5日会议研究决定，任命张三为科长。</p>"));
        assert!(!lacks("<form><input name=user><input name=word type=password></form>"));
        assert!(lacks("<img src=a.png>"), "a picture alone may be the template's");
        assert!(lacks(
            "<p>【打印本页】【关闭窗口】 扫一扫在手机打开当前页</p><p>上一篇：<a href=2>关于召开某某会议的通知</a></p>"
        ));
        assert!(lacks("<h2>人事信息</h2>"));
        assert!(!lacks("<h2>信息查询修改系统 http://yjs.a.gov.cn/</h2>"), "a text written as a heading");
        assert!(!lacks("<p><a href=b.html>关于任职的通知</a></p>"), "the text stands in another page");
        assert!(!lacks("<video src=a.mp4></video>"));
        assert!(!lacks("<p>附件：<a href=a.doc>名单</a></p>"));
    }
}
