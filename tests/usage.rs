//! Help, completions and the READMEs' own words are true.

mod support;

use support::World;

#[test]
fn every_command_explains_itself() {
    let world = World::with_config("");
    for command in [
        "demo", "init", "run", "crawl", "scan", "judge", "report", "sites", "dict", "city", "why", "find",
        "completions",
    ] {
        let help = world.english(&[command, "--help"]);
        assert_eq!(help.code, 0, "{command}");
        assert!(help.stdout.contains("Usage: xunjian"), "{}", help.stdout);
        let help = world.run(&[command, "--help"]);
        assert!(help.code == 0 && help.stdout.contains("用法：xunjian"), "{}", help.stdout);
        // Its own words are Chinese; names of values and what is typed stay.
        let english = help.stdout.lines().find(|line| line.is_ascii() && line.contains(" the "));
        assert_eq!(english, None, "{command}");
    }
    let help = world.english(&["--help"]).stdout;
    assert!(help.contains("Exit codes:") && help.contains("Examples:"), "{help}");
    let wrong = world.run(&["run", "--sit", "a"]);
    assert!(wrong.code == 2 && wrong.stderr.contains("没有 '--sit' 这个参数"), "{}", wrong.stderr);
    for shell in ["bash", "zsh", "fish"] {
        assert!(world.run(&["completions", shell]).stdout.contains("xunjian"));
    }
}

#[test]
fn the_readmes_name_commands_that_exist() {
    let world = World::with_config("");
    for readme in [include_str!("../README.md"), include_str!("../README.zh-CN.md")] {
        // Only what stands between code fences is a command.
        let code = readme.split("```").skip(1).step_by(2).flat_map(str::lines);
        let commands: Vec<&str> = code
            .filter_map(|line| line.trim().strip_prefix("xunjian "))
            .filter_map(|line| line.split_whitespace().next())
            .filter(|word| word.chars().all(|c| c.is_ascii_lowercase()))
            .collect();
        assert!(commands.len() >= 8, "{commands:?}");
        for command in commands {
            assert_eq!(world.run(&[command, "--help"]).code, 0, "xunjian {command}");
        }
    }
}

#[test]
fn the_book_has_the_configuration_that_init_writes() {
    let read = |name: &str| {
        std::fs::read_to_string(format!("{}/../../docs/{name}", env!("CARGO_MANIFEST_DIR"))).expect(name)
    };
    let written = include_str!("../crates/cli/templates/xunjian.toml");
    assert!(
        read("configuration.md").contains(&format!("```toml\n{written}```")),
        "docs/configuration.md is not the file that init writes: put it there"
    );
    // Every chapter is there, in both languages.
    for book in ["README.md", "README.zh-CN.md"] {
        let text = read(book);
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| link.ends_with(".md")) {
            assert!(!read(link).is_empty(), "{link}");
        }
    }
}

#[test]
fn every_reason_to_wait_is_told_in_chinese_too() {
    let scan = std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../scan/src"));
    let mut reasons = Vec::new();
    for file in std::fs::read_dir(scan).expect("sources") {
        let text = std::fs::read_to_string(file.expect("a file").path()).expect("a source");
        let found = text.split("with(\"review\", \"").skip(1).filter_map(|rest| rest.split('"').next());
        reasons.extend(found.map(str::to_owned));
    }
    assert!(reasons.len() > 8, "{reasons:?}");
    for reason in reasons {
        assert_ne!(xunjian_report::Language::Zh.said(&reason), reason);
    }
}

#[test]
fn messages_may_be_json_and_commands_give_examples() {
    let world = World::with_config(
        "data = \"d\"\n[[site]]\nid = \"a\"\nname = \"甲\"\nurl = \"http://127.0.0.1:9/\"\nkind = \"department\"\n[render]\nbrowser = \"off\"\n",
    );
    let run = world.run(&["run", "--log-form", "json", "-vv"]);
    let lines: Vec<&str> = run.stderr.lines().filter(|line| line.starts_with('{')).collect();
    assert!(!lines.is_empty(), "{}", run.stderr);
    for line in lines {
        let message: serde_json::Value = serde_json::from_str(line).expect("JSON");
        assert!(message["timestamp"].is_string() && message["level"].is_string(), "{line}");
    }
    for command in ["init", "judge", "report", "serve", "findings", "alert", "account"] {
        let help = world.english(&[command, "--help"]).stdout;
        assert!(help.contains("Examples:\n  xunjian "), "{command}: {help}");
    }
}
