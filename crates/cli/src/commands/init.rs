//! `xunjian init`: a commented configuration and a register to begin with.

use std::io::IsTerminal as _;
use std::path::Path;

use anyhow::Context as _;
use console::Term;
use xunjian_model::{PageUrl, Scope};

use crate::Exit;
use crate::args::Init;
use crate::config::{DEFAULT_FILE, REGISTER_COLUMNS};
use crate::terminal::Terminal;

const CONFIG: &str = include_str!("../../templates/xunjian.toml");
const REGISTER: &str = "sites.csv";

pub(crate) fn run(terminal: Terminal, init: &Init) -> anyhow::Result<Exit> {
    let folder = &init.folder;
    let files = [DEFAULT_FILE, REGISTER].map(|name| folder.join(name));
    if !init.force {
        for path in &files {
            anyhow::ensure!(!path.exists(), "{} is there already; --force overwrites it", path.display());
        }
    }
    let asked =
        if init.sites.is_empty() && init.office.is_none() { ask(terminal)? } else { Answers::default() };
    let office = init.office.clone().or(asked.office);
    let sites = if init.sites.is_empty() { asked.sites } else { init.sites.clone() };
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut config = CONFIG.to_owned();
    for (key, example, value) in
        [("office", "\"市人民政府办公室\"", &office), ("listen", "\"127.0.0.1:8640\"", &init.listen)]
    {
        if let Some(value) = value {
            let line = format!("{key} = {}", toml::Value::from(value.as_str()));
            config = config.replacen(&format!("# {key} = {example}"), &line, 1);
        }
    }
    let register = register(&sites)?;
    let [config_file, register_file] = &files;
    save(config_file, &config)?;
    save(register_file, &register)?;
    terminal.print(terminal.words(
        "已写入 xunjian.toml 和 sites.csv。下一步：填写 sites.csv，运行 xunjian sites check --online，然后 xunjian run。\n",
        "Wrote xunjian.toml and sites.csv. Next: fill in sites.csv, try xunjian sites check --online, then xunjian run.\n",
    ))?;
    terminal.json(&serde_json::json!({ "written": files, "sites": sites.len() }))?;
    Ok(Exit::Done)
}

/// What somebody answered.
#[derive(Default)]
struct Answers {
    office: Option<String>,
    sites: Vec<(String, PageUrl)>,
}

/// Asks on a terminal; elsewhere nobody answers.
fn ask(terminal: Terminal) -> anyhow::Result<Answers> {
    let term = Term::stderr();
    if !std::io::stdin().is_terminal() || !term.is_term() {
        return Ok(Answers::default());
    }
    let line = |question: &str| {
        term.write_str(&format!("{question}: "))?;
        term.read_line()
    };
    let mut answers = Answers::default();
    let office = line(terminal.words("发通报的单位（可留空）", "Who issues the notices (may stay empty)"))?;
    answers.office = Some(office.trim().to_owned()).filter(|office| !office.is_empty());
    loop {
        let question = terminal.words(
            "网站，如 市水利局=http://slj.city.gov.cn/（留空结束）",
            "A site, like 市水利局=http://slj.city.gov.cn/ (empty: done)",
        );
        let text = line(question)?;
        if text.trim().is_empty() {
            return Ok(answers);
        }
        match crate::args::named_site(text.trim()) {
            Ok(site) => answers.sites.push(site),
            Err(reason) => term.write_line(&reason)?,
        }
    }
}

/// The register with these sites, or with an example.
fn register(sites: &[(String, PageUrl)]) -> anyhow::Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(REGISTER_COLUMNS.map(|(name, _)| name))?;
    let is_shared = |host: &str| sites.iter().filter(|(_, url)| url.host() == host).count() > 1;
    let mut ids: Vec<String> = Vec::new();
    let mut row = |name: &str, url: &PageUrl| {
        let host = url.host();
        let mut labels = host.split('.');
        // A portal is www.□□□.gov.cn, a department ○○○.□□□.gov.cn.
        let first = labels.next().unwrap_or(host);
        // A department may have a folder of the portal's host.
        let scope = Scope::folder_of(url);
        let folder = scope.folder().trim_matches('/').rsplit('/').next();
        let folder =
            folder.filter(|folder| !folder.is_empty() && is_shared(host)).map(str::to_ascii_lowercase);
        let portal = first == "www" && folder.is_none();
        let label = match &folder {
            Some(folder) => folder,
            None if portal => labels.next().unwrap_or(first),
            None => first,
        };
        let mut id: String = label.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
        while id.is_empty() || ids.contains(&id) {
            id.push('x');
        }
        ids.push(id.clone());
        let mut fields = vec![id, name.to_owned(), url.to_string()];
        fields.push(if portal { "portal" } else { "department" }.to_owned());
        fields.resize(REGISTER_COLUMNS.len(), String::new());
        writer.write_record(fields)
    };
    for (name, url) in sites {
        row(name, url)?;
    }
    if sites.is_empty() {
        row("示例市人民政府", &PageUrl::parse("http://www.example.gov.cn/")?)?;
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}

fn save(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
