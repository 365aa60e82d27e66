//! What is known of an address, and why it was or was not fetched.

use jiff::Timestamp;
use serde_json::{Value, json};
use xunjian_crawl::{Robots, SiteLearnt};
use xunjian_model::{
    HostRecord, LeftOut, LinkState, PageUrl, Rendering, Site, SiteId, Snapshot, UrlRecord, View,
};
use xunjian_report::Language;
use xunjian_store::{Space, StoreError};

use crate::Engine;

/// What is known of an address.
#[derive(Clone, Debug)]
pub struct Why {
    /// What was asked for.
    pub asked: PageUrl,
    /// The address it is known under, where it is folded into another one.
    pub url: PageUrl,
    /// The site it belongs to.
    pub site: Option<SiteId>,
    known: Result<Box<Known>, Unknown>,
}

#[derive(Clone, Debug)]
struct Known {
    record: UrlRecord,
    host: HostRecord,
    snapshots: Vec<Value>,
}

/// Why an address was never even queued.
#[derive(Clone, Copy, Debug)]
enum Unknown {
    Foreign,
    Trap,
    Forbidden,
    Unlinked,
}

impl Unknown {
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Foreign => (
                "从未见过这个地址：它不属于任何登记的网站，也没有页面链接到它。",
                "Never seen: it belongs to no site of the register, and no page links to it.",
            ),
            Self::Trap => (
                "没有访问：这种形式的地址没有尽头且内容重复，已被截断。",
                "Not followed: addresses of this shape have no end and repeat each other, so they were cut.",
            ),
            Self::Forbidden => (
                "从未见过这个地址；即使见到，robots.txt 也不允许访问。",
                "Never seen; robots.txt would forbid the visit anyway.",
            ),
            Self::Unlinked => ("从未见过这个地址：没有页面链接到它。", "Never seen: no page links to it."),
        }
    }
}

impl Engine {
    /// What is known of an address.
    pub fn why(&self, asked: &PageUrl) -> Result<Why, StoreError> {
        let site = self.settings().sites.iter().find(|site| site.in_scope(asked));
        // An address that is folded into another one is known under that one.
        let url = self.canonical(site, asked)?;
        let id = site.map(|site| site.id.clone());
        let host: Option<HostRecord> =
            self.store().get(Space::Host, &[url.host_key().as_str().as_bytes()])?;
        let host = host.unwrap_or_default();
        let known = match self.store().url(id.as_ref(), url.as_str())? {
            None => Err(self.unknown(site, &url, &host)?),
            Some(record) => {
                let snapshots = self.store().history(&url).map(|snapshot| snapshot.map(told));
                let snapshots = snapshots.collect::<Result<Vec<_>, _>>()?;
                Ok(Box::new(Known { record, host, snapshots }))
            }
        };
        Ok(Why { asked: asked.clone(), url, site: id, known })
    }

    fn canonical(&self, site: Option<&Site>, url: &PageUrl) -> Result<PageUrl, StoreError> {
        let Some(site) = site.filter(|site| site.url != *url) else { return Ok(url.clone()) };
        let folded = SiteLearnt::read(self.store(), &site.id)?.rules(site).apply(url);
        Ok(if self.store().knows(Some(&site.id), folded.as_str())? { folded } else { url.clone() })
    }

    fn unknown(&self, site: Option<&Site>, url: &PageUrl, host: &HostRecord) -> Result<Unknown, StoreError> {
        let Some(site) = site else { return Ok(Unknown::Foreign) };
        if SiteLearnt::read(self.store(), &site.id)?.traps.contains_key(&xunjian_crawl::shape(url)) {
            return Ok(Unknown::Trap);
        }
        let robots = host.robots.as_ref().map(|kept| Robots::parse(&kept.text, xunjian_crawl::AGENT));
        let forbidden = robots.is_some_and(|robots| !robots.allows(url.path_and_query()));
        Ok(if forbidden { Unknown::Forbidden } else { Unknown::Unlinked })
    }
}

fn told(snapshot: Snapshot) -> Value {
    json!({
        "snapshot": format!("{}@{}", snapshot.body_hash.to_hex(), snapshot.fetched_at),
        "status": snapshot.status, "body_bytes": snapshot.body_bytes, "truncated": snapshot.truncated,
        "rendered": snapshot.view == View::Rendered, "search_engine": snapshot.view == View::SearchEngine,
    })
}

impl Why {
    /// Why it was never even queued, where it was not.
    pub fn unknown(&self, language: Language) -> Option<&'static str> {
        let (zh, en) = self.known.as_ref().err()?.words();
        Some(if language == Language::Zh { zh } else { en })
    }

    /// What is known, name and value, as people read it; moments as `moment` writes them.
    pub fn rows(
        &self,
        language: Language,
        moment: impl Fn(Timestamp) -> String,
    ) -> Vec<(&'static str, String)> {
        let Ok(Known { record, host, snapshots }) = self.known.as_deref() else { return Vec::new() };
        let say = |zh: &'static str, en: &'static str| if language == Language::Zh { zh } else { en };
        let none = || "–".to_owned();
        let mut rows = vec![
            (say("地址", "Address"), self.url.to_string()),
            (say("网站", "Site"), self.site.as_ref().map_or_else(none, SiteId::to_string)),
            (say("状态", "State"), state(language, record)),
            (say("深度", "Depth"), record.depth.to_string()),
            (say("首次见到", "First seen"), moment(record.first_seen)),
            (say("上次访问", "Last asked"), record.checked_at.map_or_else(none, &moment)),
            (say("跳转到", "Redirected to"), record.final_url.clone().unwrap_or_else(none)),
            (say("存档版本", "Snapshots"), snapshots.len().to_string()),
            (
                say("变化", "Changes"),
                format!("{}/{} ({:.0} %)", record.changes, record.seen, record.expected_change() * 100.0),
            ),
        ];
        if let Some(file) = &record.file {
            let bytes = file.bytes.map_or_else(none, |bytes| bytes.to_string());
            let kind = if file.kind.is_empty() { "–" } else { &file.kind };
            rows.push((say("文件", "File"), format!("{kind}, {bytes} B")));
        }
        let rendering = match record.rendering {
            Rendering::NotNeeded => None,
            Rendering::Wanted => Some(say("未能渲染", "not rendered").to_owned()),
            Rendering::Done { at, settled: true, .. } => Some(moment(at)),
            Rendering::Replaced { at, .. } => Some(format!(
                "{} {}",
                moment(at),
                say("（脚本给读者换成了另一页面）", "(its scripts show readers another page)")
            )),
            Rendering::Done { at, settled: false, .. } => Some(format!(
                "{} {}",
                moment(at),
                say("（脚本未取得全部内容）", "(its scripts did not get all they asked for)")
            )),
        };
        rows.extend(rendering.map(|rendering| (say("浏览器渲染", "Rendered"), rendering)));
        if let Some(cloaked) = &record.cloaked {
            let seen = format!("{} · {}", moment(cloaked.at), cloaked.why);
            rows.push((say("搜索引擎所见", "To search engines"), seen));
        }
        if let Some(since) = record.gone_since {
            rows.push((say("消失于", "Gone since"), moment(since)));
        }
        let now = Timestamp::now();
        if let Some(certificate) = &host.certificate {
            let (until, days) = (moment(certificate.not_after), certificate.days_left(now));
            let mut says = format!("{} · {until} · {days} {}", certificate.issuer, say("天", "days"));
            if let Some(fault) = &host.certificate_fault {
                let state = LinkState::Tls(fault.clone()).describe();
                says.push_str(&format!(" · {}", xunjian_report::link_state(&state, language)));
            }
            rows.push((say("证书", "Certificate"), says));
        }
        if let Some(until) = host.not_before.filter(|until| *until > now) {
            rows.push((say("主机暂停至", "Host left alone until"), moment(until)));
        }
        rows
    }

    /// The same for tools.
    pub fn json(&self) -> Value {
        let mut value = json!({ "url": self.url, "asked": self.asked, "site": self.site });
        let told = match &self.known {
            Err(unknown) => json!({ "known": false, "reason": unknown.words().1 }),
            Ok(known) => {
                let Known { record, host, snapshots } = &**known;
                let hops: Vec<String> =
                    record.hops.iter().map(|hop| format!("{} {}", hop.status, hop.url)).collect();
                let file =
                    |file: &xunjian_model::FileFacts| json!({ "kind": file.kind, "bytes": file.bytes });
                json!({
                    "known": true,
                    "state": record.state.as_ref().map(LinkState::describe),
                    "left_out": record.left_out.map(LeftOut::word), "depth": record.depth, "run": record.run,
                    "status": record.status, "first_seen": record.first_seen, "checked_at": record.checked_at,
                    "final_url": record.final_url, "redirects": hops, "file": record.file.as_ref().map(file),
                    "snapshots": snapshots, "seen": record.seen, "changes": record.changes,
                    "expected_change": record.expected_change(), "gone_since": record.gone_since,
                    "cloaked": record.cloaked.as_ref().map(|seen| json!({ "at": seen.at, "why": seen.why })),
                    "host": {
                        "not_before": host.not_before, "addresses": host.addresses,
                        "certificate": host.certificate, "certificate_fault": host.certificate_fault,
                        "robots_status": host.robots.as_ref().map(|robots| robots.status),
                    },
                })
            }
        };
        if let (Some(value), Value::Object(told)) = (value.as_object_mut(), told) {
            value.extend(told);
        }
        value
    }
}

fn state(language: Language, record: &UrlRecord) -> String {
    let say = |zh: &'static str, en: &'static str| if language == Language::Zh { zh } else { en };
    let left_out = record.left_out.map(|reason| xunjian_report::left_out(reason.word(), language));
    let told = |state: &LinkState| xunjian_report::link_state(&state.describe(), language);
    match (&record.state, left_out) {
        (None, None) if record.run == 0 => say("在队列中，还没有访问", "queued, not asked yet").to_owned(),
        (None, reason) => reason.as_deref().unwrap_or("–").to_owned(),
        (Some(state), None) => told(state),
        (Some(LinkState::Robots | LinkState::Challenged(_)), Some(reason)) => reason,
        (Some(state), Some(reason)) => format!("{}; {reason}", told(state)),
    }
}
