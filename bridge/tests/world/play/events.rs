//! What can happen in a state.

use super::{Action, EFFECTS, Event, SourceHost, State, is_for_receiver};
use shm_handoff_bridge::world::{self, Outcome};

impl State {
    /// Nothing happens unless a timer fires.
    pub(super) fn is_quiet(&self) -> bool {
        let woken = (0..self.sources.len()).any(|host| self.sender_wakes(host));
        self.down.is_empty() && self.up.is_empty() && !woken && !self.receiver_wakes()
    }

    fn sender_wakes(&self, host: usize) -> bool {
        let host = &self.sources[host];
        host.sender.as_ref().is_some_and(|sender| {
            let ring = &host.rings[sender.at];
            let more = sender.cursor < ring.records.len() || ring.is_done();
            sender.waits == world::Event::Message && more
        })
    }

    fn receiver_wakes(&self) -> bool {
        self.sink.receiver.as_ref().is_some_and(|receiver| {
            let ring = &self.sink.rings[receiver.memory.at];
            let more = match receiver.waits {
                world::Event::Room(_) => ring.room() > 0,
                world::Event::Receipt => receiver.memory.marks.iter().any(|&(length, _)| length <= ring.released),
                _ => false,
            };
            more || (ring.removed && receiver.waits != world::Event::None) || !receiver.memory.unpublished.is_empty()
        })
    }

    /// Whether the processes live that hear what comes down, and what comes up.
    fn ears(&self) -> (bool, bool) {
        let over = self.sources.iter().all(SourceHost::is_over);
        let ups = self.sources.iter().all(|host| host.sender.is_some() || host.is_over());
        (self.sink.receiver.is_some() || over, ups)
    }

    /// All that can happen, the faults last.
    pub fn events(&self, events: &mut Vec<Event>) {
        let hosts = || 0..self.sources.len();
        let budget = &self.budget;
        let restarts = |left: &Option<Outcome>| left.is_none() || budget.restarts > 0;
        let mut offer = |event, can: bool| events.extend(can.then_some(event));
        for host in hosts() {
            let source = &self.sources[host];
            let starts = source.sender.is_none() && !source.is_over() && restarts(&source.left);
            offer(Event::SenderStarts(host), starts);
        }
        let over = self.sources.iter().all(SourceHost::is_over);
        offer(Event::ReceiverStarts, self.sink.receiver.is_none() && !over && restarts(&self.sink.left));
        offer(Event::ReaderStarts, !self.sink.reader_lives);
        let (down, up) = self.ears();
        let (comes_down, comes_up) = (!self.down.is_empty(), !self.up.is_empty());
        offer(Event::ArrivesDown, down && comes_down);
        offer(Event::ArrivesUp, up && comes_up);
        offer(Event::DelayedDown, comes_down && budget.delays > 0);
        offer(Event::DelayedUp, comes_up && budget.delays > 0);
        offer(Event::CopiedDown, comes_down && budget.copies > 0);
        offer(Event::CopiedUp, comes_up && budget.copies > 0);
        for (at, frame) in self.late.iter().enumerate() {
            offer(Event::ArrivesLate(at), if is_for_receiver(frame) { down } else { up });
        }
        let timers = budget.hurries > 0 || self.is_quiet();
        for host in hosts() {
            let source = &self.sources[host];
            let lives = source.sender.is_some();
            offer(Event::SenderWakes(host), self.sender_wakes(host));
            offer(Event::WriterWrites(host), source.writer_lives && !source.unwritten.is_empty());
            offer(Event::WriterStarts(host), !source.writer_lives && !source.is_over());
            offer(Event::SenderTimer(host), lives && timers);
            offer(Event::SenderKilled(host), lives && budget.sender_kills > 0);
            offer(
                Event::WriterDies(host),
                source.writer_lives && budget.writer_deaths > 0 && !source.unwritten.is_empty(),
            );
            let sees = source.sender.as_ref().is_some_and(|sender| {
                let idle = sender.cursor == source.rings[sender.at].records.len();
                !sender.knows_of_death && sender.waits == world::Event::Message && idle
            });
            offer(Event::SenderSeesDeath(host), !source.writer_lives && sees);
            offer(Event::MachineRestarts(host), source.can_restart());
        }
        let (lives, ring) = (self.sink.receiver.is_some(), self.sink.rings.last().expect("a ring"));
        offer(Event::ReceiverWakes, self.receiver_wakes());
        let readable = !ring.removed && ring.released < ring.entries.len();
        offer(Event::ReaderReads, self.sink.reader_lives && readable);
        offer(Event::ReceiverTimer, lives && timers);
        offer(Event::ReceiverKilled, lives && budget.receiver_kills > 0);
        offer(Event::ReaderDies, self.sink.reader_lives && budget.reader_deaths > 0);
        let other = !lives && !ring.removed && ring.room() > 0 && budget.other_writers > 0;
        offer(Event::OtherWriter, other);
        offer(Event::RingRemoved, !ring.removed && budget.removals > 0);
    }

    /// The actions for an event: it happens, and it happens to a process that is killed meanwhile.
    pub fn kills(&self, event: Event) -> impl Iterator<Item = Action> + use<> {
        let mortal = match event {
            Event::ArrivesLate(at) if is_for_receiver(&self.late[at]) => self.budget.receiver_kills,
            Event::ArrivesDown | Event::ReceiverStarts | Event::ReceiverWakes | Event::ReceiverTimer => {
                self.budget.receiver_kills
            }
            Event::ArrivesLate(_)
            | Event::ArrivesUp
            | Event::SenderStarts(_)
            | Event::SenderWakes(_)
            | Event::SenderTimer(_) => self.budget.sender_kills,
            _ => 0,
        };
        let kills = (mortal > 0).then_some(0..EFFECTS).into_iter().flatten().map(Some);
        std::iter::once(None).chain(kills).map(move |kill| Action { event, kill })
    }
}
