//! Posts from a feed (RSS 2.0, Atom, JSON Feed 1.1) or from a public list page.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use quick_xml::XmlVersion;
use quick_xml::events::Event;
use serde::Deserialize;
use xunjian_model::{LinkKind, PageUrl, Post};

/// Posts of one feed.
const POSTS_MAX: usize = 10_000;

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
    match posts.is_empty() {
        true => Err(FeedError("it has no post with a date".to_owned())),
        false => Ok(posts),
    }
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

/// `<item>` of RSS and `<entry>` of Atom.
fn xml(text: &str, zone: &TimeZone) -> Result<Vec<Post>, FeedError> {
    let mut reader = quick_xml::Reader::from_str(text);
    reader.config_mut().check_end_names = false;
    let mut posts = Vec::new();
    let mut open: Option<(Post, Option<Date>)> = None;
    let mut field = String::new();
    loop {
        let event = reader.read_event().map_err(|error| FeedError(error.to_string()))?;
        match event {
            Event::Start(tag) | Event::Empty(tag)
                if tag.local_name().as_ref() == b"link" && open.is_some() =>
            {
                field = "link".to_owned();
                let href = tag.try_get_attribute("href").ok().flatten();
                let href = href.and_then(|href| href.normalized_value(XmlVersion::Implicit1_0).ok());
                if let (Some(href), Some((post, _))) = (href, &mut open) {
                    post.url = href.into_owned();
                }
            }
            Event::Start(tag) => {
                let name = String::from_utf8_lossy(tag.local_name().as_ref()).to_lowercase();
                if name == "item" || name == "entry" {
                    let empty = Post {
                        date: Date::default(),
                        title: String::new(),
                        text: String::new(),
                        url: String::new(),
                    };
                    open = Some((empty, None));
                }
                field = name;
            }
            Event::End(tag) => {
                let name = String::from_utf8_lossy(tag.local_name().as_ref()).to_lowercase();
                if name == "item" || name == "entry" {
                    if let Some((post, Some(date))) = open.take() {
                        posts.push(Post { date, ..post });
                    }
                    if posts.len() >= POSTS_MAX {
                        break;
                    }
                }
                field.clear();
            }
            Event::Text(text) => {
                let text = text.decode().map_err(|error| FeedError(error.to_string()))?.into_owned();
                add(&mut open, &field, &text, zone);
            }
            Event::CData(text) => {
                let text = String::from_utf8_lossy(&text).into_owned();
                add(&mut open, &field, &text, zone);
            }
            Event::GeneralRef(reference) => {
                let name = reference.decode().map_err(|error| FeedError(error.to_string()))?;
                let resolved =
                    quick_xml::escape::unescape(&format!("&{name};")).map(|text| text.into_owned());
                add(&mut open, &field, &resolved.unwrap_or_default(), zone);
            }
            Event::Eof => break,
            _ => {}
        }
    }
    Ok(posts)
}

fn add(open: &mut Option<(Post, Option<Date>)>, field: &str, text: &str, zone: &TimeZone) {
    let Some((post, date)) = open else { return };
    match field {
        "title" => post.title.push_str(text.trim()),
        "description" | "summary" | "content" | "encoded" => post.text.push_str(text.trim()),
        "link" if post.url.is_empty() => text.trim().clone_into(&mut post.url),
        "pubdate" | "published" | "updated" | "date" => *date = date.or_else(|| day(text.trim(), zone)),
        _ => {}
    }
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
        assert_eq!((&*posts[0].title, &*posts[0].text), ("一&二", "<p>正文</p>"));
        let atom = "<feed xmlns=\"http://www.w3.org/2005/Atom\"><entry><title>甲</title><link href=\"http://m.cn/2\"/><updated>2026-06-28T10:00:00+08:00</updated></entry></feed>";
        let posts = read(atom).expect("Atom");
        assert_eq!((posts[0].date, &*posts[0].url), (date(2026, 6, 28), "http://m.cn/2"));
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
