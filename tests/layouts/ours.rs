//! `shmread` and `shmwrite` with the layout of one of these programs.

use crate::programs::{await_full, declared, folder};
use crate::support::{Channel, Ended, Peer, Run, ipc};
use shm_handoff::Role;
use shm_handoff::declare::Size;

/// `shmread --layout SPEC ARGS`, not started yet.
pub(crate) fn reader(spec: &str, channel: &Channel, args: &[&str]) -> Run {
    with_layout(channel.reader([&["--layout", spec], args].concat()))
}

/// `shmwrite --layout SPEC ARGS`, not started yet.
pub(crate) fn writer(spec: &str, channel: &Channel, args: &[&str]) -> Run {
    with_layout(channel.writer([&["--layout", spec], args].concat()))
}

/// Where the SPEC finds its header.
fn with_layout(run: Run) -> Run {
    run.with(|command| {
        command.current_dir(folder());
    })
}

/// Starts it, and waits until it is seated and attached.
pub(crate) fn seated(role: Role, channel: &Channel, run: Run) -> Peer {
    let mut peer = run.start();
    channel.await_seated(role, &mut peer);
    peer
}

/// A side of ours and one of theirs: how each is started.
pub(crate) struct Pair {
    pub(crate) role: Role,
    pub(crate) ours: Run,
    pub(crate) theirs: Run,
}

impl Pair {
    /// Ours and theirs: the one is started when the other is there, and has written if it writes (ours does
    /// not before it sees a reader).
    pub(crate) fn start(self, ours_first: bool, spec: &str, channel: &Channel) -> (Peer, Peer) {
        let Self { role, ours, theirs } = self;
        if ours_first {
            let ours = seated(role, channel, ours);
            (ours, theirs.start())
        } else {
            let theirs = crate::programs::attached(theirs);
            if role == Role::Reader {
                await_full(spec, channel);
            }
            (ours.start(), theirs)
        }
    }
}

/// After a session whose reader was ours: it removes its segment, but none that is larger than the struct.
pub(crate) fn assert_left_in_order(spec: &str, channel: &Channel) {
    if matches!(declared(spec).size(), Size::Exactly(_)) {
        channel.assert_nothing_left();
    } else {
        assert!(channel.stat().is_some(), "{spec}: somebody has removed what may hold more than the struct");
        channel.assert_no_seats();
    }
}

/// A writer of ours that could not go on: how many messages it says that it has sent.
pub(crate) fn sent(ended: &Ended) -> usize {
    let words: Vec<_> = ended.stderr.split([' ', '\n', ':', ',', ';', '.']).collect();
    let count = words.windows(3).find(|words| words[1].starts_with("message") && words[2] == "sent");
    count
        .and_then(|words| words[0].parse().ok())
        .unwrap_or_else(|| panic!("it does not say how many it has sent\n{ended}"))
}

/// Waits until a writer of ours has nothing in the slot that was not taken, and is still there.
pub(crate) fn await_taken(spec: &str, channel: &Channel, writer: &mut Peer) {
    crate::programs::await_empty(spec, channel);
    assert!(!writer.has_ended());
}

/// Semaphore sets by the processes that have used them: the key of a second slot's is the implementation's affair.
/// Declared before the processes, it removes what a test that fails leaves behind.
#[derive(Default)]
pub(crate) struct Used(Vec<u32>);

impl Used {
    pub(crate) fn by(&mut self, peer: &Peer) {
        self.0.push(peer.pid());
    }

    /// Those that are there.
    pub(crate) fn sets(&self) -> Vec<i32> {
        ipc::sets().into_iter().filter(|set| ipc::users(*set).iter().any(|pid| self.0.contains(pid))).collect()
    }

    /// None of them is left.
    pub(crate) fn assert_none_left(&self) {
        let left = self.sets();
        assert!(left.is_empty(), "the semaphore sets {left:?} are left behind");
    }
}

impl Drop for Used {
    fn drop(&mut self) {
        self.sets().into_iter().for_each(ipc::remove_set_by_id);
    }
}
