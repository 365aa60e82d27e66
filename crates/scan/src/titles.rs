//! Which interpretation a document's title is most like.

use rustc_hash::FxHashMap;

/// Likeness of titles from which a pair is proposed to a person.
const ALIKE: f64 = 0.75;

/// What interpretations are about.
pub(crate) struct Titles {
    matters: Vec<Matter>,
    /// Letter → the matters that have it.
    by_letter: FxHashMap<char, Vec<u32>>,
}

struct Matter {
    text: String,
    letters: usize,
    distinct: usize,
}

impl Matter {
    fn new(text: &str) -> Self {
        Self { text: text.to_owned(), letters: text.chars().count(), distinct: distinct(text).len() }
    }

    /// Whether two matters with so many letters in common may be alike. Of two that are, one lacks no more
    /// of the other's letters than there are letters to change, or none at all when it holds the other.
    fn may_be_like(&self, other: &Self, common: usize) -> bool {
        let least = self.distinct.min(other.distinct);
        let most = self.distinct.max(other.distinct);
        let changed = (1.0 - ALIKE) * self.letters.max(other.letters) as f64;
        common > 0 && (common == least || (most - common) as f64 <= changed)
    }
}

impl Titles {
    /// Takes the titles of interpretations.
    pub(crate) fn new<'t>(interpretations: impl Iterator<Item = &'t str>) -> Self {
        let matters: Vec<Matter> =
            interpretations.map(|title| Matter::new(matter(&bare(quoted(title))))).collect();
        let mut by_letter: FxHashMap<char, Vec<u32>> = FxHashMap::default();
        for (at, matter) in (0..).zip(&matters) {
            for letter in distinct(&matter.text) {
                by_letter.entry(letter).or_default().push(at);
            }
        }
        Self { matters, by_letter }
    }

    /// The one a document's title is most like, if it is like any.
    pub(crate) fn nearest(&self, document: &str) -> Option<usize> {
        let own = Matter::new(matter(&bare(document)));
        let mut common = vec![0_usize; self.matters.len()];
        for letter in distinct(&own.text) {
            for at in self.by_letter.get(&letter).into_iter().flatten() {
                common[*at as usize] += 1;
            }
        }
        let may = self.matters.iter().zip(common).enumerate();
        let compared = may
            .filter(|(_, (matter, common))| own.may_be_like(matter, *common))
            .map(|(at, (matter, _))| (likeness(&own.text, &matter.text), at));
        let nearest = compared.max_by(|(a, _), (b, _)| a.total_cmp(b));
        nearest.filter(|(alike, _)| *alike >= ALIKE).map(|(_, at)| at)
    }
}

fn distinct(text: &str) -> Vec<char> {
    let mut letters: Vec<char> = text.chars().collect();
    letters.sort_unstable();
    letters.dedup();
    letters
}

/// How alike two matters are, 0 to 1, by the letters to change; one that holds the other is the same.
fn likeness(one: &str, other: &str) -> f64 {
    // What has no name is like everything.
    match one.is_empty() || other.is_empty() {
        true => 0.0,
        false if one.contains(other) || other.contains(one) => 1.0,
        false => strsim::normalized_levenshtein(one, other),
    }
}

/// What a title is about: without who issues it, and without the form it has.
fn matter(title: &str) -> &str {
    let after = |title, word| str::rsplit_once(title, word).map_or(title, |(_, rest)| rest);
    let about = ["关于", "印发", "发布", "公布"].into_iter().fold(title, after);
    let form = ["的通知", "的通告", "的公告", "的决定", "的批复"];
    let about = form.iter().find_map(|form| about.strip_suffix(form)).unwrap_or(about);
    about.trim_matches(['《', '》'])
}

/// What stands between 《 and the last 》 of a title.
fn quoted(title: &str) -> &str {
    title.split_once('《').and_then(|(_, rest)| rest.rsplit_once('》')).map_or("", |(inner, _)| inner)
}

/// A title without the name of the site behind it and without blanks.
fn bare(title: &str) -> String {
    let title = title.split(['_', '|']).next().unwrap_or(title);
    title.chars().filter(|c| !c.is_whitespace()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn titles_are_alike_by_their_letters() {
        let alike =
            |document: &str, title: &str| Titles::new(std::iter::once(title)).nearest(document).is_some();
        let document = "新城区人民政府关于印发城市供热管理办法的通知";
        assert!(alike(document, "《城市供热管理办法》解读"), "one holds the other");
        assert!(alike(document, "《新城区人民政府印发城市供热管理办法的通知》政策解读"), "issued alike");
        assert!(
            !alike(document, "《新城区人民政府关于印发中小学招生工作方案的通知》政策解读"),
            "another matter"
        );
        assert!(alike("城市供热用热管理暂行办法", "《城市供热管理暂行办法》解读"), "a word apart");
        assert!(!alike(document, "《新城区物业服务收费办法》解读"));
        assert!(
            !alike(document, "政策解读") && !alike("", "《城市供热管理办法》解读"),
            "no name is like none"
        );
    }

    proptest! {
        /// Leaving out what cannot be alike loses nothing that is.
        #[test]
        fn the_nearest_is_that_of_all(document in "[甲乙丙丁戊]{0,12}", titles in prop::collection::vec("[甲乙丙丁戊]{0,12}", 0..12)) {
            let quoted: Vec<String> = titles.iter().map(|title| format!("《{title}》解读")).collect();
            let nearest = Titles::new(quoted.iter().map(String::as_str)).nearest(&document);
            let best = titles.iter().map(|title| likeness(matter(&document), matter(title))).fold(0.0, f64::max);
            prop_assert_eq!(nearest.is_some(), best >= ALIKE);
            if let Some(at) = nearest {
                prop_assert!(likeness(matter(&document), matter(&titles[at])) == best);
            }
        }
    }
}
