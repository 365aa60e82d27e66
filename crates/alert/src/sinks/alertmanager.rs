//! Prometheus Alertmanager, API v2. A mended finding ends its alert; after each night all findings that
//! are there are told again, because Alertmanager forgets what it is not told again.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use xunjian_engine::{Change, current_findings};
use xunjian_model::Finding;

use super::Context;
use crate::{Message, Secret, SendError, Sink};

/// Alerts posted at once.
const ALERTS_MAX: usize = 500;

pub(super) async fn send(
    (url, token): (&Secret, Option<&Secret>),
    lifetime: Duration,
    sink: &Sink,
    message: &Message,
    context: Context<'_>,
) -> Result<(), SendError> {
    let target = Secret::new(format!("{}/api/v2/alerts", url.reveal().trim_end_matches('/')));
    let headers: Vec<(&'static str, String)> =
        token.map(|token| ("authorization", format!("Bearer {}", token.reveal()))).into_iter().collect();
    let post = async |alerts: Vec<Value>| {
        let body = Value::from(alerts).to_string().into_bytes();
        context.http.post(&target, "application/json", &headers, body).await.map(drop)
    };
    let now = Timestamp::now();
    let until = now.checked_add(lifetime).unwrap_or(Timestamp::MAX);
    match message {
        Message::Findings(items) => {
            let alert = |item: &crate::Item| {
                let ends = if item.change == Change::Mended { now } else { until };
                alert(&item.finding, &item.site_name, item.link.as_deref(), ends)
            };
            post(items.iter().map(alert).collect()).await
        }
        Message::Site(_) | Message::Night(_) | Message::Failed { .. } => {
            Err(SendError::Never("takes findings, not sites or nights".to_owned()))
        }
        Message::State { .. } => {
            for site in context.sites.iter().filter(|site| sink.filter.wants_site(site.id.as_str())) {
                let mut alerts = Vec::new();
                for finding in current_findings(context.store, &site.id) {
                    let finding = finding?;
                    if sink.filter.wants_finding(&finding) {
                        alerts.push(alert(&finding, &site.name, None, until));
                    }
                    if alerts.len() == ALERTS_MAX {
                        post(std::mem::take(&mut alerts)).await?;
                    }
                }
                if !alerts.is_empty() {
                    post(alerts).await?;
                }
            }
            Ok(())
        }
    }
}

fn alert(finding: &Finding, site_name: &str, link: Option<&str>, ends: Timestamp) -> Value {
    json!({
        "labels": {
            "alertname": "XunjianFinding",
            "finding": finding.id,
            "indicator": finding.indicator,
            "kind": finding.kind,
            "severity": finding.severity,
            "site": finding.site,
        },
        "annotations": {
            "summary": format!("{site_name} · {}", finding.kind.zh()),
            "description": finding.evidence.excerpt,
            "title": finding.title,
            "url": finding.url,
        },
        "startsAt": finding.first_seen,
        "endsAt": ends,
        "generatorURL": link.unwrap_or(&finding.url),
    })
}
