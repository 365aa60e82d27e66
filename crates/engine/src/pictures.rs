//! Pictures of what findings show: the archived page with the fault marked, kept beside the store under
//! the finding's id.

use std::path::PathBuf;

use xunjian_model::{Finding, FindingState, Severity};
use xunjian_render::{Browser, Page, Resource};
use xunjian_report::{Evidence, archived_page};

use crate::{Engine, EngineError, current_findings};

/// How a mark looks in a picture, whatever the page says of it.
const STYLE: &str =
    "<style>mark{background:#ffe08a!important;color:#000!important;outline:3px solid #c00!important}</style>";
/// The address a page is shown under; nothing is asked of it.
const ADDRESS: &str = "http://archive.invalid/";
/// The page's own policy: the picture needs nothing that is not in it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

impl Engine {
    /// The file of a finding's picture; its snapshot is part of the name, so that another page has
    /// another picture.
    pub fn picture_of(&self, finding: &Finding) -> Option<PathBuf> {
        let (hash, _) = finding.evidence.snapshot.as_deref()?.split_once('@')?;
        let name = format!("{}-{}.jpg", finding.id, hash.get(..16)?);
        Some(self.settings().data.join("pictures").join(name))
    }

    /// Takes the pictures that are not there yet; answers with how many were taken. Without a browser
    /// none are. `each` is told of every finding that is done.
    pub async fn take_pictures(
        &self,
        findings: &[&Finding],
        each: impl Fn(usize),
    ) -> Result<usize, EngineError> {
        let Some(setup) = &self.settings().render else { return Ok(0) };
        let mut browser: Option<Browser> = None;
        let mut taken = 0;
        for (at, finding) in findings.iter().enumerate() {
            each(at + 1);
            let Some(path) = self.picture_of(finding).filter(|path| !path.exists()) else { continue };
            let snapshot = finding.evidence.snapshot.as_deref().unwrap_or_default();
            let Some(page) = self.evidence(&finding.url, snapshot) else { continue };
            if browser.is_none() {
                let started = Browser::start(&setup.program, setup.sandbox, setup.limits.clone()).await;
                match started {
                    Ok(started) => browser = Some(started),
                    Err(error) => {
                        tracing::warn!(%error, "no pictures are taken");
                        return Ok(taken);
                    }
                }
            }
            let Some(running) = &browser else { continue };
            match running.picture(shown(&page, finding)).await {
                Ok(picture) => {
                    save(&path, &picture)?;
                    taken += 1;
                }
                Err(error) => {
                    tracing::warn!(finding = %finding.id, %error, "no picture could be taken");
                    // It may not be used again.
                    browser = None;
                }
            }
        }
        Ok(taken)
    }
}

impl Engine {
    /// The findings of the last run whose pictures a night takes: new ones and those that came back, serious
    /// ones first, as many as the settings allow.
    pub fn pictured(&self) -> Result<Vec<Finding>, EngineError> {
        let most = self.settings().render.as_ref().map_or(0, |setup| setup.pictures_max);
        let mut wanted = Vec::new();
        for severity in [Severity::Serious, Severity::Major] {
            for site in &self.settings().sites {
                for finding in current_findings(self.store(), &site.id) {
                    if wanted.len() >= most {
                        return Ok(wanted);
                    }
                    let finding = finding?;
                    let came = matches!(finding.state, FindingState::New | FindingState::Relapsed);
                    let has_page = finding.evidence.snapshot.is_some();
                    if came && has_page && finding.severity == severity {
                        wanted.push(finding);
                    }
                }
            }
        }
        Ok(wanted)
    }
}

fn shown(page: &Evidence, finding: &Finding) -> Page<'static> {
    let excerpt = &finding.evidence.excerpt;
    let hit = xunjian_scan::hit_of(excerpt).unwrap_or_default();
    let html = archived_page(page, &[finding.what(), hit]);
    let headers = [("content-type", "text/html; charset=utf-8"), ("content-security-policy", POLICY)];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    Page {
        url: ADDRESS,
        answer: Resource { status: 200, headers, body: format!("{STYLE}{html}").into_bytes() },
    }
}

fn save(path: &std::path::Path, bytes: &[u8]) -> Result<(), EngineError> {
    let write = || {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let beside = path.with_extension("part");
        std::fs::write(&beside, bytes)?;
        std::fs::rename(&beside, path)
    };
    let failed = |source| xunjian_report::ReportError::Write { path: path.to_owned(), source };
    Ok(write().map_err(failed)?)
}
