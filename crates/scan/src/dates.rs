//! A page's dates against each other and against the monitoring point.

use jiff::ToSpan as _;
use jiff::civil::Date;
use xunjian_model::{DateFact, DateSource, Kind};

use crate::digest::PageFinding;

/// Days by which label and visible date may differ: published just before midnight.
pub(crate) const AGREE_DAYS: i32 = 1;

/// Dates in the future, or dates that contradict each other.
pub(crate) fn check(dates: &[DateFact], point: Date) -> Option<PageFinding> {
    let latest = point.saturating_add(1.day());
    let said = |source| dates.iter().find(|date| date.source == source);
    let future = dates
        .iter()
        .find(|date| matches!(date.source, DateSource::Label | DateSource::Visible) && date.date > latest);
    if let Some(future) = future {
        return Some(PageFinding::new(Kind::FutureDate, "", format!("⟦{}⟧ > {point}", future.date)));
    }
    let label = said(DateSource::Label).or_else(|| said(DateSource::Made))?;
    let visible = said(DateSource::Visible)?;
    let apart = label.date.since(visible.date).ok()?.get_days().abs();
    (apart > AGREE_DAYS).then(|| {
        let excerpt = format!("PubDate ⟦{}⟧ ≠ ⟦{}⟧", label.date, visible.date);
        let finding = PageFinding::new(Kind::DateConflict, "", excerpt);
        match label.source {
            DateSource::Made => {
                let reason = "PubDate tells when the page was made";
                finding.of_template(reason).with("reason", reason)
            }
            _ => finding,
        }
    })
}
