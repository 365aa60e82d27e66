//! Pages asked for once more as a search engine asks, since intruders show their own to engines, and
//! to readers who come from one, alone.

use xunjian_fetch::{Ask, SeenAs};
use xunjian_frontier::Item;
use xunjian_model::{BodyHash, Cloaked, LinkState, PageUrl, Snapshot, Target, UrlRecord, View};

use crate::look::facts_of;
use crate::writer::Page;
use crate::{Shared, now};

/// The engine most intruders work for.
static ENGINE: SeenAs = SeenAs {
    user_agent: "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)",
    referer: "https://www.baidu.com/s?wd=site",
};

/// Asks for a page a second time, if it is one of those that are: home pages, those that showed
/// something else before, and the run's share of the others. Answers with the snapshot of what a search
/// engine is shown, where that is another page.
pub(crate) async fn look_again(
    shared: &Shared,
    item: &Item,
    record: &mut UrlRecord,
    page: Option<&Page>,
) -> Option<Box<(Snapshot, Vec<u8>)>> {
    let body_hash = record.body_hash?;
    let (run, share) = (shared.setup.run, shared.setup.limits.second_look_share);
    let ours = item.target == Target::Page && record.state == Some(LinkState::Ok);
    let site = item.site.as_ref().and_then(|site| shared.sites.get(site))?;
    let wanted = site.is_home(item) && share > 0.0 || is_wanted(&item.url, record, run, share);
    if !ours || !wanted || shared.stop.is_stopped() {
        return None;
    }
    let ask = Ask { cookies: site.cookies.clone(), seen_as: Some(&ENGINE), ..Ask::get(item.url.clone()) };
    let answer = shared.fetch(ask).await.ok()?;
    if answer.state() != LinkState::Ok {
        // Many servers turn away who says to be an engine and does not come from its addresses.
        return None;
    }
    if xunjian_page::holds_document(&answer.body, answer.header("content-type"), &answer.final_url) {
        return None;
    }
    let away = !site.site.in_scope(&answer.final_url) && shared.owner(&answer.final_url).is_none();
    let shown = BodyHash::of(&answer.body);
    if !away && shown == body_hash {
        record.cloaked = None;
        return None;
    }
    let difference = if away {
        Some((format!("leads to {}", answer.final_url.host()), false))
    } else {
        let second = facts_of(shared, &answer);
        match page {
            Some(page) => (shared.setup.second_look)(&page.facts, &second),
            None => {
                let body = shared.store.body(&body_hash).ok()??;
                let media_type = record.media_type.as_deref();
                let first = xunjian_page::extract(&body, media_type, &item.url, shared.setup.page);
                (shared.setup.second_look)(&first, &second)
            }
        }
    };
    let before = record.cloaked.take();
    let (why, unsure) = difference?;
    if let Some(before) = before.filter(|before| before.body_hash == shown) {
        record.cloaked = Some(before);
        return None;
    }
    let at = now();
    record.cloaked = Some(Cloaked { at, body_hash: shown, why, unsure });
    let snapshot = Snapshot {
        url: item.url.clone(),
        fetched_at: at,
        status: answer.status,
        final_url: (!answer.hops.is_empty()).then_some(answer.final_url),
        hops: answer.hops,
        headers: answer.headers,
        timings: answer.timings,
        tls: answer.tls,
        body_hash: shown,
        body_bytes: answer.body.len() as u64,
        truncated: answer.truncated,
        view: View::SearchEngine,
    };
    Some(Box::new((snapshot, answer.body)))
}

/// Whether a page is asked for a second time in a run.
pub(crate) fn is_wanted(url: &PageUrl, record: &UrlRecord, run: u32, share: f64) -> bool {
    share > 0.0 && (record.depth == 0 || record.cloaked.is_some() || is_in_share(url, run, share))
}

/// Whether a page is in a run's share, another one each night.
fn is_in_share(url: &PageUrl, run: u32, share: f64) -> bool {
    let mut hasher = blake3::Hasher::new();
    hasher.update(url.as_str().as_bytes()).update(&run.to_le_bytes());
    let number = u32::from_le_bytes(hasher.finalize().as_bytes()[..4].try_into().unwrap_or_default());
    f64::from(number) < share * (f64::from(u32::MAX) + 1.0)
}
