//! Addresses as the field writes them: what nobody can open, what a template leaves open, and what a viewer
//! shows.

use data_encoding::BASE64;
use memchr::{memchr, memchr2};
use percent_encoding::percent_decode_str;
use xunjian_model::{AddressFault, LinkKind, PageUrl, UrlError};

use crate::links::kind_of_anchor;

/// Marks of templates that a script fills: `{{item.url}}`, `${url}`, `<%= url %>`.
const TEMPLATES: [&str; 4] = ["{{", "${", "<%", "{%"];
/// `http` and `https`, as they are mistyped.
const MISTYPED: [&str; 12] =
    ["htp", "htps", "ttp", "ttps", "htttp", "htttps", "hhttp", "hhttps", "httpp", "httpss", "hppt", "hppts"];

/// Whether an address is a template's, which a script puts the true one in.
pub(crate) fn is_template(address: &str) -> bool {
    // Every mark begins with one of two characters.
    memchr2(b'{', b'<', address.as_bytes()).is_some() && TEMPLATES.iter().any(|mark| address.contains(mark))
}

/// Whether following an address asks for nothing: a script, or what stands in the page itself.
pub(crate) fn is_no_request(address: &str) -> bool {
    let scheme = match address.as_bytes().first() {
        Some(b'j' | b'J') => "javascript:",
        Some(b'd' | b'D') => "data:",
        _ => return false,
    };
    address.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
}

/// Why nobody can open an address that is none of a page, where that is so; `refused` is what the URL parser
/// said of it.
pub(crate) fn fault(address: &str, refused: &UrlError) -> Option<AddressFault> {
    match refused {
        UrlError::Syntax { .. } => Some(AddressFault::Malformed),
        UrlError::Scheme(_) => {
            let scheme = address.split(':').next().unwrap_or_default().to_ascii_lowercase();
            match scheme.as_str() {
                "mailto" => (!reaches_mail(&address["mailto:".len()..])).then_some(AddressFault::Contact),
                "tel" => (!reaches_telephone(&address["tel:".len()..])).then_some(AddressFault::Contact),
                // The latter is what Internet Explorer made of an archive it had saved.
                "file" | "mhtml" => Some(AddressFault::LocalFile),
                // A drive.
                letter if letter.len() == 1 => Some(AddressFault::LocalFile),
                scheme if MISTYPED.contains(&scheme) => Some(AddressFault::Malformed),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Whether what stands behind `mailto:` (RFC 6068) can reach anybody.
fn reaches_mail(rest: &str) -> bool {
    let addresses = rest.split('?').next().unwrap_or_default();
    // An empty address with a subject lets the reader fill it in.
    let open = addresses.is_empty() && rest.contains('?');
    open || addresses.split(',').all(is_mail)
}

/// The same for `tel:` (RFC 3966).
fn reaches_telephone(rest: &str) -> bool {
    let number = rest.split(';').next().unwrap_or_default().replace("%20", " ");
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    number.chars().all(|c| c.is_ascii_digit() || "+-.() *#".contains(c)) && (3..=20).contains(&digits)
}

fn is_mail(address: &str) -> bool {
    let address = address.trim().replace("%40", "@");
    let Some((name, host)) = address.rsplit_once('@') else { return false };
    let name_ok = !name.is_empty() && !name.contains([' ', '@', '<', '>', ',', ';', '(', ')', '"']);
    let labels: Vec<&str> = host.split('.').collect();
    let label_ok = |label: &&str| {
        !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-') && !label.starts_with('-')
    };
    name_ok && labels.len() >= 2 && labels.iter().all(label_ok)
}

/// The document that a viewer in a page shows: `/pdfjs/web/viewer.html?file=%2Fa.pdf` of pdf.js, and
/// `/onlinePreview?url=aHR0cDov…` of kkFileView, which wants its address in Base64.
pub(crate) fn viewed(viewer: &str) -> Option<PageUrl> {
    let (page, query) = viewer.split_at(memchr(b'?', viewer.as_bytes())?);
    let value = |name: &str| {
        let mut pairs = query[1..].split('&').filter_map(|pair| pair.split_once('='));
        let (_, value) = pairs.find(|(one, _)| *one == name)?;
        Some(percent_decode_str(value).decode_utf8().ok()?.into_owned())
    };
    let file = if page.ends_with("/viewer.html") {
        value("file")?
    } else if page.ends_with("/onlinePreview") {
        // A `+` that was not encoded came to be a space.
        let bytes = BASE64.decode(value("url")?.replace(' ', "+").as_bytes()).ok()?;
        String::from_utf8(bytes).ok()?
    } else {
        return None;
    };
    let file = PageUrl::parse(page).ok()?.join(&file).ok()?;
    (kind_of_anchor(file.as_str()) == LinkKind::Attachment).then_some(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_nobody_can_open() {
        use AddressFault::{Contact, LocalFile, Malformed};
        let base = PageUrl::parse("http://a.gov.cn/x/").expect("base");
        for (address, wanted) in [
            ("file:///C:/Users/ADMINI~1/AppData/Local/Temp/ksohtml/wps1.jpg", Some(LocalFile)),
            ("C:\\Users\\x\\1.doc", Some(LocalFile)),
            ("mhtml:file://C:\\x.mht!http://a.cn/1.png", Some(LocalFile)),
            ("http://", Some(Malformed)),
            ("http://www.x.gov.cn 点击", Some(Malformed)),
            ("http://www.x.gov.cn:端口/", Some(Malformed)),
            ("htp://www.x.gov.cn/", Some(Malformed)),
            ("//", Some(Malformed)),
            ("mailto:a@b.gov.cn", None),
            ("mailto:a@b.gov.cn,c%40d.cn?subject=x", None),
            ("mailto:?subject=x", None),
            ("MAILTO:a.b.gov.cn", Some(Contact)),
            ("mailto:", Some(Contact)),
            ("mailto:a@b", Some(Contact)),
            ("mailto:a b@c.cn", Some(Contact)),
            ("tel:0571-12345678", None),
            ("tel:+86 571 1234;ext=5", None),
            ("tel:12345", None),
            ("tel:电话", Some(Contact)),
            ("tel:1", Some(Contact)),
            ("javascript:void(0)", None),
            ("weixin://dl/chat", None),
            ("data:image/png;base64,AAAA", None),
            ("about:blank", None),
            ("ftp://a.cn/1.zip", None),
        ] {
            let refused = base.join(address).expect_err(address);
            assert_eq!(fault(address, &refused), wanted, "{address}");
        }
        let long = base.join(&"x".repeat(5_000)).expect_err("too long");
        assert_eq!(fault("x", &long), None);
    }

    #[test]
    fn viewers_and_templates() {
        let viewer = |query: &str| viewed(&format!("http://a.gov.cn/pdfjs/web/viewer.html{query}"));
        let shown = |query: &str| viewer(query).map(|url| url.to_string());
        assert_eq!(shown("?file=%2Ffiles%2F1.pdf").as_deref(), Some("http://a.gov.cn/files/1.pdf"));
        assert_eq!(shown("?x=1&file=../../2.pdf").as_deref(), Some("http://a.gov.cn/2.pdf"));
        assert_eq!(shown("?file=http://b.cn/3.pdf&y").as_deref(), Some("http://b.cn/3.pdf"));
        for none in ["", "?file=", "?file=/show.do", "?file=%FF.pdf", "?file=blob:x"] {
            assert_eq!(shown(none), None, "{none}");
        }
        assert_eq!(viewed("http://a.gov.cn/list.html?file=/1.pdf"), None);
        // http://a.gov.cn/f/附件.pdf
        let preview = |url: &str| viewed(&format!("http://a.gov.cn:8012/onlinePreview?url={url}&x=1"));
        let shown = |url: &str| preview(url).map(|url| url.to_string());
        let wanted = Some("http://a.gov.cn/f/%E9%99%84%E4%BB%B6.pdf");
        assert_eq!(shown("aHR0cDovL2EuZ292LmNuL2Yv6ZmE5Lu2LnBkZg%3D%3D").as_deref(), wanted);
        assert_eq!(shown("aHR0cDovL2EuZ292LmNuL2Yv6ZmE5Lu2LnBkZg==").as_deref(), wanted);
        for none in ["", "http://a.gov.cn/1.pdf", "/w==", "aHR0cDovL2EuZ292LmNuLw=="] {
            assert_eq!(shown(none), None, "{none}");
        }
        assert!(is_template("{{item.url}}") && is_template("/a/${id}.html") && is_template("<%=url%>"));
        assert!(!is_template("/a{b}/%7B%7Bx.html"));
    }
}
