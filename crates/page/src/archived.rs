//! Documents in an archive, of whatever kind the archive is.

use std::cell::Cell;

use xunjian_model::DOCUMENT_ENDINGS;

/// Parts of an archive that are looked at.
pub(crate) const PARTS_MAX: usize = 10_000;
/// Documents of an archive that are read.
const DOCUMENTS_MAX: usize = 200;

/// Reads the lines of a document with an ending, which may unpack to so many bytes, and takes them off.
pub(crate) type ReadDocument<'r> = dyn Fn(&[u8], &str, &Cell<usize>) -> Result<Vec<String>, String> + 'r;

/// The documents of one archive, as they are unpacked.
pub(crate) struct Documents<'r> {
    read: &'r ReadDocument<'r>,
    /// Bytes that they may still unpack to.
    left: &'r Cell<usize>,
    unpacked_max: usize,
    count: usize,
    lines: Vec<String>,
}

impl<'r> Documents<'r> {
    pub(crate) fn new(left: &'r Cell<usize>, read: &'r ReadDocument<'r>) -> Self {
        Self { read, left, unpacked_max: left.get(), count: 0, lines: Vec::new() }
    }

    /// Whether a file's name is one of a document.
    pub(crate) fn is_one(name: &str) -> bool {
        DOCUMENT_ENDINGS.contains(&ending(name).as_str())
    }

    /// Whether no more are wanted.
    pub(crate) fn is_full(&self) -> bool {
        self.count >= DOCUMENTS_MAX
    }

    /// Bytes that may still be unpacked.
    pub(crate) fn left(&self) -> usize {
        self.left.get()
    }

    /// Reads one; its own bytes and what they unpack to are taken off.
    pub(crate) fn add(&mut self, name: String, bytes: &[u8]) {
        self.left.set(self.left.get().saturating_sub(bytes.len()));
        self.count += 1;
        let text = (self.read)(bytes, &ending(&name), self.left).unwrap_or_default();
        self.lines.extend((!text.is_empty()).then_some(name).into_iter().chain(text));
    }

    /// Their lines, each document's after its name.
    ///
    /// # Errors
    /// They unpack to too much.
    pub(crate) fn lines(self) -> Result<Vec<String>, String> {
        match self.left.get() {
            0 => Err(too_large(self.unpacked_max)),
            _ => Ok(self.lines),
        }
    }
}

/// What is said of an archive or document that unpacks to too much.
pub(crate) fn too_large(unpacked_max: usize) -> String {
    format!("it unpacks to more than {unpacked_max} bytes")
}

fn ending(name: &str) -> String {
    name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default()
}
