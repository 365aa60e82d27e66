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
/// Set in a node's base besides: it has no children, and what is left of the base is its value.
const LEAF: u32 = 1 << VALUE_BITS;
/// Bits that a sequence's value may have.
pub(crate) const VALUE_BITS: u32 = 30;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Node {
    /// Where its children lie, with [`TERMINAL`]; its value, with [`LEAF`].
    base: u32,
    /// The base of its parent; 0 where nothing lies.
    parent: u32,
}

/// The codes of characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Alphabet {
    /// Those of some characters; the others have none.
    Of(HashMap<char, u16>),
    /// Every character of the basic plane is its own code; those beyond share them.
    Every,
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
            .then(|| Self::Of(chars.iter().zip(1..).map(|(&(_, c), code)| (c, code)).collect()))
    }

    /// A character's code.
    pub(crate) fn code(&self, c: char) -> u16 {
        match self {
            Self::Of(codes) => codes.get(&c).copied().unwrap_or(UNKNOWN),
            Self::Every => (c as u32 % u32::from(CODES_MAX)) as u16,
        }
    }

    /// All characters with their codes, of every one those of the basic plane.
    pub(crate) fn iter(&self) -> Box<dyn Iterator<Item = (char, u16)> + '_> {
        match self {
            Self::Of(codes) => Box::new(codes.iter().map(|(&c, &code)| (c, code))),
            Self::Every => {
                Box::new((0..CODES_MAX).filter_map(|code| Some((char::from_u32(code.into())?, code))))
            }
        }
    }
}

/// A trie of code sequences.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trie {
    /// The node of each first code, as its base with [`TERMINAL`], and its value.
    roots: Vec<(u32, u32)>,
    nodes: Vec<Node>,
    /// The value of each terminal node with children.
    values: Vec<u32>,
}

impl Trie {
    /// Builds from sequences, sorted and without repeats, and the value of each.
    pub(crate) fn build(sequences: &[Vec<u16>], values: &[u32]) -> Self {
        let codes = sequences.iter().flatten().copied().max().map_or(1, |code| usize::from(code) + 1);
        let mut building = Building {
            codes,
            trie: Self::default(),
            taken: Vec::new(),
            used_bases: Vec::new(),
            first_free: 1,
        };
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
                let value = values[range.start];
                let deeper = range.start + usize::from(ends)..range.end;
                let children: Vec<(u16, std::ops::Range<usize>)> = groups(sequences, deeper, depth).collect();
                let base = if children.is_empty() { 0 } else { building.place(&children) };
                building.set(place, base | if ends { TERMINAL } else { 0 }, value);
                next.extend(
                    children.into_iter().map(|(code, range)| {
                        (Place::Node(base as usize + usize::from(code)), depth + 1, range)
                    }),
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

    /// Where in a text a sequence may begin, by its first two codes. It is told without a branch: which
    /// places these are cannot be foreseen, and a wrong guess of the processor costs more than a look.
    pub(crate) fn starts(&self, text: &[u16], starts: &mut Vec<u32>) {
        starts.clear();
        starts.resize(text.len(), 0);
        let mut count = 0;
        for (at, &code) in text.iter().enumerate() {
            let root = self.roots.get(usize::from(code)).map_or(0, |(root, _)| *root);
            let base = root & !TERMINAL;
            let slot = base as usize + usize::from(text.get(at + 1).copied().unwrap_or(u16::MAX));
            let parent = self.nodes.get(slot).map_or(0, |node| node.parent);
            starts[count] = at as u32;
            count += usize::from((root & TERMINAL != 0) | (base != 0) & (parent == base));
        }
        starts.truncate(count);
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
        if base == 0 {
            return;
        }
        for (depth, &code) in text[at + 1..].iter().enumerate() {
            let slot = base as usize + usize::from(code);
            let Some(node) = self.nodes.get(slot).filter(|node| node.parent == base) else { return };
            if node.base & LEAF != 0 {
                return found(depth + 2, node.base & !(TERMINAL | LEAF));
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
        let to = from + sequences[from..range.end].partition_point(|other| other[depth] <= code);
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
    /// A bit for every slot that is taken, and for every base.
    taken: Vec<u64>,
    used_bases: Vec<u64>,
    /// Below it hardly a slot is free.
    first_free: usize,
}

impl Building {
    fn grow(&mut self, slots: usize) {
        if slots > self.trie.nodes.len() {
            let slots = slots.max(self.trie.nodes.len() * 3 / 2);
            self.trie.nodes.resize(slots, Node::default());
            self.trie.values.resize(slots, 0);
            self.taken.resize(slots / 64 + 1, 0);
            self.used_bases.resize(slots / 64 + 1, 0);
        }
    }

    fn set(&mut self, place: Place, base: u32, value: u32) {
        match place {
            Place::Root(code) => self.trie.roots[usize::from(code)] = (base, value),
            Place::Node(slot) if base == TERMINAL => self.trie.nodes[slot].base = TERMINAL | LEAF | value,
            Place::Node(slot) => {
                self.trie.nodes[slot].base = base;
                self.trie.values[slot] = value;
            }
        }
    }

    /// The first free slot from `slot` on.
    fn next_free(&self, slot: usize) -> usize {
        let mut word = slot / 64;
        let mut free = !self.taken.get(word).copied().unwrap_or(0) & (u64::MAX << (slot % 64));
        while free == 0 {
            word += 1;
            free = !self.taken.get(word).copied().unwrap_or(0);
        }
        word * 64 + free.trailing_zeros() as usize
    }

    /// Takes slots for a node's children; the base.
    fn place(&mut self, children: &[(u16, std::ops::Range<usize>)]) -> u32 {
        /// Free slots tried in vain after which the search begins further on next time.
        const PATIENCE: usize = 64;
        let has = |bits: &[u64], at: usize| bits[at / 64] >> (at % 64) & 1 == 1;
        let first = usize::from(children[0].0);
        let mut slot = self.first_free.max(first + 1);
        let mut tried = 0;
        loop {
            slot = self.next_free(slot);
            self.grow(slot + self.codes + 1);
            let base = slot - first;
            let free = |code: u16| !has(&self.taken, base + usize::from(code));
            if !has(&self.used_bases, base) && children[1..].iter().all(|(code, _)| free(*code)) {
                self.used_bases[base / 64] |= 1 << (base % 64);
                for (code, _) in children {
                    let slot = base + usize::from(*code);
                    self.trie.nodes[slot].parent = base as u32;
                    self.taken[slot / 64] |= 1 << (slot % 64);
                }
                // Holes that fit nothing are given up: they cost more time than space.
                let from = if tried > PATIENCE { slot.saturating_sub(PATIENCE * 4) } else { self.first_free };
                self.first_free = self.next_free(from.max(self.first_free));
                return base as u32;
            }
            slot += 1;
            tried += 1;
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
        let values: Vec<u32> = (0..).take(sequences.len()).collect();
        (alphabet, Trie::build(&sequences, &values), names)
    }

    fn all(patterns: &[&str], text: &str) -> Vec<(usize, String)> {
        let (alphabet, trie, names) = trie(patterns);
        let codes: Vec<u16> = text.chars().map(|c| alphabet.code(c)).collect();
        let (mut starts, mut found) = (Vec::new(), Vec::new());
        trie.starts(&codes, &mut starts);
        for at in starts.into_iter().map(|at| at as usize) {
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
    }
}
