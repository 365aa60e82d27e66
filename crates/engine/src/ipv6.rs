//! Whether sites that have an IPv6 address answer at it (D22).

use futures_util::StreamExt as _;
use xunjian_crawl::{Turns, ask_twice, state_of};
use xunjian_fetch::{Ask, Fetcher};
use xunjian_model::{Kind, LinkState, Site};
use xunjian_store::Space;

use crate::{Engine, EngineError, RunRecord, run};

/// Sites asked at once; each has its own turns all the same.
const SITES_AT_ONCE: usize = 16;

impl Engine {
    /// Asks each site that opened, and that has an IPv6 address, for its home page at that address. One that
    /// does not answer is written down as one without IPv6; when none answers, our own line has no IPv6, and
    /// nothing is known.
    pub(crate) async fn check_ipv6(&self, run: &RunRecord) -> Result<(), EngineError> {
        let mut wanted = Vec::new();
        for site in self.sites(run) {
            let crawl = xunjian_crawl::site_crawl(self.store(), run.number, &site.id)?;
            if crawl.ipv6 == Some(true) && crawl.home == Some(LinkState::Ok) {
                wanted.push((site, crawl));
            }
        }
        if wanted.is_empty() {
            return Ok(());
        }
        let settings = self.settings();
        let any = Fetcher::new(settings.fetch.clone(), &settings.network)?;
        let mut network = settings.network.clone();
        for (site, _) in &wanted {
            let host = site.url.host();
            network.resolve.insert(host.to_owned(), any.resolver().only_ipv6(host).await);
        }
        let fetcher = Fetcher::new(settings.fetch.clone(), &network)?;
        let turns = self.turns(&fetcher)?;
        let asked = futures_util::stream::iter(wanted.iter().map(|(site, _)| opens(&fetcher, &turns, site)));
        let opens: Vec<Option<bool>> = asked.buffered(SITES_AT_ONCE).collect().await;
        let can_tell = opens.contains(&Some(true));
        let mut batch = self.store().begin();
        for ((site, mut crawl), opens) in wanted.into_iter().zip(opens) {
            match opens {
                Some(true) => continue,
                Some(false) if can_tell => crawl.ipv6 = Some(false),
                _ => crawl.unknown.push(Kind::NoIpv6),
            }
            let key = run::key(b"site", run.number, &site.id);
            batch.put(Space::Run, &key.each_ref().map(Vec::as_slice), &crawl)?;
        }
        Ok(batch.commit()?)
    }
}

/// Whether a site opens; `None`: it is not asked.
async fn opens(fetcher: &Fetcher, turns: &Turns, site: &Site) -> Option<bool> {
    if turns.is_left_alone(&site.url.host_key()) {
        return None;
    }
    let answered = ask_twice(fetcher, turns, Ask::get(site.url.clone())).await;
    // Who turns us away is there.
    Some(matches!(
        state_of(&answered),
        LinkState::Ok | LinkState::Forbidden(_) | LinkState::Challenged(_) | LinkState::Limited(_)
    ))
}
