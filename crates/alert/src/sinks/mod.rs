//! One module for each family of sinks.

mod alertmanager;
mod file;
mod mail;
mod nats;
mod robots;
mod syslog;
mod webhook;

use std::sync::Arc;

use xunjian_model::Site;
use xunjian_report::Language;
use xunjian_store::Store;

use crate::http::Http;
use crate::{Message, SendError, Sink, SinkKind};

/// What sinks work with.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) http: &'a Http,
    pub(crate) store: &'a Arc<Store>,
    pub(crate) sites: &'a [Site],
    pub(crate) language: Language,
}

/// Sends a message.
pub(crate) async fn send(sink: &Sink, message: &Message, context: Context<'_>) -> Result<(), SendError> {
    match &sink.kind {
        SinkKind::Webhook { url, secret } => webhook::send(url, secret.as_ref(), message, context).await,
        SinkKind::Alertmanager { url, token, lifetime } => {
            alertmanager::send((url, token.as_ref()), *lifetime, sink, message, context).await
        }
        SinkKind::Wecom { url } => robots::wecom(url, message, context).await,
        SinkKind::Dingtalk { url, secret } => robots::dingtalk(url, secret.as_ref(), message, context).await,
        SinkKind::Feishu { url, secret } => robots::feishu(url, secret.as_ref(), message, context).await,
        SinkKind::Mail { .. } => mail::send(&sink.kind, message, context).await,
        SinkKind::Syslog { address, tcp } => syslog::send(address, *tcp, message, context).await,
        SinkKind::Nats { url, subject, token, jetstream } => {
            nats::send(url, subject, token.as_ref(), *jetstream, message).await
        }
        SinkKind::Jsonl { path } => file::jsonl(path.as_deref(), message),
        SinkKind::Junit { path } => file::junit(path, sink, message, context),
        SinkKind::Sarif { path } => file::sarif(path, sink, message, context),
        SinkKind::Markdown { path } => file::markdown(path, sink, message, context),
    }
}
