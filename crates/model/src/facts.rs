//! What a page says, extracted once from its bytes and kept.

use std::collections::HashSet;
use std::fmt;
use std::ops::Range;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// The facts of one page. Extraction never fails: what was wrong stands in `problems`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// The charset the bytes were read with, and how it was found.
    pub charset: Charset,
    /// What was wrong with the bytes or the markup.
    pub problems: Vec<Problem>,
    /// Text of `<title>`.
    pub title: String,
    /// `<meta name content>` pairs in order.
    pub labels: Vec<Label>,
    /// Runs of text between block borders, in order.
    pub blocks: Vec<Block>,
    /// Every address the page refers to, in order.
    pub links: Vec<Link>,
    /// Rows of lists: a link with its date.
    pub items: Vec<ListItem>,
    /// Dates the page gives for itself, in order of appearance.
    pub dates: Vec<DateFact>,
    /// `<link rel=canonical>`, absolute.
    pub canonical: Option<String>,
    /// Target of `<meta http-equiv=refresh>` or of a plain `location` script, absolute.
    pub refresh: Option<String>,
    /// Whether a script seems to fill a list or the page.
    pub scripted: bool,
    /// `<meta name=robots>` says nofollow.
    pub nofollow: bool,
    /// `<meta name=robots>` says noindex.
    pub noindex: bool,
    /// What the page seems to be.
    pub kind: PageKind,
    /// Characters of main text (outside navigation, footer and links).
    pub main_chars: u32,
    /// Pictures and embedded objects in the main text: content, too.
    pub main_media: u32,
    /// Ids and names a fragment can point to, as [`anchor_hash`].
    pub anchors: Vec<u32>,
    /// Links to a place in a page.
    pub fragments: Vec<Fragment>,
    /// Addresses that nobody can open, whatever answers.
    pub bad_addresses: Vec<BadAddress>,
    /// Forms.
    pub forms: Vec<Form>,
    /// Fields of the main text for readers to write in, but for a search, that no form holds.
    pub loose_fields: u32,
    /// Site code that the entrance 我为政府网站找错 is written with (`sitecode`).
    pub entrance_code: Option<String>,
    /// What its scripts do to visitors from search engines.
    pub diversions: Vec<Diversion>,
    /// No page of its own: a list that was handed out to a script, or a piece of markup without a head or a body.
    pub piece: bool,
}

/// A form a reader can fill in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    /// Where it is sent, absolute.
    pub action: String,
    /// It is sent by POST.
    pub post: bool,
    /// `accept-charset`, where it names one.
    pub charset: Option<String>,
    /// A script has a hand in what is sent, and where (`onsubmit`, or `onclick` of a field).
    pub scripted: bool,
    /// Its fields, in order.
    pub fields: Vec<Field>,
    /// Readers write in it in the main text, and no number of a page.
    pub main: bool,
}

impl Form {
    /// Whether its address or a button says that it searches.
    pub fn says_search(&self) -> bool {
        let action = self.action.to_ascii_lowercase();
        let pressed = |field: &&Field| matches!(field.kind.as_str(), "submit" | "button" | "image");
        let says = |text: &str| SEARCH_WORDS.iter().any(|word| text.contains(word));
        says(&action)
            || self.fields.iter().filter(pressed).any(|field| says(&field.value) || says(&field.hint))
    }
}

/// A field of a form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Name; fields without one are not sent.
    pub name: String,
    /// `type`, lower-case; `text` when there is none.
    pub kind: String,
    /// What stands in it.
    pub value: String,
    /// `placeholder`, `title` or `id`: what it is for.
    pub hint: String,
}

impl Field {
    /// Whether its name or hint says that it takes what is searched for.
    pub fn says_search(&self) -> bool {
        let hint = self.hint.to_lowercase();
        SEARCH_NAMES.contains(&self.name.to_ascii_lowercase().as_str())
            || SEARCH_WORDS.iter().any(|word| hint.contains(word))
    }

    /// Whether readers write in it.
    pub fn is_typed(&self) -> bool {
        matches!(self.kind.as_str(), "text" | "password" | "tel" | "email" | "number" | "date")
    }
}

/// Names of fields for what is searched for.
pub const SEARCH_NAMES: &[&str] = &[
    "q", "s", "key", "keys", "keyword", "keywords", "searchword", "searchwords", "word", "words", "wd",
    "query", "qt", "title", "searchtext", "kw",
];
/// Words that tell a search from another form.
pub const SEARCH_WORDS: &[&str] = &["search", "sousuo", "搜索", "检索", "搜", "关键"];

/// A link to a place in a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fragment {
    /// The page, absolute.
    pub url: String,
    /// The place, as it is written after `#` and decoded.
    pub id: String,
}

/// An address that nobody can open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BadAddress {
    /// As it is written.
    pub address: String,
    /// What it is used for.
    pub kind: LinkKind,
    /// Why nobody can.
    pub fault: AddressFault,
}

/// Why nobody can open an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AddressFault {
    /// A `mailto:` or `tel:` that reaches nobody.
    Contact,
    /// A file on the computer of whoever wrote the page: `file:///C:/…`.
    LocalFile,
    /// No address at all, such as `http://` or `htp://…`.
    Malformed,
}

impl AddressFault {
    /// The word in findings.
    pub fn word(self) -> &'static str {
        match self {
            Self::Contact => "bad-address",
            Self::LocalFile => "local-file",
            Self::Malformed => "malformed",
        }
    }
}

/// A short name for an id (FNV-1a): enough to tell whether a page has it.
pub fn anchor_hash(id: &str) -> u32 {
    id.bytes().fold(0x811C_9DC5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// A script that shows visitors from search engines, or the engines, something else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diversion {
    /// Where visitors from search engines are sent, as it is written; `None`: nowhere, but the engines are
    /// left another title than people are shown.
    pub target: Option<String>,
    /// The part of the script that does it.
    pub script: String,
    /// The bytes of that part in which the deed stands.
    pub hit: Range<usize>,
}

/// A charset and where it came from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charset {
    /// WHATWG name, for example `GBK`.
    pub name: String,
    /// `bom`, `header`, `meta`, `detected` or `default`.
    pub source: String,
}

/// Something wrong with a page's bytes or markup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Problem {
    /// Bytes that are not text in the charset; the count of replaced places.
    BrokenText(u32),
    /// Header or meta name another charset than the bytes are in.
    CharsetConflict(String),
    /// Elements nested deeper than the limit were flattened.
    TooDeep(u32),
    /// More links, blocks or items than the limit; the rest was left out.
    TooMany(String),
    /// The body was cut at the fetch's limit.
    Truncated,
    /// A document whose text cannot be read; the reason.
    Unreadable(String),
    /// The title is written in character references, as injected titles are so that nobody finds
    /// them in the template.
    EncodedTitle,
}

/// Why a text is [`Problem::Unreadable`] when what reads it has a fault.
pub const GAVE_UP: &str = "its reader gave up";

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BrokenText(places) => write!(f, "not text in its charset at {places} places"),
            Self::CharsetConflict(charset) => write!(f, "read as {charset}, though another charset is named"),
            Self::TooDeep(elements) => write!(f, "{elements} elements stand too deep and were flattened"),
            Self::TooMany(what) => write!(f, "too many {what}; the rest was left out"),
            Self::Truncated => f.write_str("cut at the limit of bytes"),
            Self::Unreadable(reason) => write!(f, "its text cannot be read: {reason}"),
            Self::EncodedTitle => f.write_str("its title is written in character references"),
        }
    }
}

/// `<meta name content>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// Name as written.
    pub name: String,
    /// Content, trimmed.
    pub content: String,
}

/// Which part of the page a text stands in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Zone {
    /// The main text.
    #[default]
    Main,
    /// `<title>` and keyword or description labels.
    Head,
    /// Navigation, header, side columns.
    Navigation,
    /// The footer.
    Footer,
}

/// A run of text between block borders.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// The text, white space collapsed.
    pub text: String,
    /// Where it stands.
    pub zone: Zone,
    /// Not visible to a reader (CSS, attributes, size).
    pub hidden: bool,
    /// Heading level 1–6, 0 for plain text.
    pub heading: u8,
    /// A short CSS path, for example `body>div.main>p`.
    pub path: String,
}

/// What an address is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum LinkKind {
    /// `<a href>` to a page.
    Page,
    /// `<a href>` to a document or archive, judged by its ending.
    Attachment,
    /// `<img>`, `srcset`, `background`, CSS `url()`.
    Image,
    /// `<script src>`.
    Script,
    /// `<link rel=stylesheet>`.
    Style,
    /// `<iframe>` and `<frame>`.
    Frame,
    /// `<video>`, `<audio>`, `<source>`, `<embed>`, `<object>`.
    Media,
    /// `<form action>`.
    Form,
    /// Where a script of the page asks for a list.
    Data,
}

/// One address with its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Absolute canonical address.
    pub url: String,
    /// Use.
    pub kind: LinkKind,
    /// Index into `blocks` of the text around it; `u32::MAX` when there is none.
    pub block: u32,
    /// Byte range of the link's text in that block.
    pub span: (u32, u32),
    /// The link or what is around it is not visible.
    pub hidden: bool,
    /// A script hides it, which the page as it was sent shows, or a rule of a style sheet: a menu, or a hidden link.
    pub folded: bool,
    /// Zone of the link.
    pub zone: Zone,
    /// What stands for the text of a picture, or of a link that shows nothing but one (`title`, `alt`).
    pub alt: Option<Box<str>>,
}

/// Characters and links of a page above which it shows something itself, wherever it leads on to.
const LEADING_CHARS_MAX: usize = 200;
const LEADING_LINKS_MAX: usize = 10;
/// Characters that were sent at least for what scripts make of them to tell anything, and of another page.
const SENT_CHARS_MIN: usize = 300;
const OTHER_CHARS_MIN: usize = 30;

/// What scripts make of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Became {
    /// The page that was sent, with what they add.
    Itself,
    /// Another one, under another title: next to nothing of what was sent is left.
    Another,
    /// Next to nothing is left, and nothing stands there instead.
    Nothing,
}

impl Facts {
    /// Those of a page on which its reader gave up, by a fault of its own: nothing is known of it.
    pub fn unread() -> Self {
        Self { problems: vec![Problem::Unreadable(GAVE_UP.to_owned())], ..Self::default() }
    }

    /// Whether they are those of a page on which its reader gave up.
    pub fn is_unread(&self) -> bool {
        let is_unreadable = |problem: &Problem| matches!(problem, Problem::Unreadable(_));
        self.kind != PageKind::Document && self.problems.iter().any(is_unreadable)
    }

    /// Where a page leads on to that shows next to nothing itself.
    pub fn leads_on(&self) -> Option<&str> {
        let target = self.refresh.as_deref()?;
        let chars: usize = self.blocks.iter().map(|block| block.text.chars().count()).sum();
        (chars <= LEADING_CHARS_MAX && self.links.len() <= LEADING_LINKS_MAX).then_some(target)
    }

    /// What a page that was sent became when its scripts had run.
    pub fn became(&self, rendered: &Self) -> Became {
        let shown = |facts: &Self| {
            facts
                .blocks
                .iter()
                .filter(|block| !block.hidden)
                .map(|block| block.text.chars().count())
                .sum::<usize>()
        };
        let sent = shown(self);
        let kept: HashSet<&str> = rendered.blocks.iter().map(|block| block.text.trim()).collect();
        let left = self.blocks.iter().filter(|block| !block.hidden && kept.contains(block.text.trim()));
        let left: usize = left.map(|block| block.text.chars().count()).sum();
        match () {
            () if sent < SENT_CHARS_MIN || left * 10 >= sent => Became::Itself,
            () if rendered.title != self.title && shown(rendered) >= OTHER_CHARS_MIN => Became::Another,
            () => Became::Nothing,
        }
    }

    /// A link's visible text.
    pub fn link_text(&self, link: &Link) -> &str {
        self.blocks
            .get(link.block as usize)
            .and_then(|block| block.text.get(link.span.0 as usize..link.span.1 as usize))
            .unwrap_or_default()
            .trim()
    }

    /// What a link is called: its text, else what stands for that.
    pub fn link_name<'f>(&'f self, link: &'f Link) -> &'f str {
        match self.link_text(link) {
            "" => link.alt.as_deref().unwrap_or_default(),
            text => text,
        }
    }

    /// Rows of lists in the main text; menus of every page may hold some, too.
    pub fn main_items(&self) -> impl Iterator<Item = &ListItem> {
        self.items
            .iter()
            .filter(|item| self.links.get(item.link as usize).is_some_and(|link| link.zone == Zone::Main))
    }

    /// A label's content by name, without regard to case; the first when repeated.
    pub fn label(&self, name: &str) -> Option<&str> {
        let found = self.labels.iter().find(|label| label.name.trim().eq_ignore_ascii_case(name))?;
        Some(found.content.as_str())
    }
}

/// A row of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListItem {
    /// Index into `links`.
    pub link: u32,
    /// The row's date, where it shows one.
    pub date: Option<Date>,
}

/// Where a page's date was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum DateSource {
    /// `PubDate` label.
    Label,
    /// Text such as `发布时间：2024-05-06` near the title.
    Visible,
    /// Structured data (`datePublished`).
    Structured,
    /// The address (`/2024/05/06/`, `t20240506_`).
    Url,
    /// The first line with a date, which nothing says to be the publication's; beside a label that tells when the
    /// page was made, the day its document is said to be of.
    Line,
    /// A `PubDate` label that tells the very moment at which the page was made.
    Made,
}

/// A date the page gives for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DateFact {
    /// The day.
    pub date: Date,
    /// Where it was read.
    pub source: DateSource,
}

/// What a page seems to be, by its structure alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PageKind {
    /// A text with a title.
    Article,
    /// A list of links.
    List,
    /// Neither is clear.
    #[default]
    Other,
    /// A document for download.
    Document,
}
