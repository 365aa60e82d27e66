//! Asks a site's own search for titles that are known to be there (D18).

use encoding_rs::Encoding;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use xunjian_fetch::{Answer, Ask, Failure, Fetcher, Gate};
use xunjian_model::{Facts, Field, Form, LinkKind, LinkState, PageUrl, Zone};

use crate::turns::{ask_twice, state_of};

/// Names of fields for what is sought.
const NAMES: [&str; 16] = [
    "q", "s", "key", "keys", "keyword", "keywords", "searchword", "searchwords", "word", "words", "wd",
    "query", "qt", "title", "searchtext", "kw",
];
/// Words that tell a search from another form.
const WORDS: [&str; 5] = ["search", "sousuo", "搜索", "检索", "搜"];
/// Longest part of a title that is asked for, in characters.
const QUERY_CHARS_MAX: usize = 20;
/// What a form's text is written with: letters and digits of ASCII, and these.
const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'*');

/// A page that is known to be on the site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Class of its column, `news`, `policy`, `interaction` or `service`.
    pub class: String,
    /// Title, as lists show it.
    pub title: String,
    /// Address.
    pub url: String,
}

/// What came of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sought {
    /// It is among the first results.
    Found,
    /// It is not, or there is no search at its address, or one that fails.
    Missed,
    /// The search did not answer, does not want to, or a script fills in its results: nothing can be said of it.
    NoAnswer,
}

/// The form of a page that searches the site, with the field for what is sought.
pub fn search_form(home: &Facts) -> Option<(&Form, &Field)> {
    let text = |field: &&Field| matches!(field.kind.as_str(), "text" | "search") && !field.name.is_empty();
    let named = |field: &Field| {
        let hint = field.hint.to_lowercase();
        NAMES.contains(&field.name.to_ascii_lowercase().as_str())
            || WORDS.iter().any(|word| hint.contains(word))
            || hint.contains("关键")
    };
    let forms = || home.forms.iter().filter(|form| !form.fields.iter().any(|field| field.kind == "password"));
    let by_name = forms().find_map(|form| {
        let field = form.fields.iter().filter(text).find(|field| named(field))?;
        Some((form, field))
    });
    by_name.or_else(|| {
        forms().find_map(|form| {
            let action = form.action.to_ascii_lowercase();
            let search = WORDS.iter().any(|word| action.contains(word));
            Some((form, form.fields.iter().filter(text).find(|_| search)?))
        })
    })
}

/// Asks for a page by its title and looks for it among the first results; with the address that was asked.
pub async fn search(
    fetcher: &Fetcher,
    gate: &dyn Gate,
    (home, form, field): (&Facts, &Form, &Field),
    known: &Known,
    page: xunjian_page::Limits,
) -> (Sought, String) {
    let charset = form.charset.as_deref().unwrap_or(&home.charset.name);
    let encoding = Encoding::for_label(charset.as_bytes()).unwrap_or(encoding_rs::UTF_8);
    let pairs = form.fields.iter().filter(|one| !one.name.is_empty()).filter_map(|one| {
        let value = match one.kind.as_str() {
            _ if one == field => query_of(plain(&known.title)),
            "hidden" | "text" | "search" => one.value.clone(),
            _ => return None,
        };
        Some(format!("{}={}", encoded(&one.name, encoding), encoded(&value, encoding)))
    });
    let query = pairs.collect::<Vec<_>>().join("&");
    let bare = form.action.split(['?', '#']).next().unwrap_or_default();
    let address = if form.post { form.action.clone() } else { format!("{bare}?{query}") };
    let Ok(url) = PageUrl::parse(&address) else { return (Sought::NoAnswer, address) };
    let ask = Ask { form: form.post.then_some(query), ..Ask::get(url) };
    (sought(ask_twice(fetcher, gate, ask).await, known, page), address)
}

/// What an answer says of a page that was sought.
fn sought(answered: Result<Answer, Failure>, known: &Known, page: xunjian_page::Limits) -> Sought {
    let answer = match (state_of(&answered), answered) {
        (LinkState::Ok, Ok(answer)) => answer,
        (LinkState::ServerError(_) | LinkState::ClientError(_) | LinkState::RedirectLoop, _) => {
            return Sought::Missed;
        }
        (state, _) if state.is_dead() => return Sought::Missed,
        _ => return Sought::NoAnswer,
    };
    let media_type = answer.header("content-type");
    let results = xunjian_page::extract(&answer.body, media_type, &answer.final_url, page);
    let wanted = squeezed(plain(&known.title));
    let mut links =
        results.links.iter().filter(|link| link.kind == LinkKind::Page && link.zone != Zone::Navigation);
    let found = links.any(|link| {
        let text = squeezed(results.link_text(link));
        link.url == known.url
            || !text.is_empty()
                && (text.contains(&wanted)
                    || wanted.contains(&text) && text.chars().count() >= QUERY_CHARS_MAX / 2)
    });
    match found {
        true => Sought::Found,
        // What a script puts there, nobody saw.
        false if results.scripted || results.links.iter().any(|link| link.kind == LinkKind::Data) => {
            Sought::NoAnswer
        }
        false => Sought::Missed,
    }
}

/// A title without the mark in front of its row, and without the dots where a list cuts it off.
fn plain(title: &str) -> &str {
    let opens = |c: char| c.is_alphanumeric() || "《〈“‘「『【〔（([\"".contains(c);
    title.trim_start_matches(|c| !opens(c)).trim_end_matches(['…', '.', '．', ' '])
}

/// The beginning of a title: long ones are seldom typed whole.
fn query_of(title: &str) -> String {
    let title = title.trim();
    let end = title.char_indices().nth(QUERY_CHARS_MAX).map_or(title.len(), |(at, _)| at);
    title[..end].to_owned()
}

fn squeezed(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// As a browser writes a form's text in its page's charset (URL standard, 5.1).
fn encoded(text: &str, encoding: &'static Encoding) -> String {
    let (bytes, ..) = encoding.encode(text);
    percent_encode(&bytes, FORM).to_string().replace("%20", "+")
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
    fn titles_are_asked_for_as_they_are_not_as_lists_show_them() {
        assert_eq!(
            plain("· 我县保障性住房公开摇号、405户中低收入…"),
            "我县保障性住房公开摇号、405户中低收入"
        );
        assert_eq!(plain("《条例》解读..."), "《条例》解读");
        assert_eq!(plain("…"), "");
    }

    #[test]
    fn words_are_sent_in_the_page_s_charset() {
        assert_eq!(encoded("搜 a", encoding_rs::UTF_8), "%E6%90%9C+a");
        assert_eq!(encoded("搜 a", encoding_rs::GBK), "%CB%D1+a");
    }
}
