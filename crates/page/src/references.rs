//! Character references (HTML standard, section 13.2.5.72): `&amp;`, `&#30465;`, `&nbsp`.

use std::borrow::Cow;
use std::ops::Range;

use html5ever::data::NAMED_ENTITIES;
use memchr::memchr;

/// What the numbers 0x80–0x9F mean: windows-1252, as pages of old write them.
const WINDOWS: [u32; 32] = [
    0x20AC, 0x81, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152,
    0x8D, 0x017D, 0x8F, 0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161,
    0x203A, 0x0153, 0x9D, 0x017E, 0x0178,
];

/// A text cut where references stand in it.
pub(crate) enum Piece<'t> {
    /// Text as it is.
    Text(&'t str),
    /// What a reference stands for.
    Characters(char, Option<char>),
}

/// Hands over a text piece by piece, each with its bytes in the text.
pub(crate) fn pieces<'t>(text: &'t str, attribute: bool, mut each: impl FnMut(Piece<'t>, Range<usize>)) {
    let mut rest = text;
    let mut done = 0;
    while let Some(at) = memchr(b'&', rest.as_bytes()) {
        let Some((first, second, bytes)) = reference(&rest[at + 1..], attribute) else {
            let end = at + 1;
            each(Piece::Text(&rest[..end]), done..done + end);
            done += end;
            rest = &rest[end..];
            continue;
        };
        if at > 0 {
            each(Piece::Text(&rest[..at]), done..done + at);
        }
        each(Piece::Characters(first, second), done + at..done + at + 1 + bytes);
        done += at + 1 + bytes;
        rest = &rest[at + 1 + bytes..];
    }
    if !rest.is_empty() {
        each(Piece::Text(rest), done..text.len());
    }
}

/// An attribute's value.
pub(crate) fn in_attribute(value: &str) -> Cow<'_, str> {
    if memchr(b'&', value.as_bytes()).is_none() {
        return Cow::Borrowed(value);
    }
    Cow::Owned(decoded(value, true))
}

/// A text without references.
pub(crate) fn decoded(text: &str, attribute: bool) -> String {
    let mut out = String::with_capacity(text.len());
    pieces(text, attribute, |piece, _| match piece {
        Piece::Text(text) => out.push_str(text),
        Piece::Characters(first, second) => {
            out.push(first);
            out.extend(second);
        }
    });
    out
}

/// What stands after a `&`: its characters, and how many bytes it takes.
fn reference(rest: &str, attribute: bool) -> Option<(char, Option<char>, usize)> {
    match rest.as_bytes().first()? {
        b'#' => numeric(rest),
        byte if byte.is_ascii_alphanumeric() => named(rest, attribute),
        _ => None,
    }
}

fn numeric(rest: &str) -> Option<(char, Option<char>, usize)> {
    let bytes = rest.as_bytes();
    let hex = matches!(bytes.get(1), Some(b'x' | b'X'));
    let (radix, from) = if hex { (16, 2) } else { (10, 1) };
    let digits = bytes[from..].iter().take_while(|byte| char::from(**byte).is_digit(radix)).count();
    if digits == 0 {
        return None;
    }
    let end = from + digits;
    // A number of any length; what is too large stays so.
    let number = rest[from..end].chars().fold(0_u32, |sum, digit| {
        sum.saturating_mul(radix).saturating_add(digit.to_digit(radix).unwrap_or(0)).min(0x11_0000)
    });
    let number = match number {
        0 => 0xFFFD,
        0x80..=0x9F => WINDOWS[number as usize - 0x80],
        other => other,
    };
    let character = char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER);
    Some((character, None, end + usize::from(bytes.get(end) == Some(&b';'))))
}

/// The names of nearly all references.
const COMMON: [(&str, char); 5] =
    [("nbsp;", '\u{A0}'), ("amp;", '&'), ("lt;", '<'), ("gt;", '>'), ("quot;", '"')];

fn named(rest: &str, attribute: bool) -> Option<(char, Option<char>, usize)> {
    if let Some((name, meant)) = COMMON.iter().find(|(name, _)| rest.starts_with(name)) {
        return Some((*meant, None, name.len()));
    }
    let bytes = rest.as_bytes();
    let mut found = None;
    let mut end = 0;
    // The table knows the beginnings of its names, too: the longest name wins.
    while let Some(byte) = bytes.get(end).filter(|byte| byte.is_ascii_alphanumeric() || **byte == b';') {
        end += 1;
        match NAMED_ENTITIES.get(&rest[..end]) {
            None => break,
            Some((0, _)) => {}
            Some((first, second)) => found = Some((*first, *second, end)),
        }
        if *byte == b';' {
            break;
        }
    }
    let (first, second, end) = found?;
    if attribute
        && bytes[end - 1] != b';'
        && bytes.get(end).is_some_and(|next| *next == b'=' || next.is_ascii_alphanumeric())
    {
        // `?a=1&copy=2` in an address means what it says.
        return None;
    }
    let second = char::from_u32(second).filter(|second| *second != '\0');
    Some((char::from_u32(first)?, second, end))
}
