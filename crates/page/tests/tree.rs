//! The one pass over a page against html5ever's tree: the same links and the same text.

use std::collections::BTreeSet;

use html5ever::tendril::TendrilSink as _;
use html5ever::tree_builder::TreeBuilderOpts;
use html5ever::{ParseOpts, parse_document};
use markup5ever_rcdom::{Handle, NodeData, RcDom};
use proptest::{prop_assert_eq, proptest};
use xunjian_model::{LinkKind, PageUrl};
use xunjian_page::{Limits, extract};

/// What a page says, by one reader.
#[derive(Debug, Default, PartialEq, Eq)]
struct Said {
    /// Characters of its text without white space, in order of their numbers: a tree moves the text of
    /// tables.
    text: Vec<char>,
    links: BTreeSet<String>,
}

fn base() -> PageUrl {
    PageUrl::parse("http://a.gov.cn/x/").expect("base")
}

/// Elements whose content no reader sees.
const UNSEEN: [&str; 8] = ["script", "style", "title", "textarea", "iframe", "noembed", "noframes", "xmp"];

fn by_tree(html: &str) -> Said {
    let tree_builder = TreeBuilderOpts { scripting_enabled: false, ..TreeBuilderOpts::default() };
    let dom = parse_document(RcDom::default(), ParseOpts { tree_builder, ..ParseOpts::default() }).one(html);
    let mut said = Said::default();
    let mut waiting: Vec<Handle> = vec![dom.document.clone()];
    while let Some(node) = waiting.pop() {
        match &node.data {
            NodeData::Text { contents } => said.text.extend(contents.borrow().chars()),
            NodeData::Element { name, attrs, template_contents, .. } => {
                if matches!(&*name.local, "a" | "area")
                    && let Some(href) = attrs.borrow().iter().find(|one| &*one.name.local == "href")
                    && !href.value.starts_with('#')
                    && let Ok(url) = base().join(&href.value)
                {
                    said.links.insert(url.to_string());
                }
                waiting.extend(template_contents.borrow().clone());
                if UNSEEN.contains(&&*name.local) {
                    continue;
                }
            }
            _ => {}
        }
        waiting.extend(node.children.borrow().iter().cloned());
    }
    said.tidy()
}

fn by_pass(html: &str) -> Said {
    let facts = extract(html.as_bytes(), Some("text/html; charset=utf-8"), &base(), Limits::default());
    let anchors =
        facts.links.iter().filter(|link| matches!(link.kind, LinkKind::Page | LinkKind::Attachment));
    let mut said = Said { links: anchors.map(|link| link.url.clone()).collect(), ..Said::default() };
    for block in &facts.blocks {
        said.text.extend(block.text.chars());
    }
    said.tidy()
}

impl Said {
    fn tidy(mut self) -> Self {
        self.text.retain(|one| !one.is_whitespace() && *one != '\u{FFFD}');
        self.text.sort_unstable();
        self
    }
}

/// Cases that are read otherwise, and why.
fn otherwise(input: &str) -> Option<&'static str> {
    match input {
        // Text that stands beside frames could be hidden from us behind a `<frameset>` that browsers ignore.
        _ if input.contains("<frameset>") => Some("what stands beside frames is read"),
        "<!doctype html><html><noscript><plaintext></plaintext>" => {
            Some("browsers with scripts see no markup there")
        }
        "<!doctype html><svg><title>abc" | "<!doctype html><svg><title><plaintext>a</plaintext>b" => {
            Some("a drawing's title that does not end")
        }
        "<body><template><col>Hello" => Some("columns in what nobody sees"),
        _ => None,
    }
}

proptest! {
    #[test]
    fn any_markup_says_what_its_tree_says(
        html in "(<(a href=[xy]|/a|p|/p|div|/div|table|/table|tr|/tr|td|/td|ul|li|/ul|b|/b|h1|/h1|span|/span|form|/form|button|/button|option|svg|/svg|br|!--x--|body|html|head|/body|noscript|/noscript|pre|dl|dt|dd|center|font|/font)>|[文字 a&;]){0,40}"
    ) {
        prop_assert_eq!(by_tree(&html), by_pass(&html));
    }
}

#[test]
#[ignore = "needs the cases that tests/run.sh fetches"]
fn the_public_cases_of_the_tree() {
    let folder = std::env::var("HTML5LIB_TESTS").expect("HTML5LIB_TESTS names the folder of the cases");
    let folder = std::path::Path::new(&folder).join("tree-construction");
    let (mut tried, mut known, mut wrong) = (0, 0, Vec::new());
    for file in std::fs::read_dir(&folder).expect("a folder") {
        let file = file.expect("a file").path();
        if file.extension().is_none_or(|ending| ending != "dat") {
            continue;
        }
        let bytes = std::fs::read(&file).expect("readable");
        for case in String::from_utf8_lossy(&bytes).split("#data\n").skip(1) {
            let input = case.split("\n#errors").next().unwrap_or_default();
            tried += 1;
            let (tree, pass) = (by_tree(input), by_pass(input));
            if tree != pass && otherwise(input).is_some() {
                known += 1;
            } else if tree != pass {
                let name = file.file_name().unwrap_or_default().display().to_string();
                wrong.push(format!("{name}: {input:?}\n  tree {tree:?}\n  pass {pass:?}"));
            }
        }
    }
    assert!(tried > 1_000 && known <= 13, "{known} of {tried}");
    assert!(wrong.is_empty(), "{} of {tried}:\n{}", wrong.len(), wrong.join("\n"));
}
