//! `/api/v1`: the same as the pages, for tools. Described by `openapi.json`, which it serves.

pub(crate) mod assessments;
pub(crate) mod decisions;
mod events;
pub(crate) mod findings;
pub(crate) mod rechecks;
mod sites;
mod snapshots;

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::Value;
use xunjian_model::Kind;

use crate::State;
use crate::error::Failure;
use crate::session::Visitor;

pub(crate) fn router() -> Router<Arc<State>> {
    Router::new()
        .route("/openapi.json", get(openapi))
        .route("/sites", get(sites::list))
        .route("/sites/{site}", get(sites::one))
        .route("/verdicts", get(sites::verdicts))
        .route("/runs", get(sites::runs))
        .route("/media", get(sites::media))
        .route("/findings", get(findings::list))
        .route("/findings/{id}", get(findings::one))
        .route("/decisions", post(decisions::post))
        .route("/rechecks", post(rechecks::post))
        .route("/assessments", get(assessments::list).post(assessments::post))
        .route("/snapshots", get(snapshots::one))
        .route("/events", get(events::stream))
        .fallback(|| async { Problem(Failure::Missing) })
        .method_not_allowed_fallback(|| async {
            let mut response =
                Problem(Failure::Wrong("this address does not take this method".to_owned())).into_response();
            *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
            response
        })
}

/// The description, with the kinds there are.
async fn openapi() -> Result<Response, Problem> {
    let read = serde_json::from_str(include_str!("openapi.json"));
    let mut document: Value = read.map_err(|error| Problem(Failure::Ours(error.to_string())))?;
    let kinds: Vec<&str> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
    document["components"]["schemas"]["Kind"]["enum"] = kinds.into();
    Ok(Json(document).into_response())
}

/// A failure as tools are told.
pub(crate) struct Problem(pub(crate) Failure);

impl<E: Into<Failure>> From<E> for Problem {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.0.as_json()
    }
}

/// Who asks the interface. A browser's session is good for reading; what changes something needs a
/// token, which no other page can make a browser send.
pub(crate) struct Caller(pub(crate) Visitor);

impl FromRequestParts<Arc<State>> for Caller {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &Arc<State>) -> Result<Self, Problem> {
        let visitor = Visitor::from_request_parts(parts, state).await.map_err(Problem)?;
        let by_token = parts.headers.contains_key(header::AUTHORIZATION);
        // At the machine itself nobody has a token; a page of elsewhere cannot send JSON there unasked.
        let local = visitor.name == "local" && state.accounts.is_empty().unwrap_or(false);
        if parts.method != Method::GET && parts.method != Method::HEAD && !by_token && !local {
            return Err(Problem(Failure::Unknown));
        }
        Ok(Self(visitor))
    }
}

/// A body of JSON whose mistakes are told as tools are told.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: serde::de::DeserializeOwned> FromRequest<Arc<State>> for Body<T> {
    type Rejection = Response;
    async fn from_request(request: Request, state: &Arc<State>) -> Result<Self, Response> {
        let told = |status: StatusCode, reason: String| {
            let mut response = Problem(Failure::Wrong(reason)).into_response();
            *response.status_mut() = status;
            response
        };
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        // No page of elsewhere can send JSON without being asked for leave first.
        let is_json =
            |kind: &str| kind.split(';').next().is_some_and(|kind| kind.trim() == "application/json");
        if !kind.is_some_and(is_json) {
            let reason = "content-type must be application/json".to_owned();
            return Err(told(StatusCode::UNSUPPORTED_MEDIA_TYPE, reason));
        }
        let body = Bytes::from_request(request, state).await;
        let body = body.map_err(|error| told(error.status(), error.body_text()))?;
        let read = serde_json::from_slice(&body);
        read.map(Self).map_err(|error| told(StatusCode::BAD_REQUEST, format!("the body: {error}")))
    }
}

/// A query whose mistakes are told as tools are told.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: serde::de::DeserializeOwned> FromRequestParts<Arc<State>> for Query<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &Arc<State>) -> Result<Self, Problem> {
        let read = axum::extract::Query::<T>::from_request_parts(parts, state).await;
        read.map(|query| Self(query.0)).map_err(|error| Problem(Failure::Wrong(error.body_text())))
    }
}

/// A path whose mistakes are told as tools are told.
pub(crate) struct Path(pub(crate) String);

impl FromRequestParts<Arc<State>> for Path {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &Arc<State>) -> Result<Self, Problem> {
        let read = axum::extract::Path::<String>::from_request_parts(parts, state).await;
        read.map(|path| Self(path.0)).map_err(|_| Problem(Failure::Missing))
    }
}
