//! Schemas as numbers.

use std::ffi::{CStr, c_char};

/// The schema of a type, for `struct shmh_options`: its text's bytes by FNV-1a of 64 bits. The text of a struct is
/// `NAME/SIZE{FIELD:TYPE@OFFSET,...}` without blanks, with the types as Rust calls them: then it is the number that
/// `shm_handoff::schema!` gives in Rust. For `struct tick { uint64_t time; double bid, ask; }` that is
/// `Tick/24{time:u64@0,bid:f64@8,ask:f64@16}`. Any other text will do where both sides give the same.
///
/// Never 0, but for NULL.
///
/// # Safety
/// `text` is NULL or ends with a NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shmh_schema(text: *const c_char) -> u64 {
    if text.is_null() {
        return 0;
    }
    // SAFETY: the caller's promise.
    shm_handoff::schema_number(unsafe { CStr::from_ptr(text) }.to_bytes())
}
