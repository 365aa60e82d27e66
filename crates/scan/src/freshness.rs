//! Home page and columns against the limits of the catalogue (V3, V4).

use jiff::civil::Date;
use xunjian_model::{Facts, Kind};

use crate::columns::{Class, ColumnReport};
use crate::digest::PageFinding;
use crate::{Freshness, ScanSetup};

/// V3: the newest dated item on the home page.
pub(crate) fn stale_home(newest: Option<Date>, home: &Facts, setup: &ScanSetup) -> Option<PageFinding> {
    let limit = setup.freshness.news;
    let Some(newest) = newest else {
        if home.items.is_empty() {
            // A home page without dated items may be navigation only: a person looks.
            let finding = PageFinding::new(Kind::StaleHome, "", "");
            return Some(finding.with("review", "no dated item on the home page"));
        }
        return Some(PageFinding::new(Kind::StaleHome, "", ""));
    };
    Freshness::is_stale(limit, newest, setup.point).then(|| {
        PageFinding::new(Kind::StaleHome, "", format!("⟦{newest}⟧")).with("newest", newest.to_string())
    })
}

/// V4: a column that is blank, or whose newest item is as old as its class allows or older.
pub(crate) fn column_finding(column: &ColumnReport, setup: &ScanSetup) -> Option<PageFinding> {
    let class = format!("{:?}", column.class).to_lowercase();
    if column.blank {
        let finding = PageFinding::new(Kind::BlankColumn, column.name.clone(), format!("⟦{}⟧", column.name))
            .with("class", class);
        return Some(match column.scripted {
            true => finding.with("review", "a script fills the list"),
            false => finding,
        });
    }
    let limit = match column.class {
        Class::News => setup.freshness.news,
        Class::Notice | Class::Policy => setup.freshness.notice,
        Class::Personnel | Class::Planning => setup.freshness.personnel,
        _ => return None,
    };
    let newest = column.newest?;
    Freshness::is_stale(limit, newest, setup.point).then(|| {
        let excerpt = format!("{} ⟦{newest}⟧", column.name);
        PageFinding::new(Kind::StaleColumn, column.name.clone(), excerpt)
            .with("newest", newest.to_string())
            .with("class", class)
    })
}
