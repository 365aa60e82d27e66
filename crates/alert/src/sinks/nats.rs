//! A subject of NATS: `<subject>.<site>.<change>`. JetStream takes each key once.

use async_nats::{ConnectOptions, HeaderMap};

use super::webhook::{event, events};
use crate::{Message, Secret, SendError};

pub(super) async fn send(
    url: &Secret,
    subject: &str,
    token: Option<&Secret>,
    message: &Message,
) -> Result<(), SendError> {
    let later = |error: &dyn std::fmt::Display| SendError::Later(error.to_string());
    let options = match token {
        Some(token) => ConnectOptions::with_token(token.reveal().to_owned()),
        None => ConnectOptions::new(),
    };
    let client = options.name("xunjian").connect(url.reveal()).await.map_err(|error| later(&error))?;
    let payloads: Vec<(String, String, String)> = match message {
        Message::Findings(items) => items
            .iter()
            .map(|item| {
                let subject = format!("{subject}.{}.{}", item.finding.site, item.change);
                (subject, item.key.clone(), event(item).to_string())
            })
            .collect(),
        other => events(other)
            .into_iter()
            .map(|event| (subject.to_owned(), other.key(), event.to_string()))
            .collect(),
    };
    for (subject, key, payload) in payloads {
        let mut headers = HeaderMap::new();
        headers.insert("Nats-Msg-Id", key.as_str());
        let sent = client.publish_with_headers(subject, headers, payload.into_bytes().into()).await;
        sent.map_err(|error| later(&error))?;
    }
    // Once this answers, the server has everything.
    client.flush().await.map_err(|error| later(&error))
}
