//! What is known of a share, on its way from the collector's store into that of the worker who leased it.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use xunjian_crawl::{CrawlSetup, Share, Shares, StopSignal, needs_body, site_key};
use xunjian_frontier::{EmbeddedFrontier, Frontier as _};
use xunjian_model::{Host, PageUrl, SiteId, UrlRecord};
use xunjian_store::{Space, Store, StoreError, Write};

use crate::ClusterError;
use crate::messages::Messages;
use crate::names::Names;
use crate::parts::{Joined, cut};

/// Bytes of writes handed over at once.
const BYTES_AT_ONCE: usize = 2 << 20;

/// Some of what is known.
#[derive(Debug, Serialize, Deserialize)]
struct Handed {
    /// Number of the message by which the share was taken: whom it is for.
    taken: u64,
    /// Writes into the worker's store.
    writes: Vec<Write>,
    /// Nothing comes after this; the number of the last found addresses that are kept.
    last: Option<u64>,
}

/// Hands a share over to whoever took it.
pub(crate) async fn hand(
    names: &Names,
    (store, setup): (&Arc<Store>, &CrawlSetup),
    share: &Share,
    taken: u64,
    found: u64,
) -> Result<(), ClusterError> {
    let subject = names.subject("handed", share);
    // Whoever had it before does not wait for it any more.
    let purged = names.handed.purge().filter(&subject).await;
    purged.map_err(|error| ClusterError::jetstream("purge")(error.into()))?;
    let mut writes = Vec::new();
    let mut bytes = 0;
    for write in known(store, setup, share)? {
        let write = write?;
        bytes += write.bytes();
        let body = with_body(store, setup, &write)?;
        bytes += body.as_ref().map_or(0, Write::bytes);
        writes.push(write);
        writes.extend(body);
        if bytes >= BYTES_AT_ONCE {
            let writes = std::mem::take(&mut writes);
            send(names, &subject, &Handed { taken, writes, last: None }).await?;
            bytes = 0;
        }
    }
    send(names, &subject, &Handed { taken, writes, last: Some(found) }).await
}

async fn send(names: &Names, subject: &str, handed: &Handed) -> Result<(), ClusterError> {
    for part in cut(handed)? {
        let sent = names.jetstream.publish(subject.to_owned(), part.into()).await;
        let sent = sent.map_err(|error| ClusterError::jetstream("handing over")(error.into()))?;
        sent.await.map_err(|error| ClusterError::jetstream("handing over")(error.into()))?;
    }
    Ok(())
}

type Known = Box<dyn Iterator<Item = Result<Write, StoreError>> + Send>;

/// Everything a crawl of a share reads: its addresses, its queue, its hosts, what was learnt, its counts.
fn known(store: &Arc<Store>, setup: &CrawlSetup, share: &Share) -> Result<Known, StoreError> {
    let shares = Shares::new(&setup.sites);
    let owners: Vec<&[u8]> = match share.0 {
        Some(_) => shares.sites(share).map(|site| site.as_str().as_bytes()).collect(),
        None => vec![b""],
    };
    let mut all: Known = Box::new(std::iter::empty());
    for owner in owners {
        all = Box::new(all.chain(store.writes(Space::Url, &[owner, b""])));
    }
    let ours = |host: &Host| shares.of_host(host) == *share;
    for host in EmbeddedFrontier::new(Arc::clone(store)).hosts()?.iter().filter(|host| ours(host)) {
        all = Box::new(all.chain(store.writes(Space::Queue, &[host.as_str().as_bytes(), b""])));
    }
    for key in store.keys(Space::Host, &[]) {
        let key = key?;
        if ours(&Host::from_stored(String::from_utf8_lossy(&key).into_owned())) {
            all = Box::new(all.chain(exactly(store, Space::Host, &[&key])));
        }
    }
    for site in shares.sites(share) {
        let counts = site_key(setup.run, site);
        all = Box::new(all.chain(exactly(store, Space::Site, &[site.as_str().as_bytes()])).chain(exactly(
            store,
            Space::Run,
            &counts.each_ref().map(Vec::as_slice),
        )));
    }
    Ok(all)
}

/// One value, if it is there: other keys may begin with its own.
fn exactly(
    store: &Store,
    space: Space,
    key: &[&[u8]],
) -> impl Iterator<Item = Result<Write, StoreError>> + use<> {
    let wanted = space.key(key);
    let own = move |write: &Result<Write, StoreError>| {
        write.as_ref().map_or(true, |write| matches!(write, Write::Put { key, .. } if *key == wanted))
    };
    store.writes(space, key).take_while(own)
}

/// The page of an address, where a crawl may want to look at it again without asking for it.
fn with_body(store: &Store, setup: &CrawlSetup, write: &Write) -> Result<Option<Write>, StoreError> {
    let Some(key) = write.of(Space::Url) else { return Ok(None) };
    let key = String::from_utf8_lossy(key);
    let (owner, url) = key.split_once('\0').unwrap_or_default();
    let (owner, Ok(url)) = (SiteId::new(owner).ok(), PageUrl::parse(url)) else { return Ok(None) };
    let Some(record): Option<UrlRecord> = store.url(owner.as_ref(), url.as_str())? else { return Ok(None) };
    if !needs_body(&url, &record, setup.run, setup.limits.second_look_share) {
        return Ok(None);
    }
    let Some((at, hash)) = record.snapshot_at.zip(record.body_hash) else { return Ok(None) };
    let (Some(snapshot), Some(body)) = (store.snapshot(&url, at)?, store.body(&hash)?) else {
        return Ok(None);
    };
    Ok(Some(Write::Snapshot { owner, snapshot: Box::new(snapshot), body }))
}

/// Takes over what is known of a share. Answers with the number of the last found addresses in it; `None`
/// when it is not waited for any more.
pub(crate) async fn receive(
    names: &Names,
    store: &Store,
    share: &Share,
    taken: u64,
    stop: &StopSignal,
) -> Result<Option<u64>, ClusterError> {
    let subject = names.subject("handed", share);
    let mut messages = Messages::new(&names.handed, subject, 1);
    let mut joined = Joined::default();
    loop {
        let message = tokio::select! {
            message = messages.next() => message,
            () = stop.sleep(Duration::MAX) => return Ok(None),
        };
        // A collector that began again begins with a first part; the rest of what it had begun may lack it.
        let Ok(Some(handed)) = joined.add::<Handed>(&message.payload) else { continue };
        if handed.taken != taken {
            continue;
        }
        let mut batch = store.begin();
        for write in handed.writes {
            batch.apply(write)?;
        }
        batch.commit()?;
        if let Some(found) = handed.last {
            return Ok(Some(found));
        }
    }
}
