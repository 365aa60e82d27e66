//! `xunjian why URL`: what is known of an address, and why it was or was not fetched.

use xunjian_engine::{Engine, EngineError};
use xunjian_model::PageUrl;

use crate::Exit;
use crate::args::Common;
use crate::commands::night;
use crate::terminal::{Terminal, moment, table};

pub(crate) fn run(common: &Common, terminal: Terminal, url: &str) -> anyhow::Result<Exit> {
    let asked = PageUrl::parse(url)?;
    let engine = Engine::open(night::settings(common)?)?;
    let why = engine.why(&asked).map_err(EngineError::from)?;
    if let Some(reason) = why.unknown(terminal.language) {
        terminal.print(&format!("{reason}\n"))?;
    }
    let rows = why.rows(terminal.language, |at| moment(&engine.settings().zone, at));
    let rows: Vec<_> = rows.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect();
    terminal.print(&table(&rows))?;
    terminal.json(&why.json())?;
    Ok(Exit::Done)
}
