//! Help, completions and the READMEs' own words are true.

mod support;

use support::World;

#[test]
fn every_command_explains_itself() {
    let world = World::with_config("");
    for command in [
        "demo", "init", "run", "crawl", "scan", "judge", "report", "sites", "dict", "city", "why",
        "completions",
    ] {
        let help = world.run(&[command, "--help"]);
        assert_eq!(help.code, 0, "{command}");
        assert!(help.stdout.contains("Usage: xunjian"), "{}", help.stdout);
    }
    let help = world.run(&["--help"]).stdout;
    assert!(help.contains("Exit codes:") && help.contains("Examples:"), "{help}");
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
