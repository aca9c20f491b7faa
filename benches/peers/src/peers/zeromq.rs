//! ZeroMQ: a pair of PAIR sockets over `ipc://`, with the limits it comes with, by
//! libzmq's C interface.

use crate::peer::Entry;

const NAME: &str = "ZeroMQ, PAIR over ipc";

#[cfg(have_zmq)]
pub(crate) fn entry() -> Entry {
    Entry::of::<there::Pair>("zeromq", NAME, crate::peer::Kind::Processes)
}

#[cfg(not(have_zmq))]
pub(crate) fn entry() -> Entry {
    Entry::absent("zeromq", NAME, "no libzmq at compile time: apt install pkg-config libzmq3-dev")
}

#[cfg(have_zmq)]
mod there {
    use crate::Failure;
    use crate::peer::{Ends, Peer, Place, Rx, Tx};
    use crate::work::LONGEST;
    use std::ffi::{CString, c_char, c_int, c_void};
    use std::ptr::NonNull;
    use std::rc::Rc;

    // SAFETY: as zmq.h declares them.
    unsafe extern "C" {
        fn zmq_ctx_new() -> *mut c_void;
        fn zmq_ctx_term(context: *mut c_void) -> c_int;
        fn zmq_socket(context: *mut c_void, kind: c_int) -> *mut c_void;
        fn zmq_bind(socket: *mut c_void, address: *const c_char) -> c_int;
        fn zmq_connect(socket: *mut c_void, address: *const c_char) -> c_int;
        fn zmq_send(socket: *mut c_void, bytes: *const c_void, len: usize, flags: c_int) -> c_int;
        fn zmq_recv(socket: *mut c_void, bytes: *mut c_void, room: usize, flags: c_int) -> c_int;
        fn zmq_close(socket: *mut c_void) -> c_int;
    }

    const PAIR: c_int = 0;

    struct Socket {
        context: NonNull<c_void>,
        socket: NonNull<c_void>,
    }

    impl Socket {
        fn open(place: &Place, bind: bool) -> Result<Self, Failure> {
            let address = CString::new(format!("ipc://{}/zmq", place.dir.display()))?;
            // SAFETY: a new context, a new socket in it, and an address that ends with
            // a NUL; null is looked for before each is used.
            unsafe {
                let context = NonNull::new(zmq_ctx_new()).ok_or("zmq_ctx_new")?;
                let socket = NonNull::new(zmq_socket(context.as_ptr(), PAIR)).ok_or("zmq_socket")?;
                let join = if bind { zmq_bind } else { zmq_connect };
                if join(socket.as_ptr(), address.as_ptr()) != 0 {
                    return Err(format!("ZeroMQ: {}", std::io::Error::last_os_error()).into());
                }
                Ok(Self { context, socket })
            }
        }
    }

    impl Drop for Socket {
        fn drop(&mut self) {
            // SAFETY: open, and closed once; what was sent goes out before.
            unsafe {
                zmq_close(self.socket.as_ptr());
                zmq_ctx_term(self.context.as_ptr());
            }
        }
    }

    pub(crate) struct Pair(Option<Socket>);

    pub(crate) struct To(Rc<Socket>);

    pub(crate) struct From {
        socket: Rc<Socket>,
        text: Vec<u8>,
    }

    impl Tx for To {
        #[inline]
        fn send(&mut self, message: &[u8]) {
            // SAFETY: an open socket, used by this thread alone, and as many bytes as
            // are said.
            let sent = unsafe { zmq_send(self.0.socket.as_ptr(), message.as_ptr().cast(), message.len(), 0) };
            assert!(sent >= 0, "zmq_send: {}", std::io::Error::last_os_error());
        }
    }

    impl Rx for From {
        #[inline]
        fn recv<T>(&mut self, _: usize, look: impl FnOnce(&[u8]) -> T) -> T {
            let text = &mut self.text;
            // SAFETY: an open socket, used by this thread alone, and as much room as is
            // said.
            let len = unsafe { zmq_recv(self.socket.socket.as_ptr(), text.as_mut_ptr().cast(), text.len(), 0) };
            let Ok(len) = usize::try_from(len) else { panic!("zmq_recv: {}", std::io::Error::last_os_error()) };
            look(&text[..len])
        }
    }

    fn ends(socket: Socket) -> (To, From) {
        let socket = Rc::new(socket);
        (To(socket.clone()), From { socket, text: vec![0; LONGEST] })
    }

    impl Peer for Pair {
        type Tx = To;
        type Rx = From;

        fn make(place: &Place) -> Result<Self, Failure> {
            Ok(Self(Some(Socket::open(place, true)?)))
        }

        fn near(&mut self, _: &Place) -> Result<Ends<Self>, Failure> {
            Ok(ends(self.0.take().ok_or("taken")?))
        }

        fn far(place: &Place) -> Result<Ends<Self>, Failure> {
            Ok(ends(Socket::open(place, false)?))
        }
    }
}
