//! The archived page of a finding, in a frame that runs nothing and loads nothing.

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};

use crate::error::Failure;
use crate::session::Visitor;
use crate::{Shared, view};

/// No script, no frame, no form, nothing from outside; styles of the page itself only.
const POLICY: &str = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; \
     base-uri 'none'; frame-ancestors 'self'";

pub(crate) async fn show(
    State(state): Shared,
    _: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let engine = state.engine().await?;
    let page = view::blocking(move || {
        let filed = engine.find(&id)?;
        let finding = filed.finding;
        let snapshot = finding.evidence.snapshot.as_deref().ok_or(Failure::Missing)?;
        let evidence = engine.evidence(&finding.url, snapshot).ok_or(Failure::Missing)?;
        Ok(xunjian_report::archived_page(&evidence, &[finding.what()]))
    })
    .await?;
    Ok(framed(page))
}

/// An archived page as it is sent, with the policy that holds it.
pub(crate) fn framed(page: String) -> Response {
    let headers =
        [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CONTENT_SECURITY_POLICY, POLICY)];
    (headers, page).into_response()
}

/// The picture of a finding, where one was taken.
pub(crate) async fn picture(
    State(state): Shared,
    _: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let engine = state.engine().await?;
    let bytes = view::blocking(move || {
        let path = engine.picture_of(&engine.find(&id)?.finding).ok_or(Failure::Missing)?;
        std::fs::read(path).map_err(|_| Failure::Missing)
    })
    .await?;
    Ok(([(header::CONTENT_TYPE, "image/jpeg")], bytes).into_response())
}
