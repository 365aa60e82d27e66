//! A subject of NATS: `<subject>.<site>.<change>`. JetStream takes each key once.

use async_nats::client::RequestErrorKind;
use async_nats::{Client, ConnectOptions, HeaderMap, Request};
use serde::Deserialize;

use super::webhook::{event, events};
use crate::{Message, Secret, SendError};

pub(super) async fn send(
    url: &Secret,
    subject: &str,
    token: Option<&Secret>,
    jetstream: bool,
    message: &Message,
) -> Result<(), SendError> {
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
        if jetstream {
            store(&client, subject, headers, payload).await?;
        } else {
            let sent = client.publish_with_headers(subject, headers, payload.into_bytes().into()).await;
            sent.map_err(|error| later(&error))?;
        }
    }
    // Once this answers, the server has everything.
    client.flush().await.map_err(|error| later(&error))
}

/// What JetStream answers to a message.
#[derive(Deserialize)]
struct Acknowledgement {
    stream: Option<String>,
    error: Option<Refusal>,
}

#[derive(Deserialize)]
struct Refusal {
    description: String,
}

/// Publishes a message and waits until a stream says that it has it.
async fn store(
    client: &Client,
    subject: String,
    headers: HeaderMap,
    payload: String,
) -> Result<(), SendError> {
    // The sink's own time limit holds.
    let request = Request::new().headers(headers).payload(payload.into()).timeout(None);
    let answer = client.send_request(subject.clone(), request).await.map_err(|error| match error.kind() {
        RequestErrorKind::NoResponders => SendError::Later(format!("no stream of JetStream takes {subject}")),
        _ => later(&error),
    })?;
    match serde_json::from_slice(&answer.payload) {
        Ok(Acknowledgement { error: Some(error), .. }) => {
            Err(SendError::Later(format!("JetStream: {}", error.description)))
        }
        Ok(Acknowledgement { stream: Some(_), .. }) => Ok(()),
        _ => Err(SendError::Later(format!("what answers on {subject} is no stream of JetStream"))),
    }
}

fn later(error: &dyn std::fmt::Display) -> SendError {
    SendError::Later(error.to_string())
}
