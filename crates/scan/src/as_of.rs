//! Pages as they were at an earlier moment, from their kept snapshots.

use jiff::Timestamp;
use xunjian_model::{Became, Kind, LinkState, PageUrl, Rendering, SiteId, Snapshot, UrlRecord, View};
use xunjian_store::{Digests, Store, StoreError};

use crate::ScanSetup;

/// Kinds that no snapshot of the site itself shows: of an earlier moment, what was found then counts.
pub const NOT_IN_SNAPSHOTS: [Kind; 13] = [
    Kind::DeadLink,
    Kind::DeadImage,
    Kind::DeadAttachment,
    Kind::Soft404,
    Kind::TlsError,
    Kind::PrivateLink,
    Kind::HijackedLink,
    Kind::Cloaking,
    Kind::NoIpv6,
    Kind::SeveralNames,
    Kind::Unreachable,
    Kind::SearchMiss,
    Kind::MixedContent,
];

impl ScanSetup {
    /// The digests of a site's pages; those of an earlier moment are kept apart, until it is scanned.
    pub(crate) fn digests<'s>(&self, store: &'s Store, site: &SiteId) -> Result<Digests<'s>, StoreError> {
        match self.as_of {
            None => store.digests(site.as_str(), false),
            Some(moment) => store.digests(&format!("{site}@{moment}"), true),
        }
    }

    /// A page's record as it was at the scan's moment; `None` when the page was not there.
    pub(crate) fn record(
        &self,
        store: &Store,
        url: &str,
        record: UrlRecord,
    ) -> Result<Option<UrlRecord>, StoreError> {
        let shown = |record: UrlRecord| record.is_there().then_some(record);
        let Some(moment) = self.as_of else { return Ok(shown(record)) };
        if record.gone_since.is_some_and(|since| since <= moment) {
            return Ok(None);
        }
        let rendered = match record.rendering {
            Rendering::Done { at, .. } | Rendering::Replaced { at, .. } => at <= moment,
            _ => true,
        };
        if record.gone_since.is_none() && rendered && record.snapshot_at.is_some_and(|at| at <= moment) {
            return Ok(shown(record));
        }
        earlier(store, url, record, moment, self)
    }
}

/// The newest snapshots that are not younger than the moment.
fn earlier(
    store: &Store,
    url: &str,
    record: UrlRecord,
    moment: Timestamp,
    setup: &ScanSetup,
) -> Result<Option<UrlRecord>, StoreError> {
    let Ok(address) = PageUrl::parse(url) else { return Ok(None) };
    let (mut sent, mut rendered) = (None, None);
    for snapshot in store.history(&address) {
        let snapshot = snapshot?;
        if snapshot.fetched_at > moment {
            break;
        }
        match snapshot.view {
            View::Sent => sent = Some(snapshot),
            View::Rendered => rendered = Some(snapshot),
            View::SearchEngine => {}
        }
    }
    let Some(sent) = sent.filter(|sent| sent.status == 200) else { return Ok(None) };
    // A picture of an earlier version is none of this one.
    let rendering = match rendered.filter(|drawn| drawn.fetched_at >= sent.fetched_at) {
        Some(drawn) => rendering(store, &address, &sent, &drawn, setup)?,
        None => Rendering::NotNeeded,
    };
    Ok(Some(UrlRecord {
        state: Some(LinkState::Ok),
        status: sent.status,
        media_type: sent.header("content-type").map(str::to_owned),
        body_hash: Some(sent.body_hash),
        snapshot_at: Some(sent.fetched_at),
        rendering,
        cloaked: None,
        gone_since: None,
        ..record
    }))
}

/// What a rendered snapshot shows of the page that was sent.
fn rendering(
    store: &Store,
    url: &PageUrl,
    sent: &Snapshot,
    drawn: &Snapshot,
    setup: &ScanSetup,
) -> Result<Rendering, StoreError> {
    let facts = |of: &Snapshot, media_type: Option<&str>| {
        let body = store.body(&of.body_hash)?;
        Ok::<_, StoreError>(body.map(|body| xunjian_page::extract(&body, media_type, url, setup.page)))
    };
    let (at, body_hash) = (drawn.fetched_at, drawn.body_hash);
    let both = facts(sent, sent.header("content-type"))?.zip(facts(drawn, Some("text/html; charset=utf-8"))?);
    Ok(match both.map(|(sent, drawn)| sent.became(&drawn)) {
        Some(Became::Another) => Rendering::Replaced { at, body_hash },
        _ => Rendering::Done { at, body_hash, settled: true },
    })
}
