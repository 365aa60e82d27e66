//! Links of a page, their texts, and the rows of lists they stand in.

use memchr::memchr;
use xunjian_model::{Fragment, Link, LinkKind, ListItem, PageUrl};

use super::{Builder, Open, PLACES_MAX};
use crate::links;

impl<'t> Builder<'t> {
    pub(super) fn add_link(&mut self, target: &str, kind: Option<LinkKind>) -> Option<usize> {
        if self.facts.links.len() >= self.limits.links_max {
            self.left_out = true;
            return None;
        }
        let target = target.trim();
        if target.is_empty() {
            return None;
        }
        if kind.is_none() && memchr(b'#', target.as_bytes()).is_some() {
            self.add_fragment(target);
        }
        if target.starts_with('#') {
            return None;
        }
        if kind.is_none() && links::is_bad_address(target) && self.facts.bad_addresses.len() < PLACES_MAX {
            self.facts.bad_addresses.push(target.to_owned());
        }
        let url = self.base.join(target)?;
        let kind = kind.unwrap_or_else(|| links::kind_of_anchor(&url));
        self.facts.links.push(Link {
            url,
            kind,
            block: u32::MAX,
            span: (0, 0),
            hidden: self.hidden(),
            zone: self.zone(),
        });
        Some(self.facts.links.len() - 1)
    }

    fn add_fragment(&mut self, target: &str) {
        if self.facts.fragments.len() >= PLACES_MAX {
            return;
        }
        let plain =
            |id: &str| id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        // Most have nothing in them to decode.
        let fragment =
            match target.split_once('#').filter(|(_, id)| plain(id)) {
                Some((_, id)) if !links::is_place(id) => None,
                Some(("", id)) => Some((self.base.url().as_str().to_owned(), id.to_owned())),
                Some((address, id)) => self.base.join(address).map(|url| (url, id.to_owned())),
                None => self.base.url().as_url().join(target).ok().and_then(|url| {
                    Some((PageUrl::parse(url.as_str()).ok()?.into(), links::fragment(&url)?))
                }),
            };
        self.facts.fragments.extend(fragment.map(|(url, id)| Fragment { url, id }));
    }

    pub(super) fn open_anchor(&mut self, href: &str) {
        if let Some(link) = self.add_link(href, None) {
            self.anchor = Some((link, self.current.len()));
        }
    }

    pub(super) fn close_anchor(&mut self) {
        let Some((link, start)) = self.anchor.take() else { return };
        let end = self.current.len();
        // A link over several blocks keeps the longest of its texts.
        let (from, to) = self.facts.links[link].span;
        if (end - start) as u32 > to - from {
            self.facts.links[link].span = (start as u32, end as u32);
            self.current_links.push(link);
        }
    }

    pub(super) fn row(&mut self, open: &Open) {
        if open.taken || open.links >= self.facts.links.len() {
            return;
        }
        let Some(date) = open.date else { return };
        let mut anchors = (open.links..self.facts.links.len()).filter(|&at| {
            let link = &self.facts.links[at];
            link.kind == LinkKind::Page && link.span.1 > link.span.0
        });
        let (first, second) = (anchors.next(), anchors.next());
        if let (Some(link), None) = (first, second) {
            self.facts.items.push(ListItem { link: link as u32, date: Some(date) });
            if let Some(parent) = self.stack.last_mut() {
                parent.taken = true;
            }
        }
    }
}
