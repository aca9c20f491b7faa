//! Hands messages from one process to another through System V shared memory.
//! The protocol's memory orderings are verified with the loom model checker, on the source that ships.
//!
//! One side opens a [`Writer`], the other side a [`Reader`]. A [`WaitPolicy`] says how long a side waits.
//! [`Reader::recv`] copies a message into a buffer. [`Reader::peek`] returns a [`Message`] that stays in the shared
//! memory until it is released.
//!
//! This program starts itself again as the reader, and two programs would do the same (`cargo run --example
//! two_processes`):
//!
#![cfg_attr(not(model), doc = "```")]
#![cfg_attr(model, doc = "```ignore")]
#![doc = include_str!("../examples/two_processes/program.rs")]
//! ```
//!
//! # Two layouts
//!
//! | | [`Slot`] | [`Ring`] |
//! | --- | --- | --- |
//! | holds | one message | many, as far as there is room |
//! | a message | a text of up to 2047 bytes without a NUL | any bytes, up to a quarter of the ring |
//! | the end of a session | a text that begins with `end` | a mark beside the messages |
//! | the other side | this library, or a C program of the well-known tutorial | this library |
//! | is asked for by | [`Options::slot`](backend::sysv::Options::slot) | [`Options::ring`](backend::sysv::Options::ring) |
//!
//! `Writer<SysV>` and `Reader<SysV>` take either layout. `Writer<SysV, Ring>` takes only a ring
//! and saves some instructions a message; it fails with [`Error::WrongLayout`] at a slot.
//! [`SysV`](backend::sysv::SysV) is for processes. [`InProc`](backend::inproc::InProc) is the same between
//! the threads of one process, for tests.
//!
//! # Which call for which purpose
//!
//! The last two columns have the instructions that a message costs, in two figures: for 8 bytes, and for 2048
//! (2047 at a slot). Each counts the way of a message through both sides, in one thread, where no side
//! has to wait (Rust 1.95, x86-64: `ci/instructions.sh`; `docs/benchmarks.md` has more, and times).
//!
//! | To | call | ring | slot |
//! | --- | --- | ---: | ---: |
//! | send, and receive into a buffer | [`Writer::send`], [`Reader::recv`] | 96, 810 | 138, 1434 |
//! | the same, on whichever layout is there | the same, without a layout in the type | 103, 817 | 141, 1454 |
//! | keep a message until it was dealt with | [`Reader::peek`], [`Message::release`] | 120, 834 | 140, 1434 |
//!
//! | To | call |
//! | --- | --- |
//! | send and receive a value of a type | [`Writer::send_value`], [`Reader::recv_value`]; several as one message: [`Reader::recv_values`] |
//! | build a value in the shared memory; deal with one before releasing it | [`Writer::reserve_value`]; [`Reader::peek_value`] |
//! | know that both sides have the same type | [`schema!`], [`Schema`], [`Options::schema`](backend::sysv::Options::schema) |
//! | send several at once | [`Writer::send_all`]: a ring publishes them together |
//! | build a message in the shared memory, without a copy | [`Writer::reserve`] |
//! | read it there, without a copy | [`Reader::peek_in_place`] |
//! | loop over what comes | [`Reader::next_message`], which uses its buffer again; [`Reader::messages`], an iterator of vectors |
//! | deal with several before releasing them | [`Reader::peek_next`], [`Reader::release_up_to`] |
//! | know that a message or room is there, without a wait | [`Reader::is_ready`], [`Writer::is_ready`]; of a message itself, [`Writer::check`] |
//! | wait for a message or for room, and take or send nothing | [`Reader::wait_with`], [`Writer::await_room`] |
//! | copy a message into a buffer of your own, and release it later | [`Reader::await_len`], [`Reader::peek_into`], [`Reader::release_peeked`] |
//! | end a wait from another thread | [`Writer::interrupter`], [`Reader::interrupter`] |
//! | not wait; wait until a moment; be asked meanwhile | `try_…`; `…_deadline`; `…_with` and a [`WaitPolicy`] |
//! | begin when a reader is there; go on after [`SendError::ReaderGone`] | [`Writer::await_reader`] |
//! | go on after [`RecvError::WriterGone`] | [`Reader::await_next_writer`] |
//! | end a session | [`Writer::end`]; the reader answers with [`Reader::end_session`] |
//! | carry a ring's messages on into another one, none of them twice | [`Reader::peek_onto`], [`Cursor::position`]; [`Writer::carry`], [`Writer::carried`] |
//! | know how far the reader is | [`Writer::is_drained`]; in a ring, [`Writer::standing`] |
//! | know that the reader got it all | [`Writer::flush`] if the memory is about to go; else an answer of the reader's |
//! | notice a removal while there is nothing to send | [`Writer::recover`], [`Reader::refresh_seat`] |
//! | leave without counting as failed | [`Writer::close`] |
//! | look at what is there, and change nothing | [`Observer`](backend::sysv::Observer) |
//!
//! # Guarantees
//!
//! Between one writer and one reader that follow the protocol:
//! every message arrives once, whole and in order; a message is released only
//! after the caller has dealt with it; a peer that dies is noticed; waiting
//! burns no core. Even if the other process is hostile, there is no
//! undefined behaviour, over-read, endless loop or panic in safe code.
//!
//! The contents that a peer writes are not guaranteed. A C program of the
//! well-known tutorial on the other side keeps its own bugs; `docs/defects.md` says which of them
//! remain.

#[cfg(not(target_os = "linux"))]
compile_error!(
    "shm-handoff runs on Linux alone: it relies on SEM_UNDO, /proc and the System V semantics of its kernel"
);

/// The examples of the README are tried like those of the documentation.
#[cfg(all(doctest, not(model)))]
#[doc = include_str!("../README.md")]
struct Readme;

/// So are those of the page about the library.
#[cfg(all(doctest, not(model)))]
#[doc = include_str!("../docs/library.md")]
struct LibraryPage;

pub mod backend;
#[cfg(all(feature = "cli", not(model)))]
#[doc(hidden)]
pub mod cli;
pub mod declare;
pub mod error;
#[doc(hidden)]
pub mod example;
#[doc(hidden)]
pub mod failpoint;
#[doc(hidden)]
pub mod orders;
mod protocol;
mod schema;
#[doc(hidden)]
pub mod sync;

/// The protocol's inside, for the tests.
#[doc(hidden)]
pub mod inside {
    pub use crate::protocol::{endpoint, slot, tutorial};
}

pub use error::message::{RecvError, SendError};
pub use error::names::Role;
pub use error::open::Error;
pub use protocol::Either;
pub use protocol::core::Core;
pub use protocol::endpoint::{Message, Messages, Reader, Received, Tick, WaitPolicy, WaitingFor, Writer};
pub use protocol::record::Cursor;
pub use protocol::ring::{Carried, InPlace, MaybeRing, Reserved, Ring, Standing};
pub use protocol::slot::{DeclaredSlot, Slot};
pub use protocol::typed::{PeekedValue, ReservedValue};
#[doc(hidden)]
pub use schema::SchemaText;
pub use schema::{Schema, schema_number};

/// The crate whose traits say which types can be [messages](Writer::send_value), with their derives. A program that has no
/// dependency on it says where they are: `#[zerocopy(crate = "shm_handoff::zerocopy")]`.
///
/// ```
/// use shm_handoff::zerocopy::{FromBytes, Immutable, IntoBytes};
/// #[derive(Debug, PartialEq, FromBytes, IntoBytes, Immutable)]
/// #[zerocopy(crate = "shm_handoff::zerocopy")]
/// #[repr(C)]
/// struct Tick { time: u64, bid: f64, ask: f64 }
/// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
/// writer.send_value(&Tick { time: 1, bid: 99.5, ask: 100.0 })?;
/// assert_eq!(reader.recv_value()?, Some(Tick { time: 1, bid: 99.5, ask: 100.0 }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub use zerocopy;
