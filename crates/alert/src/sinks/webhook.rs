//! CloudEvents 1.0 over HTTP: one event in structured mode, several in batched mode. The signature is
//! that of Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`.

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::Sha256;

use super::Context;
use crate::{Item, Message, Secret, SendError};

pub(super) async fn send(
    url: &Secret,
    secret: Option<&Secret>,
    message: &Message,
    context: Context<'_>,
) -> Result<(), SendError> {
    let events = events(message);
    let (content_type, body) = match &events[..] {
        [one] => ("application/cloudevents+json; charset=UTF-8", one.to_string()),
        several => ("application/cloudevents-batch+json; charset=UTF-8", Value::from(several).to_string()),
    };
    let key = message.key();
    let mut headers = vec![("webhook-id", key.clone())];
    if let Some(secret) = secret {
        let at = Timestamp::now().as_second();
        headers.push(("webhook-timestamp", at.to_string()));
        headers.push(("webhook-signature", format!("v1,{}", sign(secret, &format!("{key}.{at}.{body}")))));
    }
    context.http.post(url, content_type, &headers, body.into_bytes()).await.map(drop)
}

/// Base64 of the HMAC. A secret that begins with `whsec_` is Base64 itself.
pub(super) fn sign(secret: &Secret, text: &str) -> String {
    let words = secret.reveal();
    let decoded = words.strip_prefix("whsec_").and_then(|rest| BASE64.decode(rest.as_bytes()).ok());
    mac(decoded.as_deref().unwrap_or(words.as_bytes()), text.as_bytes())
}

pub(super) fn mac(key: &[u8], text: &[u8]) -> String {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return String::new() };
    mac.update(text);
    BASE64.encode(&mac.finalize().into_bytes())
}

/// The events of a message.
pub(super) fn events(message: &Message) -> Vec<Value> {
    match message {
        Message::Findings(items) => items.iter().map(event).collect(),
        Message::Site(night) => vec![json!({
            "specversion": "1.0",
            "id": night.key,
            "source": format!("/xunjian/sites/{}", night.site),
            "type": "xunjian.site.changed",
            "subject": night.site,
            "time": night.at,
            "datacontenttype": "application/json",
            "data": night,
        })],
        Message::Night(night) => vec![of_night(message, night.at, "ended", json!(night))],
        Message::Failed { at, reason } => {
            vec![of_night(message, *at, "failed", json!({ "reason": reason }))]
        }
        Message::State { at, run } => vec![of_night(message, *at, "ended", json!({ "run": run }))],
    }
}

fn of_night(message: &Message, at: Timestamp, how: &str, data: Value) -> Value {
    json!({
        "specversion": "1.0",
        "id": message.key(),
        "source": "/xunjian",
        "type": format!("xunjian.night.{how}"),
        "time": at,
        "datacontenttype": "application/json",
        "data": data,
    })
}

pub(super) fn event(item: &Item) -> Value {
    json!({
        "specversion": "1.0",
        "id": item.key,
        "source": format!("/xunjian/sites/{}", item.finding.site),
        "type": format!("xunjian.finding.{}", item.change),
        "subject": item.finding.id,
        "time": item.at,
        "datacontenttype": "application/json",
        "data": item,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_those_of_the_rfcs() {
        // RFC 4231, case 2.
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let bytes = data_encoding::HEXLOWER.decode(expected.as_bytes()).expect("hex");
        assert_eq!(mac(b"Jefe", b"what do ya want for nothing?"), BASE64.encode(&bytes));
        let plain = sign(&Secret::new("Jefe"), "what do ya want for nothing?");
        assert_eq!(plain, BASE64.encode(&bytes));
        let encoded =
            sign(&Secret::new(format!("whsec_{}", BASE64.encode(b"Jefe"))), "what do ya want for nothing?");
        assert_eq!(encoded, plain);
    }
}
