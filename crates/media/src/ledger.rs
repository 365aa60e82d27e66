//! The ledger of accounts: a table with the columns offices use.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::Path;

use jiff::civil::Date;
use xunjian_model::{Account, AccountState, SiteId};

use crate::TableError;

/// Columns with the words they go by; the first four are needed.
pub const COLUMNS: [(&str, &[&str]); 9] = [
    ("platform", &["平台", "平台名称", "平台类型", "类型"]),
    ("name", &["账号名称", "账号", "名称", "账号全称"]),
    ("office", &["主办单位", "单位", "主办部门", "地区或部门"]),
    ("state", &["状态", "运行状态"]),
    ("address", &["地址", "链接", "账号地址", "网址"]),
    ("site", &["网站", "所属网站"]),
    ("closed", &["关停时间", "注销时间", "关停日期"]),
    ("feed", &["订阅", "列表页"]),
    ("last_post", &["最近更新", "最新更新时间", "最近更新时间", "最后更新"]),
];
const NEEDED: usize = 4;
/// Accounts of one ledger.
const ACCOUNTS_MAX: usize = 100_000;

/// Reads a ledger (CSV, TSV or XLSX, UTF-8 or GBK). A ledger with any mistake is refused whole, so
/// that no half of it is taken.
pub fn read_ledger(path: &Path, bytes: &[u8]) -> Result<Vec<Account>, TableError> {
    let mut columns: Option<Vec<Option<usize>>> = None;
    let mut accounts: Vec<Account> = Vec::new();
    let mut lines: HashMap<String, usize> = HashMap::new();
    let mut faults: Vec<(usize, String)> = Vec::new();
    let unread = xunjian_dict::read_sheet(path, bytes, |line, cells| {
        let Some(columns) = &columns else {
            let (found, wrong) = headers(cells);
            let ended = !wrong.is_empty();
            faults.extend(wrong.into_iter().map(|reason| (line, reason)));
            columns = Some(found);
            return if ended { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        };
        match account(columns, cells) {
            Ok(account) => match lines.insert(account.key(), line) {
                Some(first) => {
                    faults.push((line, format!("{} stands already in line {first}", account.key())));
                }
                None => accounts.push(account),
            },
            Err(reasons) => faults.extend(reasons.into_iter().map(|reason| (line, reason))),
        }
        if accounts.len() > ACCOUNTS_MAX {
            faults.push((line, format!("more than {ACCOUNTS_MAX} accounts")));
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    });
    faults.extend(unread);
    if columns.is_none() && faults.is_empty() {
        faults.push((1, "the first line must name the columns".to_owned()));
    }
    if !faults.is_empty() {
        return Err(TableError { path: path.to_owned(), faults });
    }
    Ok(accounts)
}

/// Where each column stands, and what is wrong with the first line.
fn headers(cells: &[String]) -> (Vec<Option<usize>>, Vec<String>) {
    let is = |cell: &String, (name, words): &(&str, &[&str])| cell == name || words.contains(&cell.as_str());
    let found: Vec<Option<usize>> =
        COLUMNS.iter().map(|column| cells.iter().position(|cell| is(cell, column))).collect();
    let missing = COLUMNS.iter().zip(&found).take(NEEDED).filter(|(_, at)| at.is_none());
    let mut wrong: Vec<String> =
        missing.map(|((name, words), _)| format!("column {name} ({}) is missing", words[0])).collect();
    // A running number is common and means nothing.
    let known =
        |cell: &String| cell.is_empty() || cell == "序号" || COLUMNS.iter().any(|column| is(cell, column));
    let names = || COLUMNS.map(|(name, words)| format!("{name} ({})", words[0])).join(", ");
    for cell in cells.iter().filter(|cell| !known(cell)) {
        wrong.push(format!("unknown column {cell:?}; known: {}", names()));
    }
    (found, wrong)
}

fn account(columns: &[Option<usize>], cells: &[String]) -> Result<Account, Vec<String>> {
    let get = |at: usize| columns[at].and_then(|column| cells.get(column)).filter(|cell| !cell.is_empty());
    let mut wrong = Vec::new();
    let mut need = |at: usize| {
        let cell = get(at).cloned();
        if cell.is_none() {
            wrong.push(format!("an account needs {} ({})", COLUMNS[at].0, COLUMNS[at].1[0]));
        }
        cell.unwrap_or_default()
    };
    let (platform, name, office) = (need(0), need(1), need(2));
    let mut day = |at: usize| {
        let cell = get(at)?;
        let read = date(cell);
        if read.is_none() {
            wrong.push(format!("{} {cell:?} is not a day: write it as 2022-06-30", COLUMNS[at].0));
        }
        read
    };
    let (closed, last_post) = (day(6), day(8));
    let word = get(3).map_or("", String::as_str);
    let state = AccountState::of(word);
    if state.is_none() {
        let known: Vec<&str> = AccountState::ALL.iter().map(|state| state.zh()).collect();
        wrong.push(format!("state {word:?} is unknown; known: {}", known.join("、")));
    }
    let site = get(5).and_then(|id| SiteId::new(id).map_err(|error| wrong.push(error.to_string())).ok());
    match state {
        Some(state) if wrong.is_empty() => Ok(Account {
            platform,
            name,
            office,
            site,
            address: get(4).cloned(),
            state,
            closed,
            feed: get(7).cloned(),
            last_post,
        }),
        _ => Err(wrong),
    }
}

/// A day as tables write it: 2022-06-30, 2022/6/30, 2022.6.30, 2022年6月30日, 20220630, with or
/// without a time behind it.
pub(crate) fn date(cell: &str) -> Option<Date> {
    let cell = cell.trim();
    if cell.len() == 8 && cell.bytes().all(|byte| byte.is_ascii_digit()) {
        return jiff::fmt::strtime::parse("%Y%m%d", cell).ok()?.to_date().ok();
    }
    xunjian_page::date_in_text(cell)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Account>, String> {
        read_ledger(Path::new("media.csv"), text.as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn ledgers_are_read_by_chinese_and_english_columns_in_utf8_gbk_and_xlsx() {
        let text = "序号,平台,账号名称,主办单位,状态,关停时间,最近更新\n1,微信,云川发布,市政府办,正常,,2026/6/29\n2,微博,云川微博,市政府办,已注销,2026年5月1日,\n";
        let accounts = read(text).expect("read");
        assert_eq!(accounts.len(), 2);
        assert_eq!(accounts[0].last_post, Some(jiff::civil::date(2026, 6, 29)));
        assert_eq!(accounts[1].closed, Some(jiff::civil::date(2026, 5, 1)));
        assert_eq!(accounts[1].state, AccountState::Cancelled);
        let gbk = encoding_rs::GBK.encode(text).0;
        assert_eq!(read_ledger(Path::new("media.csv"), &gbk).expect("GBK"), accounts);
        let english = "platform,name,office,state\n微信,云川发布,市政府办,mended\n";
        assert_eq!(read(english).expect("read")[0].state, AccountState::Mended);
        let mut book = rust_xlsxwriter::Workbook::new();
        let sheet = book.add_worksheet();
        for (row, line) in text.lines().enumerate() {
            for (column, cell) in line.split(',').enumerate() {
                sheet.write_string(row as u32, column as u16, cell).expect("written");
            }
        }
        let bytes = book.save_to_buffer().expect("a book");
        assert_eq!(read_ledger(Path::new("media.XLSX"), &bytes).expect("XLSX"), accounts);
    }

    #[test]
    fn every_mistake_of_a_ledger_is_told_with_its_line() {
        let missing = read("平台,账号名称\n微信,云川发布\n").expect_err("refused");
        assert!(missing.contains("media.csv:1: column office (主办单位) is missing"), "{missing}");
        assert!(missing.contains("column state (状态) is missing"), "{missing}");
        let unknown = read("平台,账号名称,主办单位,状态,粉丝数\n").expect_err("refused");
        assert!(unknown.contains("unknown column \"粉丝数\""), "{unknown}");
        let head = "平台,账号名称,主办单位,状态,最近更新,网站\n";
        let bad = read(&format!(
            "{head}微信,甲,办,正常,昨天,\n微信,甲,办,正常,,\n微信,甲,办,停了,,\n,乙,,正常,,A b\n"
        ));
        let bad = bad.expect_err("refused");
        assert!(bad.contains(":2: last_post \"昨天\" is not a day"), "{bad}");
        assert!(bad.contains(":4: state \"停了\" is unknown; known: 正常"), "{bad}");
        assert!(bad.contains(":5: an account needs platform (平台)"), "{bad}");
        assert!(bad.contains("is not a site id"), "{bad}");
        let twice = read(&format!("{head}微信,甲,办,正常,,\n微信,甲,办,正常,,\n")).expect_err("refused");
        assert_eq!(twice, "media.csv:3: 微信/甲 stands already in line 2");
        assert!(read("").expect_err("refused").contains("must name the columns"));
        let not_xlsx = read_ledger(Path::new("m.xlsx"), b"PK").expect_err("refused").to_string();
        assert!(not_xlsx.contains("not an XLSX file"), "{not_xlsx}");
    }
}
