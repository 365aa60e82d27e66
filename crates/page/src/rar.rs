//! RAR archives of documents, old and new, unpacked by rars.

use std::cell::{Cell, RefCell};
use std::io::{Write, sink};
use std::rc::Rc;

use rars::{ArchiveReadOptions, ArchiveReader, ErrorKind, ExtractionDecision, ExtractionErrorAction};

use crate::archived::{Documents, PARTS_MAX, ReadDocument, too_large};
use crate::decode;

/// Bytes of an archive's headers.
const HEADER_BYTES_MAX: u64 = 4 << 20;
/// Largest dictionary, in bytes: WinRAR's own choice is 32 MiB.
const DICTIONARY_MAX: u64 = 64 << 20;
/// Memory for unpacking, in bytes, the dictionary included.
const WORKSPACE_MAX: u64 = 192 << 20;

/// A file that is being unpacked.
#[derive(Clone, Default)]
struct Unpacked(Rc<RefCell<Vec<u8>>>);

impl Write for Unpacked {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The text of the documents in an archive, which `read` is given with their endings and how many bytes they may
/// unpack to.
pub(crate) fn text(body: &[u8], left: &Cell<usize>, read: &ReadDocument<'_>) -> Result<Vec<String>, String> {
    let options = ArchiveReadOptions::new()
        .with_max_header_count(PARTS_MAX as u64)
        .with_max_header_bytes(HEADER_BYTES_MAX)
        .with_max_total_output_bytes(left.get() as u64)
        .with_rar50_dictionary_size_limit(DICTIONARY_MAX)
        .with_max_reader_workspace_bytes(WORKSPACE_MAX);
    let archive = ArchiveReader::read_with_options(body, options).map_err(|error| error.to_string())?;
    // What a file is packed with is in those before it; then each has to be unpacked.
    let solid = archive.members().any(|member| member.is_solid());
    let unpacked = Unpacked::default();
    let mut name: Option<String> = None;
    let mut locked = false;
    let documents = RefCell::new(Documents::new(left, read));
    let read_last = |name: &mut Option<String>| {
        let bytes = unpacked.0.take();
        if let Some(name) = name.take() {
            documents.borrow_mut().add(name, &bytes);
        }
    };
    let end = archive.extract_with_control_and_errors(
        options,
        |member| {
            read_last(&mut name);
            let documents = documents.borrow();
            if documents.is_full() || documents.left() == 0 {
                return Ok(ExtractionDecision::Stop);
            }
            let meta = &member.meta;
            locked |= meta.is_encrypted;
            let file = !meta.is_directory && !meta.is_redirection && !meta.is_encrypted;
            // Windows in Chinese names them in GBK, without saying so.
            let called = decode(meta.name_bytes(), None).text.into_owned();
            if file && Documents::is_one(&called) {
                name = Some(called);
                return Ok(ExtractionDecision::Extract(Box::new(unpacked.clone())));
            }
            Ok(match solid && file {
                true => ExtractionDecision::Extract(Box::new(sink())),
                false => ExtractionDecision::Skip,
            })
        },
        // A damaged file gives what could be read of it, and does not hide the others.
        |_, _| Ok(ExtractionErrorAction::Continue),
    );
    match end {
        Err(error) if error.kind() == ErrorKind::ResourceLimit => return Err(too_large(left.get())),
        // The same of one after which nothing more can be read.
        _ => read_last(&mut name),
    }
    let lines = documents.into_inner().lines()?;
    match end {
        Err(error) if lines.is_empty() => Err(error.to_string()),
        _ if lines.is_empty() && locked => Err("it is encrypted".to_owned()),
        _ => Ok(lines),
    }
}
