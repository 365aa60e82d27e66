//! `xunjian account`: who may use the console and its interface.

use std::io::{BufRead as _, IsTerminal as _};

use anyhow::ensure;
use serde_json::json;
use xunjian_console::Accounts;

use crate::Exit;
use crate::args::{Account, Common};
use crate::commands::{night, serve};
use crate::terminal::{Terminal, table};

pub(crate) fn run(common: &Common, terminal: Terminal, command: &Account) -> anyhow::Result<Exit> {
    let settings = night::settings(common)?;
    // Accounts may be there before the first night.
    xunjian_store::claim(&settings.data)?;
    let accounts = Accounts::open(&serve::accounts_file(&settings))?;
    match command {
        Account::Add { name, role } => {
            let password = password(terminal)?;
            accounts.add(name, *role, &password)?;
            terminal.json(&json!({ "account": name, "role": role }))?;
        }
        Account::Remove { name } => {
            accounts.remove(name)?;
            terminal.json(&json!({ "removed": name }))?;
        }
        Account::List => {
            let all = accounts.list()?;
            let rows: Vec<Vec<String>> =
                all.iter().map(|one| vec![one.name.clone(), one.role.to_string()]).collect();
            terminal.print(&table(&rows))?;
            let all: Vec<_> = all.iter().map(|one| json!({ "name": one.name, "role": one.role })).collect();
            terminal.json(&all)?;
        }
        Account::Token { name, scope } => {
            let token = accounts.token(name, *scope)?;
            terminal.print(&format!("{token}\n"))?;
            terminal.note(terminal.words("令牌只显示这一次。", "The token is shown only now."));
            terminal.json(&json!({ "account": name, "scope": scope, "token": token }))?;
        }
    }
    Ok(Exit::Done)
}

/// Asked for twice on a terminal; elsewhere the first line of standard input.
fn password(terminal: Terminal) -> anyhow::Result<String> {
    if !std::io::stdin().is_terminal() {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line)?;
        return Ok(line.trim_end_matches(['\r', '\n']).to_owned());
    }
    let term = console::Term::stderr();
    let ask = |word: &str| {
        term.write_str(&format!("{word}: "))?;
        term.read_secure_line()
    };
    let first = ask(terminal.words("密码（至少 12 个字符）", "Password (at least 12 characters)"))?;
    let again = ask(terminal.words("再输入一次", "Again"))?;
    ensure!(first == again, "{}", terminal.words("两次输入的密码不同", "the two passwords differ"));
    Ok(first)
}
