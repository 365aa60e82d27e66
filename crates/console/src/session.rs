//! Who asks: a browser with a session, or a tool with a token; and whether a form came from our page.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use data_encoding::BASE64URL_NOPAD;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use ring::digest::{SHA256, digest};
use tokio::sync::Semaphore;
use xunjian_report::Language;

use crate::accounts::random;
use crate::error::Failure;
use crate::{Role, Scope, State};

/// How long a session lasts that is not used.
const IDLE: Duration = Duration::from_secs(8 * 3_600);
/// Sessions that are kept; the oldest go first.
const SESSIONS_MAX: usize = 10_000;
/// Tries to log in, from one address, in a minute.
const TRIES: NonZeroU32 = NonZeroU32::new(10).expect("not zero");
/// Passwords hashed at once.
const HASHED_AT_ONCE: usize = 2;
/// Name of the session's cookie.
pub(crate) const COOKIE: &str = "xunjian";
/// Name of the cookie that remembers a language.
pub(crate) const LANGUAGE: &str = "xunjian-language";

/// The sessions of browsers. They are not kept over a restart.
pub(crate) struct Sessions {
    known: Mutex<HashMap<String, (String, Instant)>>,
    tries: DefaultKeyedRateLimiter<IpAddr>,
    /// Passwords hashed at once: each takes much memory on purpose.
    pub(crate) hashing: Semaphore,
}

impl Default for Sessions {
    fn default() -> Self {
        Self {
            known: Mutex::default(),
            tries: RateLimiter::keyed(Quota::per_minute(TRIES)),
            hashing: Semaphore::new(HASHED_AT_ONCE),
        }
    }
}

impl Sessions {
    /// Begins a session; answers with its secret.
    pub(crate) fn begin(&self, name: &str) -> Result<String, Failure> {
        let secret = random::<32>().map_err(|error| Failure::Ours(error.to_string()))?;
        let secret = BASE64URL_NOPAD.encode(&secret);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, (_, used)| used.elapsed() < IDLE);
        if known.len() >= SESSIONS_MAX {
            let oldest = known.iter().min_by_key(|(_, (_, used))| *used).map(|(secret, _)| secret.clone());
            oldest.map(|oldest| known.remove(&oldest));
        }
        known.insert(secret.clone(), (name.to_owned(), Instant::now()));
        Ok(secret)
    }

    pub(crate) fn end(&self, secret: &str) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(secret);
    }

    fn name(&self, secret: &str) -> Option<String> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (name, used) = known.get_mut(secret)?;
        if used.elapsed() >= IDLE {
            known.remove(secret);
            return None;
        }
        *used = Instant::now();
        Some(name.clone())
    }

    /// Whether an address may try to log in once more.
    pub(crate) fn may_try(&self, from: IpAddr) -> bool {
        self.tries.retain_recent();
        self.tries.check_key(&from).is_ok()
    }
}

/// Who asks.
#[derive(Clone, Debug)]
pub(crate) struct Visitor {
    /// Name of the account; `local` on loopback without accounts.
    pub(crate) name: String,
    pub(crate) role: Role,
    /// What a token is good for; a browser is good for all its role may.
    scope: Option<Scope>,
    /// The session's secret.
    pub(crate) secret: String,
    pub(crate) language: Language,
    pub(crate) from: IpAddr,
}

impl Visitor {
    /// What a form of ours carries, so that no other page can send it for its reader.
    pub(crate) fn form_token(&self) -> String {
        BASE64URL_NOPAD.encode(digest(&SHA256, format!("form {}", self.secret).as_bytes()).as_ref())
    }

    /// Whether who asks may decide.
    pub(crate) fn may_decide(&self) -> Result<(), Failure> {
        let scope = self.scope.is_none_or(|scope| scope >= Scope::Write);
        if self.role >= Role::Reviewer && scope { Ok(()) } else { Err(Failure::Forbidden) }
    }

    /// Whether a form came from a page of ours.
    pub(crate) fn sent(&self, token: &str) -> Result<(), Failure> {
        let own = self.form_token();
        // Compared as hashes, which take the same time wherever they differ.
        let same = digest(&SHA256, own.as_bytes()).as_ref() == digest(&SHA256, token.as_bytes()).as_ref();
        if same { Ok(()) } else { Err(Failure::Forbidden) }
    }
}

pub(crate) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|line| line.split(';')).find_map(|pair| {
        let (key, value) = pair.trim().split_once('=')?;
        (key == name).then(|| value.to_owned())
    })
}

/// The language that whoever asks has chosen.
pub(crate) fn language(headers: &HeaderMap, usual: Language) -> Language {
    match cookie(headers, LANGUAGE).as_deref() {
        Some("zh") => Language::Zh,
        Some("en") => Language::En,
        _ => usual,
    }
}

/// Who asks without having to say who they are: the page to log in.
#[derive(Clone, Debug)]
pub(crate) struct Anybody {
    pub(crate) language: Language,
    pub(crate) from: IpAddr,
    pub(crate) secret: Option<String>,
}

/// The address that asks. What a proxy of ours says counts: the last address it wrote down; what stands
/// before it anybody may have written.
fn address(parts: &Parts, proxies: &[IpAddr]) -> IpAddr {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map_or(IpAddr::from([0, 0, 0, 0]), |ConnectInfo(peer)| peer.ip());
    let forwarded = parts.headers.get_all("x-forwarded-for").iter().next_back();
    let said = forwarded.filter(|_| proxies.contains(&peer)).and_then(|value| value.to_str().ok());
    said.and_then(|line| line.rsplit(',').next()?.trim().parse().ok()).unwrap_or(peer)
}

impl FromRequestParts<Arc<State>> for Anybody {
    type Rejection = Failure;
    async fn from_request_parts(parts: &mut Parts, state: &Arc<State>) -> Result<Self, Failure> {
        Ok(Self {
            language: language(&parts.headers, state.settings.language),
            from: address(parts, &state.settings.proxies),
            secret: cookie(&parts.headers, COOKIE),
        })
    }
}

impl FromRequestParts<Arc<State>> for Visitor {
    type Rejection = Failure;
    async fn from_request_parts(parts: &mut Parts, state: &Arc<State>) -> Result<Self, Failure> {
        let ours = |error: crate::AccountError| Failure::Ours(error.to_string());
        let (language, from) =
            (language(&parts.headers, state.settings.language), address(parts, &state.settings.proxies));
        let bearer = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        if let Some(token) = bearer.and_then(|value| value.strip_prefix("Bearer ")) {
            let Some((account, scope)) = state.accounts.of_token(token).map_err(ours)? else {
                return Err(Failure::Unknown);
            };
            let scope = Some(scope);
            return Ok(Self {
                name: account.name,
                role: account.role,
                scope,
                secret: String::new(),
                language,
                from,
            });
        }
        let secret = cookie(&parts.headers, COOKIE);
        if let Some(secret) = &secret
            && let Some(name) = state.sessions.name(secret)
            && let Some(role) = state.accounts.role(&name).map_err(ours)?
        {
            return Ok(Self { name, role, scope: None, secret: secret.clone(), language, from });
        }
        // Whoever sits at the machine itself is trusted until the office makes accounts.
        if state.settings.listen.ip().is_loopback() && state.accounts.is_empty().map_err(ours)? {
            let secret = state.sessions.local();
            return Ok(Self {
                name: "local".to_owned(),
                role: Role::Admin,
                scope: None,
                secret,
                language,
                from,
            });
        }
        Err(Failure::Unknown)
    }
}

impl Sessions {
    /// The secret of everybody at the machine itself, made at the first question.
    fn local(&self) -> String {
        static LOCAL: std::sync::OnceLock<String> = std::sync::OnceLock::new();
        LOCAL
            .get_or_init(|| random::<32>().map(|bytes| BASE64URL_NOPAD.encode(&bytes)).unwrap_or_default())
            .clone()
    }
}
