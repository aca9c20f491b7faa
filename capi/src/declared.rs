//! Layouts by declaration, as a text or by offsets. Offsets are written down as the terse form, so that one parser judges both.

use crate::null;
use crate::status::{Fault, SHMH_E_INVALID, SHMH_E_SYSTEM};
use shm_handoff::declare::{Declared, HeaderFile};
use std::ffi::{CStr, c_char, c_int, c_longlong};
use std::fmt::Write;
use std::fs::File;
use std::io::Read;

/// One C string, by the rules of the tutorial.
pub const SHMH_TEXT: c_int = 1;
/// Records of one length, of any bytes.
pub const SHMH_DATA: c_int = 2;

/// A range of bytes, counted from the beginning of the struct: `SHMH_SPAN(struct shared, text)` is that of a member.
#[repr(C)]
#[allow(non_camel_case_types)] // its name in C
#[derive(Debug, Clone, Copy)]
pub struct shmh_span {
    /// `offsetof` its first byte.
    pub offset: usize,
    /// `sizeof` it: 1 at least.
    pub len: usize,
}

/// Where the flag and the payload of a struct lie. Begin with all zero, and `size`.
#[repr(C)]
#[allow(non_camel_case_types)] // its name in C
#[derive(Debug, Clone, Copy)]
pub struct shmh_offsets {
    /// `sizeof(struct shmh_offsets)`: a later version may have more at its end.
    pub size: usize,
    /// An integer of 4 bytes or of 1.
    pub flag: shmh_span,
    /// At this value of the flag the writer may write.
    pub empty: c_longlong,
    /// This value a writer of ours publishes; a reader takes any but `empty` for it. If both are 0, it is 1.
    pub full: c_longlong,
    /// `SHMH_TEXT` or `SHMH_DATA`.
    pub kind: c_int,
    /// What is handed over: one span of a text, one or more of data.
    pub payload: *const shmh_span,
    /// How many spans: at most `SHMH_MOST_SPANS`.
    pub payload_count: usize,
    /// What the reader may write before it releases; NULL: nothing. It may lie within the payload.
    pub reply: *const shmh_span,
    /// How many spans: at most `SHMH_MOST_SPANS`.
    pub reply_count: usize,
    /// Bytes of the segment, as they were given to `shmget`: `sizeof` the struct, or more. 0: where the last span ends.
    pub segment_size: usize,
    /// Not 0: a larger segment will do, too.
    pub at_least: c_int,
    /// Where in the segment the struct begins.
    pub at: usize,
}

/// The most spans of a payload, or of a reply.
pub const SHMH_MOST_SPANS: usize = 1024;

/// No header with a struct in it is longer.
const LONGEST_FILE: u64 = 1 << 20;

const BOTH: &CStr = c"SHMH_DECLARED needs one of declared and offsets, and not both";

/// # Safety
/// `spec` is NULL or ends with a NUL; `offsets` is NULL or can be read, and so can its spans.
pub(crate) unsafe fn read(spec: *const c_char, offsets: *const shmh_offsets) -> Result<Declared, Fault> {
    match (spec.is_null(), offsets.is_null()) {
        // SAFETY: the caller's promise.
        (false, true) => of_text(unsafe { CStr::from_ptr(spec) }),
        (true, false) => {
            // SAFETY: the caller's promise.
            let terse = unsafe { terse(offsets) }?;
            Ok(terse.parse()?)
        }
        _ => Err(Fault::new(SHMH_E_INVALID, BOTH)),
    }
}

fn of_text(spec: &CStr) -> Result<Declared, Fault> {
    let Ok(spec) = spec.to_str() else { return Err(Fault::new(SHMH_E_INVALID, c"the SPEC is not UTF-8")) };
    let Some(file) = HeaderFile::of(spec) else { return Ok(spec.parse()?) };
    let mut bytes = Vec::new();
    File::open(file.path).and_then(|opened| opened.take(LONGEST_FILE).read_to_end(&mut bytes)).map_err(|error| {
        let hint = "a SPEC is a file, text[1024], or a C declaration: struct { int written; char text[1024]; }";
        Fault::with(SHMH_E_SYSTEM, error.raw_os_error(), &format!("{}: {error}; {hint}", file.path))
    })?;
    // Comments in another encoding than UTF-8 are none of our business.
    Ok(file.declares(&String::from_utf8_lossy(&bytes))?)
}

/// # Safety
/// `given` can be read for as many bytes as its first member says, and so can its spans.
unsafe fn terse(given: *const shmh_offsets) -> Result<String, Fault> {
    // SAFETY: the caller's promise.
    if unsafe { *given.cast::<usize>() } != size_of::<shmh_offsets>() {
        return Err(Fault::new(SHMH_E_INVALID, c"the offsets' size is not sizeof(struct shmh_offsets)"));
    }
    // SAFETY: the caller's promise.
    let given = unsafe { *given };
    let (empty, full) = if (given.empty, given.full) == (0, 0) { (0, 1) } else { (given.empty, given.full) };
    let of = flag_type(given.flag.len, [empty, full])?;
    let kind = match given.kind {
        SHMH_TEXT => "text",
        SHMH_DATA => "data",
        _ => return Err(Fault::new(SHMH_E_INVALID, c"the kind is neither SHMH_TEXT nor SHMH_DATA")),
    };
    // SAFETY: the caller's promise.
    let (payload, reply) =
        unsafe { (spans(given.payload, given.payload_count)?, spans(given.reply, given.reply_count)?) };
    if payload.is_empty() {
        return Err(Fault::new(SHMH_E_INVALID, c"the payload has no spans: nothing is handed over"));
    }
    let mut terse = format!("flag={of}@{},empty={empty},full={full},{kind}={payload}", given.flag.offset);
    if !reply.is_empty() {
        let _ = write!(terse, ",reply={reply}");
    }
    match (given.segment_size, given.at_least != 0) {
        (0, false) => {}
        (0, true) => return Err(Fault::new(SHMH_E_INVALID, c"at_least needs a segment_size")),
        (size, false) => _ = write!(terse, ",size={size}"),
        (size, true) => _ = write!(terse, ",size>={size}"),
    }
    let _ = write!(terse, ",at={}", given.at);
    Ok(terse)
}

/// A sign matters to the values alone.
fn flag_type(len: usize, values: [c_longlong; 2]) -> Result<&'static str, Fault> {
    let is_signed = values.iter().any(|value| *value < 0);
    match (len, is_signed) {
        (4, _) if values.iter().all(|value| i32::try_from(*value).is_ok()) => Ok("i32"),
        (4, _) => Ok("u32"),
        (1, false) => Ok("u8"),
        (1, true) => Ok("i8"),
        _ => Err(Fault::new(SHMH_E_INVALID, c"the flag's len is neither 4 nor 1")),
    }
}

/// `8@4+16@20`.
///
/// # Safety
/// `spans` is NULL, or `count` of them can be read.
unsafe fn spans(spans: *const shmh_span, count: usize) -> Result<String, Fault> {
    if count > SHMH_MOST_SPANS {
        return Err(Fault::new(SHMH_E_INVALID, c"more than SHMH_MOST_SPANS spans"));
    }
    if spans.is_null() && count > 0 {
        return Err(null());
    }
    // SAFETY: the caller's promise; without spans any pointer that is not NULL does.
    let spans = if count == 0 { &[] } else { unsafe { std::slice::from_raw_parts(spans, count) } };
    Ok(spans.iter().map(|span| format!("{}@{}", span.len, span.offset)).collect::<Vec<_>>().join("+"))
}
