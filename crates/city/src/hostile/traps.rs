//! Sites without end: calendars, circles of folders, session ids, facets, pages of lists.

use std::io::{self, Write};

use super::Answer;
use super::answers::{missing, send};

/// Name, outcome, answer.
pub(super) const TABLE: &[(&str, &str, Answer)] = &[
    // A month links to the next one and the one before, for ever.
    ("trap-calendar", "ok", |out, path| {
        if let Some(month) = number(path, "/calendar?month=") {
            let (next, before) = (month + 1, month.saturating_sub(1));
            return page(
                out,
                &format!("{month}月"),
                &format!(
                    "<p>一 二 三 四 五 六 日 没有活动安排 {month}</p><a href='?month={next}'>下月</a><a href='?month={before}'>上月</a>"
                ),
            );
        }
        home(out, path, "<a href='/calendar?month=1'>日历</a>")
    }),
    // A relative link that each page repeats one folder deeper.
    ("trap-folders", "ok", |out, path| {
        if path.starts_with("/list/") {
            return page(out, "列表", "<p>相对地址写错的栏目</p><a href='list/index.html'>进入</a>");
        }
        home(out, path, "<a href='list/index.html'>列表</a>")
    }),
    // Every visit gets a session id of its own in all links.
    ("trap-sessions", "ok", |out, path| {
        let session = fastrand::u64(..);
        let (page_path, _) = path.split_once('?').unwrap_or((path, ""));
        if let Some(id) = number(page_path, "/view/") {
            let next = (id + 1) % 20;
            return page(
                out,
                &title(id),
                &format!(
                    "<p>第{}篇文章的内容各不相同</p><a href='/view/{next}?visit={session:016x}'>下一篇</a>",
                    title(id)
                ),
            );
        }
        home(out, path, &format!("<a href='/view/0?visit={session:016x}'>文章</a>"))
    }),
    // Filters that may be combined without end.
    ("trap-facets", "ok", |out, path| {
        if let Some((_, query)) = path.split_once("/search?") {
            let links: String = ["year", "dept", "kind", "sort"]
                .iter()
                .flat_map(|name| (0..4).map(move |value| (name, value)))
                .map(|(name, value)| format!("<a href='/search?{query}&{name}={value}'>{name}</a>"))
                .collect();
            return page(out, "检索", &format!("<p>没有符合条件的结果</p>{links}"));
        }
        home(out, path, "<a href='/search?year=1'>检索</a>")
    }),
    // A list whose next page always exists.
    ("trap-lists", "ok", |out, path| {
        if let Some(at) = number(path, "/list/page_").or_else(|| number(path, "/list/page_")) {
            return page(
                out,
                "列表",
                &format!("<p>暂无内容</p><a href='/list/page_{}.html'>下一页</a>", at + 1),
            );
        }
        home(out, path, "<a href='/list/page_1.html'>列表</a>")
    }),
    // Addresses made of random identifiers, all showing the same.
    ("trap-random", "ok", |out, path| {
        if path.starts_with("/node/") {
            let links: String =
                (0..3).map(|_| format!("<a href='/node/{:032x}'>更多</a>", fastrand::u128(..))).collect();
            return page(out, "节点", &format!("<p>同一个模板</p>{links}"));
        }
        home(out, path, "<a href='/node/0'>节点</a>")
    }),
];

fn number(path: &str, start: &str) -> Option<u64> {
    let rest = path.strip_prefix(start)?;
    rest.split(['.', '&']).next()?.parse().ok()
}

/// A different title for each number, without digits.
fn title(number: u64) -> String {
    const WORDS: [&str; 10] =
        ["水利", "教育", "民政", "财政", "交通", "农业", "文化", "卫生", "审计", "统计"];
    let (tens, ones) = (number / 10 % 10, number % 10);
    format!("{}{}", WORDS[tens as usize], WORDS[ones as usize])
}

fn page(out: &mut dyn Write, title: &str, body: &str) -> io::Result<()> {
    let html = format!("<html><head><title>{title}</title></head><body>{body}</body></html>");
    send(out, "200 OK", "text/html; charset=utf-8", html.as_bytes())
}

fn home(out: &mut dyn Write, path: &str, links: &str) -> io::Result<()> {
    match path {
        "/" => page(out, "首页", &format!("<p>首页</p>{links}<a href='/about.html'>关于</a>")),
        "/about.html" => page(out, "关于我们", "<p>一页普通的内容</p>"),
        _ => missing(out),
    }
}
