//! Names in lower case, found by their first letter.

/// Names in alphabetical order, each with what it means.
pub(crate) struct Names<T: 'static> {
    names: &'static [(&'static str, T)],
    /// Where the names of each letter begin, and where the last ones end.
    starts: [u8; 27],
}

impl<T: Copy> Names<T> {
    /// # Panics
    /// At compile time, when the names are not in order, or more than a byte counts.
    pub(crate) const fn new(names: &'static [(&'static str, T)]) -> Self {
        assert!(names.len() <= u8::MAX as usize);
        let mut starts = [names.len() as u8; 27];
        let mut at = names.len();
        let mut letter = 26;
        while letter > 0 {
            letter -= 1;
            while at > 0 && names[at - 1].0.as_bytes()[0] >= b'a' + letter as u8 {
                at -= 1;
            }
            starts[letter] = at as u8;
        }
        let mut next = 1;
        while next < names.len() {
            assert!(
                names[next - 1].0.as_bytes()[0] <= names[next].0.as_bytes()[0],
                "in order by first letter"
            );
            next += 1;
        }
        Self { names, starts }
    }

    /// What a name means, in whatever case it is written.
    pub(crate) fn get(&self, name: &str) -> Option<T> {
        let letter = usize::from((name.as_bytes().first()? | 0x20).wrapping_sub(b'a'));
        let (from, to) = (*self.starts.get(letter)?, *self.starts.get(letter + 1)?);
        let own = &self.names[usize::from(from)..usize::from(to)];
        own.iter().find(|(one, _)| one.eq_ignore_ascii_case(name)).map(|(_, meant)| *meant)
    }
}
