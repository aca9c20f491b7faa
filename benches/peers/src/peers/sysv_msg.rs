//! Two System V message queues, of the size that the kernel gives (16 KiB).

use crate::Failure;
use crate::peer::{Ends, Peer, Place, Rx, Tx};
use nix::errno::Errno;
use std::ptr::null_mut;

pub(crate) struct Queue;

/// A message as the kernel takes it: a type, then the bytes.
struct Envelope(Vec<u64>);

const TYPE: usize = size_of::<libc::c_long>();

impl Envelope {
    fn new(longest: usize) -> Self {
        let mut words = vec![0; longest.div_ceil(TYPE) + 1];
        words[0] = 1;
        Self(words)
    }

    fn bytes(&mut self, len: usize) -> &mut [u8] {
        assert!(len.div_ceil(TYPE) < self.0.len(), "{len} bytes are too many");
        // SAFETY: within the vector, behind its first word, by the check; any bytes
        // make words.
        unsafe { std::slice::from_raw_parts_mut(self.0.as_mut_ptr().add(1).cast(), len) }
    }
}

pub(crate) struct To {
    id: i32,
    envelope: Envelope,
}

pub(crate) struct From {
    id: i32,
    longest: usize,
    envelope: Envelope,
}

impl Tx for To {
    #[inline]
    fn send(&mut self, message: &[u8]) {
        self.envelope.bytes(message.len()).copy_from_slice(message);
        // SAFETY: a type and as many bytes as are said stand there.
        let done = unsafe { libc::msgsnd(self.id, self.envelope.0.as_ptr().cast(), message.len(), 0) };
        assert!(done == 0, "msgsnd: {}", Errno::last());
    }
}

impl Rx for From {
    #[inline]
    fn recv<T>(&mut self, _: usize, look: impl FnOnce(&[u8]) -> T) -> T {
        let longest = self.longest;
        // SAFETY: there is room for a type and as many bytes as are said.
        let len = unsafe { libc::msgrcv(self.id, self.envelope.0.as_mut_ptr().cast(), longest, 0, 0) };
        let Ok(len) = usize::try_from(len) else { panic!("msgrcv: {}", Errno::last()) };
        look(self.envelope.bytes(len))
    }
}

fn get(key: u32, flags: i32) -> Result<i32, Failure> {
    // SAFETY: takes numbers alone.
    Ok(Errno::result(unsafe { libc::msgget(key.cast_signed(), flags) })?)
}

fn ends(place: &Place, to: u32, from: u32) -> Result<(To, From), Failure> {
    let longest = place.longest;
    Ok((
        To { id: get(to, 0)?, envelope: Envelope::new(longest) },
        From { id: get(from, 0)?, longest, envelope: Envelope::new(longest) },
    ))
}

impl Peer for Queue {
    type Tx = To;
    type Rx = From;

    fn make(place: &Place) -> Result<Self, Failure> {
        let most: usize = std::fs::read_to_string("/proc/sys/kernel/msgmax")?.trim().parse()?;
        if place.longest > most {
            return Err(format!("msgmax is {most}: {} bytes are too many", place.longest).into());
        }
        for key in [place.key, place.key + 1] {
            get(key, libc::IPC_CREAT | libc::IPC_EXCL | 0o600)?;
        }
        Ok(Self)
    }

    fn near(&mut self, place: &Place) -> Result<Ends<Self>, Failure> {
        ends(place, place.key, place.key + 1)
    }

    fn far(place: &Place) -> Result<Ends<Self>, Failure> {
        ends(place, place.key + 1, place.key)
    }

    fn close(self, place: &Place, _: Ends<Self>) -> Result<(), Failure> {
        Self::clean(place);
        Ok(())
    }

    fn clean(place: &Place) {
        for key in [place.key, place.key + 1] {
            if let Ok(id) = get(key, 0) {
                // SAFETY: IPC_RMID reads nothing through the pointer.
                unsafe { libc::msgctl(id, libc::IPC_RMID, null_mut()) };
            }
        }
    }
}
