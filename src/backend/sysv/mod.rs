//! Between processes: a System V segment, and seats that the kernel keeps.
//!
//! ```no_run
//! # #[cfg(not(model))] {
//! use shm_handoff::{Writer, backend::sysv::{Key, Options, SysV}, protocol::layout::CLASSIC};
//! let options = Options::new(Key::new(1234)?, CLASSIC);
//! let mut writer = Writer::<SysV>::open(&options)?;
//! writer.send(b"hello\n").unwrap();
//! writer.leave().unwrap();
//! # }
//! # Ok::<(), shm_handoff::Error>(())
//! ```

mod ffi;
mod key;
mod seats;
mod segment;

pub use key::{Key, KeySpec};
pub use segment::{Segment, Stat};

use super::{Backend, Census, Layout, Payload};
use crate::error::{Error, Object, Role};
use crate::sync::AtomicU32;
use seats::Seat;
use std::time::Duration;

/// Where to meet, and on what terms.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    key: Key,
    layout: Layout,
    mode: u32,
    trust_owner: bool,
}

impl Options {
    /// At `key`, by `layout`; what has to be made is made with mode 0600, and
    /// what belongs to another user is refused.
    #[must_use]
    pub fn new(key: Key, layout: Layout) -> Self {
        Self { key, layout, mode: 0o600, trust_owner: false }
    }

    /// Permission bits of what has to be made.
    #[must_use]
    pub fn mode(self, mode: u32) -> Self {
        Self { mode, ..self }
    }

    /// Whether to accept what belongs to another user.
    #[must_use]
    pub fn trust_owner(self, trust_owner: bool) -> Self {
        Self { trust_owner, ..self }
    }

    fn check(&self, stat: &Stat) -> Result<(), Error> {
        let me = nix::unistd::geteuid().as_raw();
        if stat.size != self.layout.size {
            return Err(Error::WrongSize { key: self.key.number(), found: stat.size, expected: self.layout.size });
        }
        // An owner can name another one and stay the creator, who may do all.
        if !self.trust_owner && (stat.uid != me || stat.creator_uid != me) {
            return Err(Error::OtherOwner {
                key: self.key.number(),
                object: Object::Segment,
                uid: stat.uid,
                creator: stat.creator_uid,
            });
        }
        Ok(())
    }

    fn attach(&self) -> Result<Segment, Error> {
        let (segment, made) = Segment::open_or_create(self.key, self.layout.size, self.mode)?;
        if !made {
            self.check(&segment.stat()?)?;
        }
        Ok(segment)
    }
}

/// One process's end.
#[derive(Debug)]
pub struct SysV {
    // Fields are dropped in this order: detached first, then the seat.
    segment: Segment,
    seat: Option<Seat>,
    options: Options,
}

impl SysV {
    /// The attachment.
    #[must_use]
    pub fn segment(&self) -> &Segment {
        &self.segment
    }
}

impl Backend for SysV {
    type Address = Options;

    fn open(options: &Options, role: Role) -> Result<Self, Error> {
        // What is in the way is met before anything of ours is made.
        let mode = match Segment::stat_at(options.key)? {
            Some(stat) => {
                options.check(&stat)?;
                stat.mode
            }
            None => options.mode,
        };
        if role == Role::Guest {
            return Ok(Self { segment: options.attach()?, seat: None, options: *options });
        }
        let mut seat = Seat::take(options.key, role, mode, options.trust_owner)?;
        let segment = seat.locked(|| options.attach())?;
        Ok(Self { segment, seat: Some(seat), options: *options })
    }

    fn flag(&self) -> &AtomicU32 {
        self.segment.word(self.options.layout.flag_at)
    }

    fn payload(&self) -> Payload<'_> {
        self.segment.payload(self.options.layout.text_at, self.options.layout.text_len)
    }

    fn sleep(&self, longest: Duration) {
        std::thread::sleep(longest);
    }

    /// In the classic layout nobody is woken: a C peer would not do it either.
    fn wake(&self) {}

    fn census(&mut self) -> Result<Census, Error> {
        // The seats first: who gave one back has detached and released before.
        let seating = self.seat.as_mut().map(Seat::look).transpose()?;
        let stat = self.segment.stat()?;
        Ok(Census {
            peer_seated: seating.is_some_and(|seating| seating.peer_seated),
            writer_failed: seating.is_some_and(|seating| seating.writer_failed),
            attached: stat.attached,
            removed: stat.removed || !self.segment.is_current()?,
        })
    }

    fn reopen(&mut self) -> Result<(), Error> {
        let options = self.options;
        self.segment = match &mut self.seat {
            Some(seat) => seat.locked(|| options.attach())?,
            None => options.attach()?,
        };
        Ok(())
    }

    fn remove(&mut self) -> Result<(), Error> {
        self.segment.remove()
    }

    fn forget_failure(&mut self) -> Result<(), Error> {
        self.seat.as_ref().map_or(Ok(()), Seat::forget_failure)
    }

    fn leave(self) -> Result<(), Error> {
        let Self { segment, seat, .. } = self;
        drop(segment);
        seat.map_or(Ok(()), Seat::leave)
    }
}
