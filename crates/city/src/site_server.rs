//! What the city's sites answer, as a pure function of host, path and headers.

use crate::address::PageRef;
use crate::files;
use crate::plan::{EPOCH, Family, SitePlan, Validators};
use crate::render::Renderer;
use crate::{City, outside};

/// A request as the sites see it.
pub(crate) struct Ask<'a> {
    pub(crate) host: &'a str,
    pub(crate) path: &'a str,
    pub(crate) agent: &'a str,
    pub(crate) referer: &'a str,
    pub(crate) none_match: &'a str,
    pub(crate) modified_since: &'a str,
    pub(crate) accepts: &'a str,
}

/// An answer before it is sent.
#[derive(Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn new(status: u16, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: vec![("content-type", media_type.to_owned())], body: body.into() }
    }
}

/// Addresses in one file of a site map.
const SITEMAP_URLS: usize = 5_000;

/// Where the accounts of the ledger are.
const MEDIA: &str = "media-sim.cn";
const HTML: &str = "text/html; charset=utf-8";
const ROBOTS_AGENTS: [&str; 4] = ["Baiduspider", "Googlebot", "bingbot", "Sogou"];

impl City {
    pub(crate) fn answer(&self, ask: &Ask<'_>) -> Answer {
        let named = |site: &SitePlan| {
            site.host == ask.host || site.second.as_ref().is_some_and(|second| second.host == ask.host)
        };
        let Some(index) = self.sites.iter().position(named) else {
            let media = (ask.host == MEDIA).then(|| self.media_feed(ask.path)).flatten();
            return media.unwrap_or_else(|| outside::answer(ask.host, ask.path));
        };
        let site = &self.sites[index];
        if site.host != ask.host && site.second.as_ref().is_some_and(|second| second.leads) {
            let to = format!("{}{}", site.origin(), ask.path);
            return Answer { status: 301, headers: vec![("location", to)], body: Vec::new() };
        }
        let mut answer = self.site_answer(index, ask);
        if answer.status == 200 && !validate(site, ask, &mut answer) {
            compress(site, ask.accepts, &mut answer);
        }
        answer
    }

    /// What an account posted, as a list page, RSS or JSON Feed.
    fn media_feed(&self, path: &str) -> Option<Answer> {
        const POSTS: i64 = 5;
        let accounts = self.accounts();
        let at = accounts.iter().position(|account| account.url.ends_with(path))?;
        let (account, name) = (&accounts[at], MEDIA);
        let posts = (0..POSTS).map(|back| {
            let date = account.last_post.saturating_sub(jiff::Span::new().days(back * 3));
            (date, format!("{}第{}期", account.name, POSTS - back), format!("http://{name}{path}/{back}"))
        });
        Some(match at % 3 {
            0 => {
                let rows: String = posts
                    .map(|(date, title, url)| {
                        format!("<li><a href=\"{url}\">{title}</a><span>{date}</span></li>")
                    })
                    .collect();
                Answer::new(
                    200,
                    HTML,
                    format!("<html><body><div class=\"main\"><ul>{rows}</ul></div></body></html>"),
                )
            }
            1 => {
                let rows: String = posts
                    .map(|(date, title, url)| {
                        let at = date.at(9, 0, 0, 0).strftime("%a, %d %b %Y %H:%M:%S +0800").to_string();
                        format!(
                            "<item><title>{title}</title><link>{url}</link><pubDate>{at}</pubDate></item>"
                        )
                    })
                    .collect();
                let text =
                    format!("<?xml version=\"1.0\"?><rss version=\"2.0\"><channel>{rows}</channel></rss>");
                Answer::new(200, "application/rss+xml", text)
            }
            _ => {
                let rows: Vec<_> = posts
                    .map(|(date, title, url)| {
                        let at = format!("{date}T09:00:00+08:00");
                        serde_json::json!({ "id": url, "url": url, "title": title, "date_published": at })
                    })
                    .collect();
                let feed =
                    serde_json::json!({ "version": "https://jsonfeed.org/version/1.1", "items": rows });
                Answer::new(200, "application/feed+json", feed.to_string())
            }
        })
    }

    fn site_answer(&self, index: usize, ask: &Ask<'_>) -> Answer {
        let site = &self.sites[index];
        let robot =
            ROBOTS_AGENTS.iter().any(|agent| ask.agent.contains(agent)) || ask.referer.contains("baidu.com");
        let render = Renderer { site, plants: &self.plants[index], day: self.options.day, robot };
        if let Some(page) = site.resolve(ask.path, self.options.day) {
            return html(site, &render.page(page));
        }
        let path = ask.path.split('?').next().unwrap_or_default();
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        match parts[..] {
            ["robots.txt"] => Answer::new(200, "text/plain", robots(site)),
            ["sitemap.xml"] if site.family == Family::Script => {
                Answer::new(200, "application/xml", self.sitemap_index(site))
            }
            [file] if site.family == Family::Script && file.starts_with("sitemap-") => {
                let number = file["sitemap-".len()..].strip_suffix(".xml").and_then(|n| n.parse().ok());
                match number {
                    Some(number) => Answer::new(200, "application/xml", self.sitemap(site, number)),
                    None => self.missing(&render),
                }
            }
            ["style", "main.css"] => {
                Answer::new(200, "text/css", "body{font-size:14px}.nav li{float:left}\n")
            }
            ["js", "site.js" | "jiucuo.js" | "player.swf" | "ckplayer.swf"] => {
                Answer::new(200, "application/javascript", "var site={};\n")
            }
            ["images", name] if !name.starts_with("lost-") => Answer::new(200, "image/png", files::PNG),
            ["files", name] => self.file(site, name).unwrap_or_else(|| self.missing(&render)),
            ["about", "overview.html"] => html(site, &render.about("市情概况")),
            ["about", "functions.html"] => html(site, &render.about("机构职能")),
            ["about", "leaders.html"] => html(site, &render.about("领导信息")),
            [
                "about",
                name @ ("topics.html" | "map.html" | "query.html" | "contact.html" | "channel.html"),
            ] => match render.special(name) {
                Some(text) => html(site, &text),
                None => self.missing(&render),
            },
            ["go", file] if site.has_stubs() => {
                match file.strip_suffix(".html").and_then(|slug| render.stub(slug)) {
                    Some(text) => html(site, &text),
                    None => self.missing(&render),
                }
            }
            ["about", _] => html(site, &render.plain("关于本站", "本站由云川市数据中心提供技术支持。")),
            ["soft", _] => html(site, &render.plain("页面不存在", "您访问的页面不存在或已被删除。")),
            ["search"] => {
                let words = ask.path.split_once("&q=").or(ask.path.split_once("?q=")).map_or("", |(_, q)| q);
                let words = words.split('&').next().unwrap_or_default();
                html(site, &render.search(&read_field(words, site.family)))
            }
            ["front", "page", "build", "unit"]
            | ["module", "web", "jpage", "dataproxy.jsp"]
            | ["truecms", "messageController", "getMessage.do"] => {
                let query = ask.path.split_once('?').map_or("", |(_, query)| query);
                let parameter = |wanted: &str| {
                    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
                    let (_, value) = pairs.find(|(name, _)| *name == wanted)?;
                    Some(String::from_utf8_lossy(&percent_decode(value)).into_owned())
                };
                match render.handed_out(parameter) {
                    Some((media_type, text)) => Answer::new(200, media_type, text),
                    None => self.missing(&render),
                }
            }
            [part @ ("api" | "frame"), slug, file] => {
                let column = site.columns.iter().position(|column| column.slug == slug);
                let page = file.split_once('.').and_then(|(page, _)| page.parse().ok());
                match (part, column.zip(page)) {
                    ("api", Some((column, page))) => {
                        Answer::new(200, "application/json", render.list_data(column, page))
                    }
                    (_, Some((column, page)))
                        if site.has_frames() && page < site.list_pages(column, self.options.day) =>
                    {
                        html(site, &render.frame(column, page))
                    }
                    _ => self.missing(&render),
                }
            }
            _ => self.missing(&render),
        }
    }

    fn missing(&self, render: &Renderer<'_>) -> Answer {
        if render.plants.soft_host {
            return html(render.site, &render.plain("提示信息", "抱歉，没有您要的内容，请返回首页。"));
        }
        Answer::new(404, HTML, "<html><head><title>404</title></head><body>404 Not Found</body></html>")
    }

    fn file(&self, site: &SitePlan, name: &str) -> Option<Answer> {
        let (stem, ending) = name.rsplit_once('.')?;
        if stem.starts_with("html-") {
            return Some(Answer::new(200, HTML, "<html><body>请登录后下载</body></html>"));
        }
        if stem.starts_with("film-") && ending == "mp4" {
            return Some(Answer::new(200, "video/mp4", *b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom"));
        }
        let number = stem.strip_prefix("doc-")?.parse().ok()?;
        let media_type = match ending {
            "pdf" => "application/pdf",
            "zip" => "application/zip",
            _ => "application/octet-stream",
        };
        Some(Answer::new(200, media_type, files::attachment(site.seed, number, ending)?))
    }

    fn articles<'a>(&self, site: &'a SitePlan) -> impl Iterator<Item = PageRef> + use<'a> {
        let day = self.options.day;
        (0..site.columns.len()).flat_map(move |column| {
            (0..site.count(column, day)).map(move |at| PageRef::Article { column, at })
        })
    }

    fn sitemap_index(&self, site: &SitePlan) -> String {
        let count = self.articles(site).count().div_ceil(SITEMAP_URLS);
        let rows: String = (0..count)
            .map(|n| format!("<sitemap><loc>{}/sitemap-{n}.xml</loc></sitemap>", site.origin()))
            .collect();
        format!(
            "<?xml version=\"1.0\"?><sitemapindex xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">{rows}</sitemapindex>"
        )
    }

    fn sitemap(&self, site: &SitePlan, number: usize) -> String {
        let rows: String = self
            .articles(site)
            .skip(number.saturating_mul(SITEMAP_URLS))
            .take(SITEMAP_URLS)
            .map(|page| format!("<url><loc>{}</loc></url>", site.url(page)))
            .collect();
        format!(
            "<?xml version=\"1.0\"?><urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">{rows}</urlset>"
        )
    }
}

fn robots(site: &SitePlan) -> String {
    let mut text = "User-agent: *\nDisallow: /search\n".to_owned();
    if site.family == Family::Script {
        text.push_str(&format!("Sitemap: {}/sitemap.xml\n", site.origin()));
    }
    text
}

fn html(site: &SitePlan, text: &str) -> Answer {
    match site.family {
        Family::Table => Answer::new(200, "text/html", encoding_rs::GBK.encode(text).0.into_owned()),
        Family::Div => {
            let bytes = encoding_rs::GB18030.encode(text).0.into_owned();
            Answer::new(200, "text/html; charset=GB18030", bytes)
        }
        _ => Answer::new(200, HTML, text),
    }
}

/// Adds the site's validator; turns the answer into 304 and returns true when it matches.
fn validate(site: &SitePlan, ask: &Ask<'_>, answer: &mut Answer) -> bool {
    let hash = blake3::hash(&answer.body);
    let (name, value, asked) = match site.validators {
        Validators::None => return false,
        Validators::Etag => ("etag", format!("\"{}\"", &hash.to_hex()[..16]), ask.none_match),
        Validators::LastModified => {
            // Any second of the twenty days before day 0, the same for the same bytes.
            let second = u64::from_le_bytes(hash.as_bytes()[..8].try_into().unwrap_or_default());
            let end = jiff::tz::TimeZone::UTC.to_timestamp(EPOCH.at(0, 0, 0, 0));
            let end = end.map_or(1_700_000_000, |end| end.as_second() as u64);
            let at = std::time::UNIX_EPOCH + std::time::Duration::from_secs(end - second % (20 * 86_400));
            ("last-modified", httpdate::fmt_http_date(at), ask.modified_since)
        }
    };
    let same = asked == value;
    answer.headers.push((name, value));
    if same {
        answer.status = 304;
        answer.headers.retain(|(name, _)| *name != "content-type");
        answer.body.clear();
    }
    same
}

fn compress(site: &SitePlan, accepts: &str, answer: &mut Answer) {
    use std::io::Write as _;
    if !site.compressed || answer.body.len() < 200 {
        return;
    }
    let coding = ["gzip", "br", "zstd", "deflate"][site.index % 4];
    if !accepts.contains(coding) {
        return;
    }
    let body = std::mem::take(&mut answer.body);
    let packed = match coding {
        "gzip" => {
            let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            writer.write_all(&body).and_then(|()| writer.finish())
        }
        "deflate" => {
            let mut writer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
            writer.write_all(&body).and_then(|()| writer.finish())
        }
        "br" => {
            let mut writer = brotli::CompressorWriter::new(Vec::new(), 4_096, 1, 20);
            writer.write_all(&body).map(|()| writer.into_inner())
        }
        _ => zstd::encode_all(&body[..], 1),
    };
    match packed {
        Ok(packed) => {
            answer.body = packed;
            answer.headers.push(("content-encoding", coding.to_owned()));
        }
        Err(_) => answer.body = body,
    }
}

/// A field as it came, in the charset of the site's pages.
fn read_field(text: &str, family: Family) -> String {
    let bytes = percent_decode(text);
    let encoding = match family {
        Family::Table => encoding_rs::GBK,
        Family::Div => encoding_rs::GB18030,
        _ => encoding_rs::UTF_8,
    };
    encoding.decode(&bytes).0.into_owned()
}

fn percent_decode(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = text.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (bytes[at], hex) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 3;
            }
            (b'+', _) => {
                out.push(b' ');
                at += 1;
            }
            (byte, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out
}
