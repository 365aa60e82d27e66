//! Rules of a page's own style sheets that put what they name off the screen.
//!
//! What rules take out of the page (`display:none`) or make small is left alone: menus, dialogues and rows of many a
//! page are made so.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use memchr::{memchr, memrchr};

use crate::attribute::{Attribute, Attributes};
use crate::hidden::is_off_screen;
use crate::links::searcher;

/// Names of each sort kept of a page; every element is looked up among them.
const NAMES_MAX: usize = 32;

/// Classes and ids that are off the screen.
#[derive(Debug, Default)]
pub(crate) struct Sheet {
    classes: Vec<Box<str>>,
    ids: Vec<Box<str>>,
}

impl Sheet {
    /// Reads a style sheet.
    pub(crate) fn read(&mut self, sheet: &str) {
        // Most rules have no offset at all.
        static NEGATIVE: LazyLock<AhoCorasick> = LazyLock::new(|| searcher([":-", ": -"].iter()));
        let mut read_to = 0;
        for negative in NEGATIVE.find_iter(sheet) {
            if negative.start() < read_to {
                continue;
            }
            let from = memrchr(b'}', &sheet.as_bytes()[..negative.start()]).map_or(0, |at| at + 1);
            let to = memchr(b'}', &sheet.as_bytes()[negative.end()..]);
            let rule = &sheet[from..to.map_or(sheet.len(), |at| negative.end() + at)];
            read_to = from + rule.len();
            let Some((selectors, style)) = rule.rsplit_once('{') else { continue };
            if !is_off_screen(style) {
                continue;
            }
            // What stands before is a comment, or a condition around the rule.
            let selectors = selectors.rsplit(['{', ';', '/']).next().unwrap_or_default();
            for selector in selectors.split(',').filter_map(Selector::read) {
                let (names, name) = match selector {
                    Selector::Class(name) => (&mut self.classes, name),
                    Selector::Id(name) => (&mut self.ids, name),
                };
                if names.len() < NAMES_MAX {
                    names.push(name.into());
                }
            }
        }
    }

    /// Whether an element is off the screen by one of them.
    pub(crate) fn hides(&self, attributes: &Attributes<'_>) -> bool {
        let holds = |names: &[Box<str>], name: &str| names.iter().any(|known| **known == *name);
        let class = || attributes.written(Attribute::Class).unwrap_or_default().split_ascii_whitespace();
        !self.classes.is_empty() && class().any(|class| holds(&self.classes, class))
            || !self.ids.is_empty()
                && attributes.written(Attribute::Id).is_some_and(|id| holds(&self.ids, id.trim()))
    }
}

/// A selector of one name: `.a`, `div.a`, `#a`. What is told by its place as well is a part of a menu.
enum Selector<'s> {
    Class(&'s str),
    Id(&'s str),
}

impl<'s> Selector<'s> {
    fn read(text: &'s str) -> Option<Self> {
        let text = text.trim();
        let (tag, name) = text.split_at(text.find(['.', '#'])?);
        let is_name = |name: &str| {
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        };
        let (sign, name) = name.split_at(1);
        let plain = tag.bytes().all(|byte| byte.is_ascii_alphanumeric()) && is_name(name);
        plain.then_some(if sign == "." { Self::Class(name) } else { Self::Id(name) })
    }
}
