//! New-media accounts: the ledger, their verdicts and findings (M1–M3).

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use xunjian_dict::Matcher;
use xunjian_judge::{AccountVerdict, Activity, Quarter, judge_account};
use xunjian_model::{Account, Evidence, Finding, FindingId, FindingState, Kind, Post, Severity, SiteId};
use xunjian_store::{Space, StoreError};

use crate::cases::{Filed, Wanted};
use crate::life::{self, Lives};
use crate::{Engine, EngineError};

/// Under which findings in posts are kept, and those of accounts without a site of the register.
pub const MEDIA: &str = "media";

/// A ledger, as a file has it.
#[derive(Clone, Debug)]
pub struct Ledger {
    /// Its accounts.
    pub accounts: Vec<Account>,
    /// When it was written: what it says of newest posts is true up to then.
    pub written: Timestamp,
}

/// What an import changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MediaImport {
    /// Accounts in the ledger now.
    pub accounts: usize,
    /// New ones.
    pub added: usize,
    /// Changed ones.
    pub changed: usize,
    /// Accounts that were in the ledger and are not any more.
    pub removed: usize,
    /// Posts that were new.
    pub posts: usize,
    /// Posts that say something else now.
    pub posts_changed: usize,
    /// Posts that were taken down.
    pub posts_gone: usize,
}

pub(crate) fn media_owner() -> Option<SiteId> {
    SiteId::new(MEDIA).ok()
}

impl Engine {
    /// The accounts of the ledger, by platform and name.
    pub fn accounts(&self) -> Result<Vec<Account>, StoreError> {
        let rows = self.store().scan::<Account>(Space::Media, &[b"account", b""]);
        rows.map(|row| row.map(|(_, account)| account)).collect()
    }

    /// Takes a ledger as it was written at a moment: accounts it lacks are left out from now on, their posts stay.
    pub fn import_accounts(&self, ledger: &Ledger) -> Result<MediaImport, StoreError> {
        let Ledger { accounts, written } = ledger;
        let day = self.day(*written);
        let mut batch = self.store().begin();
        let mut before: BTreeMap<String, Account> =
            self.accounts()?.into_iter().map(|account| (account.key(), account)).collect();
        let mut import = MediaImport { accounts: accounts.len(), ..MediaImport::default() };
        for account in accounts {
            let key = account.key();
            if account.last_post.is_some() {
                self.hear(&mut batch, &key, day)?;
            }
            match before.remove(&key) {
                Some(known) if known == *account => continue,
                Some(_) => import.changed += 1,
                None => import.added += 1,
            }
            batch.put(Space::Media, &[b"account", key.as_bytes()], account)?;
        }
        import.removed = before.len();
        for key in before.keys() {
            batch.delete(Space::Media, &[b"account", key.as_bytes()]);
        }
        batch.commit()?;
        Ok(import)
    }

    /// Takes the ledger of the settings, if they have one.
    pub(crate) fn take_ledger(&self) -> Result<(), StoreError> {
        self.settings().ledger.as_ref().map_or(Ok(()), |ledger| self.import_accounts(ledger).map(drop))
    }

    /// Judges every account at a monitoring point, with what people judged of them in a quarter. Findings in posts
    /// count as they are, or as they were at a moment.
    pub fn judge_accounts(
        &self,
        point: Date,
        quarter: Quarter,
        as_of: Option<Timestamp>,
    ) -> Result<Vec<AccountVerdict>, StoreError> {
        let mut filed = Vec::new();
        if let Some(owner) = media_owner() {
            let gone = as_of.is_some();
            filed = self.filed(&Wanted { sites: vec![owner], gone, ..Wanted::default() })?;
            // A post is there from its day on, whenever it was found.
            let posted = |one: &Filed| one.finding.detail.get("date")?.parse::<Date>().ok();
            let was_there =
                |one: &Filed| as_of.is_none_or(|moment| one.case.was_there(moment) != Some(false));
            filed.retain(|one| was_there(one) && posted(one).is_none_or(|day| day <= point));
        }
        let mut verdicts = Vec::new();
        for account in self.accounts()? {
            let key = account.key();
            let own: Vec<_> = filed
                .iter()
                .filter(|one| one.finding.indicator == "V1" && one.finding.severity == Severity::Serious)
                .filter(|one| one.finding.detail.get("account") == Some(&key))
                .map(|one| one.ruled())
                .collect();
            let assessments = self.account_assessments(&key, quarter)?;
            let mut posts = self.posts_on(&key, point)?;
            posts.newest = posts.newest.max(account.last_post.filter(|date| *date <= point));
            let catalogue = &self.settings().catalogue;
            verdicts.push(judge_account(&account, posts, &own, &assessments, point, catalogue));
        }
        Ok(verdicts)
    }

    /// How the accounts stood when they were judged last, by platform and name.
    pub fn account_verdicts(&self) -> Result<Vec<AccountVerdict>, StoreError> {
        let rows = self.store().scan::<AccountVerdict>(Space::Media, &[b"verdict", b""]);
        rows.map(|row| row.map(|(_, verdict)| verdict)).collect()
    }

    /// Judges the accounts at a monitoring point, and keeps how they stand.
    pub(crate) fn keep_account_verdicts(&self, point: Date) -> Result<(), StoreError> {
        let verdicts = self.judge_accounts(point, Quarter::of(point), None)?;
        let mut before: HashSet<String> =
            self.account_verdicts()?.iter().map(|verdict| verdict.account.key()).collect();
        let mut batch = self.store().begin();
        for verdict in &verdicts {
            let key = verdict.account.key();
            batch.put(Space::Media, &[b"verdict", key.as_bytes()], verdict)?;
            before.remove(&key);
        }
        for key in &before {
            batch.delete(Space::Media, &[b"verdict", key.as_bytes()]);
        }
        batch.commit()
    }

    /// Findings of accounts and posts at a monitoring point, brought up to date.
    pub(crate) fn scan_media(&self, point: Date, run_at: Timestamp) -> Result<Lives, EngineError> {
        let Some(owner) = media_owner() else { return Ok(Lives::default()) };
        let accounts = self.accounts()?;
        let mut by_site: BTreeMap<SiteId, Vec<Finding>> =
            self.settings().sites.iter().map(|site| (site.id.clone(), Vec::new())).collect();
        by_site.insert(owner.clone(), Vec::new());
        let matcher = Matcher::new(&self.settings().dictionaries)?;
        // What is not known any more does not take away what was.
        let mut unknown: HashSet<String> = HashSet::new();
        for verdict in self.judge_accounts(point, Quarter::of(point), None)? {
            let account = &verdict.account;
            let site = account
                .site
                .clone()
                .filter(|site| by_site.contains_key(site))
                .unwrap_or_else(|| owner.clone());
            let kind = match verdict.activity {
                Activity::Stale => Some(Kind::MediaStale),
                Activity::Zombie => Some(Kind::MediaZombie),
                Activity::Unknown => {
                    unknown.insert(account.key());
                    None
                }
                _ => None,
            };
            if let Some(kind) = kind {
                by_site.entry(site.clone()).or_default().push(inactive(kind, &site, &verdict, run_at));
            }
        }
        for account in &accounts {
            for post in self.posts(&account.key())? {
                let found = self.post_findings(&owner, account, &post, &matcher, run_at);
                by_site.entry(owner.clone()).or_default().extend(found);
            }
        }
        let mut lives = Lives::default();
        for (site, findings) in by_site {
            let whole = site == owner;
            let scope = |finding: &Finding| match finding.kind {
                Kind::MediaStale | Kind::MediaZombie => {
                    finding.detail.get("account").is_none_or(|account| !unknown.contains(account))
                }
                _ => whole,
            };
            let look = life::Look {
                at: run_at,
                day: self.day(run_at),
                complete: true,
                between: false,
                scope: &scope,
                seen: &|_| true,
            };
            lives += life::live(self.store(), &site, findings, &look)?;
        }
        Ok(lives)
    }

    /// What the dictionaries and the privacy check find in a post.
    fn post_findings(
        &self,
        owner: &SiteId,
        account: &Account,
        post: &Post,
        matcher: &Matcher,
        run_at: Timestamp,
    ) -> Vec<Finding> {
        let text = format!("{}\n{}", post.title, post.text);
        let found = xunjian_scan::scan_text(&text, Some(post.date), matcher);
        let place =
            if post.url.is_empty() { account.address.clone().unwrap_or_default() } else { post.url.clone() };
        let finding = |one: xunjian_scan::PlainFinding| {
            let what = one.what.clone();
            let mut finding = account_finding(one.kind, owner, account, &place, &what, run_at);
            finding.severity = one.severity;
            finding.title = xunjian_scan::mask_all(&post.title);
            finding.evidence.excerpt = one.excerpt;
            finding.detail.insert("date".to_owned(), post.date.to_string());
            finding
        };
        found.into_iter().map(finding).collect()
    }
}

fn inactive(kind: Kind, site: &SiteId, verdict: &AccountVerdict, run_at: Timestamp) -> Finding {
    let account = &verdict.account;
    let place = account.address.clone().unwrap_or_default();
    let mut finding = account_finding(kind, site, account, &place, &account.name, run_at);
    finding.title = account.name.clone();
    let last = verdict.last_post.map_or_else(|| "-".to_owned(), |last| last.to_string());
    finding.evidence.excerpt = format!("{} ⟦{last}⟧", account.key());
    finding.detail.insert("state".to_owned(), account.state.zh().to_owned());
    finding
}

fn account_finding(
    kind: Kind,
    site: &SiteId,
    account: &Account,
    place: &str,
    what: &str,
    run_at: Timestamp,
) -> Finding {
    let indicator = kind.indicator();
    let own = format!("{}\0{what}", account.key());
    Finding {
        id: FindingId::new(site, indicator, kind, place, &own),
        site: site.clone(),
        indicator: indicator.to_owned(),
        kind,
        severity: kind.severity(),
        state: FindingState::New,
        url: place.to_owned(),
        title: String::new(),
        evidence: Evidence::default(),
        first_seen: run_at,
        last_seen: run_at,
        detail: BTreeMap::from([
            ("what".to_owned(), what.to_owned()),
            ("account".to_owned(), account.key()),
            ("office".to_owned(), account.office.clone()),
        ]),
    }
}
