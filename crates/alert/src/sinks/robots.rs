//! Robots of WeCom, DingTalk and Feishu: each has its own form, signature and limit of length, and says
//! in the answer's body whether it took a message.

use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::Context;
use super::webhook::mac;
use crate::{Message, Secret, SendError, words};

/// Bytes of Markdown that WeCom takes.
const WECOM_BYTES_MAX: usize = 4_000;
/// Bytes that DingTalk takes.
const DINGTALK_BYTES_MAX: usize = 18_000;
/// Bytes that Feishu takes.
const FEISHU_BYTES_MAX: usize = 18_000;

fn text(message: &Message, context: Context<'_>, bytes_max: usize) -> (String, String) {
    match message {
        Message::Site(night) => {
            (words::title(night, context.language), words::markdown(night, context.language, bytes_max))
        }
        Message::Findings(items) => {
            let lines: Vec<String> = items.iter().map(|item| words::line(item, context.language)).collect();
            let cut: String = lines.join("\n").chars().take(bytes_max / 3).collect();
            (items.first().map(|item| item.site_name.clone()).unwrap_or_default(), cut)
        }
        Message::Night(night) => {
            let title = words::night_title(night, context.language);
            let text = words::quoted(&title, &words::night(night, context.language), bytes_max);
            (title, text)
        }
        Message::Failed { reason, .. } => {
            let title = words::failed(context.language);
            (title.to_owned(), words::quoted(title, &[context.language.said(reason)], bytes_max))
        }
        Message::State { run, .. } => (format!("#{run}"), format!("#{run}")),
    }
}

pub(super) async fn wecom(url: &Secret, message: &Message, context: Context<'_>) -> Result<(), SendError> {
    let (_, text) = text(message, context, WECOM_BYTES_MAX);
    let body = json!({ "msgtype": "markdown", "markdown": { "content": text } });
    accepted(&context.http.post_json(url, &body).await?, "errcode", "errmsg")
}

pub(super) async fn dingtalk(
    url: &Secret,
    secret: Option<&Secret>,
    message: &Message,
    context: Context<'_>,
) -> Result<(), SendError> {
    let (title, text) = text(message, context, DINGTALK_BYTES_MAX);
    let body = json!({ "msgtype": "markdown", "markdown": { "title": title, "text": text } });
    let signed = secret.map(|secret| {
        let at = Timestamp::now().as_millisecond();
        let sign = mac(secret.reveal().as_bytes(), format!("{at}\n{}", secret.reveal()).as_bytes());
        let sign = utf8_percent_encode(&sign, NON_ALPHANUMERIC);
        let begin = if url.reveal().contains('?') { '&' } else { '?' };
        Secret::new(format!("{}{begin}timestamp={at}&sign={sign}", url.reveal()))
    });
    accepted(&context.http.post_json(signed.as_ref().unwrap_or(url), &body).await?, "errcode", "errmsg")
}

pub(super) async fn feishu(
    url: &Secret,
    secret: Option<&Secret>,
    message: &Message,
    context: Context<'_>,
) -> Result<(), SendError> {
    let (title, text) = text(message, context, FEISHU_BYTES_MAX);
    let mut body = json!({
        "msg_type": "interactive",
        "card": {
            "header": { "title": { "tag": "plain_text", "content": title } },
            "elements": [{ "tag": "markdown", "content": text }],
        },
    });
    if let Some(secret) = secret {
        let at = Timestamp::now().as_second();
        body["timestamp"] = json!(at.to_string());
        body["sign"] = json!(mac(format!("{at}\n{}", secret.reveal()).as_bytes(), b""));
    }
    accepted(&context.http.post_json(url, &body).await?, "code", "msg")
}

/// Whether an answer's number is 0. Which numbers mean "never" is not promised by any of them.
fn accepted(answer: &Value, number: &str, reason: &str) -> Result<(), SendError> {
    match answer[number].as_i64() {
        Some(0) => Ok(()),
        Some(code) => {
            let reason = answer[reason].as_str().unwrap_or_default();
            Err(SendError::Later(format!(
                "answered {code}: {reason}; look at the address and the secret of this sink"
            )))
        }
        None => Err(SendError::Later("answered with something else than its own form".to_owned())),
    }
}
