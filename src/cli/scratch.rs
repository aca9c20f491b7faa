//! A key that nobody uses, taken for a while and given back.

use super::exit::{Exit, Failure};
use super::stdio::say;
use crate::backend::Backend;
use crate::backend::memory::offsets::{DEFAULT_KEY, SLOT};
use crate::backend::sysv::{Key, KeySpec, Options, Segment, SysV, features};
use crate::declare::Declared;
use crate::error::{Error, Role};
use std::io::Read;

/// Random keys that may be taken before that is no accident any more.
const ATTEMPTS: usize = 100;

/// A segment of this program's own; removed, and the seats' set with it, when this
/// is dropped.
#[derive(Debug)]
pub(super) struct Scratch {
    key: Key,
    segment: i32,
    options: Options,
    declared: Option<Declared>,
}

impl Scratch {
    /// At the key that was asked for, or at a random one where nothing is; `declared`: a struct of this layout, in the
    /// place of the tutorial's.
    ///
    /// Not where memory goes with its last attachment: between two runs nobody is attached here, and whoever stayed would
    /// count as a program without a seat.
    pub(super) fn claim(asked: Option<&KeySpec>, declared: Option<&Declared>) -> Result<Self, Failure> {
        if features::removes_unattached() {
            let why = "the kernel removes a segment with its last attachment (kernel.shm_rmid_forced=1), and this needs \
                       one that stays";
            let hint = "sudo sysctl -w kernel.shm_rmid_forced=0, or in an IPC namespace of its own: sudo unshare --ipc";
            return Err(Failure::new(Exit::System, why).hint(hint));
        }
        if let Some(asked) = asked {
            let key = asked.resolve()?;
            return Self::make(key, declared).map_err(|error| match error {
                Error::Exists { .. } | Error::SeatTaken { .. } => in_use(key),
                other => other.into(),
            });
        }
        for _ in 0..ATTEMPTS {
            match Key::new(random()?).and_then(|key| Self::make(key, declared)) {
                Err(
                    Error::BadKey { .. } | Error::Exists { .. } | Error::SeatTaken { .. } | Error::ForeignSeats { .. },
                ) => {}
                made => return Ok(made?),
            }
        }
        Err(Failure::new(Exit::System, "no free key was found").hint("name one: --key"))
    }

    /// Makes the segment, whoever else may want to at the same time, and makes
    /// sure that the seats are free as well.
    fn make(key: Key, declared: Option<&Declared>) -> Result<Self, Error> {
        check(key)?;
        let size = declared.map_or(SLOT.size, |declared| declared.size().bytes());
        let segment = Segment::create_new(key, size, 0o600)?.id();
        let options = declared.map_or(Options::slot(key), |declared| Options::declared(key, declared));
        let scratch = Self { key, segment, options, declared: declared.cloned() };
        for role in [Role::Writer, Role::Reader] {
            SysV::open(&scratch.options, role)?.leave()?;
        }
        Ok(scratch)
    }

    pub(super) fn key(&self) -> Key {
        self.key
    }

    /// The layout that was asked for.
    pub(super) fn declared(&self) -> Option<&Declared> {
        self.declared.as_ref()
    }

    /// Makes the segment anew, as `options` (at the same key) have it.
    pub(super) fn remake(&mut self, options: Options) -> Result<(), Failure> {
        Segment::open(self.key)?.remove()?;
        self.options = options;
        let reader = SysV::open(&self.options, Role::Reader)?;
        self.segment = reader.segment().id();
        Ok(reader.leave()?)
    }

    fn clear(&self) -> Result<(), Error> {
        match Segment::open(self.key) {
            Ok(segment) if segment.id() == self.segment => segment.remove()?,
            // Somebody removed ours: what is there now is not ours to remove.
            Ok(_) => return Ok(()),
            Err(Error::Missing { .. }) => {}
            Err(error) => return Err(error),
        }
        // Processes that were killed have left the set behind: whoever leaves
        // the last seat removes it. That needs a segment, for a moment.
        match SysV::open(&self.options, Role::Reader) {
            Ok(mut last) => {
                last.remove()?;
                last.leave()
            }
            // Then the set is not of our making.
            Err(Error::ForeignSeats { .. } | Error::OtherOwner { .. } | Error::SeatTaken { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = self.clear() {
            let key = self.key.number();
            say!("shm-handoff: what was made is left behind: {error} (remove it: shm-handoff rm --force {key})");
        }
    }
}

/// Whether `key` may be taken, if it is free.
pub(super) fn check(key: Key) -> Result<(), Error> {
    if key.number() == DEFAULT_KEY {
        return Err(Error::BadKey {
            given: key.number().to_string(),
            reason: "the tutorial's programs meet there, and would be drawn in (name another one)",
        });
    }
    Ok(())
}

fn in_use(key: Key) -> Failure {
    Failure::new(Exit::System, format!("{key}: somebody uses it, and what is there would be written over"))
        .hint("leave out --key, and a free one is found")
}

fn random() -> Result<u32, Failure> {
    let mut bytes = [0; 4];
    let read = std::fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes));
    read.map_err(|error| Failure::new(Exit::System, format!("/dev/urandom: {error}")).hint("name a free key: --key"))?;
    Ok(u32::from_ne_bytes(bytes))
}
