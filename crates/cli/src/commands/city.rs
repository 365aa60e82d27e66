//! `xunjian city`: the simulated city on loopback.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use serde_json::json;
use xunjian_city::{City, CityOptions};

use crate::Exit;
use crate::args::{self, CityArgs};
use crate::terminal::Terminal;

impl From<CityArgs> for CityOptions {
    fn from(args: CityArgs) -> Self {
        Self { seed: args.seed, sites: args.sites as usize, pages: args.pages, day: args.day }
    }
}

pub(crate) async fn run(terminal: Terminal, args: &args::City) -> anyhow::Result<Exit> {
    let city = Arc::new(City::new(args.city.into()));
    if let Some(file) = &args.truth {
        write_truth(&city, file)?;
    }
    let served = Arc::clone(&city).serve(args.port).await?;
    if let Some(file) = &args.config_out {
        city.write_config(&served, file)?;
    }
    let sites: Vec<_> = city
        .sites()
        .iter()
        .map(|site| json!({ "id": site.id, "name": site.name, "url": site.origin() }))
        .collect();
    terminal.json(&json!({ "port": served.port, "sites": sites }))?;
    terminal.print(&match terminal.language {
        xunjian_report::Language::Zh => {
            format!("{} 个网站在 127.0.0.1:{} 提供服务，Ctrl-C 结束。\n", city.sites().len(), served.port)
        }
        xunjian_report::Language::En => {
            format!("{} sites on 127.0.0.1:{}; Ctrl-C ends.\n", city.sites().len(), served.port)
        }
    })?;
    served.forever().await;
    Ok(Exit::Done)
}

pub(crate) fn write_truth(city: &City, file: &Path) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(&city.truth())?;
    std::fs::write(file, text + "\n").with_context(|| format!("cannot write {}", file.display()))
}
