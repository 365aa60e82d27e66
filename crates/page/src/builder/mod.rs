//! Tokens to facts: one pass with a stack of open elements.

mod anchors;
mod elements;
mod foot;
mod headed;
mod hiding;
mod regions;
#[cfg(test)]
mod tests;

use std::ops::Range;

use encoding_rs::{Encoding, UTF_8};
use jiff::civil::Date;
use xunjian_model::{Block, Facts, PageKind, PageUrl, Problem, Zone, anchor_hash};

use self::headed::Headed;
use self::regions::Regions;
use crate::attribute::{Attribute, Attributes};
use crate::date::{date_in_row, date_of_parts, has_year, is_amid_words, is_date_part, names_another_day};
use crate::element::{Element, Name};
use crate::forms::Forms;
use crate::join::Joiner;
use crate::kind::{is_shell, kind_of, linked_chars, main_chars};
use crate::markup::{Reader, Token};
use crate::neighbour::{is_name_of_neighbour, is_name_of_related, is_neighbour};
use crate::panels::Panel;
use crate::published::{Published, page_dates};
use crate::references::{self, Piece};
use crate::sheet::Sheet;
use crate::source::{TextPart, Trace};
use crate::white_space::{append, collapse, is_space, space};
use crate::{Limits, handlers, list_data, zone};

/// Character references from which a title is written in them, if they are most of it.
const ENCODED_MIN: usize = 4;
/// Elements around one that may hold the whole page: `html`, `body`, and one more.
const OUTERMOST: usize = 3;
/// Bytes of the name of what stands in the next cell: twelve characters in Chinese.
const NAME_BYTES_MAX: usize = 36;
/// Bytes of a block that is little else than a date: `发布时间：2024-05-06 10:00:00`.
const PLAIN_BYTES_MAX: usize = 48;
/// Characters of a date at the beginning and at the end of a longer one: `[2024-05-06]`, `2024-05-06 10:00:00`.
const BEGINNING_CHARS: usize = 14;
const END_CHARS: usize = 22;
/// Ids, places and faulty addresses kept of a page.
const PLACES_MAX: usize = 4_096;

pub(crate) fn build(text: &str, charset: &'static Encoding, base: &PageUrl, limits: Limits) -> Facts {
    let handed = list_data::read(text);
    let mut builder = Builder::new(base, charset, limits);
    match &handed {
        Some(handed) => builder.data(text, handed),
        None => builder.read(text),
    }
    builder.finish(base)
}

/// Where parts of the texts are written in a page.
pub(crate) fn trace(
    text: &str,
    base: &PageUrl,
    limits: Limits,
    wanted: Vec<TextPart>,
) -> Vec<Option<Range<usize>>> {
    let handed = list_data::read(text);
    let mut trace = Trace::new(text, wanted);
    for markup in handed.iter().flat_map(|handed| &handed.markup) {
        trace.add_copy(&markup.text, markup.written());
    }
    let mut builder = Builder::new(base, UTF_8, limits);
    builder.trace = Some(trace);
    match &handed {
        Some(handed) => builder.data(text, handed),
        None => builder.read(text),
    }
    builder.flush();
    builder.trace.map(Trace::found).unwrap_or_default()
}

/// The date of a row.
#[derive(Clone, Copy)]
struct RowDate {
    date: Date,
    place: Place,
}

/// How a date stands in its block, from the one that is least a row's to that which is most.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// In a sentence that tells of it.
    Told,
    /// Set apart amid a longer text.
    Apart,
    /// In a block of little else, or at an end of it.
    Plain,
}

impl Place {
    fn of(date: Date, text: &str) -> Self {
        let is_in = |part: &str| date_in_row(part) == Some(date);
        let at_end = || {
            is_in(text.char_indices().nth(BEGINNING_CHARS).map_or(text, |(at, _)| &text[..at]))
                || is_in(text.char_indices().rev().nth(END_CHARS - 1).map_or(text, |(at, _)| &text[at..]))
        };
        match text.len() > PLAIN_BYTES_MAX {
            true if is_amid_words(text, date) => Self::Told,
            true if !at_end() => Self::Apart,
            _ => Self::Plain,
        }
    }
}

impl RowDate {
    /// Whether it is rather a row's than the one that was found in front of it.
    fn is_rather(self, known: Option<Self>) -> bool {
        known.is_none_or(|known| self.place > known.place)
    }
}

struct Open<'t> {
    name: Name<'t>,
    zone: Zone,
    hidden: bool,
    /// By a rule of a style sheet, which may be a menu's.
    folded: bool,
    /// Counts of blocks and links and row state when the element began: for list rows.
    blocks: usize,
    links: usize,
    date: Option<RowDate>,
    taken: bool,
    /// It begins a region.
    region: bool,
    /// The last part in it that is shown.
    shown: Panel<'t>,
    /// Hash of its id; 0: it has none.
    id: u32,
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
    /// Charset the page was decoded by.
    charset: &'static Encoding,
    base: Joiner,
    limits: Limits,
    stack: Vec<Open<'t>>,
    current: String,
    current_links: Vec<usize>,
    heading: u8,
    anchor: Option<(usize, usize)>,
    /// The block before may be a part of a date.
    is_date_part: bool,
    /// Choosing an entry of the menu opens it.
    menu_opens: bool,
    flattened: u32,
    text_bytes: usize,
    left_out: bool,
    published: Published,
    /// Where texts are written, if that is asked.
    trace: Option<Trace>,
    /// What is read stands in a script.
    in_script: bool,
    forms: Forms,
    regions: Regions,
    /// Blocks of the first rows, from their titles on.
    rows: Vec<Range<usize>>,
    /// Blocks read before each picture and film of the main text.
    media: Vec<u32>,
    headed: Headed,
    /// More to read may stand in the next element at this depth, if it brings the first link behind these.
    more: Option<(usize, usize)>,
    sheet: Sheet,
    /// Elements with an id and the links in them, by their first and behind their last.
    parts: Vec<(u32, usize, usize)>,
    /// Open drawings and formulas.
    foreign: usize,
    /// Elements below do not end: the script stands inside of them.
    floor: usize,
    /// The page is a list that was handed out as data.
    is_data: bool,
    /// It has a head or a body, or what belongs there.
    is_whole: bool,
    /// The rows in the page bring the address of the next ones.
    brings_next: bool,
    /// Scripts that may lead on, and where one does by what it writes, if the page shows nothing.
    leading: Vec<&'t str>,
    written_refresh: Option<String>,
}

impl<'t> Builder<'t> {
    fn new(base: &PageUrl, charset: &'static Encoding, limits: Limits) -> Self {
        let facts = Facts {
            // What most pages have room for.
            links: Vec::with_capacity(128),
            blocks: Vec::with_capacity(128),
            anchors: Vec::with_capacity(32),
            ..Facts::default()
        };
        Self {
            facts,
            charset,
            base: Joiner::new(base.clone(), charset),
            limits,
            stack: Vec::with_capacity(32),
            current: String::new(),
            current_links: Vec::new(),
            heading: 0,
            anchor: None,
            is_date_part: false,
            menu_opens: false,
            flattened: 0,
            text_bytes: 0,
            left_out: false,
            published: Published::default(),
            trace: None,
            in_script: false,
            forms: Forms::default(),
            regions: Regions::default(),
            rows: Vec::new(),
            media: Vec::new(),
            headed: Headed::default(),
            more: None,
            sheet: Sheet::default(),
            parts: Vec::new(),
            foreign: 0,
            floor: 0,
            is_data: false,
            is_whole: false,
            brings_next: false,
            leading: Vec::new(),
            written_refresh: None,
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
    pub(super) fn is_for_others(&self) -> bool {
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
        self.is_whole |=
            matches!(element, Element::Html | Element::Head | Element::Body | Element::Title | Element::Meta);
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
        if matches!(element, Element::A | Element::Option) {
            self.close_anchor();
        }
        if element == Element::Select {
            let handler = attributes.get(Attribute::Onchange);
            self.menu_opens = handler.is_some_and(|handler| handlers::opens_choice(&handler));
        }
        if !element.is_void() && !self_closing {
            self.push(name, attributes);
        }
        if matches!(element, Element::A | Element::Option) {
            self.open_anchor(element, attributes);
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
        self.headed.begin(name.element, attributes);
        let (hidden, folded) = self.hiding(name.element, attributes);
        // Browsers with scripts do not show what is there for others.
        let hidden = hidden || name.text.eq_ignore_ascii_case("noscript");
        if hidden && !self.hidden() {
            // Hidden text is no part of the sentence around it.
            self.flush();
        }
        self.foreign += usize::from(name.element.is_foreign() == Some(true));
        let zone = match name.element {
            Element::Body | Element::Html => None,
            element
                if element.is_block() && self.more.is_some_and(|(depth, _)| depth == self.stack.len()) =>
            {
                self.more = None;
                Some(Zone::Navigation)
            }
            element => zone::zone_of(element, attributes, self.stack.len() <= OUTERMOST),
        };
        let region =
            name.element.is_block() && zone.is_some_and(|zone| self.regions.begin(zone, &self.facts));
        self.stack.push(Open {
            name,
            zone: zone.unwrap_or_else(|| self.zone()),
            hidden: hidden || self.hidden(),
            folded,
            blocks: self.facts.blocks.len(),
            links: self.facts.links.len(),
            date: None,
            taken: false,
            region,
            shown: Panel::default(),
            id: attributes.get(Attribute::Id).map_or(0, |id| anchor_hash(&id)),
        });
    }

    fn end(&mut self, name: Name<'t>) {
        let element = name.element;
        if element.is_block() {
            self.flush();
        }
        if matches!(element, Element::A | Element::Option | Element::Select) {
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
        if let [around @ .., top] = &self.stack[..]
            && top.hidden
            && !around.last().is_some_and(|parent| parent.hidden)
        {
            self.flush();
        }
        let Some(open) = self.stack.pop() else { return };
        self.headed.end(open.name.element);
        self.more =
            self.more.filter(|(depth, links)| *depth <= self.stack.len() && *links == self.facts.links.len());
        if open.region {
            self.regions.end(&self.facts);
        }
        let links = self.facts.links.len();
        if open.id != 0 && open.links < links && self.parts.len() < PLACES_MAX {
            self.parts.push((open.id, open.links, links));
        }
        self.foreign -= usize::from(open.name.element.is_foreign() == Some(true));
        if open.name.element.is_row() {
            self.row(&open);
        }
        // A row's date belongs to the rows around it until one of them takes it.
        if let Some(parent) = self.stack.last_mut() {
            parent.taken |= open.taken;
            // Paragraphs of a list are a text in it.
            let is_text = parent.name.element.is_list() && open.name.element == Element::P;
            if let Some(date) =
                open.date.filter(|date| date.is_rather(parent.date) && !open.taken && !is_text)
            {
                parent.date = Some(date);
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
        self.note_date(text, links);
        let block = self.facts.blocks.len() as u32;
        let leads_on = self.zone() == Zone::Main && (is_neighbour(text) || self.is_behind_neighbour(links));
        let zone = if leads_on { Zone::Navigation } else { self.zone() };
        for link in links {
            let link = &mut self.facts.links[*link];
            link.block = block;
            if leads_on {
                link.zone = zone;
            }
        }
        self.facts.blocks.push(Block {
            zone,
            hidden: self.hidden(),
            heading: self.heading,
            path: self.path(),
            text: text.to_owned(),
        });
        if zone == Zone::Main && links.is_empty() && is_name_of_related(text) {
            self.more_to_read(block as usize);
        }
    }

    /// Takes what a block names for rows of other articles: what stands in the same element, or in the next one.
    fn more_to_read(&mut self, name: usize) {
        let blocks = &self.facts.blocks;
        let is_text = |block: &Block| block.zone == Zone::Main && !block.hidden;
        // A column may be called so.
        let is_own =
            self.facts.title.contains(blocks[name].text.trim()) || !blocks[..name].iter().any(is_text);
        let Some(at) = self.stack.iter().position(|open| open.blocks == name).filter(|_| !is_own) else {
            return;
        };
        for open in &mut self.stack[at..] {
            open.zone = Zone::Navigation;
        }
        self.more = Some((at, self.facts.links.len()));
    }

    /// Whether a block of links stands behind one that names the article before or behind, and leads nowhere itself.
    fn is_behind_neighbour(&self, links: &[usize]) -> bool {
        let Some(before) = self.facts.blocks.len().checked_sub(1).filter(|_| !links.is_empty()) else {
            return false;
        };
        let leads = || self.facts.links.iter().rev().any(|link| link.block as usize == before);
        is_name_of_neighbour(&self.facts.blocks[before].text) && !leads()
    }

    /// Dates the row a block stands in, by the block alone or with the one before it.
    fn note_date(&mut self, text: &str, links: &[usize]) {
        self.headed.read(text);
        let before = std::mem::take(&mut self.is_date_part);
        let part = is_date_part(text);
        let with_before = || {
            let before = self.facts.blocks.last().filter(|_| before && part)?;
            date_of_parts(&before.text, text)
        };
        // What day it is says nothing of a row, nor does a day that the cell before gives to something else.
        let of_row = || {
            let named = |before: &Block| {
                before.text.len() <= NAME_BYTES_MAX
                    && names_another_day(&before.text)
                    && text.starts_with("20")
            };
            !text.contains("今天")
                && !self.facts.blocks.last().is_some_and(named)
                && !self.headed.is_another_day()
        };
        // A day in a title may be that of what it is about: what stands around it is asked first.
        let around = (!links.is_empty() && has_year(text)).then(|| self.around_links(text, links));
        let apart = around.and_then(|around| {
            let date = date_in_row(&around)?;
            let place = if around.len() > PLAIN_BYTES_MAX { Place::of(date, text) } else { Place::Plain };
            Some(RowDate { date, place })
        });
        let in_text = || {
            let date = date_in_row(text)?;
            // 2019年12月2日会议纪要: before a title the day of its row is written in numbers.
            let is_of_title = links.iter().any(|link| {
                let (start, end) = self.facts.links[*link].span;
                let title = text.get(start as usize..end as usize).unwrap_or_default();
                title.contains('年') && is_amid_words(title, date)
            });
            (!is_of_title).then(|| RowDate { date, place: Place::of(date, text) })
        };
        let of_parts = || with_before().map(|date| RowDate { date, place: Place::of(date, text) });
        let date = apart.or_else(in_text).filter(|_| of_row()).or_else(of_parts);
        self.is_date_part = part && date.is_none();
        if let Some((open, date)) = self.stack.last_mut().zip(date)
            && date.is_rather(open.date)
        {
            open.date = Some(date);
        }
    }

    /// What stands in a block around its links.
    fn around_links(&self, text: &str, links: &[usize]) -> String {
        let (mut around, mut from) = (String::with_capacity(text.len()), 0);
        for link in links {
            let (start, end) = self.facts.links[*link].span;
            around.push_str(text.get(from..start as usize).unwrap_or_default());
            around.push(' ');
            from = from.max(end as usize);
        }
        around.push_str(text.get(from..).unwrap_or_default());
        around.trim().to_owned()
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
        self.is_whole |= !self.facts.title.is_empty();
        if !self.is_whole && !self.is_data {
            self.piece_parts();
        }
        self.lead_on();
        let mut facts = self.facts;
        facts.refresh = facts.refresh.filter(|target| *target != address.as_str());
        let linked = linked_chars(&facts);
        self.regions.review(&mut facts, &linked);
        foot::set_apart(&mut facts, &self.media);
        facts.main_chars = main_chars(&facts, &linked);
        page_dates(&mut facts, self.published, address);
        facts.kind = if self.is_data { PageKind::List } else { kind_of(&facts, &linked, &self.rows) };
        facts.piece = self.is_data || !self.is_whole;
        facts.scripted |= is_shell(&facts);
        facts
    }
}
