//! Messages of citizens: when they were asked and answered (V5, D11, D12).

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use xunjian_model::{Facts, PageKind};

use crate::elements::parts;

const PARTS: [&[&str]; 3] = [
    &[
        "留言时间", "来信时间", "提问时间", "咨询时间", "写信时间", "投诉时间", "留言日期", "来信日期",
        "提交时间", "提问日期",
    ],
    &["答复时间", "回复时间", "办结时间", "答复日期", "回复日期", "处理时间", "办理时间"],
    &["答复内容", "回复内容", "答复意见", "处理结果", "办理结果", "回复意见", "答复", "回复"],
];

/// A message that a page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Message {
    pub(crate) asked: Date,
    pub(crate) answered: Option<Date>,
    /// An answer stands there, with or without a date.
    pub(crate) has_answer: bool,
}

/// The message of a page, if it shows one.
pub(crate) fn read(facts: &Facts) -> Option<Message> {
    if matches!(facts.kind, PageKind::List | PageKind::Document) {
        return None;
    }
    let found = parts(facts, &PARTS);
    let date = |which: usize| {
        found.iter().find(|part| part.which == which).and_then(|part| xunjian_page::date_in_text(&part.text))
    };
    let asked = date(0)?;
    let answered = date(1);
    let text = found.iter().any(|part| part.which == 2 && !part.text.is_empty());
    Some(Message { asked, answered, has_answer: text || answered.is_some() })
}
