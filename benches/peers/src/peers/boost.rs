//! `Boost.Interprocess`'s `message_queue`, one each way, through `boost.cpp`.

use crate::peer::Entry;

const NAME: &str = "Boost.Interprocess message_queue";

#[cfg(have_boost)]
pub(crate) fn entry() -> Entry {
    Entry::of::<there::Queue>("boost", NAME, crate::peer::Kind::Processes)
}

#[cfg(not(have_boost))]
pub(crate) fn entry() -> Entry {
    Entry::absent("boost", NAME, "no Boost at compile time: apt install g++ libboost-dev")
}

#[cfg(have_boost)]
mod there {
    use crate::Failure;
    use crate::peer::{Ends, Peer, Place, Rx, Tx};
    use std::ffi::{CStr, CString, c_char, c_void};
    use std::ptr::NonNull;

    // SAFETY: as boost.cpp defines them; no exception leaves them.
    unsafe extern "C" {
        fn peers_boost_open(name: *const c_char, create: bool, count: usize, size: usize) -> *mut c_void;
        fn peers_boost_send(queue: *mut c_void, bytes: *const c_void, len: usize) -> bool;
        fn peers_boost_receive(queue: *mut c_void, bytes: *mut c_void, room: usize) -> isize;
        fn peers_boost_close(queue: *mut c_void);
        fn peers_boost_remove(name: *const c_char);
    }

    pub(crate) struct Queue;

    struct Handle(NonNull<c_void>);

    impl Handle {
        fn open(name: &CStr, create: bool, place: &Place) -> Result<Self, Failure> {
            // SAFETY: the name ends with a NUL; the rest are numbers.
            let queue = unsafe { peers_boost_open(name.as_ptr(), create, place.slots, place.longest) };
            Ok(Self(NonNull::new(queue).ok_or("Boost can't open its message_queue")?))
        }
    }

    impl Drop for Handle {
        fn drop(&mut self) {
            // SAFETY: it came from `peers_boost_open`, and is closed once.
            unsafe { peers_boost_close(self.0.as_ptr()) };
        }
    }

    pub(crate) struct To(Handle);

    pub(crate) struct From {
        queue: Handle,
        text: Vec<u8>,
    }

    impl Tx for To {
        #[inline]
        fn send(&mut self, message: &[u8]) {
            // SAFETY: an open queue, and as many bytes as are said.
            let sent = unsafe { peers_boost_send(self.0.0.as_ptr(), message.as_ptr().cast(), message.len()) };
            assert!(sent, "Boost can't send");
        }
    }

    impl Rx for From {
        #[inline]
        fn recv<T>(&mut self, _: usize, look: impl FnOnce(&[u8]) -> T) -> T {
            let text = &mut self.text;
            // SAFETY: an open queue, and as much room as is said.
            let len = unsafe { peers_boost_receive(self.queue.0.as_ptr(), text.as_mut_ptr().cast(), text.len()) };
            look(&text[..usize::try_from(len).expect("Boost can receive")])
        }
    }

    fn name(place: &Place, back: bool) -> Result<CString, Failure> {
        Ok(CString::new(format!("{}-{}", place.name, if back { "back" } else { "there" }))?)
    }

    fn ends(place: &Place, far: bool) -> Result<(To, From), Failure> {
        let to = Handle::open(&name(place, far)?, false, place)?;
        let queue = Handle::open(&name(place, !far)?, false, place)?;
        Ok((To(to), From { queue, text: vec![0; place.longest] }))
    }

    impl Peer for Queue {
        type Tx = To;
        type Rx = From;

        fn make(place: &Place) -> Result<Self, Failure> {
            for back in [false, true] {
                Handle::open(&name(place, back)?, true, place)?;
            }
            Ok(Self)
        }

        fn near(&mut self, place: &Place) -> Result<Ends<Self>, Failure> {
            ends(place, false)
        }

        fn far(place: &Place) -> Result<Ends<Self>, Failure> {
            ends(place, true)
        }

        fn close(self, place: &Place, ends: Ends<Self>) -> Result<(), Failure> {
            drop(ends);
            Self::clean(place);
            Ok(())
        }

        fn clean(place: &Place) {
            for back in [false, true] {
                if let Ok(name) = name(place, back) {
                    // SAFETY: the name ends with a NUL.
                    unsafe { peers_boost_remove(name.as_ptr()) };
                }
            }
        }
    }
}
