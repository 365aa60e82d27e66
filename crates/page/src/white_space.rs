//! Text as a page shows it: its white space collapsed.

pub(crate) fn collapse(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Appends a text with its white space collapsed; the wide space of Chinese text stays.
pub(crate) fn append(text: &str, out: &mut String) {
    let bytes = text.as_bytes();
    let class = |at: usize| bytes.get(at).map_or(Class::Letter, |byte| class(*byte));
    let mut start = 0;
    let mut at = 0;
    loop {
        while at < bytes.len() && class(at) == Class::Letter {
            at += 1;
        }
        if at >= bytes.len() {
            break;
        }
        // One space between two words stays where it is.
        if bytes[at] == b' ' && at > start && at + 1 < bytes.len() && class(at + 1) == Class::Letter {
            at += 2;
            continue;
        }
        let bytes_of_space = if class(at) == Class::Space { 1 } else { wide_space(&text[at..]) };
        if bytes_of_space == 0 {
            at += 1;
            continue;
        }
        out.push_str(&text[start..at]);
        if bytes[at] != 0 {
            space(out);
        }
        at += bytes_of_space;
        // More of it adds nothing.
        while bytes[at - 1] != 0 && bytes.get(at).is_some_and(|byte| *byte != 0) && class(at) == Class::Space
        {
            at += 1;
        }
        start = at;
    }
    out.push_str(&text[start..]);
}

/// Appends one space, if there is none yet and something before it.
pub(crate) fn space(out: &mut String) {
    if !out.is_empty() && !out.ends_with(' ') {
        out.push(' ');
    }
}

/// What a byte of a text may be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Letter,
    /// White space of ASCII, or a zero.
    Space,
    /// The beginning of what may be white space: U+0085 and U+00A0, U+1680, U+2000 and following.
    Wide,
}

const CLASSES: [Class; 256] = {
    let mut table = [Class::Letter; 256];
    let mut byte = b'\t';
    while byte <= b'\r' {
        table[byte as usize] = Class::Space;
        byte += 1;
    }
    table[0] = Class::Space;
    table[b' ' as usize] = Class::Space;
    table[0xC2] = Class::Wide;
    table[0xE1] = Class::Wide;
    table[0xE2] = Class::Wide;
    table
};

/// Whether a text is white space of ASCII alone.
pub(crate) fn is_space(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte != 0 && class(byte) == Class::Space)
}

fn class(byte: u8) -> Class {
    CLASSES[usize::from(byte)]
}

/// Bytes of a space other than ASCII's at the beginning of a text; 0: none.
fn wide_space(text: &str) -> usize {
    text.chars().next().filter(|c| c.is_whitespace()).map_or(0, char::len_utf8)
}
