//! Names in lower case, as they are compared.

/// Bytes of the longest name that means something anywhere.
const LONGEST: usize = 16;

/// Room for a name in lower case.
pub(crate) type Room = [u8; LONGEST];

/// A name in lower case, in its own bytes or in a room; `None`: it is longer than any that means something.
pub(crate) fn lower_case<'n>(name: &'n str, room: &'n mut Room) -> Option<&'n str> {
    if !name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Some(name);
    }
    std::str::from_utf8(lowered(name.as_bytes(), room)?).ok()
}

/// The same for bytes, always in the room.
pub(crate) fn lowered<'r>(name: &[u8], room: &'r mut Room) -> Option<&'r [u8]> {
    let lower = room.get_mut(..name.len())?;
    lower.copy_from_slice(name);
    lower.make_ascii_lowercase();
    Some(lower)
}
