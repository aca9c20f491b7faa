//! What the other program's struct looks like where it is not the tutorial's: told, and never acted
//! upon, for any flag other than 0 is a message.

use super::stdio::{self, say};
use crate::backend::memory::header;
use crate::backend::memory::offsets::SLOT;
use crate::backend::memory::slot::AnySlot;
use crate::backend::sysv::{Key, Segment, Stat, SysV};
use crate::backend::{Backend, Layout};
use crate::error::plural;
use std::time::Duration;

/// After so long without any peer, a writer or a reader says what may keep the peer out.
pub(super) const LONG: Duration = Duration::from_secs(5);

/// What a C program has to ask for to meet a classic slot.
pub(super) const EXACTLY: &str =
    "it has exactly 2052 bytes, and a C program with a larger struct gets EINVAL from shmget";

/// Whether the four bytes of a flag are text, as a struct has there that begins with its text.
pub(super) fn is_text(flag: u32) -> bool {
    let bytes = flag.to_ne_bytes();
    let len = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let (text, rest) = bytes.split_at(len);
    // A letter alone could be a small number; a letter and a newline is a line.
    let is_long = len > 2 || len == 2 && text[1] == b'\n';
    let is_text = match std::str::from_utf8(text) {
        Ok(_) => true,
        // A character that goes on behind the flag.
        Err(error) => error.error_len().is_none(),
    };
    let is_control = |byte: &u8| byte.is_ascii_control() && !b"\t\n\r".contains(byte);
    is_long && is_text && !text.iter().any(is_control) && rest.iter().all(|byte| *byte == 0)
}

/// A flag that is text, in a sentence.
pub(super) fn in_words(flag: u32) -> String {
    let bytes = flag.to_ne_bytes();
    let text = String::from_utf8_lossy(&bytes);
    format!(
        "the flag is {flag}, which as text is {:?}; the other program's struct is probably another one, \
         with its text first",
        text.trim_end_matches('\0')
    )
}

/// Warns, once, of a slot whose flag is text.
pub(super) fn look(program: &str, backend: &SysV, told: &mut bool) {
    if *told {
        return;
    }
    let (flag, hint) = match backend.layout() {
        Layout::Slot => {
            let flag = header::get(backend.segment().word(SLOT.flag_at));
            (flag, "a classic slot is `struct { int written; char text[2048]; }`, and nothing else")
        }
        Layout::Declared => {
            let slot = Backend::declared(backend);
            let flag = header::get_flag(slot.flag());
            if flag == slot.empty() || flag == slot.full() {
                return;
            }
            (flag, "compare the declaration with the other program's: shm-handoff layout SPEC")
        }
        Layout::Ring { .. } => return,
    };
    if is_text(flag) {
        *told = true;
        stdio::warn(program, format_args!("{}", in_words(flag)), Some(format_args!("{hint}")));
    }
}

/// Says at a slot to which nobody else has come for long what may keep a C program out of it.
pub(super) fn say_exactly(key: Key, layout: Layout) {
    let Ok(Some(Stat { size, attached: 1, .. })) = Segment::stat_at(key) else { return };
    match layout {
        Layout::Slot if size == SLOT.size => say!("Waiting... nobody else is at the slot at {key}: {EXACTLY}"),
        Layout::Declared => say!(
            "Waiting... nobody else is at the slot at {key}: the segment has {size} byte{}, and a C program with a larger \
             struct gets EINVAL from shmget",
            plural(size)
        ),
        Layout::Slot | Layout::Ring { .. } => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_told_from_numbers() {
        let flag = |bytes: &[u8; 4]| u32::from_ne_bytes(*bytes);
        for text in
            [b"hell", b"hi\n\0", b"a\n\0\0", b"end\n", "é:\n".as_bytes().first_chunk().unwrap(), b"\xE4\xBD\xA0\xE5"]
        {
            assert!(is_text(flag(text)), "{text:?}");
        }
        let small = (0_u32..=4096).filter(|flag| !flag.to_ne_bytes().contains(&b'\n'));
        for number in small.chain([u32::MAX, 1 << 16, 1 << 31, 0x0101_0101, 65_535, 100_000]) {
            assert!(!is_text(number), "{number}");
        }
        assert!(in_words(flag(b"hi\n\0")).contains(r#"which as text is "hi\n";"#));
    }
}
