//! Hands messages from one process to another through System V shared memory,
//! by a protocol that a machine has checked.
//!
//! **Guaranteed**, between one writer and one reader that follow the protocol:
//! every message arrives, once, whole, in order; a message is released only
//! after the caller has dealt with it; a peer that dies is noticed; waiting
//! burns no core. Whatever the other process does, however hostile, there is no
//! undefined behaviour, over-read, endless loop or panic in safe code.
//!
//! **Not guaranteed**: anything about what a peer writes. A C program of the
//! well-known tutorial on the other side keeps its own bugs; what remains of
//! them is said in `docs/defects.md`.
//!
//! ```
//! # #[cfg(not(model))] {
//! use shm_handoff::{Reader, Writer, backend::inproc::{Channel, InProc}};
//!
//! let slot = Channel::new(2048);
//! let mut reader = Reader::<InProc>::open(&slot)?;
//! let mut writer = Writer::<InProc>::open(&slot)?;
//! std::thread::spawn(move || {
//!     for line in ["one\n", "two\n", "end\n"] {
//!         writer.send(line.as_bytes()).unwrap();
//!     }
//!     writer.close().unwrap();
//! });
//! let mut got = Vec::new();
//! loop {
//!     let message = reader.peek().unwrap();
//!     if message.ends_session() {
//!         message.end_session()?;
//!         break;
//!     }
//!     got.extend_from_slice(message.text());
//!     message.release();
//! }
//! assert_eq!(got, b"one\ntwo\n");
//! # }
//! # Ok::<(), shm_handoff::Error>(())
//! ```
//!
//! Between processes, put [`SysV`](backend::sysv::SysV) in the place of
//! [`InProc`](backend::inproc::InProc), and [`Options`](backend::sysv::Options) in
//! the place of the slot.
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`error`] | what goes wrong below the protocol |
//! | [`backend`] | the [`Backend`] trait with its numbered contract; `sysv` for processes, [`inproc`](backend::inproc) for threads and models |
//! | [`protocol`] | the flag, the orders, the messages; [`Writer`] and [`Reader`] of a classic slot |
//! | [`ring`] | [`Writer`](ring::Writer) and [`Reader`](ring::Reader) of a ring: any bytes, much faster, and no C program on the other side |
//! | [`any`] | one pair for whichever of the two is there |
//! | `cli` | what the binaries share |

#[cfg(not(target_os = "linux"))]
compile_error!(
    "shm-handoff runs on Linux alone: it relies on SEM_UNDO, /proc and the System V semantics of its kernel"
);

/// The examples of the README are tried like those of the documentation.
#[cfg(all(doctest, not(model)))]
#[doc = include_str!("../README.md")]
struct Readme;

pub mod backend;
#[cfg(all(feature = "cli", not(model)))]
#[doc(hidden)]
pub mod cli;
pub mod error;
#[cfg(not(model))]
#[doc(hidden)]
pub mod failpoint;
#[doc(hidden)]
pub mod orders;
#[doc(hidden)]
pub mod protocol;
#[doc(hidden)]
pub mod sync;

pub use backend::Backend;
pub use error::{Error, RecvError, Role, SendError};
pub use protocol::Either;
pub use protocol::core::{Core, Cursor};
pub use protocol::endpoint::{Message, Messages, Reader, Received, Tick, WaitPolicy, WaitingFor, Writer};
pub use protocol::ring::{InPlace, MaybeRing, Reserved, Ring};
pub use protocol::slot::Slot;
