//! Tokens to facts: one pass with a stack of open elements.

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use jiff::civil::Date;
use xunjian_model::{
    Block, DateFact, DateSource, Facts, Fragment, Label, Link, LinkKind, ListItem, PageUrl, Problem, Zone,
    anchor_hash,
};

use crate::date::date_in_text;
use crate::hidden::style_hides;
use crate::whole::{kind_of, main_chars, page_dates};
use crate::{Limits, links, zone};

/// Ids, places and faulty addresses kept of a page.
const PLACES_MAX: usize = 4_096;

pub(crate) fn build(text: &str, base: &PageUrl, limits: Limits) -> Facts {
    let sink = Sink(RefCell::new(Builder::new(base.clone(), limits)));
    let tokenizer = Tokenizer::new(sink, TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(text));
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    tokenizer.sink.0.into_inner().finish(base)
}

struct Sink(RefCell<Builder>);

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut builder = self.0.borrow_mut();
        match token {
            Token::CharacterTokens(text) => builder.text(&text),
            Token::TagToken(tag) => match tag.kind {
                TagKind::StartTag => return builder.start(&tag),
                TagKind::EndTag => builder.end(&tag.name),
            },
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

struct Open {
    name: String,
    zone: Zone,
    hidden: bool,
    /// Link count and row state when the element began: for list rows.
    links: usize,
    date: Option<Date>,
    taken: bool,
}

/// Text that is not shown but read: scripts, styles, the title.
enum Raw {
    None,
    Title,
    Script,
    Style,
    Ignored,
}

struct Builder {
    facts: Facts,
    base: PageUrl,
    limits: Limits,
    stack: Vec<Open>,
    current: String,
    current_links: Vec<usize>,
    heading: u8,
    anchor: Option<(usize, usize)>,
    raw: Raw,
    raw_text: String,
    flattened: u32,
    text_bytes: usize,
    left_out: bool,
}

impl Builder {
    fn new(base: PageUrl, limits: Limits) -> Self {
        Self {
            facts: Facts::default(),
            base,
            limits,
            stack: Vec::new(),
            current: String::new(),
            current_links: Vec::new(),
            heading: 0,
            anchor: None,
            raw: Raw::None,
            raw_text: String::new(),
            flattened: 0,
            text_bytes: 0,
            left_out: false,
        }
    }

    fn zone(&self) -> Zone {
        self.stack.last().map_or(Zone::Main, |open| open.zone)
    }

    fn hidden(&self) -> bool {
        self.stack.last().is_some_and(|open| open.hidden)
    }

    // ---- tokens -----------------------------------------------------------------------------

    fn text(&mut self, text: &str) {
        match self.raw {
            Raw::None => {}
            Raw::Ignored => return,
            _ => {
                self.raw_text.push_str(text);
                return;
            }
        }
        if self.text_bytes + text.len() > self.limits.text_bytes_max {
            self.left_out = true;
            return;
        }
        self.text_bytes += text.len();
        for c in text.chars() {
            if c.is_whitespace() && c != '\u{3000}' {
                if !self.current.is_empty() && !self.current.ends_with(' ') {
                    self.current.push(' ');
                }
            } else {
                self.current.push(c);
            }
        }
    }

    fn start(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name: &str = &tag.name;
        let attribute =
            |wanted: &str| tag.attrs.iter().find(|attr| &*attr.name.local == wanted).map(|attr| &*attr.value);
        self.read_element(name, &attribute);
        match name {
            "title" if self.facts.title.is_empty() && self.raw_is_none() => {
                return self.raw(Raw::Title, RawKind::Rcdata);
            }
            "title" | "textarea" => return self.raw(Raw::Ignored, RawKind::Rcdata),
            "script" => return self.raw(Raw::Script, RawKind::ScriptData),
            "style" => return self.raw(Raw::Style, RawKind::Rawtext),
            "iframe" | "noembed" | "noframes" | "xmp" => return self.raw(Raw::Ignored, RawKind::Rawtext),
            _ => {}
        }
        if is_block(name) {
            self.flush();
        }
        if name == "br" {
            self.current.push(' ');
        }
        self.close_implied(name);
        if let Some(level) = heading_level(name) {
            self.heading = level;
        }
        if name == "a" {
            self.close_anchor();
        }
        if !is_void(name) && !tag.self_closing {
            self.push(name, &attribute);
        }
        if name == "a"
            && let Some(href) = attribute("href")
        {
            self.open_anchor(href);
        }
        TokenSinkResult::Continue
    }

    fn raw_is_none(&self) -> bool {
        matches!(self.raw, Raw::None)
    }

    fn raw(&mut self, raw: Raw, kind: RawKind) -> TokenSinkResult<()> {
        self.raw = raw;
        self.raw_text.clear();
        TokenSinkResult::RawData(kind)
    }

    fn push<'a>(&mut self, name: &str, attribute: &dyn Fn(&str) -> Option<&'a str>) {
        if self.stack.len() >= self.limits.depth_max {
            self.flattened += 1;
            return;
        }
        let class = attribute("class").unwrap_or_default();
        let id = attribute("id").unwrap_or_default();
        let hides = attribute("hidden").is_some()
            || attribute("style").is_some_and(style_hides)
            || name == "marquee" && attribute("height").is_some_and(|height| matches!(height, "0" | "1"));
        if hides && !self.hidden() {
            // Hidden text is no part of the sentence around it.
            self.flush();
        }
        let zone = match name {
            "body" | "html" => None,
            _ => zone::zone_of(name, class, id),
        };
        self.stack.push(Open {
            name: name.to_owned(),
            zone: zone.unwrap_or_else(|| self.zone()),
            hidden: hides || self.hidden(),
            links: self.facts.links.len(),
            date: None,
            taken: false,
        });
    }

    fn end(&mut self, name: &str) {
        match std::mem::replace(&mut self.raw, Raw::None) {
            Raw::None => {}
            Raw::Title => {
                self.facts.title = collapse(&self.raw_text);
                return;
            }
            Raw::Script => return self.script(),
            Raw::Style => return self.style(),
            Raw::Ignored => return,
        }
        if is_block(name) {
            self.flush();
        }
        if name == "a" {
            self.close_anchor();
        }
        if heading_level(name).is_some() {
            self.heading = 0;
        }
        // An end tag closes the nearest element of its name; one without a start is ignored.
        if let Some(at) = self.stack.iter().rposition(|open| open.name == name) {
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
        if is_row(&open.name) {
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
    fn close_implied(&mut self, name: &str) {
        let closes: &[&str] = match name {
            "li" => &["li"],
            "dt" | "dd" => &["dt", "dd"],
            "tr" => &["tr", "td", "th"],
            "td" | "th" => &["td", "th"],
            "option" => &["option"],
            _ if is_block(name) => &["p"],
            _ => return,
        };
        let stops: &[&str] = match name {
            "li" => &["ul", "ol"],
            "dt" | "dd" => &["dl"],
            "tr" | "td" | "th" => &["table"],
            _ => &["div", "td", "li", "body", "button"],
        };
        while let Some(at) = self
            .stack
            .iter()
            .rposition(|open| closes.contains(&open.name.as_str()) || stops.contains(&open.name.as_str()))
        {
            if stops.contains(&self.stack[at].name.as_str()) {
                break;
            }
            while self.stack.len() > at {
                self.pop();
            }
            if name != "tr" {
                break;
            }
        }
    }

    // ---- text blocks ------------------------------------------------------------------------

    fn flush(&mut self) {
        let reopen = self.anchor.map(|(link, _)| link);
        self.close_anchor();
        let links = std::mem::take(&mut self.current_links);
        let text = std::mem::take(&mut self.current);
        if let Some(link) = reopen {
            self.anchor = Some((link, 0));
        }
        if text.trim().is_empty() {
            return;
        }
        if self.facts.blocks.len() >= self.limits.blocks_max {
            self.left_out = true;
            return;
        }
        if let Some(date) = date_in_text(&text)
            && let Some(open) = self.stack.last_mut()
            && open.date.is_none()
        {
            open.date = Some(date);
        }
        let block = self.facts.blocks.len() as u32;
        for link in links {
            self.facts.links[link].block = block;
        }
        self.facts.blocks.push(Block {
            zone: self.zone(),
            hidden: self.hidden(),
            heading: self.heading,
            path: self.path(),
            text,
        });
    }

    fn path(&self) -> String {
        const SHOWN: usize = 4;
        let from = self.stack.len().saturating_sub(SHOWN);
        let mut path = String::new();
        for open in &self.stack[from..] {
            if !path.is_empty() {
                path.push('>');
            }
            path.push_str(&open.name);
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
        if target.contains('#') && kind.is_none() {
            self.add_fragment(target);
        }
        if target.starts_with('#') {
            return None;
        }
        if kind.is_none() && links::is_bad_address(target) && self.facts.bad_addresses.len() < PLACES_MAX {
            self.facts.bad_addresses.push(target.to_owned());
        }
        let url = self.base.join(target).ok()?;
        let kind = kind.unwrap_or_else(|| links::kind_of_anchor(&url));
        self.facts.links.push(Link {
            url: url.into(),
            kind,
            block: u32::MAX,
            span: (0, 0),
            hidden: self.hidden(),
            zone: self.zone(),
        });
        Some(self.facts.links.len() - 1)
    }

    fn add_fragment(&mut self, target: &str) {
        let Ok(url) = self.base.as_url().join(target) else { return };
        if let Some(id) = links::fragment(&url)
            && let Ok(page) = PageUrl::parse(url.as_str())
            && self.facts.fragments.len() < PLACES_MAX
        {
            self.facts.fragments.push(Fragment { url: page.into(), id });
        }
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

    fn read_element<'a>(&mut self, name: &str, attribute: &dyn Fn(&str) -> Option<&'a str>) {
        let named = attribute("name").filter(|_| name == "a");
        for id in attribute("id").into_iter().chain(named) {
            if self.facts.anchors.len() < PLACES_MAX {
                self.facts.anchors.push(anchor_hash(id));
            }
        }
        let mut link = |value: Option<&str>, kind| {
            if let Some(value) = value {
                self.add_link(value, Some(kind));
            }
        };
        match name {
            "img" => {
                link(attribute("src"), LinkKind::Image);
                for part in attribute("srcset").into_iter().flat_map(links::srcset) {
                    link(Some(part), LinkKind::Image);
                }
                if matches!(self.zone(), Zone::Main) && !self.hidden() {
                    self.facts.main_media += 1;
                }
            }
            "script" => link(attribute("src"), LinkKind::Script),
            "iframe" | "frame" => link(attribute("src"), LinkKind::Frame),
            "video" | "audio" | "source" | "embed" | "object" => {
                for part in attribute("srcset").into_iter().flat_map(links::srcset) {
                    link(Some(part), LinkKind::Image);
                }
                link(attribute("src").or(attribute("data")), LinkKind::Media);
                self.facts.main_media += 1;
            }
            "form" => link(attribute("action"), LinkKind::Form),
            "area" => {
                if let Some(href) = attribute("href") {
                    self.add_link(href, None);
                }
            }
            "base" => {
                if let Some(base) = attribute("href").and_then(|href| self.base.join(href).ok()) {
                    self.base = base;
                }
            }
            "link" => {
                let rel = attribute("rel").unwrap_or_default().to_ascii_lowercase();
                let href = attribute("href").unwrap_or_default();
                if rel.contains("stylesheet") {
                    link(Some(href), LinkKind::Style);
                } else if rel == "canonical" {
                    self.facts.canonical = self.base.join(href).ok().map(String::from);
                }
            }
            "meta" => self.meta(attribute),
            _ => {}
        }
        if let Some(background) = attribute("background") {
            self.add_link(background, Some(LinkKind::Image));
        }
        if let Some(style) = attribute("style").filter(|style| style.contains("url(")) {
            for target in links::css_urls(style) {
                self.add_link(target, Some(LinkKind::Image));
            }
        }
    }

    fn meta<'a>(&mut self, attribute: &dyn Fn(&str) -> Option<&'a str>) {
        let content = attribute("content").unwrap_or_default();
        if attribute("http-equiv").is_some_and(|name| name.eq_ignore_ascii_case("refresh")) {
            let target = links::refresh_target(content).and_then(|target| self.base.join(target).ok());
            self.facts.refresh = target.map(String::from);
        }
        let Some(name) = attribute("name").or(attribute("property")) else { return };
        if name.trim().eq_ignore_ascii_case("robots") {
            let content = content.to_ascii_lowercase();
            self.facts.nofollow = content.contains("nofollow") || content.contains("none");
            self.facts.noindex = content.contains("noindex") || content.contains("none");
        }
        self.facts.labels.push(Label { name: name.trim().to_owned(), content: content.trim().to_owned() });
    }

    fn style(&mut self) {
        let style = std::mem::take(&mut self.raw_text);
        for target in links::css_urls(&style) {
            self.add_link(target, Some(LinkKind::Image));
        }
    }

    fn script(&mut self) {
        let script = std::mem::take(&mut self.raw_text);
        if links::fills_page(&script) {
            self.facts.scripted = true;
        }
        if self.facts.refresh.is_none()
            && let Some(target) = links::script_target(&script)
        {
            self.facts.refresh = self.base.join(target).ok().map(String::from);
        }
        if script.contains("datePublished")
            && let Some(at) = script.find("datePublished")
            && let Some(date) = script.get(at..).and_then(|rest| {
                let end = rest.char_indices().nth(60).map_or(rest.len(), |(at, _)| at);
                date_in_text(&rest[..end])
            })
        {
            self.facts.dates.push(DateFact { date, source: DateSource::Structured });
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
        page_dates(&mut facts, address);
        facts.kind = kind_of(&facts);
        facts
    }
}

fn collapse(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn heading_level(name: &str) -> Option<u8> {
    match name.as_bytes() {
        [b'h', level @ b'1'..=b'6'] => Some(level - b'0'),
        _ => None,
    }
}

fn is_row(name: &str) -> bool {
    matches!(name, "li" | "tr" | "dd" | "dt" | "p" | "div" | "article" | "section")
}

fn is_void(name: &str) -> bool {
    matches!(
        name,
        "area"
            | "base"
            | "br"
            | "col"
            | "embed"
            | "hr"
            | "img"
            | "input"
            | "link"
            | "meta"
            | "param"
            | "source"
            | "track"
            | "wbr"
            | "frame"
    )
}

fn is_block(name: &str) -> bool {
    matches!(
        name,
        "address"
            | "article"
            | "aside"
            | "blockquote"
            | "body"
            | "button"
            | "caption"
            | "center"
            | "dd"
            | "details"
            | "dialog"
            | "dir"
            | "div"
            | "dl"
            | "dt"
            | "fieldset"
            | "figcaption"
            | "figure"
            | "footer"
            | "form"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "header"
            | "hr"
            | "html"
            | "li"
            | "main"
            | "menu"
            | "nav"
            | "ol"
            | "option"
            | "p"
            | "pre"
            | "section"
            | "select"
            | "summary"
            | "table"
            | "tbody"
            | "td"
            | "tfoot"
            | "th"
            | "thead"
            | "tr"
            | "ul"
            | "head"
    )
}

#[cfg(test)]
mod tests {
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
    fn text_is_split_by_blocks_and_not_by_inline_tags() {
        let facts =
            facts("<div>政<b>府</b>网<!-- x -->站<p>第二段&amp;<span style='display:none'>藏</span></div>");
        let texts: Vec<_> = facts.blocks.iter().map(|block| block.text.as_str()).collect();
        assert_eq!(texts, ["政府网站", "第二段&", "藏"]);
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
        let sources: Vec<_> = facts.dates.iter().map(|date| date.source).collect();
        assert_eq!(sources, [DateSource::Label, DateSource::Url]);
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
