//! Links of a page, their texts, and the rows of lists they stand in.

use memchr::memchr;
use xunjian_model::{BadAddress, Fragment, Link, LinkKind, ListItem, PageUrl, UrlError, Zone};

use super::{Builder, Open, PLACES_MAX, Place, RowDate};
use crate::attribute::{Attribute, Attributes};
use crate::element::Element;
use crate::kind::LIST_ROWS;
use crate::neighbour::is_neighbour;
use crate::{addresses, handlers, links, list_data};

/// Longest text that stands for a picture, in characters; more is cut off.
const ALT_CHARS_MAX: usize = 60;
/// Longest name of a column beside a title of its own, in bytes: eight characters in Chinese.
const BESIDE_BYTES_MAX: usize = 24;
/// Bytes of a row's text above its link: 300 characters in Chinese.
const ABOVE_BYTES_MAX: usize = 900;
/// Bytes in front of the title of a row: `·`, `[通知公告]`.
const LEAD_BYTES: u32 = 24;

impl<'t> Builder<'t> {
    pub(super) fn add_link(&mut self, target: &str, kind: Option<LinkKind>) -> Option<usize> {
        if self.facts.links.len() >= self.limits.links_max {
            self.left_out = true;
            return None;
        }
        let target = target.trim();
        if target.is_empty() || addresses::is_template(target) || addresses::is_no_request(target) {
            return None;
        }
        if kind.is_none() && memchr(b'#', target.as_bytes()).is_some() {
            self.add_fragment(target);
        }
        if target.starts_with('#') || self.is_data && !list_data::is_certain(target, self.base.url()) {
            return None;
        }
        let url = match self.base.try_join(target) {
            Ok(url) => url,
            Err(refused) => {
                self.add_bad_address(target, kind, &refused);
                return None;
            }
        };
        let (url, kind) = match addresses::viewed(&url) {
            Some(file) => (String::from(file), LinkKind::Attachment),
            None => {
                let kind = kind.unwrap_or_else(|| links::kind_of_anchor(&url));
                (url, kind)
            }
        };
        self.facts.links.push(Link {
            url,
            kind,
            block: u32::MAX,
            span: (0, 0),
            // Nobody hides a link where every reader without scripts sees it.
            hidden: self.hidden() && !self.is_for_others(),
            folded: self.folded(),
            zone: self.zone(),
            alt: None,
        });
        Some(self.facts.links.len() - 1)
    }

    /// What a click opens. A reader sees what he clicks, and search engines follow no script: nothing of it hides.
    pub(super) fn add_opened(&mut self, code: &str) -> Option<usize> {
        let link = self.add_link(handlers::opened(code)?, None)?;
        self.facts.links[link].hidden = false;
        Some(link)
    }

    /// Notes an address that is none of a page, where nobody can open it.
    fn add_bad_address(&mut self, target: &str, kind: Option<LinkKind>, refused: &UrlError) {
        if matches!(kind, Some(LinkKind::Script | LinkKind::Style | LinkKind::Form))
            || self.facts.bad_addresses.len() >= PLACES_MAX
        {
            return;
        }
        if let Some(fault) = addresses::fault(target, refused) {
            let kind = kind.unwrap_or_else(|| links::kind_of_anchor(target));
            self.facts.bad_addresses.push(BadAddress { address: target.to_owned(), kind, fault });
        }
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

    /// A link begins whose text follows: an `<a>`, or an entry of a menu.
    pub(super) fn open_anchor(&mut self, element: Element, attributes: &Attributes<'_>) {
        let link = match element {
            Element::A => {
                let href = attributes.get(Attribute::Href);
                let link = href.as_deref().and_then(|href| self.add_link(href, None));
                link.or_else(|| {
                    let codes = href.into_iter().chain(attributes.get(Attribute::Onclick));
                    codes.into_iter().find_map(|code| self.add_opened(&code))
                })
            }
            Element::Option => attributes.get(Attribute::Value).and_then(|value| self.add_chosen(&value)),
            _ => None,
        };
        if let Some(link) = link {
            self.anchor = Some((link, self.current.len()));
            if let Some(title) = attributes.get(Attribute::Title) {
                self.stand_for(link, &title);
            }
        }
    }

    /// A picture says what stands for it, and for the link that it stands in; its own links begin at `first`.
    pub(super) fn name_picture(&mut self, attributes: &Attributes<'_>, first: usize) {
        let Some(alt) = attributes.get(Attribute::Alt) else { return };
        for link in (first..self.facts.links.len()).chain(self.anchor.map(|(link, _)| link)) {
            self.stand_for(link, &alt);
        }
    }

    fn stand_for(&mut self, link: usize, text: &str) {
        let text = text.trim();
        let alt = &mut self.facts.links[link].alt;
        if alt.is_none() && !text.is_empty() {
            *alt = Some(text.chars().take(ALT_CHARS_MAX).collect());
        }
    }

    /// What an entry of a menu leads to. Many menus are hidden behind one that a script draws.
    fn add_chosen(&mut self, value: &str) -> Option<usize> {
        let link = self.add_link(handlers::chosen(value, self.menu_opens)?, None)?;
        let link_of = &mut self.facts.links[link];
        link_of.hidden = false;
        if link_of.zone == Zone::Main {
            link_of.zone = Zone::Navigation;
        }
        Some(link)
    }

    pub(super) fn close_anchor(&mut self) {
        let Some((link, start)) = self.anchor.take() else { return };
        let end = self.current.len();
        // A link over several blocks keeps the heading, or else the longest of its texts.
        let Link { span: (from, to), block, .. } = self.facts.links[link];
        let kept = self.facts.blocks.get(block as usize);
        let is_heading = (self.heading > 0, kept.is_some_and(|kept| kept.heading > 0));
        let is_rather = match is_heading {
            (true, false) => end > start,
            (false, true) => false,
            _ => (end - start) as u32 > to - from,
        };
        if is_rather {
            self.facts.links[link].span = (start as u32, end as u32);
            self.current_links.push(link);
        }
    }

    pub(super) fn row(&mut self, open: &Open) {
        if open.taken || open.links >= self.facts.links.len() {
            return;
        }
        let Some(RowDate { date, place }) = open.date else { return };
        let Some(link) = self.title_of_row(open.links) else { return };
        // A text that tells of a day, below the title or with a link to more, does not date its row.
        let dates = match place {
            Place::Plain => true,
            Place::Apart => open.name.element != Element::P && self.leads_its_line(link),
            Place::Told => false,
        };
        if !dates && !self.is_most_of_its_line(link) || self.is_of_an_article(open, link) {
            return;
        }
        self.facts.items.push(ListItem { link: link as u32, date: Some(date) });
        self.note_text_of_row(open, link);
        if let Some(parent) = self.stack.last_mut() {
            parent.taken = true;
        }
    }

    /// What stands around the title of a row is the row's, unless it is an article: its links are amid or below its text.
    fn note_text_of_row(&mut self, open: &Open, link: usize) {
        let title = self.facts.links[link].block as usize;
        // A link without text is in no block.
        let Some(above) = self.facts.blocks.get(open.blocks..title) else { return };
        let leads = above.iter().all(|block| block.text.len() <= LEAD_BYTES as usize);
        let is_main = self.facts.links[link].zone == Zone::Main;
        if is_main && leads && self.rows.len() < LIST_ROWS && self.is_most_of_its_line(link) {
            self.rows.push(open.blocks..self.facts.blocks.len());
        }
    }

    /// Whether a link stands below an article, not in a row: to the one before or behind it, or to what belongs to it.
    fn is_of_an_article(&self, open: &Open, link: usize) -> bool {
        let links = &self.facts.links;
        let above = self.facts.blocks.get(open.blocks..links[link].block as usize);
        let above: usize = above.unwrap_or_default().iter().map(|block| block.text.len()).sum();
        let line = |link: &Link| self.facts.blocks.get(link.block as usize).map_or("", |block| &block.text);
        above > ABOVE_BYTES_MAX || links[open.links..].iter().any(|link| is_neighbour(line(link)))
    }

    fn leads_its_line(&self, link: usize) -> bool {
        self.facts.links[link].span.0 <= LEAD_BYTES
    }

    fn is_most_of_its_line(&self, link: usize) -> bool {
        let link = &self.facts.links[link];
        let line = self.facts.blocks.get(link.block as usize).map_or(0, |block| block.text.len());
        (link.span.1 - link.span.0) as usize * 2 >= line
    }

    /// The link of a row that is its title; the row's links begin at `first`. Beside it the name of its column may
    /// stand, or "more" of the same. Gazettes and accounts are listed by their documents, which others have beside
    /// their pages.
    fn title_of_row(&self, first: usize) -> Option<usize> {
        let links = &self.facts.links;
        let bytes = |at: usize| links[at].span.1.saturating_sub(links[at].span.0) as usize;
        let named = |kind| (first..links.len()).filter(move |&at| links[at].kind == kind && bytes(at) > 0);
        let pages = named(LinkKind::Page).next().is_some();
        let kind = if pages { LinkKind::Page } else { LinkKind::Attachment };
        let mut title = None;
        for at in named(kind) {
            if title.is_none_or(|title| bytes(at) > bytes(title)) {
                title = Some(at);
            }
        }
        let title = title?;
        let is_beside = |at: usize| bytes(at) <= BESIDE_BYTES_MAX && bytes(at) * 2 <= bytes(title);
        if !named(kind).filter(|&at| links[at].url != links[title].url).all(is_beside) {
            return None;
        }
        // A summary below the title leads there, too, as may a picture's name or "more".
        let mut same = named(kind).filter(|&at| links[at].url == links[title].url);
        same.find(|&at| !is_beside(at)).or(Some(title))
    }
}
