//! `/metrics`: how the sites stand, in the text format of Prometheus.

use std::fmt::Write as _;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use xunjian_engine::{Engine, RunRecord, place_of};
use xunjian_model::{Outcome, Severity};
use xunjian_store::StoreError;

use crate::Shared;
use crate::error::Failure;
use crate::session::Visitor;
use crate::view::blocking;

pub(crate) async fn show(State(state): Shared, _: Visitor) -> Result<Response, Failure> {
    let engine = state.engine().await?;
    let text = blocking(move || Ok(text(&engine)?)).await?;
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Ok((kind, text).into_response())
}

/// One metric with its samples.
struct Metric {
    name: &'static str,
    help: &'static str,
    samples: Vec<(String, f64)>,
}

fn text(engine: &Engine) -> Result<String, StoreError> {
    let metric = |name, help| Metric { name, help, samples: Vec::new() };
    let mut run_number = metric("xunjian_run_number", "Number of the last run.");
    let mut started = metric("xunjian_run_started_timestamp_seconds", "When the last run began.");
    let mut finished = metric("xunjian_run_finished", "1 when the last run is over.");
    let mut result = metric("xunjian_site_result", "1 for how the site stands: pass, fail or review.");
    let mut vetoes = metric("xunjian_site_vetoes", "Vetoes reached by the site.");
    let mut warnings = metric("xunjian_site_warnings", "Warnings of a veto that is near.");
    let mut score = metric("xunjian_site_score", "Score of the site, where it has one.");
    let mut certificate =
        metric("xunjian_site_certificate_end_timestamp_seconds", "When the site's certificate ends.");
    let mut findings = metric("xunjian_findings", "Findings of the site that are there.");
    let mut new = metric("xunjian_findings_new", "Of these, new in the last run.");
    let mut waiting = metric("xunjian_findings_waiting", "Findings that wait for a person.");
    let mut accounts =
        metric("xunjian_media_accounts", "New-media accounts by how they stand: pass, fail or review.");
    let mut free = metric("xunjian_disk_free_bytes", "Bytes that can still be written where the store lies.");
    free.samples.push((String::new(), engine.store().free_bytes()? as f64));
    if let Some(run) = RunRecord::last(engine.store())? {
        run_number.samples.push((String::new(), f64::from(run.number)));
        started.samples.push((String::new(), run.started_at.as_millisecond() as f64 / 1e3));
        finished.samples.push((String::new(), f64::from(u8::from(run.finished))));
        let mut standing = [0_u32; 3];
        for one in engine.account_verdicts()? {
            standing[place_of(one.result)] += 1;
        }
        for (word, count) in ["pass", "fail", "review"].into_iter().zip(standing) {
            accounts.samples.push((format!("result=\"{word}\""), f64::from(count)));
        }
        for site in &engine.settings().sites {
            // Ids of sites hold nothing that a label could not.
            let label = format!("site=\"{}\"", site.id);
            if let Some(end) = engine.certificate_end(site)? {
                certificate.samples.push((label.clone(), end.as_second() as f64));
            }
            let Some(latest) = engine.latest(&site.id)? else { continue };
            if let Some(one) = latest.verdict {
                for (word, outcome) in
                    [("pass", Outcome::Pass), ("fail", Outcome::Fail), ("review", Outcome::Review)]
                {
                    let is = f64::from(u8::from(one.result == outcome));
                    result.samples.push((format!("{label},result=\"{word}\""), is));
                }
                vetoes.samples.push((label.clone(), one.vetoes.len() as f64));
                warnings.samples.push((label.clone(), one.warnings.len() as f64));
                score.samples.extend(one.score.map(|score| (label.clone(), score)));
            }
            for (severity, count) in Severity::ALL.iter().zip(latest.tally.by_severity) {
                findings.samples.push((format!("{label},severity=\"{}\"", severity.as_str()), count as f64));
            }
            new.samples.push((label.clone(), latest.tally.new as f64));
            waiting.samples.push((label, latest.tally.waiting as f64));
        }
    }
    let mut out = String::new();
    let all = [
        run_number, started, finished, result, vetoes, warnings, score, certificate, findings, new, waiting,
        accounts, free,
    ];
    for one in all {
        let _ = write!(out, "# HELP {0} {1}\n# TYPE {0} gauge\n", one.name, one.help);
        for (labels, value) in one.samples {
            let labels = if labels.is_empty() { labels } else { format!("{{{labels}}}") };
            let _ = writeln!(out, "{}{labels} {value}", one.name);
        }
    }
    Ok(out)
}
