//! Texts of laws and regulations.

/// Articles from which a text is one.
const ARTICLES_MIN: usize = 5;

/// Whether paragraphs are the text of a law: it names bodies as they were called on its own day, however young the
/// page is that shows it.
pub(crate) fn is_statute<'t>(paragraphs: impl Iterator<Item = &'t str>) -> bool {
    paragraphs.filter(|text| begins_article(text)).nth(ARTICLES_MIN - 1).is_some()
}

/// Whether a text begins with the number of an article: `第十二条`.
fn begins_article(text: &str) -> bool {
    let Some(rest) = text.trim_start().strip_prefix('第') else { return false };
    let number = |c: char| "零〇一二三四五六七八九十百千".contains(c) || c.is_ascii_digit();
    let behind = rest.trim_start_matches(number);
    behind.len() < rest.len() && behind.starts_with('条')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn laws_are_known_by_their_articles() {
        let article = |number: &str| format!("　　第{number}条　由市物价局核定。\n");
        let law: String = ["一", "二", "三", "十二", "13"].map(article).concat();
        assert!(is_statute(law.lines()));
        assert!(!is_statute(article("一").repeat(4).lines()));
        assert!(!is_statute("第三届会议\n第条\n按第一条办理\n".repeat(5).lines()));
    }
}
