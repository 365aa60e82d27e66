//! What goes wrong, as a browser or a tool is told.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use xunjian_engine::{CaseError, EngineError};
use xunjian_store::StoreError;

/// Why a request was not answered as it asked.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// There is no such thing.
    Missing,
    /// The store is being written anew.
    Busy,
    /// Who asks has to say who they are.
    Unknown,
    /// Who asks may not.
    Forbidden,
    /// Too many tries.
    TooMany,
    /// The request itself is wrong.
    Wrong(String),
    /// Somebody else was faster, or it is not at that stage.
    Conflict(String),
    /// Our own fault.
    Ours(String),
}

impl Failure {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Missing => StatusCode::NOT_FOUND,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Unknown => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::Wrong(_) => StatusCode::BAD_REQUEST,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::Ours(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    pub(crate) fn reason(&self) -> String {
        match self {
            Self::Missing => "there is no such thing here".to_owned(),
            Self::Busy => "the store is being written anew; ask again in a moment".to_owned(),
            Self::Unknown => "log in, or send a token".to_owned(),
            Self::Forbidden => "your role or token does not allow this".to_owned(),
            Self::TooMany => "too many tries; wait a minute".to_owned(),
            Self::Wrong(reason) | Self::Conflict(reason) => reason.clone(),
            Self::Ours(_) => "something failed here; the log tells what".to_owned(),
        }
    }

    pub(crate) fn title(&self) -> &'static str {
        self.status().canonical_reason().unwrap_or_default()
    }

    /// The same as a tool is told (RFC 9457).
    pub(crate) fn as_json(&self) -> Response {
        let status = self.status();
        if let Self::Ours(error) = self {
            tracing::error!(error, "a request failed");
        }
        let body = json!({ "title": self.title(), "status": status.as_u16(), "detail": self.reason() });
        let kind = [(axum::http::header::CONTENT_TYPE, "application/problem+json")];
        (status, kind, body.to_string()).into_response()
    }
}

impl IntoResponse for Failure {
    /// The status alone; the page is made where it is known who reads it.
    fn into_response(self) -> Response {
        if let Self::Ours(error) = &self {
            tracing::error!(error, "a request failed");
        }
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Ours(error.to_string())
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Unfinished(_) | EngineError::NothingCrawled(_) => Self::Conflict(error.to_string()),
            EngineError::Calendar(_) | EngineError::QuarterToCome(_) | EngineError::PointToCome(_) => {
                Self::Wrong(error.to_string())
            }
            error => Self::Ours(error.to_string()),
        }
    }
}

impl From<minijinja::Error> for Failure {
    fn from(error: minijinja::Error) -> Self {
        Self::Ours(format!("{error:#}"))
    }
}

impl From<CaseError> for Failure {
    fn from(error: CaseError) -> Self {
        match error {
            CaseError::Store(error) => error.into(),
            CaseError::Unknown(_) => Self::Missing,
            CaseError::Nobody
            | CaseError::Unreasoned
            | CaseError::Unjudged
            | CaseError::DueBeforeNotice
            | CaseError::Indicator(_)
            | CaseError::Year(_) => Self::Wrong(error.to_string()),
            CaseError::Ambiguous(_)
            | CaseError::Gone { .. }
            | CaseError::Decided { .. }
            | CaseError::Changed { .. }
            | CaseError::Stage { .. } => Self::Conflict(error.to_string()),
        }
    }
}
