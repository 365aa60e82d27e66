//! Posts in a table: platform, name, date, and title, text, url where there are any.

use std::ops::ControlFlow;
use std::path::Path;

use xunjian_model::Post;

use crate::TableError;
use crate::ledger::date;

const COLUMNS: [(&str, &[&str]); 6] = [
    ("platform", &["平台", "平台名称"]),
    ("name", &["账号名称", "账号", "名称"]),
    ("date", &["日期", "发布时间", "时间"]),
    ("title", &["标题"]),
    ("text", &["内容", "正文"]),
    ("url", &["地址", "链接"]),
];
const NEEDED: usize = 3;

/// A post with its account's key.
pub type Posted = (String, Post);

/// Reads posts (CSV, TSV or XLSX, UTF-8 or GBK); any mistake refuses the whole table.
pub fn read_posts(path: &Path, bytes: &[u8]) -> Result<Vec<Posted>, TableError> {
    let mut columns: Option<Vec<Option<usize>>> = None;
    let mut posts = Vec::new();
    let mut faults: Vec<(usize, String)> = Vec::new();
    let unread = xunjian_dict::read_sheet(path, bytes, |line, cells| {
        let Some(columns) = &columns else {
            let found: Vec<Option<usize>> = COLUMNS
                .iter()
                .map(|(name, words)| {
                    cells.iter().position(|cell| cell == name || words.contains(&cell.as_str()))
                })
                .collect();
            let missing = COLUMNS.iter().zip(&found).take(NEEDED).filter(|(_, at)| at.is_none());
            faults.extend(
                missing.map(|((name, words), _)| (line, format!("column {name} ({}) is missing", words[0]))),
            );
            columns = Some(found);
            return if faults.is_empty() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
        };
        let get = |at: usize| {
            columns[at].and_then(|column| cells.get(column)).map(String::as_str).unwrap_or_default()
        };
        let day = date(get(2));
        match day {
            Some(date) if !get(0).is_empty() && !get(1).is_empty() => posts.push((
                format!("{}/{}", get(0), get(1)),
                Post { date, title: get(3).to_owned(), text: get(4).to_owned(), url: get(5).to_owned() },
            )),
            Some(_) => faults.push((line, "a post needs platform and name of its account".to_owned())),
            None => faults.push((line, format!("date {:?} is not a day: write it as 2022-06-30", get(2)))),
        }
        ControlFlow::Continue(())
    });
    faults.extend(unread);
    if columns.is_none() && faults.is_empty() {
        faults.push((1, "the first line must name the columns".to_owned()));
    }
    if faults.is_empty() { Ok(posts) } else { Err(TableError { path: path.to_owned(), faults }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn posts_are_read_and_mistakes_are_told() {
        let read = |text: &str| read_posts(Path::new("p.csv"), text.as_bytes());
        let posts = read("平台,账号名称,发布时间,标题\n微信,甲,2026-06-29 10:00,通知\n").expect("read");
        assert_eq!(posts[0].0, "微信/甲");
        assert_eq!((posts[0].1.date, &*posts[0].1.title), (jiff::civil::date(2026, 6, 29), "通知"));
        let bad =
            read("平台,账号名称,发布时间\n微信,甲,昨天\n,甲,2026-06-29\n").expect_err("refused").to_string();
        assert!(bad.contains("p.csv:2: date \"昨天\"") && bad.contains("p.csv:3: a post needs"), "{bad}");
        assert!(read("平台\n").expect_err("refused").to_string().contains("column name"));
    }
}
