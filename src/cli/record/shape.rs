//! A channel's layout, as a recording tells it.

use super::format::{Session, Shape};
use crate::backend::sysv::{Key, Options, SysV};
use crate::backend::{Backend, Layout};
use crate::declare::Declared;

/// What stands in the recording of this channel.
pub(super) fn session(backend: &SysV) -> Session {
    let stream = backend.stream().unwrap_or(0);
    let (shape, size, terms) = match backend.layout() {
        Layout::Ring { capacity } => (Shape::Ring, capacity as u64, String::new()),
        Layout::Slot => (Shape::Classic, 2048, String::new()),
        Layout::Declared => {
            let size = backend.segment().size() as u64;
            (Shape::Declared, size, backend.declaration().map_or_else(String::new, |declared| declared.to_string()))
        }
    };
    Session { stream, shape, size, terms }
}

/// A channel like that at `key`. `None`: whatever the other side brings, if it brings anything.
pub(super) fn like(session: &Session, key: Key) -> Option<Options> {
    match session.shape {
        Shape::Ring => match usize::try_from(session.size).ok().map(|capacity| Options::ring(key, capacity)) {
            Some(Ok(options)) => Some(options),
            // A file can name any number.
            _ => Some(Options::any_ring(key)),
        },
        Shape::Declared => session.terms.parse::<Declared>().ok().map(|declared| Options::declared(key, &declared)),
        Shape::Classic | Shape::Other(_) => None,
    }
}

/// In words.
pub(super) fn in_words(session: &Session) -> String {
    match session.shape {
        Shape::Classic => Layout::Slot.to_string(),
        Shape::Ring => match usize::try_from(session.size) {
            Ok(capacity) if capacity.is_power_of_two() => Layout::Ring { capacity }.to_string(),
            _ => format!("a ring of {} bytes", session.size),
        },
        Shape::Declared => format!("{}, {}", Layout::Declared, session.terms),
        Shape::Other(number) => format!("layout {number}, which this program does not know"),
    }
}
