//! The simulated city: 45 government sites with known defects and a truth file.
//!
//! Pages are built when they are asked for and depend only on the seed, the size and the day, so
//! a city of millions of pages needs no more memory than one of hundreds. This crate knows
//! nothing of how the faults are found: the truth is computed from the plan alone.

mod address;
mod config;
mod defects;
mod files;
mod hostile;
mod outside;
mod plan;
mod render;
mod rng;
mod score;
mod serve;
mod site_server;
mod text;
mod tls;
mod truth;
mod words;

use defects::Plants;

pub use config::ConfigError;
pub use hostile::{Hostile, Misdeed, serve_hostile};
pub use plan::{Class, Column, EPOCH, Entrance, Family, SecondName, SitePlan, Validators};
pub use score::{KindScore, Reported, Score, score};
pub use serve::{ServeError, Served};
pub use truth::{Account, TruthRow, VerdictRow};

/// Most sites a city may have; the office answers for 45.
pub const SITES_MAX: usize = 450;
/// Fewest and most pages a site may have on average.
pub const PAGES_RANGE: std::ops::RangeInclusive<u32> = 20..=100_000;

/// Size, seed and day of a city.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CityOptions {
    /// Equal seeds give equal cities.
    pub seed: u64,
    /// Number of sites.
    pub sites: usize,
    /// Mean number of pages a site.
    pub pages: u32,
    /// Days since [`EPOCH`]: new articles, edits, repairs, new defects.
    pub day: u32,
}

impl Default for CityOptions {
    fn default() -> Self {
        Self { seed: 1, sites: 45, pages: 120, day: 0 }
    }
}

/// A city on a day.
#[derive(Debug)]
pub struct City {
    pub(crate) options: CityOptions,
    pub(crate) sites: Vec<SitePlan>,
    pub(crate) plants: Vec<Plants>,
}

impl City {
    /// Plans a city; sites and pages are brought into their ranges.
    pub fn new(mut options: CityOptions) -> Self {
        options.sites = options.sites.clamp(1, SITES_MAX);
        options.pages = options.pages.clamp(*PAGES_RANGE.start(), *PAGES_RANGE.end());
        let mut order: Vec<usize> = (0..options.sites).collect();
        rng::rng(&[options.seed, 7]).shuffle(&mut order);
        let sites: Vec<SitePlan> = (0..options.sites)
            .map(|index| SitePlan::new(options.seed, index, &order, options.sites, options.pages))
            .collect();
        let plants = sites.iter().map(Plants::new).collect();
        Self { options, sites, plants }
    }

    /// A city built to the facts of the notice of the second quarter of 2022: 45 sites, of which one
    /// portal fails, 13 interpret little, 5 give vague addresses, 4 vague materials or policies, 5 count
    /// no messages, and 39 do not find services and messages.
    pub fn of_notice(seed: u64) -> Self {
        let options = CityOptions { seed, sites: 45, pages: 60, day: 0 };
        let sites: Vec<SitePlan> =
            (0..45).map(|index| SitePlan::of_notice(seed, index, options.pages)).collect();
        let plants = sites.iter().map(Plants::of_notice).collect();
        Self { options, sites, plants }
    }

    /// The sites.
    pub fn sites(&self) -> &[SitePlan] {
        &self.sites
    }

    /// Size, seed and day.
    pub fn options(&self) -> CityOptions {
        self.options
    }
}
