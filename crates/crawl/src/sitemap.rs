//! Site maps: XML, text, RSS and Atom, packed or not (sitemaps.org protocol).

use std::borrow::Cow;

use quick_xml::events::Event;
use quick_xml::{Reader, XmlVersion};
use xunjian_fetch::decode_body;

/// Bytes of a site map, unpacked (sitemaps.org: 50 MB); what lies behind is left out.
pub(crate) const SITEMAP_BYTES_MAX: usize = 50 << 20;
/// Site maps read of one site; an index may name many.
pub(crate) const SITEMAPS_MAX: usize = 1_000;

/// Addresses of one site map.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Sitemap {
    /// Further site maps.
    pub maps: Vec<String>,
    /// Pages.
    pub pages: Vec<String>,
    /// What is wrong with it.
    pub problem: Option<&'static str>,
}

impl Sitemap {
    /// One of which nothing could be read.
    pub(crate) fn unread() -> Self {
        Self { problem: Some("sitemap-unreadable"), ..Self::default() }
    }
}

/// Reads a site map, which may have been `cut` at a limit; what is no site map gives no address.
pub fn parse(body: &[u8], cut: bool) -> Sitemap {
    let (bytes, cut_inside) = unpacked(body);
    let problem = (cut || cut_inside).then_some("sitemap-cut");
    let text = String::from_utf8_lossy(&bytes);
    let text = text.trim_start_matches('\u{FEFF}').trim_start();
    let mut map = if text.starts_with('<') { xml(text) } else { lines(text) };
    if map.maps.is_empty() && map.pages.is_empty() && map.problem.is_none() {
        map.problem = Some("sitemap-unreadable");
    }
    map.problem = problem.or(map.problem);
    map
}

fn unpacked(body: &[u8]) -> (Cow<'_, [u8]>, bool) {
    if !body.starts_with(&[0x1F, 0x8B]) {
        return (Cow::Borrowed(body), false);
    }
    match decode_body(&["gzip"], body.to_vec(), SITEMAP_BYTES_MAX) {
        Ok((bytes, cut)) => (Cow::Owned(bytes), cut),
        Err(_) => (Cow::Borrowed(&[]), true),
    }
}

/// One address a line.
fn lines(text: &str) -> Sitemap {
    let pages = text
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("http://") || line.starts_with("https://"));
    Sitemap { pages: pages.map(str::to_owned).collect(), ..Sitemap::default() }
}

/// `<loc>` of site maps, `<link>` of RSS items and `<link href>` of Atom entries.
fn xml(text: &str) -> Sitemap {
    let mut map = Sitemap::default();
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = false;
    let (mut index, mut in_entry, mut wanted) = (false, false, false);
    let mut address = String::new();
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag)) => match tag.local_name().as_ref() {
                b"sitemapindex" => index = true,
                b"item" | b"entry" => in_entry = true,
                name => {
                    wanted = name == b"loc" || name == b"link" && in_entry;
                    address.clear();
                    if in_entry && name == b"link" {
                        map.pages.extend(href(&tag));
                    }
                }
            },
            Ok(Event::Empty(tag)) if in_entry && tag.local_name().as_ref() == b"link" => {
                map.pages.extend(href(&tag));
            }
            Ok(Event::Text(piece)) if wanted => address.push_str(&piece.decode().unwrap_or_default()),
            Ok(Event::CData(piece)) if wanted => address.push_str(&piece.decode().unwrap_or_default()),
            Ok(Event::GeneralRef(name)) if wanted => match name.resolve_char_ref() {
                Ok(Some(character)) => address.push(character),
                _ => address.push_str(match &*name {
                    b"amp" => "&",
                    b"lt" => "<",
                    b"gt" => ">",
                    b"quot" => "\"",
                    b"apos" => "'",
                    _ => "",
                }),
            },
            Ok(Event::End(tag)) => {
                if matches!(tag.local_name().as_ref(), b"item" | b"entry") {
                    in_entry = false;
                }
                if std::mem::take(&mut wanted) && !address.trim().is_empty() {
                    let list = if index { &mut map.maps } else { &mut map.pages };
                    list.push(address.trim().to_owned());
                }
            }
            Ok(Event::Eof) => return map,
            // What came before the mistake counts.
            Err(_) => {
                map.problem = Some("sitemap-damaged");
                return map;
            }
            Ok(_) => {}
        }
    }
}

fn href(tag: &quick_xml::events::BytesStart<'_>) -> Option<String> {
    let href = tag.try_get_attribute("href").ok().flatten()?;
    let value = href.normalized_value(XmlVersion::Implicit1_0).ok()?;
    Some(value.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn every_kind_of_site_map() {
        let xml = "<?xml version='1.0'?><urlset><url><loc> http://a.cn/?x=1&amp;y=2 </loc></url><url><loc><![CDATA[http://a.cn/2]]></loc></url></urlset>";
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(xml.as_bytes()).expect("packed");
        let gzip = gzip.finish().expect("packed");
        let rss = "<rss><channel><link>http://a.cn/</link><item><title>x</title><link>http://a.cn/1</link></item></channel></rss>";
        let atom = "<feed xmlns='http://www.w3.org/2005/Atom'><link href='http://a.cn/feed'/><entry><link href='http://a.cn/e?a=1&amp;b=2'/></entry></feed>";
        let table: [(&[u8], &[&str]); 6] = [
            (xml.as_bytes(), &["http://a.cn/?x=1&y=2", "http://a.cn/2"]),
            (&gzip, &["http://a.cn/?x=1&y=2", "http://a.cn/2"]),
            (rss.as_bytes(), &["http://a.cn/1"]),
            (atom.as_bytes(), &["http://a.cn/e?a=1&b=2"]),
            (
                "\u{FEFF}http://a.cn/t1\r\nftp://x\nhttp://a.cn/t2".as_bytes(),
                &["http://a.cn/t1", "http://a.cn/t2"],
            ),
            (
                b"<sm:urlset xmlns:sm='x'><sm:url><sm:loc>http://a.cn/n</sm:loc></sm:url></sm:urlset>",
                &["http://a.cn/n"],
            ),
        ];
        for (body, pages) in table {
            let map = parse(body, false);
            assert_eq!(map.pages, pages);
            assert_eq!((map.maps.len(), map.problem), (0, None));
        }
        let index =
            parse(b"<sitemapindex><sitemap><loc>http://a.cn/1.xml</loc></sitemap></sitemapindex>", false);
        assert_eq!((index.maps.as_slice(), index.pages.len()), (&["http://a.cn/1.xml".to_owned()][..], 0));
    }

    #[test]
    fn damage_is_named_and_what_came_before_it_counts() {
        let cut = parse(b"<urlset><url><loc>http://a.cn/1</loc></url><url><loc>http://a.c", true);
        assert_eq!((cut.pages.len(), cut.problem), (1, Some("sitemap-cut")));
        assert_eq!(parse(b"<html><body>404</body></html>", false).problem, Some("sitemap-unreadable"));
        assert_eq!(parse(b"", false).problem, Some("sitemap-unreadable"));
        assert_eq!(parse(b"\x1F\x8Bnonsense", false).problem, Some("sitemap-cut"));
        let bad = parse(b"<urlset><url><loc>http://a.cn/1</loc></url><<<", false);
        assert_eq!((bad.pages.len(), bad.problem), (1, Some("sitemap-damaged")));
    }
}
