//! Home page and columns against the limits of the catalogue (V3, V4).

use jiff::Span;
use jiff::civil::Date;
use xunjian_model::{Facts, Kind};

use crate::ScanSetup;
use crate::columns::ColumnReport;
use crate::digest::PageFinding;

/// V3: the newest dated item on the home page.
pub(crate) fn stale_home(newest: Option<Date>, home: &Facts, setup: &ScanSetup) -> Option<PageFinding> {
    let limit = setup.home_age;
    let Some(newest) = newest else {
        if home.items.is_empty() {
            // A home page without dated items may be navigation only: a person looks.
            let finding = PageFinding::new(Kind::StaleHome, "", "");
            return Some(finding.with("review", "no dated item on the home page"));
        }
        return Some(PageFinding::new(Kind::StaleHome, "", ""));
    };
    is_stale(limit, newest, setup.point).then(|| {
        PageFinding::new(Kind::StaleHome, "", format!("⟦{newest}⟧")).with("newest", newest.to_string())
    })
}

/// V4: a column that is blank, or whose newest item is as old as its class allows or older. One of
/// statistics is a matter of its own (D10).
pub(crate) fn column_finding(column: &ColumnReport, setup: &ScanSetup) -> Option<PageFinding> {
    let statistics = column.class == "statistics";
    let stale = || {
        let class = setup.classes.iter().find(|class| class.id == column.class)?;
        let (limit, newest) = (class.max_age?, column.newest?);
        is_stale(limit, newest, setup.point).then_some(newest)
    };
    if column.blank {
        let kind = if statistics { Kind::StatisticsStale } else { Kind::BlankColumn };
        let finding = PageFinding::new(kind, column.name.clone(), format!("⟦{}⟧", column.name))
            .with("class", column.class.clone());
        return Some(match column.scripted {
            true => finding.with("review", "a script fills the list, or a frame of another site"),
            false => finding,
        });
    }
    let newest = stale()?;
    let kind = if statistics { Kind::StatisticsStale } else { Kind::StaleColumn };
    let excerpt = format!("{} ⟦{newest}⟧", column.name);
    Some(
        PageFinding::new(kind, column.name.clone(), excerpt)
            .with("newest", newest.to_string())
            .with("class", column.class.clone()),
    )
}

/// Whether an item is as old as the limit or older; the limit itself counts (含).
fn is_stale(limit: Span, newest: Date, point: Date) -> bool {
    newest <= point.saturating_sub(limit)
}
