//! Hands the run to the report.

use std::path::{Path, PathBuf};

use xunjian_model::{BodyHash, FindingState};
use xunjian_report::{Evidence, Language, ReportData, SiteReport};

use crate::{Engine, EngineError, life};

/// Where a report was written.
#[derive(Clone, Debug)]
pub struct WrittenReport {
    /// The HTML report.
    pub html: PathBuf,
    /// Findings at each severity, for `--fail-on`.
    pub by_severity: std::collections::BTreeMap<xunjian_model::Severity, usize>,
}

impl Engine {
    /// Writes the last run's report into a folder.
    pub fn report(
        &self,
        folder: &Path,
        language: Language,
        steps: serde_json::Value,
    ) -> Result<WrittenReport, EngineError> {
        let run = self.last_run()?;
        let verdicts = self.verdicts(&run)?;
        let mut sites = Vec::new();
        for (site, verdict) in self.settings.sites.iter().zip(verdicts) {
            let (gone, findings): (Vec<_>, Vec<_>) = life::all(&self.store, &site.id)?
                .into_iter()
                .partition(|finding| finding.state == FindingState::Gone);
            let crawl = xunjian_crawl::site_crawl(&self.store, run.number, &site.id)?;
            sites.push(SiteReport {
                site: site.clone(),
                verdict,
                findings,
                gone,
                pages: self.site_summary(&run, &site.id)?.pages,
                visits: crawl.visits,
                left_out: crawl.left_out,
            });
        }
        let mut by_severity = std::collections::BTreeMap::new();
        for finding in sites.iter().flat_map(|site| &site.findings) {
            *by_severity.entry(finding.severity).or_default() += 1;
        }
        let zone = &self.settings.zone;
        let data = ReportData {
            run: run.number,
            started_at: zone.to_datetime(run.started_at).strftime("%Y-%m-%d %H:%M").to_string(),
            point: self.point(&run).to_string(),
            catalogue: format!("{} {}", self.settings.catalogue.source, self.settings.catalogue.version),
            sites,
            summary: serde_json::json!({
                "schema": 1,
                "run": run.number,
                "started_at": run.started_at,
                "monitoring_point": self.point(&run),
                "crawl": run.crawl,
                "steps": steps,
                "peak_memory_bytes": crate::Cpu::peak_memory(),
            }),
        };
        let html = xunjian_report::write(&data, folder, language, |snapshot| self.evidence(snapshot))?;
        Ok(WrittenReport { html, by_severity })
    }

    /// The archived page a snapshot's name stands for, as text.
    fn evidence(&self, name: &str) -> Option<Evidence> {
        let (hash, at) = name.split_once('@')?;
        let body = self.store.body(&BodyHash::from_hex(hash)?).ok()??;
        let decoded = xunjian_page::decode(&body, None);
        Some(Evidence {
            html: xunjian_scan::mask_all(&decoded.text),
            hash: hash.to_owned(),
            fetched_at: at.to_owned(),
            charset: decoded.charset.name,
        })
    }
}
