//! What `shmh_open` can be told.

use crate::declared::{self, shmh_offsets};
use crate::status::{Fault, SHMH_E_INVALID};
use shm_handoff::backend::sysv::{Key, Options};
use std::ffi::{c_char, c_int, c_uint};
use std::mem::offset_of;

/// Whatever is at the key; where nothing is, a classic slot.
pub const SHMH_ANY: c_int = 0;
/// The tutorial's slot: `struct { int written; char text[2048]; }`.
pub const SHMH_SLOT: c_int = 1;
/// A ring: any bytes, much faster, and no C program of the tutorial on the other side.
pub const SHMH_RING: c_int = 2;
/// A slot in a struct of the program's own: `declared` or `offsets` says where its flag and its payload lie.
pub const SHMH_DECLARED: c_int = 3;

/// What `shmh_open` can be told. Begin with all zero, and `size`.
#[repr(C)]
#[allow(non_camel_case_types)] // its name in C
#[derive(Debug, Clone, Copy)]
pub struct shmh_options {
    /// `sizeof(struct shmh_options)`: a later version may have more at its end.
    pub size: usize,
    /// `SHMH_ANY`, `SHMH_SLOT`, `SHMH_RING` or `SHMH_DECLARED`.
    pub layout: c_int,
    /// Permission bits of what has to be made; 0: 0600.
    pub mode: c_uint,
    /// Bytes of a ring, a power of two from 64 KiB to 1 GiB; 0: those of the ring that is there, or 2 MiB.
    pub capacity: usize,
    /// Not 0: accept what belongs to another user.
    pub trust_owner: c_int,
    /// For `SHMH_DECLARED`, a SPEC: `text[1024]`, a C declaration as the program has it, `FILE.h`, `FILE.h:NAME`, or
    /// the terse form, each with terms behind a comma. NULL: `offsets` says it. docs/layouts.md has it all.
    pub declared: *const c_char,
    /// For `SHMH_DECLARED`, the same by `offsetof` and `sizeof`. NULL: `declared` says it.
    pub offsets: *const shmh_offsets,
    /// For a ring, what its messages are: a number that both sides work out in the same way, such as by `shmh_schema`. The
    /// side that makes the ring writes it down, and a side with another one is `SHMH_E_NOT_A_CHANNEL`. 0: any.
    pub schema: u64,
}

impl shmh_options {
    /// So many bytes had the first one: what came later is 0 in it.
    const FIRST: usize = offset_of!(Self, declared);
    /// And the one before `schema`.
    const SECOND: usize = offset_of!(Self, offsets) + size_of::<*const shmh_offsets>();

    /// As it is to be filled in.
    const NONE: Self = Self {
        size: size_of::<Self>(),
        layout: SHMH_ANY,
        mode: 0,
        capacity: 0,
        trust_owner: 0,
        declared: std::ptr::null(),
        offsets: std::ptr::null(),
        schema: 0,
    };

    /// # Safety
    /// `given` can be read for as many bytes as its first member says.
    unsafe fn copied(given: *const Self) -> Result<Self, Fault> {
        // SAFETY: the caller's promise.
        let size = unsafe { *given.cast::<usize>() };
        if ![Self::FIRST, Self::SECOND, size_of::<Self>()].contains(&size) {
            return Err(Fault::new(SHMH_E_INVALID, c"the options' size is not sizeof(struct shmh_options)"));
        }
        let mut options = Self::NONE;
        // SAFETY: the caller's promise; it is no more than the struct has, and any bytes are numbers and raw pointers.
        unsafe { std::ptr::copy_nonoverlapping(given.cast::<u8>(), (&raw mut options).cast::<u8>(), size) };
        Ok(options)
    }
}

/// # Safety
/// `given` is NULL or can be read for as many bytes as its first member says, and so can what it points to.
pub(crate) unsafe fn read(key: c_int, given: *const shmh_options) -> Result<Options, Fault> {
    let key = Key::new(key.cast_unsigned())?;
    if given.is_null() {
        return Ok(Options::any(key));
    }
    // SAFETY: the caller's promise.
    let given = unsafe { shmh_options::copied(given) }?;
    let options = match (given.layout, given.capacity) {
        (SHMH_ANY, _) => Options::any(key),
        (SHMH_SLOT, _) => Options::slot(key),
        (SHMH_RING, 0) => Options::any_ring(key),
        (SHMH_RING, capacity) => Options::ring(key, capacity)?,
        // SAFETY: the caller's promise.
        (SHMH_DECLARED, _) => Options::declared(key, &unsafe { declared::read(given.declared, given.offsets) }?),
        _ => return Err(Fault::new(SHMH_E_INVALID, c"the layout is none")),
    };
    if given.layout != SHMH_DECLARED && !(given.declared.is_null() && given.offsets.is_null()) {
        return Err(Fault::new(SHMH_E_INVALID, c"declared and offsets need the layout SHMH_DECLARED"));
    }
    let mode = if given.mode == 0 { 0o600 } else { given.mode };
    if mode & !0o666 != 0 || mode & 0o600 != 0o600 {
        return Err(Fault::new(SHMH_E_INVALID, c"the mode has other bits than those of 666, or not those of 600"));
    }
    Ok(options.mode(mode).trust_owner(given.trust_owner != 0).schema(given.schema))
}
