//! What the classic layout can carry: the rules for NUL, length and `end`.

use crate::error::Unsendable;

/// The line that ends a session, as our writer sends it.
pub const END: &[u8] = b"end\n";

const PREFIX: [u8; 3] = *b"end";

/// Whether the classic layout ends the session at this text: every text that
/// begins with `end` does, because C writers send that (defect D11).
///
/// ```
/// use shm_handoff::inside::slot::rules::ends_session;
/// assert!(ends_session(b"end\n") && ends_session(b"endless\n"));
/// assert!(!ends_session(b" end\n") && !ends_session(b"End\n") && !ends_session(b"en"));
/// ```
#[must_use]
#[inline(always)]
pub fn ends_session(text: &[u8]) -> bool {
    // (One comparison, of what most texts are long enough for.)
    match text.first_chunk() {
        Some(word) => u32::from_le_bytes(*word) & 0xFF_FFFF == u32::from_le_bytes(*b"end\0"),
        None => text == PREFIX,
    }
}

/// Whether this is `end` alone, with or without its newline: the session's
/// end and nothing else, no text that anybody wrote for its own sake.
///
/// ```
/// use shm_handoff::inside::slot::rules::is_bare_end;
/// assert!(is_bare_end(b"end\n") && is_bare_end(b"end"));
/// assert!(!is_bare_end(b"endless\n"));
/// ```
#[must_use]
pub fn is_bare_end(text: &[u8]) -> bool {
    text == PREFIX || text == END
}

/// Whether this would be a bare `end`, were it not for a carriage return.
///
/// ```
/// use shm_handoff::inside::slot::rules::is_end_with_return;
/// assert!(is_end_with_return(b"end\r\n") && is_end_with_return(b"end\r"));
/// assert!(!is_end_with_return(b"end\n") && !is_end_with_return(b"ending\r\n"));
/// ```
#[must_use]
pub fn is_end_with_return(text: &[u8]) -> bool {
    text.strip_suffix(b"\n").unwrap_or(text).strip_suffix(b"\r") == Some(&PREFIX[..])
}

/// Checks that `text` can be handed over in a slot for `most` bytes and
/// arrives as it is.
///
/// # Errors
/// What stands in the way; where several things do, in this order: `end`, a
/// NUL, the length.
///
/// ```
/// use shm_handoff::{error::Unsendable, inside::slot::rules::check};
/// assert_eq!(check(b"hello\n", 2047), Ok(()));
/// assert_eq!(check(b"end\n", 2047), Ok(()));
/// assert_eq!(check(b"endless\n", 2047), Err(Unsendable::BeginsWithEnd));
/// assert_eq!(check(b"end\r\n", 2047), Err(Unsendable::EndWithReturn));
/// assert_eq!(check(b"a\0b", 2047), Err(Unsendable::Nul { at: 1 }));
/// assert_eq!(check(&[b'x'; 2048], 2047), Err(Unsendable::TooLong { most: 2047 }));
/// ```
pub fn check(text: &[u8], most: usize) -> Result<(), Unsendable> {
    if is_end_with_return(text) {
        return Err(Unsendable::EndWithReturn);
    }
    if ends_session(text) && !is_bare_end(text) {
        return Err(Unsendable::BeginsWithEnd);
    }
    if let Some(at) = memchr::memchr(0, text) {
        return Err(Unsendable::Nul { at });
    }
    if text.len() > most {
        return Err(Unsendable::TooLong { most });
    }
    Ok(())
}

/// Bytes beyond a piece that must be known before [`cut`] can say where it
/// ends.
///
/// ```
/// use shm_handoff::inside::slot::rules::{LOOK_AHEAD, cut};
/// let line = b"abcdend of it\n";
/// assert_eq!(cut(&line[..4 + LOOK_AHEAD], 4), cut(line, 4));
/// assert_ne!(cut(&line[..4 + LOOK_AHEAD - 1], 4), cut(line, 4), "`end` was not seen");
/// ```
pub const LOOK_AHEAD: usize = PREFIX.len();

/// Length of the next piece of a long line: `most`, or one less if the rest
/// would begin with `end` (it can't at both: no two offsets side by side begin
/// `end`). `rest` is what is left of the line, or at least its next `most` +
/// [`LOOK_AHEAD`] bytes.
///
/// ```
/// use shm_handoff::inside::slot::rules::cut;
/// assert_eq!(cut(b"abcdef", 4), 4);
/// assert_eq!(cut(b"abcdend", 4), 3, "the rest would begin with `end`");
/// assert_eq!(cut(b"aend", 1), 1, "and goes on in pieces that are too short for that");
/// ```
#[must_use]
pub fn cut(rest: &[u8], most: usize) -> usize {
    if rest.len() <= most {
        rest.len()
    } else if most > 1 && ends_session(&rest[most..]) {
        most - 1
    } else {
        most
    }
}

/// Whether `text` can be a message in a slot for `most` bytes, at a glance: where it has no NUL, what this says yes to
/// passes [`check`], and ends no session.
#[inline(always)]
pub(super) fn is_plain(text: &[u8], most: usize) -> bool {
    text.len() <= most && !ends_session(text)
}
