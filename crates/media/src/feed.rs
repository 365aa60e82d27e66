//! Posts from a feed (RSS 2.0, Atom, JSON Feed 1.1) or from a public list page.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use serde::Deserialize;
use xunjian_model::{LinkKind, PageUrl, Post};

/// Posts of one feed.
const POSTS_MAX: usize = 10_000;
/// Media type of markup within a feed.
const UTF8: Option<&str> = Some("text/html;charset=utf-8");

/// What is no feed and no list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("neither a feed (RSS, Atom, JSON Feed) nor a list of dated links: {0}")]
pub struct FeedError(String);

/// Reads a feed or a list page that was fetched from `url`; days are those of `zone`.
pub fn read_feed(
    url: &PageUrl,
    media_type: Option<&str>,
    body: &[u8],
    zone: &TimeZone,
) -> Result<Vec<Post>, FeedError> {
    let start = body.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(0);
    let head = String::from_utf8_lossy(&body[start..body.len().min(start + 512)]).to_lowercase();
    let posts = if head.starts_with('{') {
        json(body, zone)?
    } else if head.contains("<rss") || head.contains("<feed") || head.contains("<rdf") {
        xml(&xunjian_dict::decode_text(body), zone)?
    } else {
        list(url, media_type, body)
    };
    if posts.is_empty() {
        return Err(FeedError("it has no post with a date".to_owned()));
    }
    Ok(posts.into_iter().map(|post| in_plain_text(url, post)).collect())
}

/// Markup in a post's text is for a browser, and its address may be one relative to the feed's.
fn in_plain_text(feed: &PageUrl, mut post: Post) -> Post {
    if post.text.contains('<') {
        let html = xunjian_page::extract(post.text.as_bytes(), UTF8, feed, xunjian_page::Limits::default());
        let blocks: Vec<String> = html.blocks.into_iter().map(|block| block.text).collect();
        post.text = blocks.join("\n");
    }
    if !post.url.is_empty()
        && let Ok(url) = feed.join(&post.url)
    {
        post.url = url.to_string();
    }
    post
}

#[derive(Deserialize)]
struct JsonFeed {
    items: Vec<JsonItem>,
}

#[derive(Deserialize)]
struct JsonItem {
    #[serde(default)]
    url: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    content_text: String,
    #[serde(default)]
    content_html: String,
    date_published: Option<String>,
}

fn json(body: &[u8], zone: &TimeZone) -> Result<Vec<Post>, FeedError> {
    let feed: JsonFeed = serde_json::from_slice(body).map_err(|error| FeedError(error.to_string()))?;
    let post = |item: JsonItem| {
        let date = day(&item.date_published?, zone)?;
        let text = if item.content_text.is_empty() { item.content_html } else { item.content_text };
        Some(Post { date, title: item.title, text, url: item.url })
    };
    Ok(feed.items.into_iter().filter_map(post).take(POSTS_MAX).collect())
}

/// A post that is being read.
#[derive(Default)]
struct Open {
    title: String,
    text: String,
    url: String,
    published: Option<Date>,
    /// Day of its last change, for a feed that says no other.
    updated: Option<Date>,
}

impl Open {
    fn post(self) -> Option<Post> {
        let Self { title, text, url, published, updated } = self;
        Some(Post { date: published.or(updated)?, title, text, url })
    }

    fn add(&mut self, field: &str, text: &str, zone: &TimeZone) {
        let text = text.trim();
        match field {
            "title" => self.title.push_str(text),
            "description" | "summary" | "content" | "encoded" => self.text.push_str(text),
            "link" if self.url.is_empty() => text.clone_into(&mut self.url),
            "pubdate" | "published" | "date" => self.published = self.published.or_else(|| day(text, zone)),
            "updated" => self.updated = self.updated.or_else(|| day(text, zone)),
            _ => {}
        }
    }

    /// Atom's `<link rel href>`: that of the post itself, whatever other ones say (RFC 4287 section 4.2.7.2).
    fn link(&mut self, tag: &BytesStart<'_>) {
        let attribute = |name: &str| {
            let found = tag.try_get_attribute(name).ok().flatten()?;
            Some(found.normalized_value(XmlVersion::Implicit1_0).ok()?.into_owned())
        };
        if let Some(href) = attribute("href")
            && (self.url.is_empty() || attribute("rel").is_none_or(|rel| rel == "alternate"))
        {
            self.url = href;
        }
    }
}

/// `<item>` of RSS and `<entry>` of Atom.
fn xml(text: &str, zone: &TimeZone) -> Result<Vec<Post>, FeedError> {
    let mut reader = quick_xml::Reader::from_str(text);
    reader.config_mut().check_end_names = false;
    let mut posts = Vec::new();
    let mut open: Option<Open> = None;
    let mut field = String::new();
    let add = |open: &mut Option<Open>, field: &str, text: &str| {
        if let Some(post) = open {
            post.add(field, text, zone);
        }
    };
    loop {
        let event = reader.read_event().map_err(|error| FeedError(error.to_string()))?;
        match event {
            Event::Start(tag) => {
                field = String::from_utf8_lossy(tag.local_name().as_ref()).to_lowercase();
                match &mut open {
                    _ if field == "item" || field == "entry" => open = Some(Open::default()),
                    Some(post) if field == "link" => post.link(&tag),
                    _ => {}
                }
            }
            Event::Empty(tag) if tag.local_name().as_ref() == b"link" => {
                if let Some(post) = &mut open {
                    post.link(&tag);
                }
            }
            Event::End(tag) => {
                let name = String::from_utf8_lossy(tag.local_name().as_ref()).to_lowercase();
                if name == "item" || name == "entry" {
                    posts.extend(open.take().and_then(Open::post));
                    if posts.len() >= POSTS_MAX {
                        break;
                    }
                }
                field.clear();
            }
            Event::Text(text) => {
                let text = text.decode().map_err(|error| FeedError(error.to_string()))?.into_owned();
                add(&mut open, &field, &text);
            }
            Event::CData(text) => {
                let text = String::from_utf8_lossy(&text).into_owned();
                add(&mut open, &field, &text);
            }
            Event::GeneralRef(reference) => {
                let name = reference.decode().map_err(|error| FeedError(error.to_string()))?;
                let resolved =
                    quick_xml::escape::unescape(&format!("&{name};")).map(|text| text.into_owned());
                add(&mut open, &field, &resolved.unwrap_or_default());
            }
            Event::Eof => break,
            _ => {}
        }
    }
    Ok(posts)
}

/// A moment as feeds write it (RFC 2822, RFC 3339), as a day of the zone.
fn day(text: &str, zone: &TimeZone) -> Option<Date> {
    let moment = text.parse::<Timestamp>().ok();
    let moment = moment.or_else(|| jiff::fmt::rfc2822::parse(text).ok().map(|zoned| zoned.timestamp()));
    match moment {
        Some(moment) => Some(zone.to_datetime(moment).date()),
        None => xunjian_page::date_in_text(text),
    }
}

/// Dated links of a public list page.
fn list(url: &PageUrl, media_type: Option<&str>, body: &[u8]) -> Vec<Post> {
    let facts = xunjian_page::extract(body, media_type, url, xunjian_page::Limits::default());
    let dated = facts.items.iter().filter_map(|item| {
        let link = facts.links.get(item.link as usize).filter(|link| link.kind == LinkKind::Page)?;
        Some(Post {
            date: item.date?,
            title: facts.link_text(link).to_owned(),
            text: String::new(),
            url: link.url.clone(),
        })
    });
    dated.take(POSTS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn read(body: &str) -> Result<Vec<Post>, FeedError> {
        let url = PageUrl::parse("http://media.cn/feed").expect("url");
        let zone = TimeZone::get("Asia/Shanghai").expect("zone");
        read_feed(&url, Some("text/html; charset=utf-8"), body.as_bytes(), &zone)
    }

    #[test]
    fn every_form_of_feed_gives_its_posts_in_days_of_the_zone() {
        let rss = "<?xml version=\"1.0\"?><rss><channel><title>甲</title><link>http://m.cn/</link><item><title>一 &amp; 二</title><link>http://m.cn/1</link><pubDate>Mon, 29 Jun 2026 17:30:00 GMT</pubDate><description><![CDATA[<p>正文</p>]]></description></item></channel></rss>";
        let posts = read(rss).expect("RSS");
        assert_eq!(posts.len(), 1);
        // Half past five in Greenwich is the next day in Shanghai.
        assert_eq!((posts[0].date, &*posts[0].url), (date(2026, 6, 30), "http://m.cn/1"));
        assert_eq!((&*posts[0].title, &*posts[0].text), ("一&二", "正文"));
        let atom = "<feed xmlns=\"http://www.w3.org/2005/Atom\"><entry><title>甲</title><link rel=\"self\" href=\"/2.atom\"/><link href=\"/2\"/><link rel=\"replies\" href=\"/2/replies\"/><updated>2026-06-29T10:00:00+08:00</updated><published>2026-06-28T10:00:00+08:00</published><content type=\"html\">&lt;p&gt;联系电&lt;b&gt;话&lt;/b&gt;&lt;img src=\"/13800138000.jpg\"&gt;&lt;/p&gt;</content></entry></feed>";
        let posts = read(atom).expect("Atom");
        // The day it was posted, not that of its last change; the address and the words a reader gets.
        assert_eq!((posts[0].date, &*posts[0].url), (date(2026, 6, 28), "http://media.cn/2"));
        assert_eq!(posts[0].text, "联系电话");
        let json = r#"{"version":"https://jsonfeed.org/version/1.1","items":[{"id":"1","url":"http://m.cn/3","title":"甲","content_text":"文","date_published":"2026-06-27T23:59:59+08:00"},{"id":"2"}]}"#;
        let posts = read(json).expect("JSON Feed");
        assert_eq!((posts.len(), posts[0].date), (1, date(2026, 6, 27)));
        let list = "<div class=main><ul><li><a href=/4>第一条消息</a><span>2026-06-26</span><li><a href=/5>第二条消息</a><span>2026-06-20</span></ul></div>";
        let posts = read(list).expect("a list");
        assert_eq!((posts.len(), posts[0].date), (2, date(2026, 6, 26)));
        for nothing in ["", "<html>", "{}", "{\"items\":[]}", "<rss><item></rss>"] {
            assert!(read(nothing).is_err(), "{nothing}");
        }
    }
}
