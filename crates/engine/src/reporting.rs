//! Hands the run to the report.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use xunjian_model::{BodyHash, Finding, FindingState, Outcome, PageUrl, Ruling, Severity, Verdict};
use xunjian_report::{Evidence, Language, ReportData, SiteReport};

use crate::{Engine, EngineError, RunRecord, StepCost, life};

/// Where a report was written.
#[derive(Clone, Debug)]
pub struct WrittenReport {
    /// The HTML report.
    pub html: PathBuf,
    /// What stands in `summary.json`.
    pub summary: serde_json::Value,
    /// The verdicts, in the register's order.
    pub verdicts: Vec<Verdict>,
    /// Findings by site, in the same order.
    pub findings: Vec<usize>,
    /// Pages by site, in the same order.
    pub pages: Vec<u64>,
    /// Findings at each severity, for `--fail-on`.
    pub by_severity: BTreeMap<Severity, usize>,
}

impl Engine {
    /// Writes the last run's report into a folder.
    pub fn report(
        &self,
        folder: &Path,
        language: Language,
        steps: &BTreeMap<&'static str, StepCost>,
    ) -> Result<WrittenReport, EngineError> {
        let run = self.last_run()?;
        let verdicts = self.verdicts(&run)?;
        let mut sites = Vec::new();
        for (site, verdict) in self.sites(&run).zip(verdicts) {
            // What a person dismissed is no fault.
            let cases = life::cases(&self.store, &site.id)?;
            let dismissed = |finding: &Finding| {
                let case = cases.get(finding.id.as_str());
                case.is_some_and(|case| case.ruling() == Some(Ruling::Dismissed))
            };
            let (mut gone, findings): (Vec<_>, Vec<_>) = life::all(&self.store, &site.id)?
                .into_iter()
                .filter(|finding| !dismissed(finding))
                .partition(|finding| finding.state == FindingState::Gone);
            // What was mended in earlier nights was told then.
            let before = self.run_before(&run, &site.id)?;
            gone.retain(|finding| cases.get(finding.id.as_str()).is_some_and(|case| case.went_after(before)));
            let mut crawl = xunjian_crawl::site_crawl(&self.store, run.number, &site.id)?;
            let scan = self.site_summary(&run, &site.id)?;
            let limits = [
                ("findings-beyond-limits", scan.beyond),
                ("pages-beyond-limits", scan.cut),
                ("pages-unread", scan.unread),
            ];
            let reached = limits.into_iter().filter(|(_, count)| *count > 0);
            crawl.notes.extend(reached.map(|(note, count)| (note.to_owned(), count)));
            sites.push(SiteReport {
                site: site.clone(),
                verdict,
                findings,
                gone,
                pages: scan.pages,
                visits: crawl.visits,
                complete: !crawl.is_incomplete(),
                cut: crawl.cut.into_iter().map(|(shape, cut)| (shape, (cut.count, cut.example))).collect(),
                notes: crawl.notes,
                left_out: crawl.left_out,
            });
        }
        let mut by_severity = BTreeMap::new();
        for finding in sites.iter().flat_map(|site| &site.findings) {
            *by_severity.entry(finding.severity).or_default() += 1;
        }
        let summary = self.summary(&run, &sites, &by_severity, steps);
        let zone = &self.settings.zone;
        let data = ReportData {
            run: run.number,
            started_at: zone.to_datetime(run.started_at).strftime("%Y-%m-%d %H:%M").to_string(),
            crawled: run.crawl.finished,
            zone: zone.clone(),
            point: self.point(&run).to_string(),
            catalogue: format!("{} {}", self.settings.catalogue.source, self.settings.catalogue.version),
            sites,
            summary: summary.clone(),
        };
        let html =
            xunjian_report::write(&data, folder, language, |url, snapshot| self.evidence(url, snapshot))?;
        Ok(WrittenReport {
            html,
            summary,
            findings: data.sites.iter().map(|site| site.findings.len()).collect(),
            pages: data.sites.iter().map(|site| site.pages).collect(),
            verdicts: data.sites.into_iter().map(|site| site.verdict).collect(),
            by_severity,
        })
    }

    /// `summary.json`: what the run saw, found and cost. Steps done by another process, before an
    /// interruption, cost nothing here.
    fn summary(
        &self,
        run: &RunRecord,
        sites: &[SiteReport],
        by_severity: &BTreeMap<Severity, usize>,
        steps: &BTreeMap<&'static str, StepCost>,
    ) -> serde_json::Value {
        let cost = StepCost::sum(steps.values());
        let count = |outcome| sites.iter().filter(|site| site.verdict.result == outcome).count();
        let state =
            |state| sites.iter().flat_map(|site| &site.findings).filter(|one| one.state == state).count();
        let left_out: BTreeMap<&str, &BTreeMap<String, u64>> = sites
            .iter()
            .filter(|site| !site.left_out.is_empty())
            .map(|site| (site.site.id.as_str(), &site.left_out))
            .collect();
        let cut: BTreeMap<&str, _> = sites
            .iter()
            .filter(|site| !site.cut.is_empty())
            .map(|site| (site.site.id.as_str(), &site.cut))
            .collect();
        let notes: BTreeMap<&str, _> = sites
            .iter()
            .filter(|site| !site.notes.is_empty())
            .map(|site| (site.site.id.as_str(), &site.notes))
            .collect();
        serde_json::json!({
            "schema": 1,
            "run": run.number,
            "started_at": run.started_at,
            "monitoring_point": self.point(run),
            "complete": run.crawl.finished && sites.iter().all(|site| site.complete),
            "pages": sites.iter().map(|site| site.pages).sum::<u64>(),
            "bytes": run.crawl.body_bytes,
            "seconds": cost.seconds,
            "cpu_seconds": cost.cpu_seconds,
            "peak_memory_bytes": crate::Cpu::peak_memory(),
            "steps": steps,
            "crawl": run.crawl,
            "sites": {
                "total": sites.len(),
                "pass": count(Outcome::Pass),
                "fail": count(Outcome::Fail),
                "review": count(Outcome::Review),
            },
            "findings": {
                "total": sites.iter().map(|site| site.findings.len()).sum::<usize>(),
                "new": state(FindingState::New),
                "open": state(FindingState::Open),
                "relapsed": state(FindingState::Relapsed),
                "mended": sites.iter().map(|site| site.gone.len()).sum::<usize>(),
                "by_severity": by_severity,
            },
            "left_out": left_out,
            "limited": run.extras.limited,
            "deleted": run.extras.deleted,
            "rendered": run.extras.rendered,
            "cut": cut,
            "notes": notes,
        })
    }

    /// The archived page a snapshot's name stands for, as text, personal numbers masked.
    pub fn evidence(&self, url: &str, name: &str) -> Option<Evidence> {
        let (hash, at) = name.split_once('@')?;
        let body = self.store.body(&BodyHash::from_hex(hash)?).ok()??;
        let snapshot = self.store.snapshot(&PageUrl::parse(url).ok()?, at.parse().ok()?).ok()?;
        let media_type = snapshot.as_ref().and_then(|snapshot| snapshot.header("content-type"));
        let page = PageUrl::parse(url).ok()?;
        if xunjian_page::holds_document(&body, media_type, &page) {
            let facts = xunjian_page::document(&body, &page, false, self.settings.page);
            let text: Vec<&str> = facts.blocks.iter().map(|block| block.text.as_str()).collect();
            return Some(Evidence {
                html: xunjian_scan::mask_all(&text.join("\n")),
                hash: hash.to_owned(),
                fetched_at: at.to_owned(),
                charset: xunjian_page::sniff(&body).to_owned(),
            });
        }
        let decoded = xunjian_page::decode(&body, media_type);
        Some(Evidence {
            html: xunjian_scan::mask_all(&decoded.text),
            hash: hash.to_owned(),
            fetched_at: at.to_owned(),
            charset: decoded.charset.name,
        })
    }
}
