//! The five annexes as tables, one definition for every form of the notice.

use std::collections::HashMap;
use std::sync::Arc;

use xunjian_judge::AccountRow;
use xunjian_model::SiteKind;

use super::{NoticeData, text};
use crate::{Language, ReportError, inert};

/// A cell of an annex.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// What it says.
    pub text: String,
    /// Where it leads: an address, or a file beside the notice.
    pub link: Option<String>,
    /// A picture that stands for the text.
    pub picture: Option<Picture>,
}

/// The picture of a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Number in the notice, from 1.
    pub number: usize,
    /// File beside the notice.
    pub file: String,
    /// JPEG.
    pub bytes: Arc<Vec<u8>>,
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self { text: text.to_owned(), ..Self::default() }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self { text, ..Self::default() }
    }
}

/// Links lead to pages or to files beside the notice, never to scripts.
fn leading(text: &str, link: Option<&String>) -> Cell {
    let safe =
        |link: &&String| ["http://", "https://", "evidence/"].iter().any(|begin| link.starts_with(begin));
    Cell { text: text.to_owned(), link: link.filter(safe).cloned(), picture: None }
}

/// One annex.
#[derive(Clone, Debug)]
pub struct Annex {
    /// Number, from 1.
    pub number: usize,
    /// Title.
    pub title: &'static str,
    /// Names of the columns, each with its share of the width.
    pub columns: Vec<(&'static str, u16)>,
    /// Rows.
    pub rows: Vec<Vec<Cell>>,
}

impl Annex {
    /// With a byte order mark, so that spreadsheet programs read the Chinese text; formulas are inert.
    pub(super) fn csv(&self) -> Result<Vec<u8>, ReportError> {
        let fail = |error: csv::Error| ReportError::Table(error.to_string());
        let mut bytes = b"\xEF\xBB\xBF".to_vec();
        let mut writer = csv::Writer::from_writer(&mut bytes);
        writer.write_record(self.columns.iter().map(|(name, _)| name)).map_err(fail)?;
        for row in &self.rows {
            writer.write_record(row.iter().map(|cell| inert(&cell.text))).map_err(fail)?;
        }
        writer.flush().map_err(|error| ReportError::Table(error.to_string()))?;
        drop(writer);
        Ok(bytes)
    }

    pub(super) fn markdown(&self, language: Language) -> String {
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let mut out = format!("\n## {} {}\n\n", mark(self.number, language), self.title);
        if self.rows.is_empty() {
            out.push_str(none(language));
            out.push('\n');
            return out;
        }
        out.push_str(&line(self.columns.iter().map(|(name, _)| (*name).to_owned()).collect()));
        out.push_str(&line(vec!["---".to_owned(); self.columns.len()]));
        for row in &self.rows {
            let cell = |cell: &Cell| {
                let text = text::plain(&cell.text);
                match &cell.link {
                    Some(link) => format!("[{text}](<{}>)", link.replace(['<', '>'], "")),
                    None => text,
                }
            };
            out.push_str(&line(row.iter().map(cell).collect()));
        }
        out
    }
}

/// What stands over an annex.
pub(super) fn mark(number: usize, language: Language) -> String {
    match language {
        Language::Zh => format!("附件{number}"),
        Language::En => format!("Annex {number}"),
    }
}

/// What stands in an annex without rows.
pub(super) fn none(language: Language) -> &'static str {
    match language {
        Language::Zh => "无。",
        Language::En => "None.",
    }
}

/// The annexes of a notice. `links` are the archived pages by finding.
pub(super) fn of(
    data: &NoticeData<'_>,
    links: &HashMap<&str, String>,
    pictures: &HashMap<&str, Picture>,
    language: Language,
) -> Vec<Annex> {
    let zh = language == Language::Zh;
    let say = |zh_text: &'static str, en_text: &'static str| if zh { zh_text } else { en_text };
    let office = |name: &str| {
        let site = data.sites.iter().find(|site| site.name == name);
        site.map(|site| site.office.as_deref().unwrap_or(&site.name)).unwrap_or_default().to_owned()
    };
    let annexes = &data.notice.annexes;
    let number = (say("序号", "No."), 2);
    let sites = annexes.sites.iter().map(|row| {
        let kind = match row.kind {
            SiteKind::Portal => say("门户网站", "portal"),
            SiteKind::Department => say("部门网站", "department"),
        };
        let result = if zh { row.result.zh() } else { row.result.en() };
        let score = row.score.map(|score| format!("{score:.2}")).unwrap_or_default();
        vec![
            row.number.to_string().into(),
            office(&row.name).into(),
            row.name.as_str().into(),
            row.host.as_str().into(),
            row.code.as_str().into(),
            kind.into(),
            result.into(),
            score.into(),
        ]
    });
    let unqualified = annexes.unqualified_sites.iter().map(|row| {
        let first = row.findings.first().and_then(|id| links.get(id.as_str()));
        let pages = match row.pages.len() {
            0 => String::new(),
            1 => row.pages[0].clone(),
            more if zh => format!("{} 等{more}处", row.pages[0]),
            more => format!("{} and {} more", row.pages[0], more - 1),
        };
        vec![
            row.number.to_string().into(),
            row.name.as_str().into(),
            office(&row.name).into(),
            row.indicator.as_str().into(),
            row.problem.as_str().into(),
            leading(&pages, first.or(row.pages.first())),
        ]
    });
    let deadline = data.deadline.to_string();
    let problems = annexes.problem_sites.iter().map(|row| {
        let problem = match row.places {
            1 => row.problem.clone(),
            places if zh => format!("{}（{places}处）", row.problem),
            places => format!("{} ({places} places)", row.problem),
        };
        let proof = links.get(row.finding.as_str());
        let seen = if proof.is_some() { say("查看", "look") } else { "" };
        vec![
            row.number.to_string().into(),
            row.name.as_str().into(),
            row.indicator.as_str().into(),
            problem.into(),
            leading(&row.page, Some(&row.page)),
            Cell { picture: pictures.get(row.finding.as_str()).cloned(), ..leading(seen, proof) },
            deadline.as_str().into(),
        ]
    });
    let account = |row: &AccountRow, middle: String, last: &str| -> Vec<Cell> {
        vec![
            row.number.to_string().into(),
            row.platform.as_str().into(),
            row.name.as_str().into(),
            row.office.as_str().into(),
            middle.into(),
            last.into(),
        ]
    };
    let closed = |row: &AccountRow| row.closed.map(|day| day.to_string()).unwrap_or_default();
    let zombies = annexes.zombie_accounts.iter().map(|row| account(row, closed(row), &row.state));
    let accounts =
        annexes.unqualified_accounts.iter().map(|row| account(row, row.problem.clone(), &row.state));
    let name = (say("网站名称", "Site"), 8);
    let operator = (say("主办单位", "Operator"), 8);
    let platform = (say("平台", "Platform"), 4);
    let account_name = (say("账号名称", "Account"), 9);
    vec![
        Annex {
            number: 1,
            title: say("政府网站抽查情况", "Websites inspected"),
            columns: vec![
                number,
                (say("地区或部门", "Region or department"), 8),
                name,
                (say("域名", "Host"), 9),
                (say("网站标识码", "Site code"), 6),
                (say("类别", "Kind"), 4),
                (say("结果", "Result"), 4),
                (say("得分", "Score"), 3),
            ],
            rows: sites.collect(),
        },
        Annex {
            number: 2,
            title: say("不合格政府网站", "Websites that fail"),
            columns: vec![
                number,
                name,
                operator,
                (say("否决指标", "Veto"), 4),
                (say("问题", "Problem"), 12),
                (say("证据页面", "Evidence"), 11),
            ],
            rows: unqualified.collect(),
        },
        Annex {
            number: 3,
            title: say("存在问题的政府网站", "Websites with problems"),
            columns: vec![
                number,
                name,
                (say("指标", "Indicator"), 3),
                (say("问题描述", "Problem"), 10),
                (say("页面地址", "Page"), 12),
                (say("截图", "Evidence"), 8),
                (say("整改期限", "Due"), 5),
            ],
            rows: problems.collect(),
        },
        Annex {
            number: 4,
            title: say("已关停、未销号“僵尸账号”", "Accounts closed and not cancelled"),
            columns: vec![
                number,
                platform,
                account_name,
                operator,
                (say("关停时间", "Closed"), 5),
                (say("状态", "State"), 5),
            ],
            rows: zombies.collect(),
        },
        Annex {
            number: 5,
            title: say("政务新媒体不合格账号汇总表", "Accounts that fail"),
            columns: vec![
                number,
                platform,
                account_name,
                operator,
                (say("问题", "Problem"), 10),
                (say("整改情况", "Rectification"), 5),
            ],
            rows: accounts.collect(),
        },
    ]
}
