//! Mail over SMTP.

use lettre::message::{Mailbox, header::ContentType};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls as SmtpTls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};

use super::Context;
use crate::{Message, SendError, SinkKind, Tls, words};

pub(super) async fn send(kind: &SinkKind, message: &Message, context: Context<'_>) -> Result<(), SendError> {
    let SinkKind::Mail { server, port, tls, login, from, to, authority } = kind else {
        return Err(SendError::Never("not a sink of mail".to_owned()));
    };
    let never = |error: &dyn std::fmt::Display| SendError::Never(error.to_string());
    let (subject, text) = text(message, context);
    let mailbox = |text: &str| text.parse::<Mailbox>().map_err(|error| never(&error));
    let mut mail = lettre::Message::builder()
        .from(mailbox(from)?)
        .subject(subject)
        .message_id(Some(format!("<{}@xunjian>", blank_free(&message.key()))))
        .header(ContentType::TEXT_PLAIN);
    for one in to {
        mail = mail.to(mailbox(one)?);
    }
    let mail = mail.body(text).map_err(|error| never(&error))?;

    let parameters = || {
        let mut parameters = TlsParameters::builder(server.clone());
        if let Some(pem) = authority {
            parameters = parameters.add_root_certificate(Certificate::from_pem(pem)?);
        }
        parameters.build()
    };
    let encryption = match tls {
        Tls::Implicit => SmtpTls::Wrapper(parameters().map_err(|error| never(&error))?),
        Tls::Starttls => SmtpTls::Required(parameters().map_err(|error| never(&error))?),
        Tls::None => SmtpTls::None,
    };
    let usual = match tls {
        Tls::Implicit => 465,
        Tls::Starttls => 587,
        Tls::None => 25,
    };
    let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(server)
        .port(port.unwrap_or(usual))
        .tls(encryption);
    if let Some((user, password)) = login {
        transport = transport.credentials(Credentials::new(user.clone(), password.reveal().to_owned()));
    }
    let sent = transport.build().send(mail).await;
    // A server that refuses for good refuses who we are as often as what we say: both may be mended.
    sent.map(drop).map_err(|error| SendError::Later(told(&error)))
}

fn told(error: &dyn std::error::Error) -> String {
    let source = error.source().map(|source| format!(": {source}")).unwrap_or_default();
    format!("{error}{source}")
}

/// A key as a Message-ID can hold it.
fn blank_free(key: &str) -> String {
    key.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '.' }).collect()
}

fn text(message: &Message, context: Context<'_>) -> (String, String) {
    let language = context.language;
    match message {
        Message::Site(night) => {
            let mut text: Vec<String> = words::standing(night, language);
            text.extend(night.examples.iter().flat_map(|item| {
                let place = item.link.as_ref().unwrap_or(&item.finding.url);
                [words::line(item, language), format!("    {place}")]
            }));
            text.push(words::rest(night, night.examples.len() as u64, language));
            (words::title(night, language), text.join("\n"))
        }
        Message::Findings(items) => {
            let lines: Vec<String> = items
                .iter()
                .flat_map(|item| [words::line(item, language), format!("    {}", item.finding.url)])
                .collect();
            let subject = items.first().map(|item| words::line(item, language)).unwrap_or_default();
            (subject.chars().take(120).collect(), lines.join("\n"))
        }
        Message::Night(night) => {
            (words::night_title(night, language), words::night(night, language).join("\n"))
        }
        Message::Failed { reason, .. } => (words::failed(language).to_owned(), language.said(reason)),
        Message::State { run, .. } => (format!("xunjian #{run}"), format!("#{run}")),
    }
}
