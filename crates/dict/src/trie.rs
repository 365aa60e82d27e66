//! The search itself: a trie over the characters of all patterns, kept as a double array.
//!
//! Every character that some pattern has gets a small code; the child of a node by a code lies at
//! the node's base plus the code and carries the base as its mark. No two nodes have the same
//! base, so one comparison tells whether the child is the node's. Chinese patterns are a few
//! characters long, so walking down anew from each character costs less than following the
//! failure links of an automaton, and answers every pattern that begins there.

use std::collections::HashMap;

/// Codes from here on are no pattern's character; the caller may use them as signs.
pub(crate) const CODES_MAX: u16 = 0xFFF0;
/// The code of a character that no pattern has.
pub(crate) const UNKNOWN: u16 = 0;
/// Set in a node's base: a pattern ends here.
const TERMINAL: u32 = 1 << 31;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Node {
    /// Where its children lie; 0 without any. With [`TERMINAL`].
    base: u32,
    /// The base of its parent; 0 where nothing lies.
    parent: u32,
}

/// The codes of characters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Alphabet {
    codes: HashMap<char, u16>,
}

impl Alphabet {
    /// Codes for the characters of texts, the most frequent first, which keeps the array dense.
    /// `None`: more characters than there are codes.
    pub(crate) fn of<'t>(texts: impl Iterator<Item = &'t [char]>) -> Option<Self> {
        let mut counts: HashMap<char, usize> = HashMap::new();
        texts.flatten().for_each(|&c| *counts.entry(c).or_default() += 1);
        let mut chars: Vec<(usize, char)> = counts.into_iter().map(|(c, count)| (count, c)).collect();
        chars.sort_unstable_by(|a, b| b.cmp(a));
        (chars.len() < usize::from(CODES_MAX) - 1)
            .then(|| Self { codes: chars.iter().zip(1..).map(|(&(_, c), code)| (c, code)).collect() })
    }

    /// A character's code.
    pub(crate) fn code(&self, c: char) -> u16 {
        self.codes.get(&c).copied().unwrap_or(UNKNOWN)
    }

    /// All characters with their codes.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (char, u16)> + '_ {
        self.codes.iter().map(|(&c, &code)| (c, code))
    }
}

/// A trie of code sequences.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trie {
    /// The node of each first code, as its base with [`TERMINAL`], and its value.
    roots: Vec<(u32, u32)>,
    nodes: Vec<Node>,
    /// The value of each terminal node.
    values: Vec<u32>,
}

impl Trie {
    /// Builds from sequences, sorted and without repeats; the value of each is its index.
    pub(crate) fn build(sequences: &[Vec<u16>]) -> Self {
        let codes = sequences.iter().flatten().copied().max().map_or(1, |code| usize::from(code) + 1);
        let mut building =
            Building { codes, trie: Self::default(), used_bases: Vec::new(), first_free: 1 };
        building.trie.roots = vec![(0, 0); codes];
        building.grow(codes * 2);
        // Breadth first: nodes with many children find the array empty.
        let mut level: Vec<(Place, usize, std::ops::Range<usize>)> = Vec::new();
        for (code, range) in groups(sequences, 0..sequences.len(), 0) {
            level.push((Place::Root(code), 1, range));
        }
        while !level.is_empty() {
            let mut next = Vec::new();
            for (place, depth, range) in level {
                let ends = sequences[range.start].len() == depth;
                let value = range.start as u32;
                let deeper = range.start + usize::from(ends)..range.end;
                let children: Vec<(u16, std::ops::Range<usize>)> =
                    groups(sequences, deeper, depth).collect();
                let base = if children.is_empty() { 0 } else { building.place(&children) };
                building.set(place, base | if ends { TERMINAL } else { 0 }, value);
                next.extend(
                    children
                        .into_iter()
                        .map(|(code, range)| (Place::Node(base as usize + usize::from(code)), depth + 1, range)),
                );
            }
            level = next;
        }
        let mut trie = building.trie;
        let used = trie.nodes.iter().rposition(|node| node.parent != 0).map_or(0, |last| last + 1);
        trie.nodes.truncate(used);
        trie.values.truncate(used);
        trie
    }

    /// Tells every sequence that begins at `at`: its length and value, shortest first.
    #[inline]
    pub(crate) fn each_from(&self, text: &[u16], at: usize, mut found: impl FnMut(usize, u32)) {
        let Some(&(root, value)) = self.roots.get(usize::from(text[at])) else { return };
        if root == 0 {
            return;
        }
        if root & TERMINAL != 0 {
            found(1, value);
        }
        let mut base = root & !TERMINAL;
        for (depth, &code) in text[at + 1..].iter().enumerate() {
            let slot = base as usize + usize::from(code);
            let Some(node) = self.nodes.get(slot) else { return };
            if base == 0 || node.parent != base {
                return;
            }
            if node.base & TERMINAL != 0 {
                found(depth + 2, self.values[slot]);
            }
            base = node.base & !TERMINAL;
        }
    }

    /// The longest sequence that begins at `at`: its length and value.
    #[inline]
    pub(crate) fn longest_from(&self, text: &[u16], at: usize) -> Option<(usize, u32)> {
        let mut longest = None;
        self.each_from(text, at, |length, value| longest = Some((length, value)));
        longest
    }

    /// The arrays, to be kept: `from_words` makes them a trie again.
    pub(crate) fn words(&self) -> Vec<u32> {
        let mut words = vec![self.roots.len() as u32, self.nodes.len() as u32];
        words.extend(self.roots.iter().flat_map(|&(base, value)| [base, value]));
        words.extend(self.nodes.iter().flat_map(|node| [node.base, node.parent]));
        words.extend(&self.values);
        words
    }

    /// A trie from [`Trie::words`]; `None` when there are too few or too many of them.
    pub(crate) fn from_words(words: &[u32]) -> Option<Self> {
        let (&[roots, nodes], rest) = words.split_first_chunk::<2>()?;
        let (roots, nodes) = (roots as usize, nodes as usize);
        (rest.len() == roots.checked_mul(2)?.checked_add(nodes.checked_mul(3)?)?).then(|| {
            let (root_words, rest) = rest.split_at(roots * 2);
            let (node_words, values) = rest.split_at(nodes * 2);
            let pairs = |words: &[u32]| words.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect::<Vec<_>>();
            Self {
                roots: pairs(root_words),
                nodes: node_words
                    .chunks_exact(2)
                    .map(|pair| Node { base: pair[0], parent: pair[1] })
                    .collect(),
                values: values.to_vec(),
            }
        })
    }
}

/// Sequences of a range that share the code at `depth`.
fn groups(
    sequences: &[Vec<u16>],
    range: std::ops::Range<usize>,
    depth: usize,
) -> impl Iterator<Item = (u16, std::ops::Range<usize>)> {
    let mut from = range.start;
    std::iter::from_fn(move || {
        let code = *sequences.get(from).filter(|_| from < range.end)?.get(depth)?;
        let to = from
            + sequences[from..range.end].partition_point(|other| other[depth] <= code);
        let group = from..to;
        from = to;
        Some((code, group))
    })
}

#[derive(Clone, Copy)]
enum Place {
    Root(u16),
    Node(usize),
}

struct Building {
    codes: usize,
    trie: Trie,
    used_bases: Vec<bool>,
    /// Below it hardly a slot is free.
    first_free: usize,
}

impl Building {
    fn grow(&mut self, slots: usize) {
        if slots > self.trie.nodes.len() {
            let slots = slots.max(self.trie.nodes.len() * 3 / 2);
            self.trie.nodes.resize(slots, Node::default());
            self.trie.values.resize(slots, 0);
            self.used_bases.resize(slots, false);
        }
    }

    fn set(&mut self, place: Place, base: u32, value: u32) {
        match place {
            Place::Root(code) => self.trie.roots[usize::from(code)] = (base, value),
            Place::Node(slot) => {
                self.trie.nodes[slot].base = base;
                self.trie.values[slot] = value;
            }
        }
    }

    /// Takes slots for a node's children; the base.
    fn place(&mut self, children: &[(u16, std::ops::Range<usize>)]) -> u32 {
        /// Slots looked at in vain after which the search begins further on next time.
        const PATIENCE: usize = 256;
        let first = usize::from(children[0].0);
        let mut slot = self.first_free.max(first + 1);
        let mut looked = 0;
        loop {
            self.grow(slot + self.codes + 1);
            let base = slot - first;
            let free = |code: usize| self.trie.nodes[base + code].parent == 0;
            if !self.used_bases[base] && children.iter().all(|(code, _)| free(usize::from(*code))) {
                self.used_bases[base] = true;
                for (code, _) in children {
                    self.trie.nodes[base + usize::from(*code)].parent = base as u32;
                }
                if looked > PATIENCE {
                    self.first_free += looked / 8;
                }
                return base as u32;
            }
            looked += 1;
            slot += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trie(patterns: &[&str]) -> (Alphabet, Trie, Vec<String>) {
        let chars: Vec<Vec<char>> = patterns.iter().map(|text| text.chars().collect()).collect();
        let alphabet = Alphabet::of(chars.iter().map(Vec::as_slice)).expect("few characters");
        let mut pairs: Vec<(Vec<u16>, String)> = chars
            .iter()
            .map(|chars| (chars.iter().map(|&c| alphabet.code(c)).collect(), chars.iter().collect()))
            .collect();
        pairs.sort();
        pairs.dedup();
        let (sequences, names): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        (alphabet, Trie::build(&sequences), names)
    }

    fn all(patterns: &[&str], text: &str) -> Vec<(usize, String)> {
        let (alphabet, trie, names) = trie(patterns);
        let codes: Vec<u16> = text.chars().map(|c| alphabet.code(c)).collect();
        let mut found = Vec::new();
        for at in 0..codes.len() {
            trie.each_from(&codes, at, |_, value| found.push((at, names[value as usize].clone())));
        }
        found
    }

    proptest::proptest! {
        #[test]
        fn finds_what_a_naive_search_finds(
            patterns in proptest::collection::vec("[甲乙丙a丁]{1,4}", 1..20),
            text in "[甲乙丙丁ab戊]{0,60}",
        ) {
            let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
            let chars: Vec<char> = text.chars().collect();
            let mut expected = Vec::new();
            for at in 0..chars.len() {
                let rest: String = chars[at..].iter().collect();
                let mut here: Vec<&str> =
                    patterns.iter().copied().filter(|pattern| rest.starts_with(pattern)).collect();
                here.sort_by_key(|pattern| pattern.len());
                here.dedup();
                expected.extend(here.into_iter().map(|pattern| (at, pattern.to_owned())));
            }
            proptest::prop_assert_eq!(all(&patterns, &text), expected);
        }

        #[test]
        fn kept_words_give_the_same_trie(patterns in proptest::collection::vec("[甲-癸]{1,5}", 1..30)) {
            let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
            let (_, trie, _) = trie(&patterns);
            let words = trie.words();
            proptest::prop_assert_eq!(Trie::from_words(&words), Some(trie));
            proptest::prop_assert_eq!(Trie::from_words(&words[..words.len() - 1]), None);
        }
    }
}
