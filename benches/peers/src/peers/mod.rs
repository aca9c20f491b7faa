//! Who is measured, one file each.

mod boost;
mod classic;
mod crossbeam;
mod fifo;
mod framed;
#[cfg(feature = "iceoryx2")]
mod iceoryx;
mod ipc_channel;
mod memory;
mod mq;
mod pipe;
mod ring;
mod rtrb;
mod shaq;
mod sysv_msg;
mod tokio;
mod unix;
mod zeromq;

use crate::peer::Entry;
use crate::peer::Kind::{Limit, Ours, Processes};
use crate::work::Work;
use shm_handoff::Received;
use std::sync::LazyLock;

/// All rows, in the table's order. The bare ping-pong is not here: it runs beside
/// each of them.
pub(crate) static ALL: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    let mut all = vec![
        memory::alone(),
        Entry::of::<memory::Memory>("memory", "memcpy to a buffer and from it, a flag each quarter", Limit)
            .not(never_sleeps),
        Entry::of::<classic::Classic>("classic", "classic slot", Ours).not(|work| work.longest() > 2047),
        Entry::of::<ring::Ring<true>>("ring", "ring", Ours),
        Entry::of::<ring::Ring<false>>("ring-eager", "ring, coalescing off", Ours),
        Entry::of::<ring::Batched>("ring-batch", "ring, batches of 16", Ours).not(|work| !work.is_one_way()),
        Entry::of::<ring::InPlace>("ring-in-place", "ring, in place", Ours),
        Entry::in_turns::<tokio::Ring>("async-ring", "ring, async on tokio", Ours),
    ];
    all.extend(shaq::entries());
    all.extend(iceoryx2());
    all.extend([
        boost::entry(),
        Entry::of::<pipe::Pipe>("pipe", "pipe", Processes),
        Entry::of::<fifo::Fifo>("fifo", "FIFO", Processes),
        Entry::of::<unix::Stream>("unix-stream", "Unix socket, stream", Processes),
        Entry::in_turns::<tokio::Socket>("tokio-unix", "Unix socket, stream, on tokio", Processes),
        Entry::of::<unix::SeqPacket>("unix-seqpacket", "Unix socket, seqpacket", Processes),
        Entry::of::<mq::Mq>("posix-mq", "POSIX message queue", Processes),
        Entry::of::<sysv_msg::Queue>("sysv-msg", "System V message queue", Processes),
        Entry::of::<ipc_channel::Channel>("ipc-channel", "ipc-channel", Processes),
        zeromq::entry(),
        rtrb::entry(),
        crossbeam::entry(),
    ]);
    all
});

/// Does it with the constant `$n` as long as a message is, for peers whose slots have one size.
macro_rules! sized {
    ($len:expr, |$n:ident| $body:expr) => {
        $crate::peers::sized!(@ $len, $n, $body, 8 24 56 64 120 256 512 1024 2047 2048 16384)
    };
    (@ $len:expr, $n:ident, $body:expr, $($size:literal)*) => {
        match $len {
            $($size => {
                const $n: usize = $size;
                $body
            })*
            other => Err(format!("no slots of {other} bytes").into()),
        }
    };
}
use sized;

/// Who spins forever is never woken; that idling takes a whole core is known.
fn never_sleeps(work: Work) -> bool {
    matches!(work, Work::Wake | Work::Idle)
}

#[cfg(feature = "iceoryx2")]
fn iceoryx2() -> [Entry; 3] {
    use iceoryx::{Copied, Event, ZeroCopy};
    let polled = |work| work == Work::Wake;
    [
        Entry::of::<Copied>("iceoryx2-copy", "iceoryx2, copy, polled", Processes).not(polled),
        Entry::of::<ZeroCopy>("iceoryx2", "iceoryx2, zero-copy, polled", Processes).not(polled),
        Entry::of::<Event>("iceoryx2-event", "iceoryx2, zero-copy, woken by its event", Processes),
    ]
}

#[cfg(not(feature = "iceoryx2"))]
fn iceoryx2() -> [Entry; 1] {
    [Entry::absent("iceoryx2", "iceoryx2", "built without it: it needs libclang-dev")]
}

/// The length of a message of ours that was received.
fn len_of(received: Received) -> usize {
    match received {
        Received::Message(len) => len,
        Received::End => panic!("nobody ends the session"),
    }
}

/// What can't go on ends this one measurement.
fn must<T, E: std::fmt::Display>(result: Result<T, E>, what: &str) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{what}: {error}"),
    }
}
