//! Handles with a descriptor. While no function runs, their endpoint is watched: by the thread that waits in its place, or,
//! where there is something to do, by nobody. Each function takes it out, so that it finds the side of any other handle.

use crate::handle::Side;
use crate::status::{Fault, SHMH_E_CLOSED};
use shm_handoff::backend::sysv::SysV;
use shm_handoff::{Reader, Writer};
use shm_handoff_async::{Descriptor, Paused};
use std::ffi::c_int;
use std::os::fd::AsRawFd;

pub(crate) enum Polled {
    Writer(Descriptor<Writer<SysV>>),
    /// With the kind of a reader's side that it is.
    Reader(Descriptor<Reader<SysV>>, fn(Reader<SysV>) -> Side),
}

/// A descriptor whose side was taken out.
pub(crate) enum Vacant {
    Writer(Paused<Writer<SysV>>),
    Reader(Paused<Reader<SysV>>),
}

/// What the descriptor of a writer stands for behind a call.
#[derive(Clone, Copy)]
pub(crate) enum Wish {
    /// The same as before.
    Same,
    /// Room for so many bytes if the call has found none; else for any.
    Room(usize),
    /// A reader if the call has found none; else room.
    Reader,
}

impl Polled {
    /// The descriptor of a side, which is made if it has none.
    pub(crate) fn descriptor_of(side: &mut Side) -> Result<c_int, Fault> {
        let vacant = match side {
            Side::Polled(polled) => return Ok(polled.descriptor()),
            Side::Closed => return Err(Fault::new(SHMH_E_CLOSED, c"the handle was closed")),
            Side::Writer(_) => Vacant::Writer(Paused::new()?),
            Side::Reader(_) | Side::AtEnd(_) | Side::Ended(_) => Vacant::Reader(Paused::new()?),
        };
        let descriptor = vacant.descriptor();
        *side = vacant.watch(std::mem::replace(side, Side::Closed), false);
        Ok(descriptor)
    }

    fn descriptor(&self) -> c_int {
        match self {
            Self::Writer(writer) => writer.as_raw_fd(),
            Self::Reader(reader, _) => reader.as_raw_fd(),
        }
    }

    pub(crate) fn take(self) -> (Side, Vacant) {
        match self {
            Self::Writer(descriptor) => {
                let (writer, paused) = descriptor.pause();
                (Side::Writer(writer), Vacant::Writer(paused))
            }
            Self::Reader(descriptor, which) => {
                let (reader, paused) = descriptor.pause();
                (which(reader), Vacant::Reader(paused))
            }
        }
    }
}

impl Vacant {
    fn descriptor(&self) -> c_int {
        match self {
            Self::Writer(writer) => writer.as_raw_fd(),
            Self::Reader(reader) => reader.as_raw_fd(),
        }
    }

    /// What to watch for after a call that has ended so.
    pub(crate) fn wish(&mut self, wish: Wish, ended: &Result<c_int, Fault>) {
        let Self::Writer(paused) = self else { return };
        let found_none = ended.as_ref().is_err_and(Fault::ended_a_wait);
        match wish {
            Wish::Same => {}
            Wish::Reader if found_none => paused.want_reader(),
            Wish::Room(len) if found_none => paused.want_room(len),
            Wish::Reader | Wish::Room(_) => paused.want_any(),
        }
    }

    /// Watches the side that was taken out. An end that a reader has met is what every call says, and so is a peer that is
    /// gone (`is_gone`): no wait is needed for either, and one for what comes behind an end would begin the next session.
    pub(crate) fn watch(self, side: Side, is_gone: bool) -> Side {
        let polled = match (self, side) {
            (Self::Writer(paused), Side::Writer(writer)) => {
                Polled::Writer(if is_gone { paused.resume_readable(writer) } else { paused.resume(writer) })
            }
            (Self::Reader(paused), Side::Reader(reader)) => {
                let watched = if is_gone { paused.resume_readable(reader) } else { paused.resume(reader) };
                Polled::Reader(watched, Side::Reader)
            }
            (Self::Reader(paused), Side::AtEnd(reader)) => Polled::Reader(paused.resume_readable(reader), Side::AtEnd),
            (Self::Reader(paused), Side::Ended(reader)) => Polled::Reader(paused.resume_readable(reader), Side::Ended),
            (_, side) => return side,
        };
        Side::Polled(Box::new(polled))
    }
}
