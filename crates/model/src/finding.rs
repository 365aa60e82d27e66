//! Findings: what is wrong, where, and with which evidence.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::SiteId;

macro_rules! kinds {
    ($($variant:ident $text:literal $severity:ident $indicator:literal $zh:literal $en:literal;)*) => {
        /// What is wrong. The names are stable; a kind is added, never renamed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Kind {
            $(#[doc = $en] #[serde(rename = $text)] $variant,)*
        }

        impl Kind {
            /// Every kind, in the order of the design.
            pub const ALL: &'static [Kind] = &[$(Kind::$variant,)*];

            /// The stable name.
            pub fn as_str(self) -> &'static str {
                match self { $(Kind::$variant => $text,)* }
            }

            /// The severity a finding of this kind has unless its check says otherwise.
            pub fn severity(self) -> Severity {
                match self { $(Kind::$variant => Severity::$severity,)* }
            }

            /// The indicator of the standard it speaks to (catalogue id).
            pub fn indicator(self) -> &'static str {
                match self { $(Kind::$variant => $indicator,)* }
            }

            /// Chinese name for reports.
            pub fn zh(self) -> &'static str {
                match self { $(Kind::$variant => $zh,)* }
            }

            /// English name for reports.
            pub fn en(self) -> &'static str {
                match self { $(Kind::$variant => $en,)* }
            }
        }
    };
}

kinds! {
    DeadLink "dead-link" Minor "D16" "死链" "Dead link";
    DeadImage "dead-image" Minor "D16" "图片打不开" "Dead image";
    DeadAttachment "dead-attachment" Minor "D16" "附件打不开" "Dead attachment";
    Soft404 "soft-404" Minor "D16" "软 404" "Soft 404";
    TlsError "tls-error" Minor "D16" "证书错误" "TLS error";
    PrivateLink "private-link" Major "D16" "内网链接" "Link to a private address";
    HijackedLink "hijacked-link" Serious "V1" "外链被劫持" "Hijacked outside link";
    MixedContent "mixed-content" Info "D16" "混合内容" "Mixed content";
    Typo "typo" Minor "V1" "错别字" "Typo";
    OutdatedName "outdated-name" Minor "D1" "过时称谓" "Outdated name";
    SensitiveWord "sensitive-word" Serious "V1" "敏感词" "Sensitive word";
    SpamInjection "spam-injection" Serious "V1" "植入垃圾内容" "Injected spam";
    HiddenLink "hidden-link" Serious "V1" "暗链" "Hidden link";
    Cloaking "cloaking" Serious "V1" "伪装页面" "Cloaking";
    PrivacyIdCard "privacy-id-card" Serious "V1" "泄露身份证号" "Identity number shown";
    PrivacyMobile "privacy-mobile" Major "V1" "泄露手机号" "Mobile number shown";
    PrivacyBankCard "privacy-bank-card" Serious "V1" "泄露银行卡号" "Bank card shown";
    PlaceholderText "placeholder-text" Minor "D7" "占位文字" "Placeholder text";
    EmptyArticle "empty-article" Minor "D7" "空白文章" "Empty article";
    StaleHome "stale-home" Serious "V3" "首页不更新" "Stale home page";
    StaleColumn "stale-column" Major "V4" "栏目不更新" "Stale column";
    BlankColumn "blank-column" Major "V4" "空白栏目" "Blank column";
    UndatedPage "undated-page" Minor "D20" "页面无日期" "Undated page";
    FutureDate "future-date" Minor "V1" "未来日期" "Future date";
    DateConflict "date-conflict" Minor "V1" "日期矛盾" "Date conflict";
    MissingLabel "missing-label" Minor "D20" "缺少页面标签" "Missing label";
    BadLabel "bad-label" Minor "D20" "页面标签错误" "Bad label";
    MissingMark "missing-mark" Minor "D15" "缺少网站标识" "Missing mark";
    NoIpv6 "no-ipv6" Info "D22" "不支持 IPv6" "No IPv6";
    Unreachable "unreachable" Serious "V2" "站点无法访问" "Unreachable site";
    InterpretationMissing "interpretation-missing" Minor "D5" "缺少解读" "Interpretation missing";
    InterpretationUnlinked "interpretation-unlinked" Minor "D6" "解读未关联" "Interpretation unlinked";
    GuideElementMissing "guide-element-missing" Minor "D8" "指南要素缺失" "Guide element missing";
    GuideAddressVague "guide-address-vague" Minor "D25" "办理地点不明确" "Guide address vague";
    GuideMaterialVague "guide-material-vague" Minor "D25" "办理材料不明确" "Guide material vague";
    PolicyNameOnly "policy-name-only" Minor "D25" "政策仅有名称" "Policy named only";
    MessageOverdue "message-overdue" Major "V5" "留言超期未答复" "Message overdue";
    MessageStatsMissing "message-stats-missing" Minor "D11" "缺少留言统计" "Message statistics missing";
    SearchMiss "search-miss" Minor "D18" "搜索不到" "Search miss";
    ColumnMissing "column-missing" Minor "D1" "缺少栏目" "Column missing";
    ChannelMissing "channel-missing" Major "V5" "无互动渠道" "No channel for messages";
    ServiceMissing "service-missing" Major "V6" "未提供服务" "No services offered";
    BadDomain "bad-domain" Minor "D14" "域名不规范" "Domain against the rules";
    MissingEntrance "missing-entrance" Minor "D17" "缺少找错入口" "Error report entrance missing";
    StatisticsStale "statistics-stale" Minor "D10" "办事统计不更新" "Service statistics not updated";
    MediaStale "media-stale" Major "M2" "新媒体不更新" "Stale account";
    MediaZombie "media-zombie" Major "M2" "僵尸账号" "Zombie account";
    SeveralNames "several-names" Minor "D14" "多个域名" "Several names of one site";
    TlsEnding "tls-ending" Info "D16" "证书即将到期" "Certificate about to end";
}

impl Kind {
    /// Whether it is about what a link leads to, which its detail `what` names.
    pub fn is_of_a_link(self) -> bool {
        matches!(
            self,
            Self::DeadLink
                | Self::DeadImage
                | Self::DeadAttachment
                | Self::Soft404
                | Self::TlsError
                | Self::PrivateLink
                | Self::HijackedLink
        )
    }
}

/// A text that names no kind.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} is not a finding kind")]
pub struct ParseKindError(String);

impl FromStr for Kind {
    type Err = ParseKindError;
    fn from_str(text: &str) -> Result<Self, ParseKindError> {
        let found = Self::ALL.iter().find(|kind| kind.as_str() == text);
        found.copied().ok_or_else(|| ParseKindError(text.to_owned()))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How much a finding matters, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Costs points or looks careless.
    Minor,
    /// Counts towards a veto, or harms people.
    Major,
    /// May be a veto by itself.
    Serious,
}

/// A text that names no severity.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} is not a severity: use info, minor, major or serious")]
pub struct UnknownSeverity(String);

impl Severity {
    /// Every severity, least first.
    pub const ALL: [Severity; 4] = [Self::Info, Self::Minor, Self::Major, Self::Serious];

    /// The name in configuration and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Minor => "minor",
            Self::Major => "major",
            Self::Serious => "serious",
        }
    }
}

impl FromStr for Severity {
    type Err = UnknownSeverity;
    fn from_str(text: &str) -> Result<Self, UnknownSeverity> {
        let found = Self::ALL.into_iter().find(|severity| severity.as_str() == text);
        found.ok_or_else(|| UnknownSeverity(text.to_owned()))
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a finding is in its life between nights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FindingState {
    /// First seen in this run.
    New,
    /// Seen before, still there.
    Open,
    /// Was gone, is back.
    Relapsed,
    /// No longer seen.
    Gone,
}

/// 32 hexadecimal digits: BLAKE3 of site, indicator, kind, address and what was found.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FindingId(String);

impl FindingId {
    /// The id of a place: not its position, so that it lives through edits around it.
    pub fn new(site: &SiteId, indicator: &str, kind: Kind, url: &str, what: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        for part in [site.as_str(), indicator, kind.as_str(), url, what] {
            hasher.update(part.as_bytes());
            hasher.update(&[0]);
        }
        Self(hasher.finalize().to_hex()[..32].to_owned())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FindingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What proves a finding.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Text around the hit, the hit between `⟦` and `⟧`; personal numbers masked.
    pub excerpt: String,
    /// Bytes from the start of the page's extracted text to the hit, where there is one.
    pub offset: Option<u64>,
    /// The kept snapshot: `<body hash>@<time>`, where the fault stands on a kept page.
    pub snapshot: Option<String>,
}

/// One fault at one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Stable id.
    pub id: FindingId,
    /// The site.
    pub site: SiteId,
    /// Indicator of the catalogue, for example `V4`.
    pub indicator: String,
    /// What is wrong.
    pub kind: Kind,
    /// How much it matters.
    pub severity: Severity,
    /// Where it is in its life.
    pub state: FindingState,
    /// The page to look at.
    pub url: String,
    /// That page's title.
    pub title: String,
    /// The proof.
    pub evidence: Evidence,
    /// Time of the run that first saw it.
    #[serde(with = "crate::moment")]
    pub first_seen: Timestamp,
    /// Time of the run that last saw it.
    #[serde(with = "crate::moment")]
    pub last_seen: Timestamp,
    /// `what` (phrase, link target, column) and whatever the check adds, texts by name.
    pub detail: BTreeMap<String, String>,
}

impl Finding {
    /// What was found: the phrase, the link target or the column.
    pub fn what(&self) -> &str {
        self.detail.get("what").map_or("", String::as_str)
    }

    /// The bytes of the snapshot it is written in, where they are known.
    pub fn bytes(&self) -> Option<Range<usize>> {
        let (start, end) = self.detail.get("bytes")?.split_once('-')?;
        Some(start.parse().ok()?..end.parse().ok()?)
    }

    /// Whether a person has to look before it counts.
    pub fn for_review(&self) -> bool {
        self.detail.contains_key("review")
    }
}
