//! What is told.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde::Serialize;
use xunjian_engine::{Change, NightTotals};
use xunjian_model::{Finding, FindingState, Kind, SiteId, Verdict};

/// One finding that changed.
#[derive(Clone, Debug, Serialize)]
pub struct Item {
    /// The same at each try: who gets it twice can tell.
    pub key: String,
    /// When it was seen.
    pub at: Timestamp,
    /// What became of it.
    pub change: Change,
    /// Name of its site.
    pub site_name: String,
    /// Where a person looks at it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// The finding.
    pub finding: Finding,
}

/// What a night changed on a site.
#[derive(Clone, Debug, Serialize)]
pub struct SiteNight {
    /// The same at each try.
    pub key: String,
    /// When the night began.
    pub at: Timestamp,
    /// Site.
    pub site: SiteId,
    /// Its name.
    pub site_name: String,
    /// Findings by what became of them and by kind.
    #[serde(serialize_with = "by_words")]
    pub counts: BTreeMap<(Change, Kind), u64>,
    /// Some of them, the most severe first.
    pub examples: Vec<Item>,
    /// How the site stands.
    pub verdict: Option<Verdict>,
    /// Where a person looks at the site.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// A night that is over.
#[derive(Clone, Debug, Serialize)]
pub struct Night {
    /// The same at each try.
    pub key: String,
    /// When it began.
    pub at: Timestamp,
    /// Number of its run.
    pub run: u32,
    /// Its sums.
    #[serde(flatten)]
    pub totals: NightTotals,
    /// Findings by what became of them.
    pub changes: BTreeMap<Change, u64>,
    /// Names of the sites that fail or of which not all was seen.
    #[serde(skip)]
    pub names: HashMap<SiteId, String>,
    /// Where a person looks at it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

fn by_words<S: serde::Serializer>(
    counts: &BTreeMap<(Change, Kind), u64>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut words: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
    for ((change, kind), count) in counts {
        words.entry(change.as_str()).or_default().insert(kind.as_str(), *count);
    }
    words.serialize(serializer)
}

impl SiteNight {
    /// Findings of one change.
    pub fn count(&self, change: Change) -> u64 {
        self.counts.iter().filter(|((one, _), _)| *one == change).map(|(_, count)| count).sum()
    }
}

/// A message to a sink.
#[derive(Clone, Debug)]
pub enum Message {
    /// Findings.
    Findings(Vec<Item>),
    /// A site's night.
    Site(Box<SiteNight>),
    /// A night that is over.
    Night(Box<Night>),
    /// A night ended before its time.
    Failed {
        /// When.
        at: Timestamp,
        /// Why.
        reason: String,
    },
    /// Everything as it is after a night.
    State {
        /// When it began.
        at: Timestamp,
        /// Number of its run.
        run: u32,
    },
}

impl Message {
    /// The same at each try.
    pub fn key(&self) -> String {
        match self {
            Self::Findings(items) => items.first().map(|item| item.key.clone()).unwrap_or_default(),
            Self::Site(night) => night.key.clone(),
            Self::Night(night) => night.key.clone(),
            Self::Failed { at, .. } => format!("failed/{at}"),
            Self::State { at, run } => format!("{run}/{at}"),
        }
    }

    /// A message that says it is a test.
    pub(crate) fn test(grouping: crate::Grouping, at: Timestamp) -> Self {
        let site = SiteId::new("test").unwrap_or_else(|_| unreachable!("a right id"));
        let url = "http://www.example.gov.cn/".to_owned();
        let kind = Kind::Typo;
        let finding = Finding {
            id: xunjian_model::FindingId::new(&site, kind.indicator(), kind, &url, "test"),
            site: site.clone(),
            indicator: kind.indicator().to_owned(),
            kind,
            severity: kind.severity(),
            state: FindingState::New,
            title: "测试 test".to_owned(),
            evidence: xunjian_model::Evidence {
                excerpt: "这是一条⟦测试⟧消息 this is a ⟦test⟧".to_owned(),
                ..xunjian_model::Evidence::default()
            },
            url,
            first_seen: at,
            last_seen: at,
            detail: BTreeMap::new(),
        };
        let item = Item {
            key: format!("test/{at}"),
            at,
            change: Change::New,
            site_name: "测试 test".to_owned(),
            link: None,
            finding,
        };
        match grouping {
            crate::Grouping::Site => Self::Site(Box::new(SiteNight {
                key: item.key.clone(),
                at,
                site,
                site_name: item.site_name.clone(),
                counts: BTreeMap::from([((Change::New, kind), 1)]),
                examples: vec![item],
                verdict: None,
                link: None,
            })),
            crate::Grouping::Night => Self::Night(Box::new(Night {
                key: item.key.clone(),
                at,
                run: 0,
                totals: NightTotals { pass: 1, findings: 1, ..NightTotals::default() },
                changes: BTreeMap::from([(Change::New, 1)]),
                names: HashMap::new(),
                link: None,
            })),
            crate::Grouping::State => Self::State { at, run: 0 },
            crate::Grouping::Finding => Self::Findings(vec![item]),
        }
    }
}
