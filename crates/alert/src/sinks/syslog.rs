//! Syslog, RFC 5424: over UDP (RFC 5426), or over TCP with octet counts (RFC 6587, section 3.4.1).

use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpStream, UdpSocket};
use xunjian_model::Severity;

use super::Context;
use super::webhook::events;
use crate::{Message, SendError, words};

/// Facility `local0`.
const FACILITY: u8 = 16;
/// Bytes of a message that every receiver takes (RFC 5424, section 6.1).
const BYTES_MAX: usize = 2_048;
/// The number that examples of structured data have (RFC 5424, section 7.2.2).
const ENTERPRISE: &str = "xunjian@32473";

pub(super) async fn send(
    address: &str,
    tcp: bool,
    message: &Message,
    context: Context<'_>,
) -> Result<(), SendError> {
    let later = |error: std::io::Error| SendError::Later(format!("{address}: {error}"));
    let lines = lines(message, context);
    if tcp {
        let mut stream = TcpStream::connect(address).await.map_err(later)?;
        for line in lines {
            stream.write_all(format!("{} ", line.len()).as_bytes()).await.map_err(later)?;
            stream.write_all(line.as_bytes()).await.map_err(later)?;
        }
        return stream.shutdown().await.map_err(later);
    }
    let local = if address.starts_with('[') { "[::]:0" } else { "0.0.0.0:0" };
    let socket = UdpSocket::bind(local).await.map_err(later)?;
    socket.connect(address).await.map_err(later)?;
    for line in lines {
        socket.send(line.as_bytes()).await.map_err(later)?;
    }
    Ok(())
}

fn lines(message: &Message, context: Context<'_>) -> Vec<String> {
    match message {
        Message::Findings(items) => items
            .iter()
            .map(|item| {
                let finding = &item.finding;
                let data = [
                    ("id", finding.id.as_str()),
                    ("site", finding.site.as_str()),
                    ("indicator", &finding.indicator),
                    ("kind", finding.kind.as_str()),
                    ("change", item.change.as_str()),
                    ("url", &finding.url),
                ];
                line(finding.severity, item.at, "finding", &data, &words::line(item, context.language))
            })
            .collect(),
        Message::Site(night) => {
            let data = [("site", night.site.as_str())];
            let severity = night.examples.iter().map(|item| item.finding.severity).max();
            let text = words::title(night, context.language);
            vec![line(severity.unwrap_or(Severity::Info), night.at, "site", &data, &text)]
        }
        Message::Night(night) => {
            let told = words::night(night, context.language);
            let text = [&[words::night_title(night, context.language)], &told[..]].concat().join(" · ");
            vec![line(Severity::Info, night.at, "night", &[("run", &night.run.to_string())], &text)]
        }
        Message::Failed { at, reason } => {
            let text = format!("{}：{}", words::failed(context.language), context.language.said(reason));
            vec![line(Severity::Major, *at, "failed", &[], &text)]
        }
        Message::State { at, .. } => {
            let text = events(message).first().map(Value::to_string).unwrap_or_default();
            vec![line(Severity::Info, *at, "night", &[], &text)]
        }
    }
}

fn line(severity: Severity, at: jiff::Timestamp, id: &str, data: &[(&str, &str)], text: &str) -> String {
    // RFC 5424, table 2.
    let level = match severity {
        Severity::Serious => 2,
        Severity::Major => 3,
        Severity::Minor => 4,
        Severity::Info => 6,
    };
    let priority = FACILITY * 8 + level;
    let at = at.strftime("%Y-%m-%dT%H:%M:%SZ");
    let mut line = format!("<{priority}>1 {at} - xunjian - {id} ");
    match data.is_empty() {
        true => line.push('-'),
        false => {
            line.push_str(&format!("[{ENTERPRISE}"));
            for (name, value) in data {
                line.push_str(&format!(" {name}=\"{}\"", value_of(value)));
            }
            line.push(']');
        }
    }
    line.push_str(" \u{feff}");
    for c in text.chars() {
        let c = if c.is_control() { ' ' } else { c };
        if line.len() + c.len_utf8() > BYTES_MAX {
            break;
        }
        line.push(c);
    }
    line
}

/// A value of structured data (RFC 5424, section 6.3.3), no longer than a line bears.
fn value_of(text: &str) -> String {
    const CHARS_MAX: usize = 400;
    let mut out = String::new();
    for c in text.chars().take(CHARS_MAX) {
        if matches!(c, '"' | '\\' | ']') {
            out.push('\\');
        }
        out.push(if c.is_control() { ' ' } else { c });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_of_rfc_5424() {
        let at = "2026-06-30T12:00:00Z".parse().expect("a moment");
        let made = line(Severity::Serious, at, "finding", &[("url", "http://a/\"]\\")], "错\n字");
        assert_eq!(
            made,
            "<130>1 2026-06-30T12:00:00Z - xunjian - finding [xunjian@32473 url=\"http://a/\\\"\\]\\\\\"] \u{feff}错 字"
        );
        assert!(line(Severity::Info, at, "night", &[], &"字".repeat(2_000)).len() <= BYTES_MAX);
    }
}
