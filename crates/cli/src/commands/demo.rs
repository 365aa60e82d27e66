//! `xunjian demo`: the whole chain on the simulated city, and how much of what was planted it
//! found.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use serde_json::json;
use xunjian_city::{City, CityOptions, KindScore, Reported, TruthRow, score};
use xunjian_report::Language;

use crate::args::{self, Common};
use crate::commands::city::write_truth;
use crate::commands::night::{self, Night};
use crate::interrupt::Interrupt;
use crate::terminal::Terminal;
use crate::{Exit, config};

/// Folder of the demo, one inside it for each seed and size: a second demo is a second night.
const FOLDER: &str = "xunjian-demo";

pub(crate) async fn run(common: &Common, terminal: Terminal, args: &args::Demo) -> anyhow::Result<Exit> {
    let options = CityOptions::from(args.city);
    let folder =
        PathBuf::from(FOLDER).join(format!("seed{}-{}x{}", options.seed, options.sites, options.pages));
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let city = Arc::new(City::new(options));
    let served = Arc::clone(&city).serve(0).await?;
    let file = folder.join(config::DEFAULT_FILE);
    city.write_config(&served, &file)?;
    if let Some(file) = &args.truth {
        write_truth(&city, file)?;
    }
    let mut settings = config::load(&file)?;
    // What search engines are shown is to be found in one night here.
    settings.crawl.second_look_share = 1.0;
    settings.render = settings.render.filter(|_| args.browser);
    if let Some(data) = &common.data {
        settings.data.clone_from(data);
    }
    terminal.note(match terminal.language {
        Language::Zh => format!(
            "模拟城市：{} 个网站，127.0.0.1:{}；配置 {}",
            city.sites().len(),
            served.port,
            file.display()
        ),
        Language::En => format!(
            "Simulated city: {} sites on 127.0.0.1:{}; configuration {}",
            city.sites().len(),
            served.port,
            file.display()
        ),
    });
    let interrupt = Interrupt::listen(terminal)?;
    let mut night = Night::open(settings, common, terminal)?;
    let Some(report) = night::whole(&mut night, &[], &interrupt).await? else { return Ok(Exit::Incomplete) };
    let incomplete = night.incomplete()?;
    night.print(&report)?;
    let total = compare(&city.truth(), &report.html.with_file_name("findings.json"))?;
    let (recall, precision) = (total.recall() * 100.0, total.precision() * 100.0);
    terminal.print(&match terminal.language {
        Language::Zh => format!(
            "与植入的问题相比：查全 {recall:.2}%（{}/{}），查准 {precision:.2}%（{}/{}）\n",
            total.found, total.truth, total.right, total.reported
        ),
        Language::En => format!(
            "Against what was planted: recall {recall:.2} % ({}/{}), precision {precision:.2} % ({}/{})\n",
            total.found, total.truth, total.right, total.reported
        ),
    })?;
    // A site of the city is down by design: seeing that is no failure of the demo.
    let by_design = |id: &xunjian_model::SiteId| {
        city.truth().iter().any(|row| row.kind == "unreachable" && row.site == id.as_str())
    };
    let exit = night.exit(&report, incomplete.iter().all(by_design));
    let mut document = report.summary;
    document["report"] = json!(report.html);
    document["score"] = json!({
        "truth": total.truth, "found": total.found, "reported": total.reported, "right": total.right,
        "recall": total.recall(), "precision": total.precision(),
    });
    terminal.json(&document)?;
    Ok(exit)
}

/// Scores a report's findings over the kinds a check exists for.
fn compare(truth: &[TruthRow], findings: &std::path::Path) -> anyhow::Result<KindScore> {
    let bytes = std::fs::read(findings).with_context(|| format!("cannot read {}", findings.display()))?;
    let rows: Vec<xunjian_model::Finding> = serde_json::from_slice(&bytes)?;
    let reported: Vec<Reported> = rows
        .iter()
        .map(|one| Reported {
            site: one.site.to_string(),
            kind: one.kind.to_string(),
            url: one.url.clone(),
            what: Some(one.what().to_owned()).filter(|what| !what.is_empty()),
        })
        .collect();
    let kinds: Vec<&str> = xunjian_scan::KINDS.iter().map(|kind| kind.as_str()).collect();
    Ok(score(truth, &reported).only(&kinds).total())
}
