//! The charset that the beginning of a page names in `<meta>` (HTML standard, section 13.2.3.2).

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252, X_USER_DEFINED};
use memchr::{memchr, memmem};

/// The first charset that a `<meta>` names; `None` where the bytes end before.
pub(crate) fn charset_of_meta(bytes: &[u8]) -> Option<&'static Encoding> {
    let mut rest = bytes;
    while let Some(at) = memchr(b'<', rest) {
        rest = &rest[at..];
        if rest.starts_with(b"<!--") {
            // The first two may be the last two as well: `<!-->`.
            rest = &rest[2..];
            rest = &rest[memmem::find(rest, b"-->")? + 3..];
            continue;
        }
        let name = rest.get(1..5).filter(|name| name.eq_ignore_ascii_case(b"meta"));
        if name.is_some() && rest.get(5).is_some_and(|byte| is_space(*byte) || *byte == b'/') {
            rest = &rest[5..];
            match meta(&mut rest)? {
                Some(found) => return Some(found),
                None => continue,
            }
        }
        let tag = usize::from(rest.get(1) == Some(&b'/')) + 1;
        if rest.get(tag).is_some_and(u8::is_ascii_alphabetic) {
            let end = rest.iter().position(|byte| is_space(*byte) || *byte == b'>')?;
            rest = &rest[end..];
            while attribute(&mut rest)?.is_some() {}
        } else if matches!(rest.get(1), Some(b'!' | b'/' | b'?')) {
            rest = &rest[memchr(b'>', rest)?..];
        } else {
            rest = &rest[1..];
        }
    }
    None
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\x0C' | b'\r' | b' ')
}

/// What one `<meta>` names, if it names anything; the outer `None`: the bytes end in it.
fn meta(rest: &mut &[u8]) -> Option<Option<&'static Encoding>> {
    let (mut pragma, mut needs_pragma, mut charset) = (false, None, None);
    let mut seen: Vec<Vec<u8>> = Vec::new();
    while let Some((name, value)) = attribute(rest)? {
        if seen.contains(&name) {
            continue;
        }
        match &name[..] {
            b"http-equiv" => pragma |= value.eq_ignore_ascii_case(b"content-type"),
            b"content" if charset.is_none() => {
                if let Some(found) = in_content(&value) {
                    (charset, needs_pragma) = (Some(found), Some(true));
                }
            }
            b"charset" => (charset, needs_pragma) = (Encoding::for_label(&value), Some(false)),
            _ => {}
        }
        seen.push(name);
    }
    let counts = needs_pragma.is_some_and(|needs| !needs || pragma);
    Some(charset.filter(|_| counts).map(|charset| {
        if charset == X_USER_DEFINED {
            WINDOWS_1252
        } else if charset.is_ascii_compatible() {
            charset
        } else {
            // A page whose `<meta>` can be read is not in UTF-16.
            UTF_8
        }
    }))
}

/// The next attribute's name in lower case, and its value; the inner `None`: the tag has ended, the
/// outer one: the bytes have.
#[allow(clippy::type_complexity, reason = "two ends of different kinds")]
fn attribute(rest: &mut &[u8]) -> Option<Option<(Vec<u8>, Vec<u8>)>> {
    skip(rest, |byte| is_space(byte) || byte == b'/');
    if *rest.first()? == b'>' {
        return Some(None);
    }
    let mut name = Vec::new();
    loop {
        match *rest.first()? {
            b'=' if !name.is_empty() => break,
            b'/' | b'>' => return Some(Some((name, Vec::new()))),
            byte if is_space(byte) => break,
            byte => name.push(byte.to_ascii_lowercase()),
        }
        *rest = &rest[1..];
    }
    skip(rest, is_space);
    if *rest.first()? != b'=' {
        return Some(Some((name, Vec::new())));
    }
    *rest = &rest[1..];
    skip(rest, is_space);
    let first = *rest.first()?;
    if matches!(first, b'"' | b'\'') {
        let end = memchr(first, &rest[1..])? + 1;
        let value = rest[1..end].to_vec();
        *rest = &rest[end + 1..];
        return Some(Some((name, value)));
    }
    let end = rest.iter().position(|byte| is_space(*byte) || *byte == b'>')?;
    let value = rest[..end].to_vec();
    *rest = &rest[end..];
    Some(Some((name, value)))
}

fn skip(rest: &mut &[u8], skipped: impl Fn(u8) -> bool) {
    while let Some((byte, left)) = rest.split_first()
        && skipped(*byte)
    {
        *rest = left;
    }
}

/// The charset in `text/html; charset=gb2312` (HTML standard, section 2.4.4).
fn in_content(value: &[u8]) -> Option<&'static Encoding> {
    const WORD: &[u8] = b"charset";
    let lower = value.to_ascii_lowercase();
    let mut rest = &lower[..];
    loop {
        rest = &rest[memmem::find(rest, WORD)? + WORD.len()..];
        skip(&mut rest, is_space);
        if rest.first() == Some(&b'=') {
            break;
        }
    }
    rest = &rest[1..];
    skip(&mut rest, is_space);
    let label = match rest.first()? {
        quote @ (b'"' | b'\'') => &rest[1..memchr(*quote, &rest[1..])? + 1],
        _ => &rest[..rest.iter().position(|byte| is_space(*byte) || *byte == b';').unwrap_or(rest.len())],
    };
    Encoding::for_label(label)
}
