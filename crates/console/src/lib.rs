//! The console: what the office sees in a browser and does there, and the same as JSON under `/api/v1`.
//!
//! Pages are rendered here; a browser gets no script but shortcuts and one that asks for the next part of a
//! list. A crawled page is an attacker: it is shown in a frame that runs nothing and loads nothing.

mod accounts;
mod api;
mod archive;
mod audit;
mod error;
mod metrics;
mod pages;
mod session;
mod view;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::RwLock;
use xunjian_crawl::Progress;
use xunjian_engine::Engine;
use xunjian_report::Language;

pub use accounts::{Account, AccountError, Accounts, Role, Scope};
use error::Failure;
use session::Sessions;
use view::View;

/// The engine that the console looks into. Whoever needs the store alone for a moment takes it out.
pub type Held = Arc<RwLock<Option<Arc<Engine>>>>;

/// What a crawl under way is at; nothing while there is none.
pub type Live = Arc<Mutex<Weak<Progress>>>;

/// Bytes of a request's body that are read.
const BODY_BYTES_MAX: usize = 1 << 20;

/// How the console is offered.
#[derive(Clone, Debug)]
pub struct ConsoleSettings {
    /// Address and port.
    pub listen: SocketAddr,
    /// The address people write, when a proxy stands before it.
    pub public_url: Option<String>,
    /// Proxies before it, whose `X-Forwarded-For` is believed.
    pub proxies: Vec<IpAddr>,
    /// File of the accounts.
    pub accounts: PathBuf,
    /// File that every change is written into.
    pub audit: PathBuf,
    /// Language of whoever has not chosen one.
    pub language: Language,
}

/// Why the console cannot be offered.
#[derive(Debug, thiserror::Error)]
pub enum ConsoleError {
    /// Anybody could come in.
    #[error(
        "the console would be open to everybody at {0}: add an account with `xunjian account add NAME --role admin`, or listen on 127.0.0.1"
    )]
    Open(SocketAddr),
    /// The port cannot be had.
    #[error("cannot offer the console at {0}: {1}; set another `serve.listen` or free the port")]
    Listen(SocketAddr, std::io::Error),
    /// The accounts cannot be read.
    #[error(transparent)]
    Accounts(#[from] AccountError),
    /// A template is at fault.
    #[error("the console's templates: {0:#}")]
    Template(#[from] minijinja::Error),
}

/// What every request works with.
struct State {
    held: Held,
    live: Live,
    view: View,
    sessions: Sessions,
    accounts: Accounts,
    audit: audit::Audit,
    settings: ConsoleSettings,
    drafts: pages::dictionaries::Drafts,
    notices: pages::notices::Making,
}

type Shared = axum::extract::State<Arc<State>>;

impl State {
    /// What a crawl under way is at.
    fn progress(&self) -> Option<Value> {
        let live = self.live.lock().unwrap_or_else(PoisonError::into_inner).upgrade()?;
        let read = Progress::read;
        let waiting: Vec<Value> = live
            .hosts()
            .into_iter()
            .filter(|host| host.blocked_s > 0 || host.given_up)
            .map(|host| json!({ "host": host.host, "blocked_s": host.blocked_s, "given_up": host.given_up }))
            .collect();
        Some(json!({
            "done": read(&live.done),
            "queued": read(&live.queued),
            "pages": read(&live.pages) + read(&live.not_modified),
            "failed": read(&live.failed),
            "waiting": waiting,
        }))
    }

    async fn engine(&self) -> Result<Arc<Engine>, Failure> {
        self.held.read().await.clone().ok_or(Failure::Busy)
    }
}

/// A console that listens.
pub struct Console {
    listener: TcpListener,
    router: Router,
}

impl Console {
    /// Listens. Beyond loopback there has to be an account.
    pub async fn bind(held: Held, live: Live, settings: ConsoleSettings) -> Result<Self, ConsoleError> {
        let accounts = Accounts::open(&settings.accounts)?;
        if !settings.listen.ip().is_loopback() && accounts.is_empty()? {
            return Err(ConsoleError::Open(settings.listen));
        }
        let listener = TcpListener::bind(settings.listen)
            .await
            .map_err(|error| ConsoleError::Listen(settings.listen, error))?;
        let state = Arc::new(State {
            held,
            live,
            view: View::new()?,
            sessions: Sessions::default(),
            accounts,
            audit: audit::Audit::new(settings.audit.clone()),
            settings,
            drafts: pages::dictionaries::Drafts::default(),
            notices: pages::notices::Making::default(),
        });
        Ok(Self { listener, router: router(state) })
    }

    /// Where it listens.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers until it is dropped.
    pub async fn serve(self) -> std::io::Result<()> {
        let service = self.router.into_make_service_with_connect_info::<SocketAddr>();
        axum::serve(self.listener, service).await
    }
}

fn router(state: Arc<State>) -> Router {
    let pages = Router::new()
        .route("/", get(pages::overview::show))
        .route("/sites/{site}", get(pages::site::show))
        .route("/sites/{site}/judge", post(pages::site::judge))
        .route("/findings/{id}", get(pages::finding::show))
        .route("/findings/{id}/page", get(archive::show))
        .route("/findings/{id}/picture", get(archive::picture))
        .route("/findings/{id}/act", post(pages::finding::act))
        .route("/findings/{id}/recheck", post(pages::finding::recheck))
        .route("/review", get(pages::review::show))
        .route("/rectification", get(pages::rectification::show))
        .route("/media", get(pages::media::show))
        .route("/media/judge", post(pages::media::judge))
        .route("/notices", get(pages::notices::show).post(pages::notices::make))
        .route("/notices/{quarter}/{*file}", get(pages::notices::file))
        .route("/runs", get(pages::runs::show))
        .route("/search", get(pages::search::show))
        .route("/snapshots", get(pages::search::versions))
        .route("/snapshots/page", get(pages::search::page))
        .route("/dictionaries", get(pages::dictionaries::list))
        .route(
            "/dictionaries/{id}",
            get(pages::dictionaries::show)
                .post(pages::dictionaries::send)
                .layer(axum::extract::DefaultBodyLimit::max(pages::dictionaries::BODY_BYTES_MAX)),
        )
        .route("/metrics", get(metrics::show))
        .route("/login", get(pages::login::show).post(pages::login::enter))
        .route("/logout", post(pages::login::leave))
        .route("/language", post(pages::login::language))
        .route("/style.css", get(|| asset("text/css; charset=utf-8", include_str!("../assets/style.css"))))
        .route("/keys.js", get(|| asset("text/javascript; charset=utf-8", include_str!("../assets/keys.js"))))
        .route(
            "/more.js",
            get(|| asset("text/javascript; charset=utf-8", include_str!("../assets/more.js"))),
        );
    pages
        .nest("/api/v1", api::router())
        .fallback(|| async { Failure::Missing })
        .layer(axum::extract::DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(from_fn_with_state(Arc::clone(&state), guard))
        .with_state(state)
}

async fn asset(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "max-age=3600")], text).into_response()
}

/// What holds for every answer: the right host was asked, and a browser is told to trust little.
async fn guard(
    axum::extract::State(state): Shared,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    // A name that somebody else points at this address must not speak for it (DNS rebinding).
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if !is_own_host(host, &state.settings) {
        return (StatusCode::MISDIRECTED_REQUEST, "unknown host; set `serve.public_url`\n").into_response();
    }
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let language = session::language(request.headers(), state.settings.language);
    // What is asked for again after logging in.
    let place = (method == Method::GET).then(|| request.uri().to_string());
    let begun = std::time::Instant::now();
    let mut response = next.run(request).await;
    let (status, ms) = (response.status().as_u16(), begun.elapsed().as_millis());
    tracing::debug!(%method, path, status, ms = u64::try_from(ms).unwrap_or(u64::MAX), from = %from.ip(), "asked");
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        response = failed(&state.view, &failure, language, place);
    }
    let headers = response.headers_mut();
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; \
         frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ));
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "SAMEORIGIN"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// The page that says why there is no other one; whoever is not known may log in on it.
fn failed(view: &View, failure: &Failure, language: Language, place: Option<String>) -> Response {
    let page = match (failure, place) {
        (Failure::Unknown, Some(place)) => {
            view.plain("login.html", language, json!({ "failed": false, "next": place }))
        }
        _ => {
            let (title, reason) = (language.said(failure.title()), language.said(failure.reason()));
            view.plain("failed.html", language, json!({ "title": title, "reason": reason }))
        }
    };
    match page {
        Ok(page) => (failure.status(), page).into_response(),
        Err(_) => failure.status().into_response(),
    }
}

fn is_own_host(host: &str, settings: &ConsoleSettings) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, port)| {
        if port.bytes().all(|byte| byte.is_ascii_digit()) { name } else { host }
    });
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    let public = settings.public_url.as_deref().and_then(|url| url.split_once("://")).map(|(_, rest)| {
        let host = rest.split('/').next().unwrap_or(rest);
        host.split(':').next().unwrap_or(host)
    });
    // An address names itself; nobody else can be behind it.
    bare == "localhost" || bare.parse::<IpAddr>().is_ok() || public == Some(bare)
}
