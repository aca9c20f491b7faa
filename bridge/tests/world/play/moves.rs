//! What becomes of a state when something happens.

use super::super::{Entry, Fuse, Killed, SinkEnd, SinkMemory, SourceEnd, UNIT, Weakness, Wire};
use super::{Action, Event, LATER, NOW, ReceiverProcess, SenderProcess, Setup, State, is_for_receiver};
use shm_handoff_bridge::batch::Batch;
use shm_handoff_bridge::frame::{Flow, Frame};
use shm_handoff_bridge::receiver::Receiver;
use shm_handoff_bridge::sender::Sender;
use shm_handoff_bridge::world::{self, Next, Stream};
use std::time::Duration;

impl State {
    /// Lets it happen. `false`: the process would have been killed by then, so that this is another action.
    pub fn happens(&mut self, action: Action, setup: &Setup) -> bool {
        let fuse = Fuse::new(action.kill);
        match action.event {
            Event::SenderStarts(host) => {
                self.comes_again(self.sources[host].left.is_some());
                self.sources[host].left = None;
                self.start_sender(host, &fuse, setup);
            }
            Event::ReceiverStarts => {
                self.comes_again(self.sink.left.is_some());
                self.sink.left = None;
                self.start_receiver(&fuse, setup);
            }
            Event::ArrivesDown => {
                let frame = self.down.pop_front().expect("it was offered");
                self.arrives(frame, &fuse, setup);
            }
            Event::ArrivesUp => {
                let frame = self.up.pop_front().expect("it was offered");
                self.arrives(frame, &fuse, setup);
            }
            Event::ArrivesLate(at) => {
                let frame = self.late.remove(at);
                self.arrives(frame, &fuse, setup);
            }
            Event::DelayedDown | Event::DelayedUp => {
                self.budget.delays -= 1;
                let way = if action.event == Event::DelayedDown { &mut self.down } else { &mut self.up };
                let frame = way.pop_front().expect("it was offered");
                self.is_late(frame);
            }
            Event::CopiedDown | Event::CopiedUp => {
                self.budget.copies -= 1;
                let way = if action.event == Event::CopiedDown { &self.down } else { &self.up };
                self.is_late(way[0].clone());
            }
            Event::SenderWakes(host) => {
                self.sender(host, NOW, &fuse, setup, |_, _, _| Ok(()));
            }
            Event::ReceiverWakes => self.receiver(NOW, &fuse, setup, |_, _, _| {}),
            Event::SenderTimer(host) => {
                self.hurry();
                self.sender(host, LATER, &fuse, setup, |_, _, _| Ok(()));
            }
            Event::ReceiverTimer => {
                self.hurry();
                self.receiver(LATER, &fuse, setup, |_, _, _| {});
            }
            Event::SenderKilled(host) => {
                self.budget.sender_kills -= 1;
                self.sources[host].sender = None;
            }
            Event::ReceiverKilled => {
                self.budget.receiver_kills -= 1;
                self.sink.receiver = None;
                self.had.clear();
            }
            Event::WriterWrites(host) => {
                let record = self.sources[host].unwritten.pop().expect("it was offered");
                self.sources[host].last().records.push(record);
            }
            Event::WriterDies(host) => {
                self.budget.writer_deaths -= 1;
                let source = &mut self.sources[host];
                source.writer_lives = false;
                let written = source.last().records.len();
                source.died_at.get_or_insert(written);
            }
            Event::WriterStarts(host) => self.sources[host].writer_lives = true,
            Event::SenderSeesDeath(host) => {
                self.sources[host].sender.as_mut().expect("it was offered").knows_of_death = true;
                self.sender(host, NOW, &fuse, setup, |machine, _, _| {
                    machine.writer_died();
                    Ok(())
                });
            }
            Event::MachineRestarts(host) => self.restart_machine(host),
            Event::ReaderReads => {
                let ring = self.sink.rings.last_mut().expect("a ring");
                ring.released += 1;
                ring.removed = matches!(ring.entries[ring.released - 1], Entry::End { .. });
            }
            Event::ReaderDies => {
                self.budget.reader_deaths -= 1;
                self.sink.reader_lives = false;
                self.receiver(NOW, &fuse, setup, |machine, _, _| machine.reader_gone(NOW));
            }
            Event::ReaderStarts => self.sink.reader_lives = true,
            Event::OtherWriter => {
                self.budget.other_writers -= 1;
                self.sink.rings.last_mut().expect("a ring").other_writer(setup.weakness);
            }
            Event::RingRemoved => {
                self.budget.removals -= 1;
                self.sink.rings.last_mut().expect("a ring").removed = true;
            }
        }
        action.kill.is_none() || fuse.is_dead()
    }

    fn restart_machine(&mut self, host: usize) {
        let source = &mut self.sources[host];
        let at = source.rings.iter().position(|ring| !ring.lost).expect("it was offered");
        let ring = &mut source.rings[at];
        ring.lost = true;
        (source.sender, source.left) = (None, None);
        let held = self.sink.receiver.as_ref().and_then(|receiver| receiver.machine.held(ring.stream));
        self.had.extend(held.map(|held| (host, at, usize::try_from(held / UNIT).expect("a small ring"))));
    }

    /// Restarts are counted unless the budget is `u32::MAX`, which stands for any number.
    fn comes_again(&mut self, had_left: bool) {
        if had_left && self.budget.restarts != u32::MAX {
            self.budget.restarts -= 1;
        }
    }

    fn hurry(&mut self) {
        if !self.is_quiet() {
            self.budget.hurries = self.budget.hurries.saturating_sub(1);
        }
    }

    fn is_late(&mut self, frame: Frame) {
        let at = self.late.partition_point(|other| *other < frame);
        self.late.insert(at, frame);
    }

    fn arrives(&mut self, frame: Frame, fuse: &Fuse, setup: &Setup) {
        if is_for_receiver(&frame) {
            let frame = weakened(frame, setup);
            self.receiver(NOW, fuse, setup, |machine, sink, wire| {
                machine.hear(frame, NOW, sink, wire);
            });
        } else {
            for host in 0..self.sources.len() {
                self.sender(host, NOW, fuse, setup, |machine, source, wire| {
                    machine.hear(frame.clone(), NOW, source, wire)
                });
            }
        }
    }

    fn start_sender(&mut self, host: usize, fuse: &Fuse, setup: &Setup) {
        self.processes += 1;
        let (id, source) = (u64::from(self.processes), &mut self.sources[host]);
        let mut at = source.rings.iter().position(|ring| !ring.is_done()).expect("the last ring is not removed");
        let ring = &mut source.rings[at];
        if !ring.stream.lasts() {
            ring.stream = Stream::passing(self.processes);
            ring.origin = ring.released;
        }
        let mut cursor = ring.released;
        let (rings, weakness) = (&mut source.rings, setup.weakness);
        let end = SourceEnd { rings, at: &mut at, cursor: &mut cursor, fuse, weakness };
        let machine = Sender::new(setup.limits, id, &end, NOW);
        let waits = world::Event::None;
        source.sender = Some(SenderProcess { machine, at, cursor, waits, knows_of_death: false });
        self.sender(host, NOW, fuse, setup, |_, _, _| Ok(()));
    }

    fn start_receiver(&mut self, fuse: &Fuse, setup: &Setup) {
        self.processes += 1;
        let repeats = setup.weakness == Weakness::SessionsRepeat;
        let session = if repeats { 0 } else { u64::from(self.processes) * 1_000_000 };
        let mut memory = SinkMemory::default();
        match SinkEnd::attach(&mut self.sink.rings, &mut memory, fuse, setup.weakness) {
            Ok(sink) => {
                let machine =
                    Receiver::new(setup.limits, setup.ack_at, session, &sink, NOW).taking_next(setup.next_stream);
                self.sink.receiver = Some(ReceiverProcess { machine, memory, waits: world::Event::None });
                self.receiver(NOW, fuse, setup, |_, _, _| {});
            }
            Err(Killed) => self.budget.receiver_kills -= 1,
        }
    }

    /// Lets something happen to a sender, and all steps that follow from it.
    fn sender(
        &mut self,
        host: usize,
        now: Duration,
        fuse: &Fuse,
        setup: &Setup,
        event: impl FnOnce(&mut Sender, &mut SourceEnd<'_>, &mut Wire<'_>) -> Result<(), Killed>,
    ) {
        let source = &mut self.sources[host];
        let Some(mut process) = source.sender.take() else { return };
        let SenderProcess { machine, at, cursor, .. } = &mut process;
        let mut end = SourceEnd { rings: &mut source.rings, at, cursor, fuse, weakness: setup.weakness };
        let mut wire = Wire { frames: &mut self.down, fuse };
        let next = event(machine, &mut end, &mut wire).and_then(|()| {
            loop {
                match machine.step(now, &mut end, &mut wire)? {
                    Next::Step => {}
                    next => return Ok(next),
                }
            }
        });
        machine.rebase(now.saturating_sub(NOW), NOW);
        self.broken = self.broken.take().or(setup.count(&mut machine.numbers));
        if fuse.is_dead() {
            self.budget.sender_kills -= 1;
            return;
        }
        match next.expect("only a killed process fails") {
            Next::Done(outcome) => self.sender_leaves(host, outcome),
            Next::Wait(_, waits) => source.sender = Some(SenderProcess { waits, ..process }),
            Next::Step => unreachable!("it went on stepping"),
        }
    }

    fn receiver(
        &mut self,
        now: Duration,
        fuse: &Fuse,
        setup: &Setup,
        event: impl FnOnce(&mut Receiver, &SinkEnd<'_>, &mut Wire<'_>),
    ) {
        let Some(mut process) = self.sink.receiver.take() else { return };
        let ReceiverProcess { machine, memory, .. } = &mut process;
        let mut end = SinkEnd::wake(&mut self.sink.rings, memory, fuse, setup.weakness);
        let mut wire = Wire { frames: &mut self.up, fuse };
        event(machine, &end, &mut wire);
        let next = loop {
            match machine.step(now, &mut end, &mut wire) {
                Ok(Next::Step) => {}
                next => break next,
            }
        };
        machine.rebase(now.saturating_sub(NOW), NOW);
        self.broken = self.broken.take().or(setup.count(&mut machine.numbers));
        if fuse.is_dead() {
            self.budget.receiver_kills -= 1;
            self.had.clear();
            return;
        }
        match next.expect("only a killed process fails") {
            Next::Done(outcome) => self.receiver_leaves(outcome),
            Next::Wait(_, waits) => self.sink.receiver = Some(ReceiverProcess { waits, ..process }),
            Next::Step => unreachable!("it went on stepping"),
        }
    }
}

fn weakened(frame: Frame, setup: &Setup) -> Frame {
    match frame {
        Frame::Batch(batch) if setup.weakness == Weakness::AnyBase => {
            let mut weak = Batch::new(Flow { base: batch.from(), ..batch.flow() }, batch.from());
            for (position, message) in batch.messages(0) {
                weak.push(position, message);
            }
            batch.end().into_iter().for_each(|end| weak.set_end(end));
            Frame::Batch(weak)
        }
        frame => frame,
    }
}
