//! What elements and scripts say besides their text: addresses, labels, dates, lists.

use std::borrow::Cow;

use xunjian_model::{Label, LinkKind, ListItem, Zone, anchor_hash};

use super::hiding::hides;
use super::{Builder, PLACES_MAX};
use crate::attribute::{Attribute, Attributes};
use crate::element::{Element, Name};
use crate::join::Joiner;
use crate::list_data::{
    Handed, asked_by_element, count_in_words, other_groups, other_numbers, other_pages, other_parts,
};
use crate::onward::Doubtful;
use crate::script_list::{self, DataRow, Part, number_of};
use crate::white_space::append;
use crate::{diversion, links, onward, written};

/// Addresses kept to which a page's scripts send visitors from search engines.
const DIVERSIONS_MAX: usize = 16;
/// Scripts of a page that are looked at for where they lead, if it shows nothing.
const LEADING_MAX: usize = 8;

impl<'t> Builder<'t> {
    pub(super) fn read_element(&mut self, name: Name<'t>, attributes: &Attributes<'t>) {
        let element = name.element;
        let named = attributes.get(Attribute::Name).filter(|_| element == Element::A);
        for id in attributes.get(Attribute::Id).into_iter().chain(named) {
            if self.facts.anchors.len() < PLACES_MAX {
                self.facts.anchors.push(anchor_hash(&id));
            }
        }
        let first = self.facts.links.len();
        let mut link = |name: Attribute, kind| {
            if let Some(value) = attributes.get(name) {
                self.add_link(&value, Some(kind));
            }
        };
        match element {
            Element::Img => {
                link(Attribute::Src, LinkKind::Image);
                link(Attribute::LazySrc, LinkKind::Image);
                self.add_srcset(attributes);
                self.name_picture(attributes, first);
                match self.zone() {
                    _ if self.hidden() => {}
                    Zone::Main => self.main_media(),
                    _ => self.regions.media(),
                }
            }
            Element::Script => {
                link(Attribute::Src, LinkKind::Script);
                if let Some(code) = attributes.get(Attribute::Sitecode) {
                    self.facts.entrance_code.get_or_insert(code.trim().to_owned());
                }
                let asked = |program: Cow<'_, str>| {
                    asked_by_element(&program, &attributes.get(Attribute::Querydata)?)
                };
                if let Some(address) = attributes.get(Attribute::Url).and_then(asked) {
                    self.add_link(&address, Some(LinkKind::Data));
                }
            }
            Element::Iframe | Element::Frame => {
                link(Attribute::Src, LinkKind::Frame);
                let none = |name| {
                    attributes.get(name).is_some_and(|size| matches!(&*size, "0" | "1" | "0px" | "1px"))
                };
                let hides = none(Attribute::Width) || none(Attribute::Height) || hides(attributes);
                if let Some(frame) = self.facts.links.last_mut().filter(|link| link.kind == LinkKind::Frame) {
                    frame.hidden |= hides;
                }
            }
            Element::Video | Element::Audio | Element::Source | Element::Embed | Element::Object => {
                link(
                    if attributes.has(Attribute::Src) { Attribute::Src } else { Attribute::Data },
                    LinkKind::Media,
                );
                link(Attribute::Poster, LinkKind::Image);
                self.add_srcset(attributes);
                self.main_media();
            }
            // What an object plays.
            Element::Param => {
                const NAMES: [&str; 4] = ["src", "url", "movie", "filename"];
                let name = attributes.get(Attribute::Name).unwrap_or_default().to_ascii_lowercase();
                if NAMES.contains(&name.trim()) {
                    link(Attribute::Value, LinkKind::Media);
                }
            }
            Element::Form => {
                link(Attribute::Action, LinkKind::Form);
                self.forms.open(&mut self.facts, self.base.url(), attributes);
            }
            Element::Input => {
                link(Attribute::Src, LinkKind::Image);
                let is_main = self.zone() == Zone::Main && !self.hidden();
                self.forms.field(&mut self.facts, attributes, &self.current, is_main);
            }
            Element::Body => {
                let code = attributes.get(Attribute::Onload).filter(|_| self.facts.refresh.is_none());
                if let Some(target) = code.as_deref().and_then(onward::target) {
                    self.facts.refresh = self.base.join(target);
                }
            }
            Element::Area => {
                if let Some(href) = attributes.get(Attribute::Href) {
                    self.add_link(&href, None);
                }
            }
            Element::Base => {
                let base = attributes.get(Attribute::Href).and_then(|href| self.base.whole(&href).ok());
                if let Some(base) = base {
                    self.base = Joiner::new(base, self.charset);
                }
            }
            Element::Link => {
                let rel = attributes.get(Attribute::Rel).unwrap_or_default().to_ascii_lowercase();
                if rel.contains("stylesheet") {
                    link(Attribute::Href, LinkKind::Style);
                } else if rel == "canonical" {
                    self.facts.canonical =
                        self.base.join(&attributes.get(Attribute::Href).unwrap_or_default());
                }
            }
            Element::Meta => self.meta(attributes),
            Element::Time => self.published.read(attributes, self.zone() != Zone::Footer),
            Element::Span | Element::Other if attributes.has(Attribute::Itemprop) => {
                self.published.read(attributes, false);
            }
            _ => {}
        }
        if element != Element::A
            && let Some(code) = attributes.get(Attribute::Onclick)
        {
            self.add_opened(&code);
        }
        if self.is_data && attributes.has(Attribute::Count) {
            let number = |name| attributes.get(name)?.parse().ok();
            if let (Some(rows), Some(count)) = (number(Attribute::Rows), number(Attribute::Count)) {
                self.add_parts(other_pages(self.base.url(), rows, count));
            }
        }
        if let Some(background) = attributes.get(Attribute::Background) {
            self.add_link(&background, Some(LinkKind::Image));
        }
        if let Some(style) = attributes.get(Attribute::Style) {
            for target in links::css_urls(&style) {
                self.add_link(target, Some(LinkKind::Image));
            }
        }
    }

    fn add_srcset(&mut self, attributes: &Attributes<'t>) {
        let Some(srcset) = attributes.get(Attribute::Srcset) else { return };
        for part in links::srcset(&srcset) {
            self.add_link(part, Some(LinkKind::Image));
        }
    }

    fn meta(&mut self, attributes: &Attributes<'t>) {
        let content = attributes.get(Attribute::Content).unwrap_or_default();
        let refreshes = attributes
            .get(Attribute::HttpEquiv)
            .is_some_and(|name| name.trim().eq_ignore_ascii_case("refresh"));
        if refreshes && !self.is_for_others() {
            let target = links::refresh_target(&content).and_then(|target| self.base.join(target));
            match self.in_script {
                // On what condition is not known.
                true => self.written_refresh = self.written_refresh.take().or(target),
                false => self.facts.refresh = target,
            }
        }
        let Some(name) = [Attribute::Name, Attribute::Property, Attribute::Itemprop]
            .into_iter()
            .find_map(|name| attributes.get(name))
        else {
            return;
        };
        if name.trim().eq_ignore_ascii_case("robots") {
            let content = content.to_ascii_lowercase();
            self.facts.nofollow = content.contains("nofollow") || content.contains("none");
            self.facts.noindex = content.contains("noindex") || content.contains("none");
        }
        if let Some(trace) = &mut self.trace {
            let written = attributes.written(Attribute::Content).unwrap_or_default();
            trace.label(self.facts.labels.len(), content.trim(), written);
        }
        self.facts.labels.push(Label { name: name.trim().to_owned(), content: content.trim().to_owned() });
    }

    pub(super) fn style(&mut self, style: &str) {
        self.sheet.read(style);
        for target in links::css_urls(style) {
            self.add_link(target, Some(LinkKind::Image));
        }
    }

    pub(super) fn script(&mut self, script: &'t str) {
        self.facts.scripted |= links::fills_page(script);
        let mut diverts = false;
        for diversion in diversion::of_script(script) {
            diverts = true;
            let known = &mut self.facts.diversions;
            if known.len() < DIVERSIONS_MAX && known.iter().all(|one| one.target != diversion.target) {
                known.push(diversion);
            }
        }
        // What goes elsewhere for some alone is no page that only leads on.
        if self.facts.refresh.is_none()
            && !diverts
            && let Some(target) = onward::target(script)
        {
            self.facts.refresh = self.base.join(target);
        }
        if !diverts && self.leading.len() < LEADING_MAX && onward::may_lead(script) {
            self.leading.push(script);
        }
        let mut players = links::players(script).peekable();
        let film = |address| (address, Some(LinkKind::Media));
        let shown: Vec<_> = match players.peek() {
            None => links::films(script).map(film).collect(),
            Some(_) => players
                .map(|address| match address.to_ascii_lowercase().ends_with(".pdf") {
                    true => (address, None),
                    false => film(address),
                })
                .collect(),
        };
        for (address, kind) in shown {
            self.add_link(address, kind);
            if self.zone() == Zone::Main && !self.hidden() {
                self.main_media();
            }
        }
        self.published.read_script(script);
        self.lists(script);
        self.put_away(script);
        self.read_written(script);
    }

    /// A picture or film of the main text.
    fn main_media(&mut self) {
        self.facts.main_media += 1;
        self.media.push(self.facts.blocks.len() as u32);
    }

    /// Reads what a script writes where it stands.
    fn read_written(&mut self, script: &'t str) {
        if self.in_script {
            return;
        }
        for part in written::written(script) {
            self.in_script = true;
            self.read(part);
            self.in_script = false;
        }
    }

    /// Where the page leads by a script if it shows nothing else: on whatever condition, or to what stands in one of its
    /// hidden elements.
    pub(super) fn lead_on(&mut self) {
        let shows = self.facts.blocks.iter().any(|block| !block.hidden) || self.facts.main_media > 0;
        if self.facts.refresh.is_some() || shows {
            return;
        }
        let written = self.written_refresh.take();
        let leading = std::mem::take(&mut self.leading);
        self.facts.refresh = written.or_else(|| leading.into_iter().find_map(|script| self.led_by(script)));
    }

    fn led_by(&mut self, script: &str) -> Option<String> {
        match onward::doubtful(script)? {
            Doubtful::Address(target) => self.base.join(target),
            Doubtful::Element => {
                let mut texts = self.facts.blocks.iter().map(|block| block.text.trim());
                let is_address = |text: &str| {
                    text.starts_with(['/', '.', 'h'])
                        && text.contains('/')
                        && !text.contains(char::is_whitespace)
                };
                let address = texts.find(|text| is_address(text))?.to_owned();
                self.base.join(&address)
            }
        }
    }

    /// A list that was handed out as data.
    pub(super) fn data(&mut self, text: &'t str, handed: &'t Handed<'_>) {
        self.is_data = true;
        if handed.markup.iter().all(|markup| !markup.text.contains("<datastore")) {
            self.lists(text);
        }
        for markup in &handed.markup {
            match markup.text.contains("<datastore") {
                true => self.lists(&markup.text),
                false => self.read(&markup.text),
            }
        }
        self.add_parts(other_parts(self.base.url(), text, self.facts.links.len()));
    }

    /// Lists that stand in a script, or in what is handed out to one.
    fn lists(&mut self, script: &'t str) {
        // What a script holds is markup once, not scripts in scripts.
        if self.in_script {
            return;
        }
        let address = self.base.url().as_str().to_owned();
        script_list::parts(script, &address, &mut |part| self.list_part(part));
        if self.is_data
            && let Some(total) = number_of(script, "<totalrecord", '>')
        {
            self.add_parts(other_groups(self.base.url(), u64::from(total)));
        }
    }

    /// Other parts of a list that was handed out: what its page's script would ask for.
    fn add_parts(&mut self, addresses: Vec<String>) {
        for address in addresses {
            self.add_link(&address, Some(LinkKind::Data));
        }
    }

    /// Other parts of a list that was handed out as markup with a pager in words: 共12页.
    pub(super) fn piece_parts(&mut self) {
        let count = self.facts.blocks.iter().rev().find_map(|block| count_in_words(&block.text));
        if let Some(count) = count {
            self.add_parts(other_numbers(self.base.url(), count));
        }
    }

    fn list_part(&mut self, part: Part<'t>) {
        match part {
            Part::Page(address) => {
                self.add_link(&address, Some(LinkKind::Page));
            }
            Part::Row(row) => self.data_row(row, None),
            // A page of its own links to the others.
            Part::Count(_) if self.is_data || self.is_whole => {}
            Part::Count(count) => self.add_parts(other_numbers(self.base.url(), u64::from(count))),
            Part::List(list) => self.data_row(list, Some(LinkKind::Data)),
            Part::Next(address) => {
                self.brings_next = true;
                self.add_link(&address, Some(LinkKind::Page));
            }
            // Only where the rows that are there bring nothing.
            Part::Data(address) if !self.brings_next => {
                self.add_link(&address, Some(LinkKind::Data));
            }
            Part::Data(_) => {}
            Part::Markup(markup) => {
                self.flush();
                (self.in_script, self.floor) = (true, self.stack.len());
                self.read(markup);
                self.flush();
                while self.stack.len() > self.floor {
                    self.pop();
                }
                (self.in_script, self.floor) = (false, 0);
            }
        }
    }

    /// A row of data, as the row of markup that a script makes of it.
    fn data_row(&mut self, row: DataRow<'t>, kind: Option<LinkKind>) {
        self.flush();
        let Some(link) = self.add_link(&row.url, kind) else { return };
        let (current, trace) = (&mut self.current, &mut self.trace);
        for (character, written) in row.title.characters() {
            let before = current.len();
            append(character.encode_utf8(&mut [0; 4]), current);
            if let Some(trace) = trace.as_mut().filter(|_| current.len() > before) {
                trace.add(before, row.title.written, written);
            }
        }
        self.facts.links[link].span = (0, self.current.len() as u32);
        self.current_links.push(link);
        self.flush();
        if let Some(date) = row.date {
            self.facts.items.push(ListItem { link: link as u32, date: Some(date) });
        }
    }
}
