//! `/login`, `/logout`, `/language`.

use axum::Form;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use serde::Deserialize;
use serde_json::json;

use crate::Shared;
use crate::error::Failure;
use crate::session::{Anybody, COOKIE, LANGUAGE, Visitor};
use crate::view::blocking;

pub(crate) async fn show(State(state): Shared, anybody: Anybody) -> Result<Html<String>, Failure> {
    state.view.plain("login.html", anybody.language, json!({ "failed": false }))
}

#[derive(Deserialize)]
pub(crate) struct Login {
    name: String,
    password: String,
    /// What was asked for before.
    #[serde(default)]
    next: String,
}

pub(crate) async fn enter(
    State(state): Shared,
    anybody: Anybody,
    headers: HeaderMap,
    Form(login): Form<Login>,
) -> Result<Response, Failure> {
    // A form of another page may not log its reader in here.
    if headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none") {
        return Err(Failure::Forbidden);
    }
    if !state.sessions.may_try(anybody.from) {
        state.audit.note(&login.name, anybody.from, "login", "", "too many tries");
        return Err(Failure::TooMany);
    }
    let turn = state.sessions.hashing.acquire().await;
    let accounts = state.accounts.clone();
    let (name, next) = (login.name.clone(), login.next.clone());
    let found = blocking(move || {
        accounts.enter(&login.name, &login.password).map_err(|error| Failure::Ours(error.to_string()))
    })
    .await?;
    drop(turn);
    let Some(account) = found else {
        state.audit.note(&name, anybody.from, "login", "", "refused");
        let page =
            state.view.plain("login.html", anybody.language, json!({ "failed": true, "next": next }))?;
        return Ok((StatusCode::UNAUTHORIZED, page).into_response());
    };
    // Whatever session was there before is another one's.
    if let Some(before) = &anybody.secret {
        state.sessions.end(before);
    }
    let secret = state.sessions.begin(&account.name)?;
    state.audit.note(&account.name, anybody.from, "login", "", "done");
    let secure = state.settings.public_url.as_deref().is_some_and(|url| url.starts_with("https://"));
    with_cookie(
        COOKIE,
        &secret,
        &format!("HttpOnly; SameSite=Strict{}", if secure { "; Secure" } else { "" }),
        own_place(&next),
    )
}

#[derive(Deserialize)]
pub(crate) struct Sent {
    form_token: String,
}

pub(crate) async fn leave(
    State(state): Shared,
    visitor: Visitor,
    Form(sent): Form<Sent>,
) -> Result<Response, Failure> {
    visitor.sent(&sent.form_token)?;
    state.sessions.end(&visitor.secret);
    with_cookie(COOKIE, "", "Max-Age=0; HttpOnly; SameSite=Strict", "/login")
}

#[derive(Deserialize)]
pub(crate) struct Wanted {
    language: String,
}

pub(crate) async fn language(headers: HeaderMap, Form(wanted): Form<Wanted>) -> Result<Response, Failure> {
    let code = if wanted.language == "en" { "en" } else { "zh" };
    // Back to the page that it was chosen on; pages of others tell no more than their host.
    let from = headers.get(header::REFERER).and_then(|from| from.to_str().ok()?.parse::<Uri>().ok());
    let place = from.as_ref().and_then(|from| from.path_and_query()).map_or("/", |place| place.as_str());
    with_cookie(LANGUAGE, code, "Max-Age=31536000; SameSite=Strict", own_place(place))
}

/// A place of ours, or else the first page: nothing that a browser takes for another host.
fn own_place(place: &str) -> &str {
    let ours = place.starts_with('/') && !place.starts_with("//");
    let plain = place.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if ours && plain { place } else { "/" }
}

fn with_cookie(name: &str, value: &str, rest: &str, to: &str) -> Result<Response, Failure> {
    let mut response = Redirect::to(to).into_response();
    let cookie = HeaderValue::from_str(&format!("{name}={value}; Path=/; {rest}"));
    let cookie = cookie.map_err(|error| Failure::Ours(error.to_string()))?;
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}
