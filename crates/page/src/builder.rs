//! Tokens to facts: one pass with a stack of open elements.

use std::ops::Range;

use jiff::civil::Date;
use memchr::memchr;
use xunjian_model::{
    Block, Facts, Fragment, Label, Link, LinkKind, ListItem, PageUrl, Problem, Zone, anchor_hash,
};

use crate::attribute::{Attribute, Attributes};
use crate::date::date_in_text;
use crate::element::{Element, Name};
use crate::forms::Forms;
use crate::hidden::style_hides;
use crate::join::Joiner;
use crate::kind::{kind_of, main_chars};
use crate::markup::{Reader, Token};
use crate::published::{Published, page_dates};
use crate::references::{self, Piece};
use crate::script_list::{self, DataRow, Part};
use crate::source::{TextPart, Trace};
use crate::{Limits, diversion, links, zone};

/// Character references from which a title is written in them, if they are most of it.
const ENCODED_MIN: usize = 4;
/// Ids, places and faulty addresses kept of a page.
const PLACES_MAX: usize = 4_096;
/// Addresses kept to which a page's scripts send visitors from search engines.
const DIVERSIONS_MAX: usize = 16;

pub(crate) fn build(text: &str, base: &PageUrl, limits: Limits) -> Facts {
    let mut builder = Builder::new(base, limits);
    builder.read(text);
    builder.finish(base)
}

/// Where parts of the texts are written in a page.
pub(crate) fn trace(
    text: &str,
    base: &PageUrl,
    limits: Limits,
    wanted: Vec<TextPart>,
) -> Vec<Option<Range<usize>>> {
    let mut builder = Builder::new(base, limits);
    builder.trace = Some(Trace::new(text, wanted));
    builder.read(text);
    builder.flush();
    builder.trace.map(Trace::found).unwrap_or_default()
}

struct Open<'t> {
    name: Name<'t>,
    zone: Zone,
    hidden: bool,
    /// Link count and row state when the element began: for list rows.
    links: usize,
    date: Option<Date>,
    taken: bool,
}

/// Elements whose content is text alone, not shown where it stands.
#[derive(Clone, Copy)]
enum Raw {
    Title,
    Script,
    Style,
    Ignored,
}

impl Raw {
    fn of(element: Element) -> Option<Self> {
        Some(match element {
            Element::Title => Self::Title,
            Element::Script => Self::Script,
            Element::Style => Self::Style,
            Element::Textarea | Element::Iframe | Element::Noembed | Element::Noframes | Element::Xmp => {
                Self::Ignored
            }
            _ => return None,
        })
    }
}

struct Builder<'t> {
    facts: Facts,
    base: Joiner,
    limits: Limits,
    stack: Vec<Open<'t>>,
    current: String,
    current_links: Vec<usize>,
    heading: u8,
    anchor: Option<(usize, usize)>,
    flattened: u32,
    text_bytes: usize,
    left_out: bool,
    published: Published,
    /// Where texts are written, if that is asked.
    trace: Option<Trace>,
    /// What is read stands in a script.
    in_script: bool,
    forms: Forms,
    /// Open drawings and formulas.
    foreign: usize,
    /// Elements below do not end: the script stands inside of them.
    floor: usize,
}

impl<'t> Builder<'t> {
    fn new(base: &PageUrl, limits: Limits) -> Self {
        let facts = Facts {
            // What most pages have room for.
            links: Vec::with_capacity(128),
            blocks: Vec::with_capacity(128),
            anchors: Vec::with_capacity(32),
            ..Facts::default()
        };
        Self {
            facts,
            base: Joiner::new(base.clone()),
            limits,
            stack: Vec::with_capacity(32),
            current: String::new(),
            current_links: Vec::new(),
            heading: 0,
            anchor: None,
            flattened: 0,
            text_bytes: 0,
            left_out: false,
            published: Published::default(),
            trace: None,
            in_script: false,
            forms: Forms::default(),
            foreign: 0,
            floor: 0,
        }
    }

    fn read(&mut self, text: &'t str) {
        let mut reader = Reader::new(text);
        let mut attributes = Attributes::default();
        while let Some(token) = reader.next(&mut attributes) {
            match token {
                Token::Text(text) => self.text(text, true),
                Token::Plain(text) => self.text(text, false),
                Token::Start { name, self_closing } => {
                    self.read_element(name, &attributes);
                    match Raw::of(name.element) {
                        Some(_) if self_closing && reader.foreign => {}
                        Some(raw) => self.raw(raw, name, &mut reader),
                        None => self.start(name, self_closing, &attributes),
                    }
                    if name.element == Element::Plaintext && !reader.foreign && !self.is_for_others() {
                        self.text(reader.rest(), false);
                    }
                }
                Token::End(name) => self.end(name),
            }
            reader.foreign = self.foreign > 0 && self.is_foreign();
        }
    }

    fn zone(&self) -> Zone {
        self.stack.last().map_or(Zone::Main, |open| open.zone)
    }

    fn hidden(&self) -> bool {
        self.stack.last().is_some_and(|open| open.hidden)
    }

    // ---- tokens -----------------------------------------------------------------------------

    /// A text, in which references may stand.
    fn text(&mut self, text: &str, references: bool) {
        if self.text_bytes + text.len() > self.limits.text_bytes_max {
            self.left_out = true;
            return;
        }
        self.text_bytes += text.len();
        // Most of what stands between two tags.
        if self.trace.is_none() && is_space(text) {
            space(&mut self.current);
            return;
        }
        let (current, trace) = (&mut self.current, &mut self.trace);
        let mut add = |piece: Piece<'_>, part: Range<usize>| match (piece, &mut *trace) {
            (Piece::Text(text), None) => append(text, current),
            (Piece::Text(piece), Some(trace)) => {
                let before = current.len();
                append(piece, current);
                if current[before..] == *piece {
                    trace.add_run(before, text, part);
                    return;
                }
                // White space was left out or changed: character by character.
                current.truncate(before);
                for (at, character) in piece.char_indices() {
                    let (before, start) = (current.len(), part.start + at);
                    append(&piece[at..at + character.len_utf8()], current);
                    if current.len() > before {
                        trace.add(before, text, start..start + character.len_utf8());
                    }
                }
            }
            (Piece::Characters(first, second), trace) => {
                let before = current.len();
                for character in std::iter::once(first).chain(second) {
                    append(character.encode_utf8(&mut [0; 4]), current);
                }
                if let Some(trace) = trace.as_mut().filter(|_| current.len() > before) {
                    trace.add(before, text, part);
                }
            }
        };
        match references {
            true => references::pieces(text, false, add),
            false => add(Piece::Text(text), 0..text.len()),
        }
    }

    /// Whether what comes next stands in a drawing or a formula.
    fn is_foreign(&self) -> bool {
        self.stack.iter().rev().find_map(|open| open.name.element.is_foreign()).unwrap_or(false)
    }

    /// Whether what comes next is for browsers without scripts, for which no others read markup.
    fn is_for_others(&self) -> bool {
        self.stack.iter().any(|open| open.name.text.eq_ignore_ascii_case("noscript"))
    }

    /// HTML in a drawing ends it.
    fn leave_foreign(&mut self, element: Element) {
        if !(element.is_block() || matches!(element, Element::Span | Element::Img | Element::Br)) {
            return;
        }
        while self.stack.len() > self.floor && self.is_foreign() {
            self.pop();
        }
    }

    fn start(&mut self, name: Name<'t>, self_closing: bool, attributes: &Attributes<'t>) {
        let element = name.element;
        if element.is_block() {
            self.flush();
        }
        if self.foreign > 0 {
            self.leave_foreign(element);
        }
        if element == Element::Br {
            self.current.push(' ');
        }
        self.close_implied(element);
        if let Some(level) = element.heading_level() {
            self.heading = level;
        }
        if element == Element::A {
            self.close_anchor();
        }
        if !element.is_void() && !self_closing {
            self.push(name, attributes);
        }
        if element == Element::A
            && let Some(href) = attributes.get(Attribute::Href)
        {
            self.open_anchor(&href);
        }
    }

    fn raw(&mut self, raw: Raw, name: Name<'t>, reader: &mut Reader<'t>) {
        let content = match raw {
            Raw::Script => reader.script(name),
            _ => reader.raw(name),
        };
        let Some(content) = content else { return };
        match raw {
            Raw::Title if self.facts.title.is_empty() => {
                self.facts.title = collapse(&references::decoded(content, false));
                if let Some(trace) = &mut self.trace {
                    trace.title(&self.facts.title, content);
                }
                let encoded = content.matches("&#").count();
                if encoded >= ENCODED_MIN && encoded * 2 > self.facts.title.chars().count() {
                    self.facts.problems.push(Problem::EncodedTitle);
                }
            }
            Raw::Script => self.script(content),
            Raw::Style => self.style(content),
            Raw::Title | Raw::Ignored => {}
        }
    }

    fn push(&mut self, name: Name<'t>, attributes: &Attributes<'t>) {
        if self.stack.len() >= self.limits.depth_max {
            self.flattened += 1;
            return;
        }
        let hides = hides(attributes)
            || name.element == Element::Marquee
                && attributes.get(Attribute::Height).is_some_and(|height| matches!(&*height, "0" | "1"));
        if hides && !self.hidden() {
            // Hidden text is no part of the sentence around it.
            self.flush();
        }
        self.foreign += usize::from(name.element.is_foreign() == Some(true));
        let zone = match name.element {
            Element::Body | Element::Html => None,
            element => zone::zone_of(element, attributes),
        };
        self.stack.push(Open {
            name,
            zone: zone.unwrap_or_else(|| self.zone()),
            hidden: hides || self.hidden(),
            links: self.facts.links.len(),
            date: None,
            taken: false,
        });
    }

    fn end(&mut self, name: Name<'t>) {
        let element = name.element;
        if element.is_block() {
            self.flush();
        }
        if element == Element::A {
            self.close_anchor();
        }
        if element.heading_level().is_some() {
            self.heading = 0;
        }
        if element == Element::Form {
            self.forms.close();
        }
        // An end tag closes the nearest element of its name; one without a start is ignored.
        let floor = self.floor;
        if let Some(at) = self.stack[floor..].iter().rposition(|open| open.name.is(&name)) {
            let at = floor + at;
            while self.stack.len() > at {
                self.pop();
            }
        }
    }

    fn pop(&mut self) {
        if let [.., parent, top] = &self.stack[..]
            && top.hidden
            && !parent.hidden
        {
            self.flush();
        }
        let Some(open) = self.stack.pop() else { return };
        self.foreign -= usize::from(open.name.element.is_foreign() == Some(true));
        if open.name.element.is_row() {
            self.row(&open);
        }
        // A row's date belongs to the rows around it until one of them takes it.
        if let Some(parent) = self.stack.last_mut() {
            parent.taken |= open.taken;
            if parent.date.is_none() && !open.taken {
                parent.date = open.date;
            }
        }
    }

    /// `<li>` without `</li>` and the like.
    fn close_implied(&mut self, element: Element) {
        use Element::*;
        let closes: &[Element] = match element {
            Li => &[Li],
            Dt | Dd => &[Dt, Dd],
            Tr => &[Tr, Td, Th],
            Td | Th => &[Td, Th],
            Option => &[Option],
            _ if element.is_block() => &[P],
            _ => return,
        };
        let stops: &[Element] = match element {
            Li => &[Ul, Ol],
            Dt | Dd => &[Dl],
            Tr | Td | Th => &[Table],
            _ => &[Div, Td, Li, Body, Button],
        };
        let floor = self.floor;
        while let Some(at) = self.stack[floor..]
            .iter()
            .rposition(|open| closes.contains(&open.name.element) || stops.contains(&open.name.element))
        {
            let at = floor + at;
            if stops.contains(&self.stack[at].name.element) {
                break;
            }
            while self.stack.len() > at {
                self.pop();
            }
            if element != Tr {
                break;
            }
        }
    }

    // ---- text blocks ------------------------------------------------------------------------

    fn flush(&mut self) {
        let open = !self.current.is_empty() || !self.current_links.is_empty() || self.anchor.is_some();
        if !open && self.trace.is_none() {
            return;
        }
        let reopen = self.anchor.map(|(link, _)| link);
        self.close_anchor();
        if let Some(link) = reopen {
            self.anchor = Some((link, 0));
        }
        let mut text = std::mem::take(&mut self.current);
        let mut links = std::mem::take(&mut self.current_links);
        self.block(&text, &links);
        // Both keep their room for the next block.
        text.clear();
        links.clear();
        (self.current, self.current_links) = (text, links);
    }

    fn block(&mut self, text: &str, links: &[usize]) {
        let empty = text.trim().is_empty();
        let kept = !empty && self.facts.blocks.len() < self.limits.blocks_max;
        if let Some(trace) = &mut self.trace {
            trace.end(kept.then_some(text));
        }
        if !kept {
            self.left_out |= !empty;
            return;
        }
        if let Some(open) = self.stack.last_mut().filter(|open| open.date.is_none()) {
            open.date = date_in_text(text);
        }
        let block = self.facts.blocks.len() as u32;
        for link in links {
            self.facts.links[*link].block = block;
        }
        self.facts.blocks.push(Block {
            zone: self.zone(),
            hidden: self.hidden(),
            heading: self.heading,
            path: self.path(),
            text: text.to_owned(),
        });
    }

    fn path(&self) -> String {
        const SHOWN: usize = 4;
        const MOST_BYTES: usize = 32;
        let from = self.stack.len().saturating_sub(SHOWN);
        let mut path = String::with_capacity(MOST_BYTES);
        for open in &self.stack[from..] {
            if !path.is_empty() {
                path.push('>');
            }
            open.name.append_to(&mut path);
        }
        path
    }

    // ---- links ------------------------------------------------------------------------------

    fn add_link(&mut self, target: &str, kind: Option<LinkKind>) -> Option<usize> {
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

    fn open_anchor(&mut self, href: &str) {
        if let Some(link) = self.add_link(href, None) {
            self.anchor = Some((link, self.current.len()));
        }
    }

    fn close_anchor(&mut self) {
        let Some((link, start)) = self.anchor.take() else { return };
        let end = self.current.len();
        // A link over several blocks keeps the longest of its texts.
        let (from, to) = self.facts.links[link].span;
        if (end - start) as u32 > to - from {
            self.facts.links[link].span = (start as u32, end as u32);
            self.current_links.push(link);
        }
    }

    fn row(&mut self, open: &Open) {
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

    // ---- elements with meaning of their own -------------------------------------------------

    fn read_element(&mut self, name: Name<'t>, attributes: &Attributes<'t>) {
        let element = name.element;
        let named = attributes.get(Attribute::Name).filter(|_| element == Element::A);
        for id in attributes.get(Attribute::Id).into_iter().chain(named) {
            if self.facts.anchors.len() < PLACES_MAX {
                self.facts.anchors.push(anchor_hash(&id));
            }
        }
        let mut link = |name: Attribute, kind| {
            if let Some(value) = attributes.get(name) {
                self.add_link(&value, Some(kind));
            }
        };
        match element {
            Element::Img => {
                link(Attribute::Src, LinkKind::Image);
                self.add_srcset(attributes);
                if matches!(self.zone(), Zone::Main) && !self.hidden() {
                    self.facts.main_media += 1;
                }
            }
            Element::Script => {
                link(Attribute::Src, LinkKind::Script);
                if let Some(code) = attributes.get(Attribute::Sitecode) {
                    self.facts.entrance_code.get_or_insert(code.trim().to_owned());
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
                self.add_srcset(attributes);
                self.facts.main_media += 1;
            }
            Element::Form => {
                link(Attribute::Action, LinkKind::Form);
                self.forms.open(&mut self.facts, self.base.url(), attributes);
            }
            Element::Input => self.forms.field(&mut self.facts, attributes),
            Element::Area => {
                if let Some(href) = attributes.get(Attribute::Href) {
                    self.add_link(&href, None);
                }
            }
            Element::Base => {
                if let Some(base) =
                    attributes.get(Attribute::Href).and_then(|href| self.base.url().join(&href).ok())
                {
                    self.base = Joiner::new(base);
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
        if attributes.get(Attribute::HttpEquiv).is_some_and(|name| name.eq_ignore_ascii_case("refresh")) {
            self.facts.refresh = links::refresh_target(&content).and_then(|target| self.base.join(target));
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

    fn style(&mut self, style: &str) {
        for target in links::css_urls(style) {
            self.add_link(target, Some(LinkKind::Image));
        }
    }

    fn script(&mut self, script: &'t str) {
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
            && let Some(target) = links::script_target(script)
        {
            self.facts.refresh = self.base.join(target);
        }
        self.published.read_script(script);
        // What a script holds is markup once, not scripts in scripts.
        if !self.in_script {
            let address = self.base.url().as_str().to_owned();
            script_list::parts(script, &address, |part| self.list_part(part));
        }
    }

    fn list_part(&mut self, part: Part<'t>) {
        match part {
            Part::Page(address) => {
                self.add_link(&address, Some(LinkKind::Page));
            }
            Part::Row(row) => self.data_row(row),
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
    fn data_row(&mut self, row: DataRow<'t>) {
        self.flush();
        let Some(link) = self.add_link(&row.url, None) else { return };
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

    // ---- the whole page ---------------------------------------------------------------------

    fn finish(mut self, address: &PageUrl) -> Facts {
        self.flush();
        while !self.stack.is_empty() {
            self.pop();
        }
        if self.flattened > 0 {
            self.facts.problems.push(Problem::TooDeep(self.flattened));
        }
        if self.left_out {
            self.facts.problems.push(Problem::TooMany("links or text".to_owned()));
        }
        let mut facts = self.facts;
        facts.main_chars = main_chars(&facts);
        page_dates(&mut facts, self.published, address);
        facts.kind = kind_of(&facts);
        facts
    }
}

/// Whether an element hides itself.
fn hides(attributes: &Attributes<'_>) -> bool {
    attributes.has(Attribute::Hidden)
        || attributes.get(Attribute::Style).is_some_and(|style| style_hides(&style))
}

fn collapse(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Appends a text with its white space collapsed; the wide space of Chinese text stays.
fn append(text: &str, out: &mut String) {
    let bytes = text.as_bytes();
    let class = |at: usize| bytes.get(at).map_or(Class::Letter, |byte| class(*byte));
    let mut start = 0;
    let mut at = 0;
    loop {
        while at < bytes.len() && class(at) == Class::Letter {
            at += 1;
        }
        if at >= bytes.len() {
            break;
        }
        // One space between two words stays where it is.
        if bytes[at] == b' ' && at > start && at + 1 < bytes.len() && class(at + 1) == Class::Letter {
            at += 2;
            continue;
        }
        let bytes_of_space = if class(at) == Class::Space { 1 } else { wide_space(&text[at..]) };
        if bytes_of_space == 0 {
            at += 1;
            continue;
        }
        out.push_str(&text[start..at]);
        if bytes[at] != 0 {
            space(out);
        }
        at += bytes_of_space;
        // More of it adds nothing.
        while bytes[at - 1] != 0 && bytes.get(at).is_some_and(|byte| *byte != 0) && class(at) == Class::Space
        {
            at += 1;
        }
        start = at;
    }
    out.push_str(&text[start..]);
}

/// Appends one space, if there is none yet and something before it.
fn space(out: &mut String) {
    if !out.is_empty() && !out.ends_with(' ') {
        out.push(' ');
    }
}

/// What a byte of a text may be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Letter,
    /// White space of ASCII, or a zero.
    Space,
    /// The beginning of what may be white space: U+0085 and U+00A0, U+1680, U+2000 and following.
    Wide,
}

const CLASSES: [Class; 256] = {
    let mut table = [Class::Letter; 256];
    let mut byte = b'\t';
    while byte <= b'\r' {
        table[byte as usize] = Class::Space;
        byte += 1;
    }
    table[0] = Class::Space;
    table[b' ' as usize] = Class::Space;
    table[0xC2] = Class::Wide;
    table[0xE1] = Class::Wide;
    table[0xE2] = Class::Wide;
    table
};

/// Whether a text is white space of ASCII alone.
fn is_space(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte != 0 && class(byte) == Class::Space)
}

fn class(byte: u8) -> Class {
    CLASSES[usize::from(byte)]
}

/// Bytes of a space other than ASCII's at the beginning of a text; 0: none.
fn wide_space(text: &str) -> usize {
    text.chars().next().filter(|c| c.is_whitespace()).map_or(0, char::len_utf8)
}

#[cfg(test)]
mod tests {
    use xunjian_model::DateSource;

    use super::*;

    fn facts(html: &str) -> Facts {
        let base = PageUrl::parse("http://a.gov.cn/x/t20240506_1.html").expect("base");
        build(html, &base, Limits::default())
    }

    #[test]
    fn lists_of_every_family_have_rows() {
        let row = |html: &str| {
            let facts = facts(html);
            let rows: Vec<_> = facts
                .items
                .iter()
                .map(|item| {
                    (
                        facts.link_text(&facts.links[item.link as usize]).to_owned(),
                        item.date.map(|d| d.to_string()),
                    )
                })
                .collect();
            rows
        };
        let wanted = vec![
            ("甲".to_owned(), Some("2024-05-06".to_owned())),
            ("乙".to_owned(), Some("2024-05-05".to_owned())),
        ];
        for html in [
            "<ul><li><a href=1>甲</a><span>2024-05-06</span></li><li><a href=2>乙</a><span>2024-05-05</span></li></ul>",
            "<ul><li><span>2024-05-06</span><a href=1>甲</a><li><span>2024-05-05</span><a href=2>乙</a></ul>",
            "<table><tr><td><a href=1>甲</a></td><td>2024-05-06</td></tr><tr><td><a href=2>乙</a><td>2024-05-05</table>",
            "<dl><dd>[2024-05-06] <a href=1>甲</a></dd><dd>[2024-05-05] <a href=2>乙</a></dd></dl>",
            "<div><div class=item><div><a href=1>甲</a></div><div>2024-05-06</div></div><div class=item><div><a href=2>乙</a></div><div>2024-05-05</div></div></div>",
        ] {
            assert_eq!(row(html), wanted, "{html}");
        }
    }

    #[test]
    fn lists_in_scripts_have_rows_and_next_pages() {
        let page = "<div class=list><ul><script type='text/xml'><datastore><nextgroup><![CDATA[<a href='/next.jsp?page=1'></a>]]></nextgroup>\
            <recordset><record><![CDATA[<li><a href='/1.html'>甲</a><span>2024-05-06</span></li></ul></div></div>]]></record>\
            <record><![CDATA[<script><datastore><![CDATA[<a href=/deep>]]></record></recordset></datastore></script></ul></div>\
            <script>var data = [{\"title\":\"乙\",\"url\":\"/2.html\",\"date\":\"2024-05-05\"}]; createPageHTML(2, 0, \"index\", \"shtml\");</script><p>正文</p>";
        let facts = facts(page);
        let rows: Vec<_> = facts
            .items
            .iter()
            .map(|item| (facts.link_text(&facts.links[item.link as usize]), item.date.map(|d| d.to_string())))
            .collect();
        assert_eq!(rows, [("甲", Some("2024-05-06".to_owned())), ("乙", Some("2024-05-05".to_owned()))]);
        let links: Vec<_> = facts.links.iter().map(|link| link.url.as_str()).collect();
        let wanted = ["/next.jsp?page=1", "/1.html", "/x/index_1.shtml", "/2.html"];
        assert_eq!(links, wanted.map(|path| format!("http://a.gov.cn{path}")));
        assert_eq!(
            facts.blocks.last().map(|block| block.path.as_str()),
            Some("p"),
            "what was open is closed"
        );
    }

    #[test]
    fn text_is_split_by_blocks_and_not_by_inline_tags() {
        let facts =
            facts("<div>政<b>府</b>网<!-- x -->站<p>第二段&amp;<span style='display:none'>藏</span></div>");
        let texts: Vec<_> = facts.blocks.iter().map(|block| block.text.as_str()).collect();
        assert_eq!(texts, ["政府网站", "第二段&", "藏"]);
        let drawn = self::facts("<p><svg>政<![CDATA[]]>府<![CDATA[ \n]]>网站</svg></p>");
        assert_eq!(drawn.blocks[0].text, "政府 网站");
    }

    #[test]
    fn hidden_text_links_and_labels() {
        let facts = facts(
            "<title> 标 题 </title><meta name='PubDate ' content=' 2024-05-06 10:00'>\
             <div style='left:-9999px'><a href='http://x.com/'>藏</a></div><p><a href='/y.pdf#p'>附件</a><img src=z.png>",
        );
        assert_eq!(facts.title, "标 题");
        assert_eq!(facts.label("pubdate"), Some("2024-05-06 10:00"));
        assert!(facts.links[0].hidden);
        assert_eq!(facts.links[1].kind, LinkKind::Attachment);
        assert_eq!(facts.links[1].url, "http://a.gov.cn/y.pdf");
        assert_eq!(facts.link_text(&facts.links[1]), "附件");
        assert_eq!(facts.links[2].kind, LinkKind::Image);
        assert!(facts.problems.is_empty());
        let sources: Vec<_> = facts.dates.iter().map(|date| date.source).collect();
        assert_eq!(sources, [DateSource::Label, DateSource::Url]);
    }

    #[test]
    fn scripts_that_divert_some_do_not_hide_where_another_leads() {
        let script = |target: &str| {
            format!("<script>if(/baidu/.test(document.referrer)){{location.href='{target}'}}</script>")
        };
        let (own, other) = (script("http://a.gov.cn/"), script("http://x.com/"));
        let facts = facts(&format!("{own}{other}{other}<script>location.href='/new/'</script>"));
        let targets: Vec<_> = facts.diversions.iter().map(|one| one.target.as_deref()).collect();
        assert_eq!(targets, [Some("http://a.gov.cn/"), Some("http://x.com/")]);
        assert_eq!(facts.refresh.as_deref(), Some("http://a.gov.cn/new/"));
    }

    #[test]
    fn frames_of_no_size_and_titles_in_references() {
        let facts = facts(
            "<title>&#28595;&#38376;&#36172;&#22330;官网</title><iframe src=http://x.com/ width=0 height=0></iframe>\
             <iframe src=http://y.com/ style='display:none'></iframe><iframe src=/map.html width=600></iframe>",
        );
        assert_eq!(facts.title, "澳门赌场官网");
        assert_eq!(facts.problems, [Problem::EncodedTitle]);
        let hidden: Vec<bool> = facts.links.iter().map(|link| link.hidden).collect();
        assert_eq!(hidden, [true, true, false]);
    }

    #[test]
    fn monsters_are_flattened_not_followed() {
        let deep = facts(&format!("{}text{}", "<div>".repeat(10_000), "</div>".repeat(10_000)));
        assert_eq!(deep.problems, [Problem::TooDeep(10_000 - 512)]);
        assert_eq!(deep.blocks[0].text, "text");
        let many = facts(&"<a href=/x>x</a>".repeat(30_000));
        assert_eq!(many.links.len(), 20_000);
        assert_eq!(many.problems.len(), 1);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_give_facts(body in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..600)) {
            let base = PageUrl::parse("http://a.gov.cn/").expect("base");
            let _ = crate::extract(&body, None, &base, Limits::default());
        }

        #[test]
        fn any_markup_gives_consistent_spans(html in "(<(a href=x|p|li|ul|div|/a|/li|/div|b|/b|title|/title)>|[文字 ]){0,60}") {
            let facts = facts(&html);
            for link in &facts.links {
                let _ = facts.link_text(link);
            }
        }
    }
}
