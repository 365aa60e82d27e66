//! Hands a judged quarter to the notice.

use std::path::{Path, PathBuf};

use jiff::civil::Date;
use xunjian_judge::{Notice, Quarter, compare};
use xunjian_model::Finding;
use xunjian_report::{Format, Language, NoticeData, write_notice};

use crate::{Engine, EngineError, QuarterJudged};

/// Folder of a quarter's notice in the data folder, before the quarter.
const FOLDER: &str = "notice-";

impl Engine {
    /// Where the notice of a quarter is written, unless somebody wants it elsewhere.
    pub fn notice_folder(&self, quarter: Quarter) -> PathBuf {
        self.settings().data.join(format!("{FOLDER}{quarter}"))
    }

    /// Where notices were written, the newest quarter first.
    pub fn notice_folders(&self) -> std::io::Result<Vec<(Quarter, PathBuf)>> {
        let mut folders = Vec::new();
        for entry in std::fs::read_dir(&self.settings().data)? {
            let entry = entry?;
            let quarter = entry.file_name().to_str().and_then(|name| name.strip_prefix(FOLDER)?.parse().ok());
            folders.extend(quarter.map(|quarter: Quarter| (quarter, entry.path())));
        }
        folders.sort_by_key(|(quarter, _)| std::cmp::Reverse(*quarter));
        Ok(folders)
    }

    /// Writes the notice of a judged quarter in each form; answers with the files. `before` is the
    /// quarter it is compared with; what has to be mended is due working days after `dated`, unless
    /// `due` is given.
    pub fn write_notice(
        &self,
        judged: &QuarterJudged,
        before: Option<&Notice>,
        (dated, due): (Date, Option<Date>),
        folder: &Path,
        formats: &[Format],
        language: Language,
    ) -> Result<Vec<PathBuf>, EngineError> {
        let deadline = match due {
            Some(due) => due,
            None => {
                let days = self.settings().catalogue.rectification.working_days;
                self.settings().calendar.after(dated, days)?
            }
        };
        let data = NoticeData {
            notice: &judged.notice,
            compared: before.map(|before| (before.quarter.clone(), compare(before, &judged.notice))),
            sites: &self.settings().sites,
            findings: judged.named.iter().collect(),
            dated,
            deadline,
            notes: notes(judged, language),
            settings: &self.settings().notice,
        };
        let evidence = |url: &str, snapshot: &str| self.evidence(url, snapshot);
        let picture = |finding: &Finding| std::fs::read(self.picture_of(finding)?).ok();
        Ok(write_notice(&data, folder, formats, language, evidence, picture)?)
    }
}

/// What whoever signs should know: rates that do not follow, what nobody decided yet, what was not seen,
/// and rules that were not read in the official text.
fn notes(judged: &QuarterJudged, language: Language) -> Vec<String> {
    let zh = language == Language::Zh;
    let mut notes = Vec::new();
    for stated in judged.notice.stated.iter().filter(|stated| !stated.agreement.agrees) {
        let (number, follows) = (&stated.agreement.stated, stated.agreement.follows.join("; "));
        notes.push(match zh {
            true => format!("填报的 {number}%（{}）与数量不符；按数量计算应为：{follows}。", stated.id),
            false => format!(
                "The stated {number} % ({}) does not follow from the counts; these do: {follows}.",
                stated.id
            ),
        });
    }
    let waiting: Vec<&str> = judged
        .verdicts
        .iter()
        .filter(|verdict| verdict.result == xunjian_model::Outcome::Review)
        .map(|verdict| verdict.name.as_str())
        .collect();
    if !waiting.is_empty() {
        notes.push(match zh {
            true => format!("待人工复核的网站 {} 家：{}。", waiting.len(), waiting.join("、")),
            false => format!("{} sites wait for a person: {}.", waiting.len(), waiting.join(", ")),
        });
    }
    if !judged.unseen.is_empty() {
        let names: Vec<&str> = judged.unseen.iter().map(|site| site.as_str()).collect();
        notes.push(match zh {
            true => format!("没有监测时间点之前快照、未计入的网站：{}。", names.join("、")),
            false => format!("Sites without a snapshot of that time, not counted: {}.", names.join(", ")),
        });
    }
    let mut unverified: Vec<&str> =
        judged.verdicts.iter().flat_map(|verdict| verdict.unverified.iter().map(String::as_str)).collect();
    unverified.sort_unstable();
    unverified.dedup();
    if !unverified.is_empty() {
        notes.push(match zh {
            true => format!("分值未经与正式文件核对的指标：{}。", unverified.join("、")),
            false => format!(
                "Indicators whose points were not read in the official text: {}.",
                unverified.join(", ")
            ),
        });
    }
    notes
}
