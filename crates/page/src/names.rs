//! Names in lower case, found by their first letter.

/// Names in the order of their first letters, each with what it means.
pub(crate) struct Names<T, const COUNT: usize> {
    names: [(u128, T); COUNT],
    /// Where the names of each letter begin, and where the last ones end.
    starts: [u8; 27],
}

impl<T: Copy, const COUNT: usize> Names<T, COUNT> {
    /// # Panics
    /// At compile time, when the names are not in order, too long, or more than a byte counts.
    pub(crate) const fn new(named: [(&'static str, T); COUNT]) -> Self {
        assert!(COUNT > 0 && COUNT <= u8::MAX as usize);
        let mut names = [(0, named[0].1); COUNT];
        let mut starts = [COUNT as u8; 27];
        let mut at = COUNT;
        let mut letter = 26;
        while at > 0 {
            at -= 1;
            let (name, meant) = named[at];
            assert!(name.len() <= LONGEST);
            names[at] = (packed(name.as_bytes()), meant);
            let own = (name.as_bytes()[0] - b'a') as usize;
            assert!(own <= letter, "in the order of their first letters");
            while letter > own + 1 {
                letter -= 1;
                starts[letter] = at as u8 + 1;
            }
            letter = own;
            starts[letter] = at as u8;
        }
        while letter > 0 {
            letter -= 1;
            starts[letter] = 0;
        }
        Self { names, starts }
    }

    /// What a name means, in whatever case it is written.
    pub(crate) fn get(&self, name: &str) -> Option<T> {
        let letter = usize::from((name.as_bytes().first()? | 0x20).wrapping_sub(b'a'));
        let (from, to) = (*self.starts.get(letter)?, *self.starts.get(letter + 1)?);
        if name.len() > LONGEST {
            return None;
        }
        let packed = packed(name.as_bytes());
        let own = &self.names[usize::from(from)..usize::from(to)];
        own.iter().find(|(one, _)| *one == packed).map(|(_, meant)| *meant)
    }
}

/// Bytes that can be packed.
const LONGEST: usize = 16;

/// A name in lower case as a number.
const fn packed(name: &[u8]) -> u128 {
    let mut number = 0;
    let mut at = 0;
    while at < name.len() {
        number = number << 8 | name[at].to_ascii_lowercase() as u128;
        at += 1;
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case_and_nothing_else_is() {
        static NAMES: Names<u8, 4> = Names::new([("a", 1), ("h1", 2), ("http-equiv", 3), ("xmp", 4)]);
        let wanted = [
            ("a", Some(1)),
            ("A", Some(1)),
            ("h1", Some(2)),
            ("H1", Some(2)),
            ("HTTP-Equiv", Some(3)),
            ("xmp", Some(4)),
            ("", None),
            ("b", None),
            ("h", None),
            ("h\u{11}", None),
            ("zz", None),
            ("{", None),
            ("http-equivhttp-equiv", None),
            ("\0a", None),
            ("文", None),
        ];
        for (name, meant) in wanted {
            assert_eq!(NAMES.get(name), meant, "{name:?}");
        }
    }
}
