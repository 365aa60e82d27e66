//! `/dictionaries`: the dictionaries, and a change of one tried against the archive before it is saved.

use std::collections::VecDeque;
use std::path::{Path as FilePath, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use serde::Deserialize;
use serde_json::{Value, json};
use xunjian_dict::{Dictionary, LoadError, Matcher, decode_text, load_draft, load_file};
use xunjian_engine::{Engine, TriedPage};
use xunjian_report::Language;
use xunjian_scan::WordHit;

use crate::error::Failure;
use crate::pages::search::{limits, only, page_link, place, progress, sites};
use crate::session::Visitor;
use crate::view::{self, blocking};
use crate::{Role, Shared};

/// Bytes of a dictionary that can be edited in a browser.
const EDITED_BYTES_MAX: usize = 128 << 10;
/// Bytes of a form that sends one: a character of three bytes is sent in nine.
pub(crate) const BODY_BYTES_MAX: usize = 512 << 10;
/// Changes that can be tried at once; the oldest goes first. Each holds the dictionaries twice.
const DRAFTS_MAX: usize = 3;
/// Hits shown of a page.
const HITS: usize = 5;

/// A change that is tried: the dictionaries before and with it.
struct Draft {
    id: String,
    text: String,
    read: String,
    before: Matcher,
    now: Matcher,
}

/// Changes that are tried and not saved. They are not kept over a restart.
#[derive(Default)]
pub(crate) struct Drafts(Mutex<VecDeque<Arc<Draft>>>);

impl Drafts {
    fn keep(&self, draft: Draft) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|one| one.id != draft.id);
        while kept.len() >= DRAFTS_MAX {
            kept.pop_front();
        }
        kept.push_back(Arc::new(draft));
    }

    fn get(&self, id: &str) -> Option<Arc<Draft>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().find(|one| one.id == id).cloned()
    }
}

fn hash(bytes: &[u8]) -> String {
    HEXLOWER.encode(&digest(&SHA256, bytes).as_ref()[..12])
}

/// How a dictionary of a file is named in addresses.
fn id_of(path: &FilePath) -> String {
    hash(path.as_os_str().as_encoded_bytes())
}

fn file_name(path: &FilePath) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Why a file cannot be edited here; `None`: it can.
fn locked(path: &FilePath, bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("xlsx")) {
        return Some(("表格文件请用表格软件编辑", "a sheet is edited in a spreadsheet program"));
    }
    (bytes.len() > EDITED_BYTES_MAX)
        .then_some(("文件太大，请直接编辑文件", "too large for a browser; edit the file itself"))
}

pub(crate) async fn list(State(state): Shared, visitor: Visitor) -> Result<Html<String>, Failure> {
    let engine = state.engine().await?;
    let row = |one: &Dictionary| {
        json!({
            "name": one.name,
            "version": one.version,
            "entries": one.entries.len(),
            "allow": one.allow.len(),
            "sites": one.scope.sites,
            "file": one.source.as_deref().map(file_name),
            "id": one.source.as_deref().map(id_of),
        })
    };
    let rows: Vec<Value> = engine.settings().dictionaries.iter().map(row).collect();
    state.view.page("dictionaries.html", &visitor, json!({ "rows": rows }))
}

/// The file of a dictionary.
fn file_of(engine: &Engine, id: &str) -> Result<PathBuf, Failure> {
    let files = engine.settings().dictionaries.iter().filter_map(|one| one.source.as_deref());
    files.into_iter().find(|path| id_of(path) == id).map(FilePath::to_owned).ok_or(Failure::Missing)
}

fn read(path: &FilePath) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| Failure::Ours(format!("{}: {error}", path.display())))
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    /// A change to try.
    #[serde(default)]
    draft: String,
    #[serde(default)]
    site: String,
    #[serde(default)]
    from: Option<String>,
    /// Only the next rows are wanted, not the text again.
    #[serde(default)]
    part: bool,
}

pub(crate) async fn show(
    State(state): Shared,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, Failure> {
    let (engine, language, may_edit) = (state.engine().await?, visitor.language, may_edit(&visitor).is_ok());
    let draft = state.drafts.get(&asked.draft);
    let values = blocking(move || {
        let path = file_of(&engine, &id)?;
        let bytes = read(&path)?;
        let mut values = values(&engine, &path, &bytes, language);
        values["edits"] = json!(may_edit && locked(&path, &bytes).is_none());
        values["site"] = json!(asked.site);
        values["part"] = json!(asked.part);
        if let Some(draft) = draft {
            tried(&engine, &draft, &id, &asked, &mut values)?;
        } else if !asked.draft.is_empty() {
            values["wrong"] = json!([view::say(
                language,
                "这次试用已过期，请重新试用",
                "this try is not kept any more; try again"
            )]);
        }
        Ok(values)
    })
    .await?;
    state.view.page("dictionary.html", &visitor, values)
}

fn values(engine: &Engine, path: &FilePath, bytes: &[u8], language: Language) -> Value {
    let dictionary = engine.settings().dictionaries.iter().find(|one| one.source.as_deref() == Some(path));
    let locked = locked(path, bytes).map(|(zh, en)| view::say(language, zh, en));
    json!({
        "id": id_of(path),
        "file": file_name(path),
        "name": dictionary.map(|one| one.name.as_str()),
        "entries": dictionary.map(|one| one.entries.len()),
        "text": if locked.is_some() { String::new() } else { decode_text(bytes) },
        "read": hash(bytes),
        "locked": locked,
        "sites": sites(engine),
    })
}

/// What a change does to the pages of the archive.
fn tried(engine: &Engine, draft: &Draft, id: &str, asked: &Asked, values: &mut Value) -> Result<(), Failure> {
    let site = only(&asked.site)?;
    let from = place(engine, site.as_ref(), asked.from.as_deref())?;
    let looked = engine.try_words((&draft.before, &draft.now), site.as_ref(), from, limits())?;
    let hit = |hit: &WordHit, sign: &str| {
        let (before, hit_text, after) = view::parts(&hit.excerpt);
        json!({ "sign": sign, "before": before, "hit": hit_text, "after": after, "what": hit.what })
    };
    let row = |page: &TriedPage| {
        let gained = page.gained.iter().take(HITS).map(|one| hit(one, "+"));
        let hits: Vec<Value> = gained.chain(page.lost.iter().take(HITS).map(|one| hit(one, "−"))).collect();
        json!({
            "site": page.site,
            "url": page.url,
            "title": if page.title.is_empty() { &page.url } else { &page.title },
            "hits": hits,
            "link": page_link(&page.url, &page.snapshot, ""),
        })
    };
    values["text"] = json!(draft.text);
    values["read"] = json!(draft.read);
    values["rows"] = looked.found.iter().map(row).collect();
    let path = format!("/dictionaries/{id}");
    values["looked"] = progress(&looked, &path, &[("draft", &draft.id), ("site", &asked.site)]);
    Ok(())
}

/// Whether who asks may change what everybody is judged by.
fn may_edit(visitor: &Visitor) -> Result<(), Failure> {
    visitor.may_decide()?;
    if visitor.role >= Role::Admin { Ok(()) } else { Err(Failure::Forbidden) }
}

#[derive(Debug, Deserialize)]
pub(crate) struct Sent {
    form_token: String,
    /// `try` or `save`.
    action: String,
    text: String,
    /// Hash of the file as it was when it was read.
    read: String,
    #[serde(default)]
    site: String,
}

pub(crate) async fn send(
    State(state): Shared,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(sent): Form<Sent>,
) -> Result<Response, Failure> {
    visitor.sent(&sent.form_token)?;
    may_edit(&visitor)?;
    if sent.text.len() > EDITED_BYTES_MAX {
        return Err(Failure::Wrong(format!(
            "a dictionary of more than {EDITED_BYTES_MAX} bytes is not edited here"
        )));
    }
    let (engine, language) = (state.engine().await?, visitor.language);
    let save = match sent.action.as_str() {
        "save" => true,
        "try" => false,
        other => return Err(Failure::Wrong(format!("{other:?} is no action: try or save"))),
    };
    let (own, looking) = (id.clone(), engine);
    // Browsers send line ends of their own.
    let (text, was_read) = (sent.text.replace("\r\n", "\n"), sent.read);
    let done = blocking(move || {
        let path = file_of(&looking, &own)?;
        let bytes = read(&path)?;
        if let Some((_, why)) = locked(&path, &bytes) {
            return Err(Failure::Wrong(why.to_owned()));
        }
        let changed = match load_draft(&path, text.as_bytes()) {
            Ok(changed) => changed,
            Err(LoadError::Faults { faults, .. }) => {
                let mut values = values(&looking, &path, &bytes, language);
                values["wrong"] = faults.iter().map(|fault| language.said(fault)).collect();
                (values["text"], values["read"]) = (json!(text), json!(was_read));
                values["edits"] = json!(true);
                return Ok(Sending::Faults(values));
            }
            Err(error) => return Err(Failure::Ours(error.to_string())),
        };
        if save {
            if hash(&bytes) != was_read {
                return Err(Failure::Conflict(
                    "the file was changed since you opened it; open it again and repeat your change"
                        .to_owned(),
                ));
            }
            keep_version(&looking, &path, &bytes)?;
            replace(&path, text.as_bytes())?;
            return Ok(Sending::Saved(path));
        }
        let before = &looking.settings().dictionaries;
        let with = |one: &Dictionary| {
            if one.source.as_deref() == Some(&path) { changed.clone() } else { one.clone() }
        };
        let now: Vec<Dictionary> = before.iter().map(with).collect();
        let compile =
            |all: &[Dictionary]| Matcher::new(all).map_err(|error| Failure::Wrong(error.to_string()));
        Ok(Sending::Draft(Box::new(Draft {
            id: hash(format!("{own} {text}").as_bytes()),
            before: compile(before)?,
            now: compile(&now)?,
            text,
            read: was_read,
        })))
    })
    .await?;
    let path = format!("/dictionaries/{id}");
    match done {
        Sending::Faults(values) => {
            let page = state.view.page("dictionary.html", &visitor, values)?;
            Ok((axum::http::StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
        Sending::Draft(draft) => {
            let to = view::link(&path, &[("draft", &draft.id), ("site", &sent.site)]);
            state.drafts.keep(*draft);
            Ok(Redirect::to(&to).into_response())
        }
        Sending::Saved(file) => {
            state.audit.note(&visitor.name, visitor.from, "dictionary", &file.display().to_string(), "saved");
            take_over(&state, file).await?;
            Ok(Redirect::to(&path).into_response())
        }
    }
}

enum Sending {
    Faults(Value),
    Draft(Box<Draft>),
    Saved(PathBuf),
}

/// The state before a change stays beside the store.
fn keep_version(engine: &Engine, path: &FilePath, bytes: &[u8]) -> Result<(), Failure> {
    let folder = engine.settings().data.join("dictionaries");
    let name = format!("{}-{}", Timestamp::now().strftime("%Y%m%dT%H%M%S%.3f"), file_name(path));
    std::fs::create_dir_all(&folder)
        .and_then(|()| std::fs::write(folder.join(name), bytes))
        .map_err(|error| Failure::Ours(format!("{}: {error}", folder.display())))
}

/// Writes a file in one step; whoever may read it still may, and a link still leads to it.
fn replace(path: &FilePath, bytes: &[u8]) -> Result<(), Failure> {
    let write = || {
        let path = path.canonicalize()?;
        let beside = path.with_file_name(format!(".{}.part", file_name(&path)));
        std::fs::write(&beside, bytes)?;
        std::fs::set_permissions(&beside, std::fs::metadata(&path)?.permissions())?;
        std::fs::rename(&beside, &path)
    };
    write().map_err(|error: std::io::Error| Failure::Ours(format!("{}: {error}", path.display())))
}

/// The console goes on with what was saved; the next night reads it anyway.
async fn take_over(state: &crate::State, file: PathBuf) -> Result<(), Failure> {
    let path = file.clone();
    let saved = blocking(move || load_file(&path).map_err(|error| Failure::Ours(error.to_string()))).await?;
    let mut held = state.held.write().await;
    // Nobody holds the store while it is written anew; the night that follows reads the file.
    let Some(now) = held.as_ref() else { return Ok(()) };
    let mut settings = now.settings().clone();
    let changed = settings.dictionaries.iter_mut().find(|one| one.source.as_ref() == Some(&file));
    if let Some(dictionary) = changed {
        *dictionary = saved;
    }
    let now = now.with(settings);
    *held = Some(Arc::new(now));
    Ok(())
}
