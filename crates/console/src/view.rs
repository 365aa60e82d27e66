//! Templates and the words in them.

use axum::response::Html;
use jiff::Timestamp;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment};
use serde_json::{Value, json};
use xunjian_engine::{Engine, Filed, MEDIA};
use xunjian_model::{Finding, FindingState, Outcome, SiteId};
use xunjian_report::Language;

use crate::error::Failure;
use crate::session::Visitor;

pub(crate) struct View(Environment<'static>);

macro_rules! templates {
    ($($name:literal)*) => { [$(($name, include_str!(concat!("../templates/", $name)))),*] };
}

impl View {
    pub(crate) fn new() -> Result<Self, minijinja::Error> {
        let mut environment = Environment::new();
        environment.set_auto_escape_callback(|_| AutoEscape::Html);
        environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
        let all = templates!("layout.html" "overview.html" "site.html" "finding.html" "review.html" "rectification.html" "media.html" "notices.html" "runs.html" "login.html" "failed.html" "chart.html" "looked.html" "more.html" "search.html" "snapshots.html" "dictionaries.html" "dictionary.html");
        for (name, source) in all {
            environment.add_template(name, source)?;
        }
        // {{ t("中文", "English") }}
        environment.add_function("t", |state: &minijinja::State<'_, '_>, zh: String, en: String| {
            let lang = state.lookup("lang").map(|lang| lang.to_string()).unwrap_or_default();
            if lang == "en" { en } else { zh }
        });
        Ok(Self(environment))
    }

    /// A page for somebody who is known.
    pub(crate) fn page(
        &self,
        name: &str,
        visitor: &Visitor,
        mut values: Value,
    ) -> Result<Html<String>, Failure> {
        values["me"] =
            json!({ "name": visitor.name, "role": visitor.role, "decides": visitor.may_decide().is_ok() });
        values["form_token"] = json!(visitor.form_token());
        self.plain(name, visitor.language, values)
    }

    /// A page for anybody.
    pub(crate) fn plain(
        &self,
        name: &str,
        language: Language,
        mut values: Value,
    ) -> Result<Html<String>, Failure> {
        values["lang"] = json!(code(language));
        Ok(Html(self.0.get_template(name)?.render(Serde(values))?))
    }
}

pub(crate) fn code(language: Language) -> &'static str {
    match language {
        Language::Zh => "zh-CN",
        Language::En => "en",
    }
}

pub(crate) fn say(language: Language, zh: &str, en: &str) -> String {
    if language == Language::Zh { zh } else { en }.to_owned()
}

pub(crate) fn outcome(outcome: Outcome, language: Language) -> Value {
    let id = match outcome {
        Outcome::Pass => "pass",
        Outcome::Fail => "fail",
        Outcome::Review => "review",
    };
    json!({ "id": id, "name": if language == Language::Zh { outcome.zh() } else { outcome.en() } })
}

fn state(state: FindingState, language: Language) -> &'static str {
    let (zh, en) = match state {
        FindingState::New => ("新增", "new"),
        FindingState::Open => ("仍存在", "still there"),
        FindingState::Relapsed => ("反弹", "relapsed"),
        FindingState::Gone => ("已消除", "gone"),
    };
    if language == Language::Zh { zh } else { en }
}

/// What stands before the hit of an excerpt, the hit, and what stands behind it.
pub(crate) fn parts(excerpt: &str) -> (&str, &str, &str) {
    let (before, rest) = excerpt.split_once('⟦').unwrap_or((excerpt, ""));
    let (hit, after) = rest.split_once('⟧').unwrap_or((rest, ""));
    (before, hit, after)
}

/// An address of ours with parameters; empty ones are left out.
pub(crate) fn link(path: &str, parameters: &[(&str, &str)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters.iter().filter(|(_, value)| !value.is_empty()));
    format!("{path}?{}", query.finish())
}

/// The place that a form wants to go on at, where it is a page of our own: one slash and no second one.
pub(crate) fn own_place(text: &str) -> Option<&str> {
    let own = text.starts_with('/') && !text.starts_with("//") && !text.contains('\\');
    own.then_some(text)
}

/// A moment as people write it where the sites are.
pub(crate) fn moment(engine: &Engine, at: Timestamp) -> String {
    engine.settings().zone.to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string()
}

/// A finding as the templates show it; the excerpt in three parts so that the hit can be marked.
pub(crate) fn finding(engine: &Engine, one: &Finding, language: Language) -> Value {
    let day = |at| engine.settings().zone.to_datetime(at).date();
    let excerpt = xunjian_report::excerpt(one, language);
    let (before, hit, after) = parts(&excerpt);
    json!({
        "id": one.id,
        "site": one.site,
        "kind": if language == Language::Zh { one.kind.zh() } else { one.kind.en() },
        "severity": one.severity.as_str(),
        "severity_name": xunjian_report::severity(one.severity, language),
        "indicator": one.indicator,
        "url": one.url,
        "title": if one.title.is_empty() { &one.url } else { &one.title },
        "what": one.what(),
        "before": before,
        "hit": hit,
        "after": after,
        "detail": xunjian_report::details(one, language),
        "state": one.state,
        "state_name": state(one.state, language),
        "first_seen": day(one.first_seen),
        "last_seen": day(one.last_seen),
        "snapshot": one.evidence.snapshot,
    })
}

/// The same with its case.
pub(crate) fn filed(engine: &Engine, one: &Filed, language: Language) -> Value {
    let mut value = finding(engine, &one.finding, language);
    let ruling = one.case.ruling().map(|ruling| match (ruling, language) {
        (xunjian_model::Ruling::Confirmed, Language::Zh) => "已确认",
        (xunjian_model::Ruling::Dismissed, Language::Zh) => "已排除",
        (other, Language::En) => other.as_str(),
    });
    value["ruling"] = json!(ruling);
    value["revision"] = json!(one.case.revision);
    value["assigned"] = json!(one.case.assigned);
    value["rectification"] = json!(one.case.rectification.as_str());
    value["due"] = json!(one.case.rectification.due());
    value["waits"] = json!(one.ruled().waits());
    value["gone"] = json!(one.finding.state == FindingState::Gone);
    value
}

/// The name of a site; the accounts' findings have no site of the register.
pub(crate) fn owner_name(engine: &Engine, owner: &SiteId, language: Language) -> String {
    match engine.settings().sites.iter().find(|site| site.id == *owner) {
        Some(site) => site.name.clone(),
        None if owner.as_str() == MEDIA => say(language, "政务新媒体", "New-media accounts"),
        None => owner.to_string(),
    }
}

/// Work on the store, beside the requests that wait.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Failure::Ours(error.to_string()))?
}
