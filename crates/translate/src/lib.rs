//! What the program says in English, said in Chinese: messages of what goes wrong, and the help.
//!
//! Every crate words its messages in English, once, where they arise. Only whoever shows one to a person asks
//! here for the same in Chinese, so that nothing below knows of languages. The wordings are in `data/`.

use std::sync::LazyLock;

/// The wordings: a line in English, one in Chinese; `{}` is what the program puts there.
const WORDINGS: [&str; 2] = [include_str!("../data/messages.txt"), include_str!("../data/help.txt")];

/// Colons of a line behind which a message is looked for.
const COLONS_MAX: usize = 5;
/// How deep messages stand in messages.
const DEPTH_MAX: usize = 4;

/// Those with the most words of their own first: they say most.
static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    let mut entries: Vec<Entry> = wordings().map(|(english, chinese)| Entry::new(english, chinese)).collect();
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.own_bytes()));
    entries
});

/// A text in Chinese, line by line; what has no Chinese wording stays as it is.
pub fn chinese(text: &str) -> String {
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| {
            let words = line.trim();
            match speak(words, DEPTH_MAX) {
                Some(spoken) => line.replacen(words, &spoken.text, 1),
                None => line.to_owned(),
            }
        })
        .collect();
    lines.join("\n")
}

/// Whether a text has a Chinese wording of its own.
pub fn is_known(text: &str) -> bool {
    ENTRIES.iter().any(|entry| entry.parts_of(text).is_some())
}

/// Every wording in English with the one in Chinese.
pub fn wordings() -> impl Iterator<Item = (&'static str, &'static str)> {
    WORDINGS.into_iter().flat_map(|file| {
        let mut lines = file.lines().filter(|line| !line.is_empty() && !line.starts_with("# "));
        std::iter::from_fn(move || Some((lines.next()?, lines.next()?)))
    })
}

/// One wording.
struct Entry {
    /// What stands between the placeholders.
    english: Vec<&'static str>,
    chinese: &'static str,
}

impl Entry {
    fn new(english: &'static str, chinese: &'static str) -> Self {
        Self { english: english.split("{}").collect(), chinese }
    }

    fn own_bytes(&self) -> usize {
        self.english.iter().map(|own| own.len()).sum()
    }

    /// What stands in place of the placeholders, if the text is of this wording.
    fn parts_of<'t>(&self, text: &'t str) -> Option<Vec<&'t str>> {
        let (first, others) = self.english.split_first()?;
        let mut rest = text.strip_prefix(first)?;
        let Some((last, between)) = others.split_last() else { return rest.is_empty().then(Vec::new) };
        let mut parts = Vec::with_capacity(others.len());
        for own in between {
            let (part, after) = rest.split_once(own)?;
            parts.push(part);
            rest = after;
        }
        parts.push(rest.strip_suffix(last)?);
        Some(parts)
    }

    /// The Chinese wording with these parts in it, those in Chinese, too, that can be.
    fn with(&self, parts: &[&str], depth: usize) -> Spoken {
        let mut spoken = Spoken { text: String::new(), own_bytes: self.own_bytes() };
        let mut rest = self.chinese;
        let mut next = 0;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((number, after)) = after.split_once('}') else { break };
            spoken.text.push_str(before);
            let at = number.parse().unwrap_or(next);
            next = at + 1;
            let part = parts.get(at).copied().unwrap_or_default();
            spoken.push(speak(part, depth), part);
            rest = after;
        }
        spoken.text.push_str(rest);
        spoken
    }
}

/// What is said in Chinese.
struct Spoken {
    text: String,
    /// How much of the English text the wordings account for.
    own_bytes: usize,
}

impl Spoken {
    /// Adds a part in Chinese, or as it is.
    fn push(&mut self, spoken: Option<Self>, english: &str) {
        self.own_bytes += spoken.as_ref().map_or(0, |spoken| spoken.own_bytes);
        self.text.push_str(spoken.as_ref().map_or(english, |spoken| &spoken.text));
    }
}

/// A line in Chinese: one of the wordings, or one behind what says where, `FILE:LINE: `. Of several the one that
/// accounts for most of the line, since one that begins or ends with a placeholder takes in whatever stands there.
fn speak(text: &str, depth: usize) -> Option<Spoken> {
    let depth = depth.checked_sub(1)?;
    let colons = text.match_indices(": ").map(|(at, _)| at).take(COLONS_MAX);
    let behind = colons.filter_map(|at| {
        let mut spoken = Spoken { text: String::new(), own_bytes: 0 };
        // In a list what stands behind the colons is aligned.
        let message = text[at + 2..].trim_start();
        let colon = &text[at..text.len() - message.len()];
        let (place, message) = (speak(&text[..at], depth), worded(message, depth)?);
        let colon = if place.is_some() { "：" } else { colon };
        spoken.push(place, &text[..at]);
        spoken.text.push_str(colon);
        spoken.push(Some(message), "");
        Some(spoken)
    });
    worded(text, depth)
        .into_iter()
        .chain(behind)
        .reduce(|best, one| if one.own_bytes >= best.own_bytes { one } else { best })
}

fn worded(text: &str, depth: usize) -> Option<Spoken> {
    ENTRIES.iter().find_map(|entry| Some(entry.with(&entry.parts_of(text)?, depth)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_said_with_their_places_and_causes() {
        for (english, said) in [
            (
                "xunjian.toml:3: `politeness.connections`: must be a whole number, 0 or more, not -1",
                "xunjian.toml:3: `politeness.connections`: 必须是大于等于 0 的整数，而不是 -1",
            ),
            ("cannot make /x: Permission denied (os error 13)", "无法建立 /x：权限不足（os error 13）"),
            (
                "d/warc: No space left on device (os error 28); free space on the disk and run again, nothing stored is lost",
                "d/warc: 磁盘空间不足（os error 28）；请腾出磁盘空间后再运行，已存的内容没有丢失",
            ),
            ("- json:  One JSON array", "- json:  一个 JSON 数组"),
            ("what nobody wrote down", "what nobody wrote down"),
            (
                "  tip: a similar argument exists: '--site'\n\nrefused",
                "  提示：有一个相近的参数：'--site'\n\n连接被拒绝",
            ),
        ] {
            assert_eq!(chinese(english), said);
        }
    }

    #[test]
    fn a_line_of_colons_has_an_end() {
        let line = "cannot read a: line 1: ".repeat(200);
        assert!(chinese(&line).starts_with("无法读取"));
    }

    #[test]
    fn every_wording_has_its_own_and_all_its_parts() {
        let mut seen = std::collections::HashSet::new();
        let mut count = 0;
        for (english, chinese) in wordings() {
            count += 1;
            assert!(seen.insert(english), "twice: {english}");
            let parts = english.matches("{}").count();
            assert_eq!(chinese.matches('{').count(), parts, "{english}");
            assert!(!chinese.is_ascii(), "{english}: {chinese}");
            assert!(is_known(english), "{english}");
        }
        assert!(count > 300, "{count}");
    }
}
