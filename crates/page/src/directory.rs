//! Directories of what an office makes public (gkmlpt, the platform of Guangdong's governments): one page whose script
//! names all columns as a tree, and a program that hands out the list of each.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{TimeZone, offset};
use memchr::memmem;
use serde::Deserialize;
use serde_json::value::RawValue;
use xunjian_model::PageUrl;

use crate::script_list::{DataRow, JsonText};

/// Folder of the platform; what is before it is the office's.
const FOLDER: &str = "/gkmlpt/";
/// The program that hands out lists.
const PROGRAM: &str = "/gkmlpt/api/all/";
/// Columns of one directory.
const COLUMNS_MAX: usize = 500;
/// Columns in columns.
const LEVELS_MAX: usize = 16;

/// Whether an address may be that of a directory.
pub fn is_directory(url: &PageUrl) -> bool {
    url.path().split_once(FOLDER).is_some_and(|(_, file)| matches!(file, "" | "index" | "index.html"))
}

/// A column of the tree. It may lead elsewhere, or hold other columns instead of a list.
#[derive(Deserialize)]
struct Node<'s> {
    #[serde(borrow)]
    id: &'s RawValue,
    #[serde(borrow)]
    name: &'s RawValue,
    #[serde(default)]
    jump_url: Option<String>,
    #[serde(default, borrow)]
    children: Option<Vec<Node<'s>>>,
}

/// The lists that a directory's script names, as rows that lead to where they are handed out.
pub(crate) fn lists<'s>(script: &'s str, address: &str) -> Vec<DataRow<'s>> {
    let Some((office, _)) = address.split_once(FOLDER) else { return Vec::new() };
    let (Some(site), Some(tree)) = (site_of(script), tree_of(script)) else { return Vec::new() };
    let mut rows = Vec::new();
    add(&tree, LEVELS_MAX, &mut |id, name| {
        if rows.len() < COLUMNS_MAX {
            let url = format!("{office}{PROGRAM}{id}?page=1&sid={site}");
            rows.push(DataRow { url, title: name, date: None });
        }
    });
    rows
}

fn add<'s>(nodes: &[Node<'s>], levels: usize, each: &mut impl FnMut(&'s str, JsonText<'s>)) {
    for node in nodes.iter().filter(|node| node.jump_url.as_deref().unwrap_or_default().trim().is_empty()) {
        match &node.children {
            Some(children) if !children.is_empty() && levels > 0 => add(children, levels - 1, each),
            _ => {
                let id = node.id.get().trim_matches('"');
                let name = node.name.get().strip_prefix('"').and_then(|name| name.strip_suffix('"'));
                let is_number = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
                if let Some(written) = name.filter(|name| is_number && !name.trim().is_empty()) {
                    each(id, JsonText { written });
                }
            }
        }
    }
}

/// `SID: '755041'`
fn site_of(script: &str) -> Option<&str> {
    values(script, "SID").find_map(|value| {
        let value = value.trim_start_matches(['"', '\'']);
        let digits = value.bytes().take_while(u8::is_ascii_digit).count();
        (digits > 0).then(|| &value[..digits])
    })
}

/// `TREE: [{"id":20765,"name":"…","jump_url":"","children":[…]}]`
fn tree_of(script: &str) -> Option<Vec<Node<'_>>> {
    let mut trees = values(script, "TREE").filter(|value| value.starts_with('['));
    trees.find_map(|value| serde_json::Deserializer::from_str(value).into_iter().next()?.ok())
}

/// What stands behind a key of an object as scripts write it.
fn values<'s>(script: &'s str, key: &'s str) -> impl Iterator<Item = &'s str> {
    let part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$';
    memmem::find_iter(script.as_bytes(), key.as_bytes()).filter_map(move |at| {
        if at > 0 && part(script.as_bytes()[at - 1]) {
            return None;
        }
        let rest = script[at + key.len()..].trim_start_matches(['"', '\'']).trim_start();
        Some(rest.strip_prefix(':')?.trim_start())
    })
}

/// The day of a moment that is written as seconds or milliseconds since 1970, in China.
pub(crate) fn day_of_number(digits: &str) -> Option<Date> {
    let number: i64 = digits.parse::<u64>().ok()?.try_into().ok()?;
    let moment = match digits.len() {
        10 => Timestamp::from_second(number),
        13 => Timestamp::from_millisecond(number),
        _ => return None,
    };
    Some(TimeZone::fixed(offset(8)).to_datetime(moment.ok()?).date())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = r#"[{"id":1,"name":"通知公告","jump_url":"","children":[]},
        {"id":"2","name":"政策","children":[{"id":3,"name":"规范性文件","jump_url":null},
        {"id":4,"name":"外部","jump_url":"http://b.cn/"}]},{"id":5,"name":" "},{"id":"x","name":"y"}]"#;

    #[test]
    fn lists_of_the_tree() {
        let found = |script: &str, address: &str| -> Vec<(String, String)> {
            let rows = lists(script, address).into_iter();
            rows.map(|row| (row.title.written.to_owned(), row.url)).collect()
        };
        let script = format!(
            "window._CONFIG = {{ SITE_SID: '9', SID: '755041',\n TREE: {TREE},\n SERVICE_AREA_ID: 1 }}"
        );
        let list = |id: u32| format!("http://a.cn/x/gkmlpt/api/all/{id}?page=1&sid=755041");
        let wanted = [("通知公告".to_owned(), list(1)), ("规范性文件".to_owned(), list(3))];
        assert_eq!(found(&script, "http://a.cn/x/gkmlpt/index"), wanted);
        let quoted = format!(r#"var c = {{"SID":"755041","TREE":{TREE}}}"#);
        assert_eq!(found(&quoted, "http://a.cn/x/gkmlpt/"), wanted);
        for (script, address) in [
            (&script[..], "http://a.cn/index"),
            ("SID: '1', TREE: [{\"id\":", "http://a.cn/gkmlpt/index"),
            ("SID: x, TREE: []", "http://a.cn/gkmlpt/index"),
            ("SID", "http://a.cn/gkmlpt/index"),
        ] {
            assert_eq!(found(script, address), [], "{script}");
        }
        let deep = format!(
            "SID:1,TREE:{}{}",
            "[{\"id\":1,\"name\":\"a\",\"children\":".repeat(200),
            "]}".repeat(200)
        );
        assert_eq!(found(&deep, "http://a.cn/gkmlpt/index"), []);
    }

    #[test]
    fn days_of_numbers() {
        let day = |digits: &str| day_of_number(digits).map(|day| day.to_string());
        assert_eq!(day("1781771108").as_deref(), Some("2026-06-18"));
        assert_eq!(day("1781771108000").as_deref(), Some("2026-06-18"));
        // Seven in the morning in Shanghai.
        assert_eq!(day("1781737200").as_deref(), Some("2026-06-18"));
        for odd in ["", "0", "20260618", "99999999999999", "-178177110", "1.81771108"] {
            assert_eq!(day(odd), None, "{odd}");
        }
    }
}
