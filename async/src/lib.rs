//! [`shm_handoff`] for async Rust, on any runtime, and as a descriptor for event loops of any other kind.
//!
//! A [`Reader`] is a `Stream` of messages, and a [`Writer`] a `Sink` for them. A message that is there, or for which there is
//! room, costs no system call and no thread. An endpoint that has to wait is waited for by a thread of its own, which sleeps in
//! the shared memory as the blocking library does, and wakes the task. So no runtime is needed but a waker, no endpoint polls
//! at a ring, and an idle one costs a look each 100 ms.
//!
//! A [`Descriptor`] is readable when there is something to do, for poll, epoll, libuv and asyncio.
//!
//! `docs/async.md` of the repository has more: what cancelling does, what a runtime's end does, and figures.
#![cfg_attr(loom, allow(rustdoc::broken_intra_doc_links))]

#[cfg(not(target_os = "linux"))]
compile_error!("shm-handoff runs on Linux alone");

/// The examples of the document are tried like those of the documentation.
#[cfg(all(doctest, not(loom)))]
#[doc = include_str!("../../docs/async.md")]
struct Document;

mod descriptor;
mod endpoint;
mod event;
mod pace;
mod reader;
mod sync;
mod waiter;
mod writer;

pub use descriptor::{Descriptor, Paused};
pub use endpoint::{Endpoint, Movable};
pub use reader::Reader;
pub use shm_handoff;
pub use writer::Writer;
