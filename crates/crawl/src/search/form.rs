//! The form of a page that searches the site, and how it is filled in.

use encoding_rs::Encoding;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode};
use xunjian_fetch::{Ask, Post};
use xunjian_model::{Facts, Field, Form, PageUrl};
use xunjian_render::Lead;

/// What a form's text is written with: letters and digits of ASCII, and these.
const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'*');

/// The form of a page that searches the site, with the field for what is sought.
pub fn search_form(home: &Facts) -> Option<(&Form, &Field)> {
    let text = |field: &&Field| matches!(field.kind.as_str(), "text" | "search") && !field.name.is_empty();
    let forms = || home.forms.iter().filter(|form| !form.fields.iter().any(|field| field.kind == "password"));
    let by_name = forms().find_map(|form| {
        let field = form.fields.iter().filter(text).find(|field| field.says_search())?;
        Some((form, field))
    });
    by_name.or_else(|| {
        forms().find_map(|form| Some((form, form.fields.iter().filter(text).find(|_| form.says_search())?)))
    })
}

/// The question of a form with these words in its field; `None` where a script would have to send it, with the form's address.
pub(super) fn question(home: &Facts, (form, field): (&Form, &Field), words: &str) -> (Option<Ask>, String) {
    let charset = form.charset.as_deref().unwrap_or(&home.charset.name);
    let encoding = Encoding::for_label(charset.as_bytes()).unwrap_or(encoding_rs::UTF_8);
    let pairs = form.fields.iter().filter(|one| !one.name.is_empty()).filter_map(|one| {
        let value = match one.kind.as_str() {
            _ if one == field => words,
            "hidden" | "text" | "search" => &one.value,
            _ => return None,
        };
        Some(format!("{}={}", encoded(&one.name, encoding), encoded(value, encoding)))
    });
    let query = pairs.collect::<Vec<_>>().join("&");
    let bare = form.action.split(['?', '#']).next().unwrap_or_default();
    let address = if form.post { form.action.clone() } else { format!("{bare}?{query}") };
    let post = form.post.then(|| Post::form(query));
    let ask = PageUrl::parse(&address).ok().map(|url| Ask { post, ..Ask::get(url) });
    (ask, address)
}

/// As a browser writes a form's text in its page's charset (URL standard, 5.1).
fn encoded(text: &str, encoding: &'static Encoding) -> String {
    let (bytes, ..) = encoding.encode(text);
    percent_encode(&bytes, FORM).to_string().replace("%20", "+")
}

/// Whether words go where a page leads: in its address or what is sent there, in UTF-8, GBK or as `escape` writes them, once
/// or twice over.
pub(super) fn carries(lead: &Lead, words: &str) -> bool {
    let words: String = words.chars().take_while(|c| !c.is_whitespace()).collect();
    let (gbk, ..) = encoding_rs::GBK.encode(&words);
    let escaped: String = words.encode_utf16().map(|unit| format!("%u{unit:04X}")).collect();
    let written = [words.as_bytes(), &gbk, escaped.as_bytes()];
    let mut text = lead.url.clone().into_bytes();
    text.extend(lead.post.iter().flat_map(|post| &post.body));
    let has =
        |text: &[u8]| written.iter().any(|words| text.windows(words.len().max(1)).any(|part| part == *words));
    let once: Vec<u8> = percent_decode(&text).collect();
    let twice: Vec<u8> = percent_decode(&once).collect();
    [text, once, twice].iter().any(|text| has(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(html: &str, charset: &str) -> Facts {
        let url = PageUrl::parse("http://www.a.gov.cn/").expect("url");
        let media_type = format!("text/html; charset={charset}");
        xunjian_page::extract(html.as_bytes(), Some(&media_type), &url, xunjian_page::Limits::default())
    }

    #[test]
    fn the_search_form_is_told_from_other_forms() {
        let chosen = |html: &str| {
            let home = home(html, "utf-8");
            search_form(&home).map(|(form, field)| (form.action.clone(), form.post, field.name.clone()))
        };
        let login = "<form action=/login method=post><input name=q><input type=password name=p></form>";
        let mail = "<form action=/mail><input name=address></form>";
        let search =
            "<form action=/s method=POST><input type=hidden name=site value=1><input name=SearchWord></form>";
        let wanted = ("http://www.a.gov.cn/s".to_owned(), true, "SearchWord".to_owned());
        assert_eq!(chosen(&format!("{login}{mail}{search}")), Some(wanted));
        let hinted = "<form action=/f><input name=x placeholder=请输入关键字></form>";
        assert_eq!(chosen(hinted).map(|(_, _, name)| name), Some("x".to_owned()));
        let by_action = "<form action=/sousuo.jsp><input name=zzz></form>";
        assert_eq!(chosen(by_action).map(|(_, _, name)| name), Some("zzz".to_owned()));
        assert_eq!(chosen(&format!("{login}{mail}")), None);
        assert_eq!(chosen("<input name=q>"), None, "no form");
    }

    #[test]
    fn it_is_seen_whether_words_go_along() {
        let goes = |url: &str, body: &str| {
            let post = xunjian_render::Post { media_type: String::new(), body: body.as_bytes().to_vec() };
            carries(&Lead { url: url.to_owned(), post: Some(post) }, "搜 索")
        };
        for url in ["/s?q=搜", "/s?q=%E6%90%9C", "/s?q=%25E6%2590%259C", "/s#%CB%D1", "/s?q=%u641C"] {
            assert!(goes(url, ""), "{url}");
        }
        assert!(goes("/s", "q=%E6%90%9C") && goes("/s", "{\"q\":\"搜\"}"));
        assert!(!goes("/search.html", "q=") && !goes("/s?q=%E6%90%9D", ""));
    }

    #[test]
    fn words_are_sent_in_the_page_s_charset() {
        assert_eq!(encoded("搜 a", encoding_rs::UTF_8), "%E6%90%9C+a");
        assert_eq!(encoded("搜 a", encoding_rs::GBK), "%CB%D1+a");
    }
}
