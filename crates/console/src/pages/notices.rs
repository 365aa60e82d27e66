//! `/notices`: the notices of quarters. They are made beside everything else, and taken from here.

use std::fs;
use std::path::{Path as FilePath, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use axum::Form;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;
use xunjian_engine::Engine;
use xunjian_judge::{Quarter, RATES, printed};
use xunjian_report::{Format, Language};

use crate::api::decisions::day;
use crate::error::Failure;
use crate::session::Visitor;
use crate::view::{self, blocking};
use crate::{Shared, State as Everything};

/// Quarters that are offered, the present one first.
const QUARTERS: usize = 9;
/// Bytes of a file read at once.
const CHUNK: usize = 64 << 10;
/// What a notice's pages may do: look as they want, and nothing else.
const POLICY: &str =
    "sandbox allow-same-origin; default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:";

/// The notice that is being made, or was made last since the console began.
#[derive(Default)]
pub(crate) struct Making(Mutex<Option<Job>>);

#[derive(Clone)]
struct Job {
    quarter: Quarter,
    /// Sites judged so far, and to be judged.
    done: Arc<AtomicUsize>,
    total: usize,
    /// How it ended, if it has: sites of which there is no snapshot, or what went wrong.
    ended: Option<Result<Vec<String>, String>>,
}

impl Making {
    fn job(&self) -> MutexGuard<'_, Option<Job>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the one place there is.
    fn begin(&self, job: Job) -> Result<(), Failure> {
        let mut known = self.job();
        if known.as_ref().is_some_and(|job| job.ended.is_none()) {
            return Err(Failure::Conflict("another notice is being made; wait until it is there".to_owned()));
        }
        *known = Some(job);
        Ok(())
    }

    fn end(&self, ended: Result<Vec<String>, String>) {
        if let Some(job) = self.job().as_mut() {
            job.ended = Some(ended);
        }
    }
}

pub(crate) async fn show(State(state): Shared, visitor: Visitor) -> Result<Html<String>, Failure> {
    let engine = state.engine().await?;
    let language = visitor.language;
    let job = state.notices.job().clone();
    let values = blocking(move || {
        let mut quarters = vec![engine.present_quarter()];
        while quarters.len() < QUARTERS {
            quarters.extend(quarters.last().map(|last| last.before()));
        }
        Ok(json!({
            "notices": notices(&engine)?,
            "quarters": quarters.iter().map(Quarter::to_string).collect::<Vec<_>>(),
            // The one that is over, as a rule.
            "usual": quarters[1].to_string(),
            "job": job.map(|job| shown(&job, language)),
        }))
    })
    .await?;
    state.view.page("notices.html", &visitor, values)
}

fn shown(job: &Job, language: Language) -> Value {
    let (unseen, failed) = match &job.ended {
        None => (None, None),
        Some(Ok(unseen)) => (Some(unseen), None),
        Some(Err(reason)) => (None, Some(language.said(reason))),
    };
    json!({
        "quarter": job.quarter.to_string(),
        "done": job.done.load(Ordering::Relaxed),
        "total": job.total,
        "runs": job.ended.is_none(),
        "unseen": unseen,
        "failed": failed,
    })
}

/// The notices there are, the newest quarter first, each with its files.
fn notices(engine: &Engine) -> Result<Vec<Value>, Failure> {
    let when = |at: SystemTime| view::moment(engine, Timestamp::try_from(at).unwrap_or_default());
    let notice = |(quarter, folder): (Quarter, PathBuf)| {
        let mut files = Vec::new();
        for path in entries(&folder)? {
            let about = fs::metadata(&path).map_err(ours)?;
            let name = path.file_name().and_then(|name| name.to_str()).filter(|_| about.is_file());
            if let Some((name, place)) = name.and_then(|name| Some((name, place_of(name)?))) {
                let kilobytes = about.len().div_ceil(1_000);
                let at = about.modified().ok().map(when);
                let file = json!({ "name": name, "kilobytes": kilobytes, "at": at });
                files.push((place, name.to_owned(), file));
            }
        }
        files.sort_by_key(|(place, name, _)| (*place, name.clone()));
        let files: Vec<Value> = files.into_iter().map(|(.., file)| file).collect();
        Ok(json!({ "quarter": quarter.to_string(), "files": files }))
    };
    engine.notice_folders().map_err(ours)?.into_iter().map(notice).collect()
}

/// What is in a folder, sorted; nothing where there is none.
fn entries(folder: &FilePath) -> Result<Vec<PathBuf>, Failure> {
    let read = match fs::read_dir(folder) {
        Err(error)
            if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) =>
        {
            return Ok(Vec::new());
        }
        read => read.map_err(ours)?,
    };
    let mut paths = read
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<std::io::Result<Vec<_>>>()
        .map_err(ours)?;
    paths.sort();
    Ok(paths)
}

fn ours(error: std::io::Error) -> Failure {
    Failure::Ours(error.to_string())
}

/// Endings of what a notice is made of, with their media types, in the order they are listed. Nothing else is given
/// away.
const KINDS: [(&str, &str); 7] = [
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("html", "text/html; charset=utf-8"),
    ("md", "text/markdown; charset=utf-8"),
    ("csv", "text/csv; charset=utf-8"),
    ("json", "application/json"),
    ("jpg", "image/jpeg"),
];

fn place_of(name: &str) -> Option<usize> {
    let (_, ending) = name.rsplit_once('.')?;
    KINDS.iter().position(|(known, _)| *known == ending)
}

/// A file of a quarter's notice.
pub(crate) async fn file(
    State(state): Shared,
    _: Visitor,
    Path((quarter, name)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let engine = state.engine().await?;
    let quarter: Quarter = quarter.parse().map_err(|_| Failure::Missing)?;
    let (ending, kind) = KINDS[place_of(&name).ok_or(Failure::Missing)?];
    let folder = engine.notice_folder(quarter);
    // Nothing but what lies in it, wherever the name would lead.
    let real =
        |path: PathBuf| async move { tokio::fs::canonicalize(path).await.map_err(|_| Failure::Missing) };
    let path = real(folder.join(&name)).await?;
    if !path.starts_with(real(folder).await?) {
        return Err(Failure::Missing);
    }
    let opened = tokio::fs::File::open(&path).await.map_err(|_| Failure::Missing)?;
    let about = opened.metadata().await.map_err(|_| Failure::Missing)?;
    if !about.is_file() {
        return Err(Failure::Missing);
    }
    let body = futures_util::stream::try_unfold(opened, |mut opened| async move {
        let mut chunk = Vec::with_capacity(CHUNK);
        let read = (&mut opened).take(CHUNK as u64).read_to_end(&mut chunk).await?;
        Ok::<_, std::io::Error>((read > 0).then(|| (Bytes::from(chunk), opened)))
    });
    let shown = ["html", "jpg"].contains(&ending);
    let own = name.rsplit('/').next().unwrap_or(&name);
    let disposition = match shown {
        true => "inline".to_owned(),
        false => format!("attachment; filename=\"{quarter}-{own}\""),
    };
    let disposition = header::HeaderValue::try_from(disposition).map_err(|_| Failure::Missing)?;
    let headers = [
        (header::CONTENT_TYPE, header::HeaderValue::from_static(kind)),
        (header::CONTENT_LENGTH, about.len().into()),
        (header::CONTENT_DISPOSITION, disposition),
        (header::CONTENT_SECURITY_POLICY, header::HeaderValue::from_static(POLICY)),
    ];
    Ok((headers, Body::from_stream(body)).into_response())
}

#[derive(Debug, Deserialize)]
pub(crate) struct Sent {
    form_token: String,
    quarter: String,
    #[serde(default)]
    against: String,
    #[serde(default)]
    point: String,
    #[serde(default)]
    dated: String,
    #[serde(default)]
    due: String,
    /// Rates somebody printed, held against the counts.
    #[serde(default)]
    sites: String,
    #[serde(default)]
    accounts: String,
    #[serde(default)]
    rectified: String,
}

/// A notice that was asked for.
struct Order {
    quarter: Quarter,
    against: Option<Quarter>,
    point: Option<Date>,
    dated: Date,
    due: Option<Date>,
    stated: Vec<(String, String)>,
    language: Language,
}

impl Sent {
    fn order(&self, engine: &Engine, language: Language) -> Result<Order, Failure> {
        let quarter = |name: &str, text: &str| {
            text.parse::<Quarter>().map_err(|error| Failure::Wrong(format!("{name}: {error}")))
        };
        let against = Some(self.against.as_str()).filter(|text| !text.is_empty());
        let mut stated = Vec::new();
        for (id, text) in RATES.into_iter().zip([&self.sites, &self.accounts, &self.rectified]) {
            if text.trim().is_empty() {
                continue;
            }
            let bare =
                printed(text).ok_or_else(|| Failure::Wrong(format!("{id}: {text:?} is not a number")))?;
            stated.push((id.to_owned(), bare.to_owned()));
        }
        Ok(Order {
            quarter: quarter("quarter", &self.quarter)?,
            against: against.map(|text| quarter("against", text)).transpose()?,
            point: day("point", &self.point)?,
            dated: day("dated", &self.dated)?
                .unwrap_or_else(|| engine.settings().zone.to_datetime(Timestamp::now()).date()),
            due: day("due", &self.due)?,
            stated,
            language,
        })
    }
}

pub(crate) async fn make(
    State(state): Shared,
    visitor: Visitor,
    Form(sent): Form<Sent>,
) -> Result<Response, Failure> {
    visitor.sent(&sent.form_token)?;
    visitor.may_decide()?;
    let engine = state.engine().await?;
    let order = sent.order(&engine, visitor.language)?;
    let quarters = 1 + usize::from(order.against.is_some());
    let done = Arc::new(AtomicUsize::new(0));
    state.notices.begin(Job {
        quarter: order.quarter,
        done: Arc::clone(&done),
        total: quarters * engine.settings().sites.len(),
        ended: None,
    })?;
    let quarter = order.quarter.to_string();
    let making = Arc::clone(&state);
    tokio::spawn(async move {
        // However it ends, another one can be made afterwards.
        let made = tokio::spawn(written(engine, order, done)).await;
        let made = made.unwrap_or_else(|error| Err(Failure::Ours(error.to_string())));
        let made = made.map_err(|failure| match failure {
            Failure::Ours(reason) => reason,
            other => other.reason(),
        });
        if let Err(error) = &made {
            tracing::error!(error, quarter, "the notice was not made");
        }
        note(&making, &visitor, &quarter, made.as_ref().err());
        making.notices.end(made);
    });
    Ok(Redirect::to("/notices").into_response())
}

fn note(state: &Everything, visitor: &Visitor, quarter: &str, failed: Option<&String>) {
    let result = failed.map_or("done", String::as_str);
    state.audit.note(&visitor.name, visitor.from, "notice", quarter, result);
}

/// Judges the quarter, and the one it is compared with, takes pictures, and writes every form. Answers with the
/// sites of which there is no snapshot.
async fn written(engine: Arc<Engine>, order: Order, done: Arc<AtomicUsize>) -> Result<Vec<String>, Failure> {
    let judging = Arc::clone(&engine);
    let (quarter, point, against) = (order.quarter, order.point, order.against);
    let stated = order.stated.clone();
    let (now, before) = blocking(move || {
        let each = |_: &_| {
            done.fetch_add(1, Ordering::Relaxed);
        };
        let now = judging.judge_quarter(quarter, point, &stated, each)?;
        let before = against.map(|quarter| judging.judge_quarter(quarter, None, &[], each)).transpose()?;
        Ok((now, before))
    })
    .await?;
    engine.take_pictures(&now.named.iter().collect::<Vec<_>>(), |_| ()).await?;
    blocking(move || {
        let folder = engine.notice_folder(quarter);
        let before = before.as_ref().map(|judged| &judged.notice);
        let days = (order.dated, order.due);
        engine.write_notice(&now, before, days, &folder, &Format::ALL, order.language)?;
        let name = |id: &xunjian_model::SiteId| view::owner_name(&engine, id, order.language);
        Ok(now.unseen.iter().map(name).collect())
    })
    .await
}
