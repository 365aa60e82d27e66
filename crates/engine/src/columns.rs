//! The columns of a site as the scan of its newest run found them, and how they stand against their class (V4).

use jiff::civil::Date;
use serde::Serialize;
use xunjian_model::SiteId;
use xunjian_scan::ColumnReport;
use xunjian_store::StoreError;

use crate::{Engine, RunRecord};

/// How a column stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ColumnState {
    /// Its newest item is young enough.
    Fresh,
    /// It is as old as its class allows, or older.
    Stale,
    /// It has offered no information.
    Blank,
    /// A script or a frame fills the list, and nobody saw it.
    Unseen,
    /// None of its items has a date.
    Undated,
    /// Nothing is asked of its class.
    Unlimited,
}

impl ColumnState {
    /// Its name in Chinese and in English.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Fresh => ("正常", "fresh"),
            Self::Stale => ("不更新", "stale"),
            Self::Blank => ("空白", "blank"),
            Self::Unseen => ("未看到列表", "list not seen"),
            Self::Undated => ("没有日期", "undated"),
            Self::Unlimited => ("无更新要求", "no limit"),
        }
    }
}

/// A column and how it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// First list page.
    pub url: String,
    /// Id of its class in the catalogue, or `other`.
    pub class: String,
    /// Name of the class in Chinese and in English; its id where the catalogue gives none.
    #[serde(skip)]
    pub class_names: [String; 2],
    /// Newest dated item, not later than the monitoring point.
    pub newest: Option<Date>,
    /// With a newest item of this day or before it is stale.
    pub stale_on: Option<Date>,
    /// How it stands.
    pub state: ColumnState,
}

/// What a site offers, by the newest run that scanned it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Columns {
    /// Newest dated item on the home page.
    pub home_newest: Option<Date>,
    /// The columns, in the order of the navigation.
    pub columns: Vec<Column>,
}

impl Engine {
    /// The columns of a site by the newest run that looked at it to the end.
    pub fn columns(&self, site: &SiteId) -> Result<Columns, StoreError> {
        let Some(latest) = self.latest(site)? else { return Ok(Columns::default()) };
        let Some(run) = RunRecord::of(self.store(), latest.run)? else { return Ok(Columns::default()) };
        let summary = self.site_summary(&run, site)?;
        let point = self.point(&run);
        let columns = summary.columns.into_iter().map(|column| self.column(column, point)).collect();
        Ok(Columns { home_newest: summary.home_newest, columns })
    }

    fn column(&self, column: ColumnReport, point: Date) -> Column {
        let ColumnReport { name, url, class, newest, blank, scripted } = column;
        let known = self.settings().catalogue.classes.iter().find(|known| known.id == class);
        let stale_on = known.and_then(|class| class.stale_on(point));
        let state = match (newest, stale_on) {
            _ if blank && scripted => ColumnState::Unseen,
            _ if blank => ColumnState::Blank,
            (_, None) => ColumnState::Unlimited,
            (None, Some(_)) => ColumnState::Undated,
            (Some(newest), Some(limit)) if newest <= limit => ColumnState::Stale,
            (Some(_), Some(_)) => ColumnState::Fresh,
        };
        let named = known.map(|class| [class.name.clone(), class.name_en.clone()]);
        let class_names = named
            .unwrap_or_else(|| ["其他", "other"].map(str::to_owned))
            .map(|name| if name.is_empty() { class.clone() } else { name });
        Column { name, url, class, class_names, newest, stale_on, state }
    }
}
