//! New-media accounts (政务新媒体) and their posts.

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::SiteId;

macro_rules! states {
    ($($variant:ident $zh:literal $en:literal $doc:literal;)*) => {
        /// How an account stands in the ledger.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum AccountState {
            $(#[doc = $doc] $variant,)*
        }

        impl AccountState {
            /// Every state.
            pub const ALL: &'static [AccountState] = &[$(AccountState::$variant,)*];

            /// The word in ledgers.
            pub fn zh(self) -> &'static str {
                match self { $(Self::$variant => $zh,)* }
            }

            /// The word in JSON.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $en,)* }
            }
        }
    };
}

states! {
    Normal "正常" "normal" "It runs.";
    Unqualified "不合格" "unqualified" "A check failed it.";
    Mending "整改中" "mending" "Its faults are being mended.";
    Mended "已整改" "mended" "Its faults were mended.";
    ClosureAsked "申请关停" "closure-asked" "Its office asked to close it.";
    ClosedNotCancelled "已关停未销号" "closed-not-cancelled" "Closed, but still to be found: a zombie.";
    Cancelled "已注销" "cancelled" "It is gone.";
    Unregistered "未备案" "unregistered" "Nobody registered it.";
    Unauthorised "违规私开" "unauthorised" "Opened without leave.";
}

impl AccountState {
    /// Reads a ledger's word, Chinese or that of JSON. Some ledgers write 僵尸账号.
    pub fn of(word: &str) -> Option<Self> {
        let word = word.trim();
        let found = Self::ALL.iter().copied().find(|state| state.zh() == word || state.as_str() == word);
        found.or(match word {
            "" => Some(Self::Normal),
            "僵尸账号" => Some(Self::ClosedNotCancelled),
            "已关停" | "已销号" => Some(Self::Cancelled),
            _ => None,
        })
    }

    /// Whether it says by itself that a check failed the account.
    pub fn is_unqualified(self) -> bool {
        !matches!(self, Self::Normal | Self::Cancelled | Self::ClosureAsked)
    }

    /// Whether the account is closed, or about to be.
    pub fn is_closed(self) -> bool {
        matches!(self, Self::ClosureAsked | Self::ClosedNotCancelled | Self::Cancelled)
    }
}

impl fmt::Display for AccountState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One account of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// 微信, 微博, 头条, 视频号, app …
    pub platform: String,
    /// Name; with the platform it is the account's key.
    pub name: String,
    /// The office that answers for it.
    pub office: String,
    /// That office's site in the register, if it has one.
    pub site: Option<SiteId>,
    /// Public address.
    pub address: Option<String>,
    /// State.
    pub state: AccountState,
    /// When it was closed.
    pub closed: Option<Date>,
    /// A feed (RSS, Atom, JSON Feed) or public list page of its posts.
    pub feed: Option<String>,
    /// Day of its newest post that is known.
    pub last_post: Option<Date>,
}

impl Account {
    /// What it is told from others by.
    pub fn key(&self) -> String {
        format!("{}/{}", self.platform, self.name)
    }
}

/// One post of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Post {
    /// Day.
    pub date: Date,
    /// Title.
    pub title: String,
    /// Text, as far as it was imported.
    pub text: String,
    /// Address.
    pub url: String,
}
