//! The command line's help and its complaints, in the language of whoever calls.

use std::io::Write as _;

use clap::builder::StyledStr;
use clap::{Arg, Command, CommandFactory as _, Parser as _};
use xunjian_report::Language;
use xunjian_translate::chinese;

use crate::args::Cli;

/// What clap says in English alone.
const OF_CLAP: [(&str, &str); 11] = [
    ("Usage: ", "用法："),
    ("[OPTIONS]", "[选项]"),
    ("<COMMAND>", "<命令>"),
    ("[COMMAND]", "[命令]"),
    ("[default: ", "[默认："),
    ("[env: ", "[环境变量："),
    ("[possible values: ", "[可选值："),
    ("Possible values:", "可选值："),
    ("Print help (see more with '--help')", "显示帮助（--help 显示更多）"),
    ("Print help (see a summary with '-h')", "显示帮助（-h 只显示概要）"),
    ("Print help", "显示帮助"),
];

/// The command line, read; a fault of it, or a wish for help, ends the program.
pub(crate) fn parse() -> Cli {
    Cli::try_parse().unwrap_or_else(|error| {
        let language = wanted(std::env::args_os().filter_map(|arg| arg.into_string().ok()));
        if language == Language::En {
            error.exit();
        }
        // Only for this the Chinese help is worth its making.
        let error = command(language).try_get_matches().err().unwrap_or(error);
        let text = all_of(&error.to_string());
        // A reader that has seen enough, such as `head`, is no fault.
        let _ = match error.use_stderr() {
            true => std::io::stderr().write_all(text.as_bytes()),
            false => std::io::stdout().write_all(text.as_bytes()),
        };
        std::process::exit(error.exit_code())
    })
}

/// What clap wrote, in Chinese.
fn all_of(text: &str) -> String {
    OF_CLAP.iter().fold(chinese(text), |text, (en, zh)| text.replace(en, zh))
}

/// The command line with its help in a language.
pub(crate) fn command(language: Language) -> Command {
    let mut command = Cli::command();
    if language == Language::Zh {
        // Only then are the flags and the command for help there.
        command.build();
        command = in_chinese(command);
    }
    command
}

/// The language asked for on a command line that cannot be read.
fn wanted(args: impl Iterator<Item = String>) -> Language {
    let mut asked = std::env::var("XUNJIAN_LANG").ok().and_then(|name| name.parse().ok());
    let mut args = args.skip(1).take_while(|arg| arg != "--");
    while let Some(arg) = args.next() {
        let name = match arg.strip_prefix("--lang") {
            Some("") => args.next(),
            Some(value) => value.strip_prefix('=').map(str::to_owned),
            None => None,
        };
        asked = name.and_then(|name| name.parse().ok()).or(asked);
    }
    asked.unwrap_or(Language::Zh)
}

fn in_chinese(command: Command) -> Command {
    let about = command.get_about().map(said);
    let after = command.get_after_help().map(said);
    let mut command =
        command.subcommand_help_heading("命令").mut_args(in_chinese_too).mut_subcommands(in_chinese);
    if let Some(about) = about {
        command = command.about(about);
    }
    if let Some(after) = after {
        command = command.after_help(after);
    }
    command
}

fn in_chinese_too(arg: Arg) -> Arg {
    let heading = match arg.get_help_heading() {
        Some(_) => "各命令共有的选项",
        None if arg.is_positional() => "参数",
        None => "选项",
    };
    let help = arg.get_help().map(said);
    let arg = arg.help_heading(heading);
    match help {
        Some(help) => arg.help(help),
        None => arg,
    }
}

fn said(text: &StyledStr) -> String {
    chinese(&text.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every text of a command that has no wording in Chinese.
    fn unknown(command: &Command, texts: &mut Vec<String>) {
        let own = [command.get_about(), command.get_after_help()].into_iter().flatten();
        let args = command.get_arguments().filter_map(Arg::get_help);
        for text in own.chain(args) {
            let lines = text.to_string();
            // Commands stand in examples as they are written.
            let is_example = |line: &str| line.starts_with("xunjian ") && !line.contains("  ");
            let is_of_clap = |line: &str| OF_CLAP.iter().any(|(english, _)| *english == line);
            let lines = lines
                .lines()
                .map(str::trim)
                .filter(|line| !line.is_empty() && !is_of_clap(line) && !is_example(line));
            texts.extend(lines.filter(|line| !xunjian_translate::is_known(line)).map(str::to_owned));
        }
        command.get_subcommands().for_each(|below| unknown(below, texts));
    }

    #[test]
    fn all_help_is_said_in_chinese_too() {
        let mut command = Cli::command();
        command.build();
        let mut texts = Vec::new();
        unknown(&command, &mut texts);
        assert!(texts.is_empty(), "write them into crates/translate/data/help.txt: {texts:#?}");
    }

    #[test]
    fn what_a_flag_may_be_is_said_in_chinese_too() {
        fn look(command: &mut Command) -> usize {
            let shown = all_of(&command.render_long_help().to_string());
            let values = command.get_arguments().flat_map(Arg::get_possible_values);
            let said: Vec<String> =
                values.filter_map(|one| one.get_help().map(ToString::to_string)).collect();
            for english in &said {
                assert!(shown.lines().all(|line| !line.ends_with(english)), "{english:?} in {shown}");
            }
            said.len() + command.get_subcommands_mut().map(look).sum::<usize>()
        }
        assert!(look(&mut command(Language::Zh)) > 3);
    }

    #[test]
    fn the_language_is_known_before_the_rest() {
        let of = |args: &[&str]| wanted(args.iter().map(|arg| (*arg).to_owned()));
        assert_eq!(of(&["xunjian", "run"]), Language::Zh);
        assert_eq!(of(&["xunjian", "--lang", "en", "run"]), Language::En);
        assert_eq!(of(&["xunjian", "run", "--lang=en"]), Language::En);
        assert_eq!(of(&["xunjian", "find", "--", "--lang=en"]), Language::Zh);
    }
}
