//! Any sequence of operations against a plain queue of one place.
//!
//! * P1: A send succeeds exactly if a reader is or was there for this writer
//!   and the queue is empty; if not, it says which of the two is missing.
//! * P2: A receive and a look succeed exactly if the queue is not empty, and
//!   give its front; a look takes nothing away, whatever becomes of the reader.
//!   Nor does a receive take an end: it says that the session has ended.
//! * P3: Sides that go and come change nothing that lies there. A writer that
//!   goes without leaving in order is heard of by the reader that saw it, after
//!   the last message, until a writer sits there again; one that left in order
//!   never is.
//! * P4: Both backends do all of this alike.

use crate::cases;
use crate::common::{Harness, InProcess, SystemV};
use proptest::collection::vec;
use proptest::prelude::*;
use shm_handoff::backend::Backend;
use shm_handoff::{Reader, Received, RecvError, SendError, WaitPolicy, Writer};
use std::collections::VecDeque;

#[derive(Debug, Clone)]
enum Action {
    Send(Vec<u8>),
    Receive { room: usize },
    Peek,
    Release,
    OpenWriter,
    LeaveWriter,
    DropWriter,
    OpenReader,
    LeaveReader,
    DropReader,
    Follow,
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        8 => vec(1_u8.., 0..100).prop_map(Action::Send),
        4 => (0..120_usize).prop_map(|room| Action::Receive { room }),
        4 => Just(Action::Peek),
        4 => Just(Action::Release),
        3 => Just(Action::OpenWriter),
        1 => Just(Action::LeaveWriter),
        1 => Just(Action::DropWriter),
        3 => Just(Action::OpenReader),
        1 => Just(Action::LeaveReader),
        1 => Just(Action::DropReader),
        1 => Just(Action::Follow),
    ]
}

/// What a channel of ours should be.
#[derive(Default)]
struct Oracle {
    queue: VecDeque<Vec<u8>>,
    /// The writer has published in this memory.
    introduced: bool,
    /// It had something to send while a reader was there, and nothing has shown since that the reader has gone.
    met: bool,
    /// A writer failed, and the reader has not been told to forget it.
    failed: bool,
}

struct World<'a, H: Harness> {
    place: &'a H,
    writer: Option<Writer<H::Backend>>,
    reader: Option<Reader<H::Backend>>,
    oracle: Oracle,
}

impl<H: Harness> World<'_, H> {
    /// What a reader is told if there is no message.
    fn nothing(&self) -> RecvError {
        if self.oracle.failed { RecvError::WriterGone } else { RecvError::WouldBlock }
    }

    fn act(&mut self, action: Action) -> Result<(), TestCaseError> {
        let seated = self.reader.is_some();
        match action {
            Action::Send(text) => {
                let Some(writer) = &mut self.writer else { return Ok(()) };
                let sent = writer.try_send(&text);
                if text.starts_with(b"end") && text != b"end" && text != b"end\n" {
                    prop_assert!(matches!(sent, Err(SendError::Unsendable(_))));
                    return Ok(());
                }
                self.oracle.met |= seated;
                // A reader that was met and has gone is none for the first message.
                let admitted = self.oracle.introduced || seated;
                if self.oracle.queue.is_empty() && !admitted {
                    prop_assert_eq!(sent, Err(SendError::WouldBlock));
                    self.oracle.met = false;
                } else if !admitted && !self.oracle.met {
                    prop_assert_eq!(sent, Err(SendError::WouldBlock));
                } else if self.oracle.queue.is_empty() {
                    prop_assert_eq!(sent, Ok(()));
                    self.oracle.introduced = true;
                    self.oracle.queue.push_back(text);
                } else {
                    let expected = if seated { SendError::WouldBlock } else { SendError::ReaderGone };
                    prop_assert_eq!(sent, Err(expected));
                }
            }
            Action::Receive { room } => {
                let nothing = self.nothing();
                let Some(reader) = &mut self.reader else { return Ok(()) };
                let mut text = vec![0; room];
                let received = reader.try_recv(&mut text);
                match self.oracle.queue.front() {
                    None => prop_assert_eq!(received, Err(nothing)),
                    Some(front) if front.len() > room => {
                        prop_assert_eq!(received, Err(RecvError::BufferTooSmall { capacity: 2048 }));
                    }
                    Some(front) if front.starts_with(b"end") => prop_assert_eq!(received, Ok(Received::End)),
                    Some(front) => {
                        prop_assert_eq!(received, Ok(Received::Message(front.len())));
                        prop_assert_eq!(&text[..front.len()], &front[..]);
                        self.oracle.queue.pop_front();
                    }
                }
            }
            Action::Peek | Action::Release => {
                let nothing = self.nothing();
                let Some(reader) = &mut self.reader else { return Ok(()) };
                match (reader.peek_with(&mut WaitPolicy::non_blocking()), self.oracle.queue.front()) {
                    (Ok(message), Some(front)) => {
                        prop_assert_eq!(message.text(), &front[..]);
                        if matches!(action, Action::Release) {
                            message.release();
                            self.oracle.queue.pop_front();
                        }
                    }
                    (Err(RecvError::TimedOut), None) => prop_assert_eq!(nothing, RecvError::WouldBlock),
                    (Err(error), None) => prop_assert_eq!(error, nothing),
                    (Ok(message), None) => prop_assert!(false, "{:?} came from nowhere", message.text()),
                    (Err(error), Some(front)) => prop_assert!(false, "{error} where {front:?} lies"),
                }
            }
            Action::OpenWriter => {
                if self.writer.is_none() {
                    self.writer = Some(Writer::open(self.place.address()).unwrap());
                    self.oracle.introduced = false;
                    self.oracle.met = false;
                    self.oracle.failed = false;
                }
            }
            Action::LeaveWriter => {
                if let Some(writer) = self.writer.take() {
                    prop_assert_eq!(writer.close(), Ok(()));
                }
            }
            Action::DropWriter => {
                // A reader that comes later was not there to see it.
                self.oracle.failed |= self.writer.take().is_some() && seated;
            }
            Action::OpenReader => {
                if !seated {
                    self.reader = Some(Reader::open(self.place.address()).unwrap());
                    self.oracle.failed = false;
                }
            }
            Action::LeaveReader => {
                if let Some(reader) = self.reader.take() {
                    prop_assert_eq!(reader.close(), Ok(()));
                }
            }
            Action::DropReader => drop(self.reader.take()),
            Action::Follow => {
                if let Some(reader) = &mut self.reader {
                    prop_assert_eq!(reader.await_next_writer(), Ok(()));
                    self.oracle.failed = false;
                }
            }
        }
        Ok(())
    }
}

fn run<H: Harness>(actions: Vec<Action>) -> Result<(), TestCaseError> {
    let place = H::fresh();
    let mut world = World { place: &place, writer: None, reader: None, oracle: Oracle::default() };
    for action in actions {
        world.act(action)?;
    }
    let World { writer, reader, oracle, .. } = world;
    drop((writer, reader));
    // Whatever lies there is there for the next reader, and nothing else.
    let mut reader = Reader::<H::Backend>::open(place.address()).unwrap();
    let mut text = [0; 2048];
    for expected in oracle.queue {
        let message = reader.peek_with(&mut WaitPolicy::non_blocking()).expect("a message");
        prop_assert_eq!(message.text(), &expected[..]);
        if message.ends_session() {
            prop_assert_eq!(reader.try_recv(&mut text), Ok(Received::End));
            reader.peek().unwrap().release();
            continue;
        }
        prop_assert_eq!(reader.try_recv(&mut text), Ok(Received::Message(expected.len())));
        prop_assert_eq!(&text[..expected.len()], &expected[..]);
    }
    prop_assert_eq!(reader.try_recv(&mut text), Err(RecvError::WouldBlock));
    prop_assert_eq!(reader.backend().slot().text.len(), 2048);
    Ok(())
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn p1_to_p4_in_one_process(actions in vec(action(), 0..40)) {
        run::<InProcess>(actions)?;
    }
}

proptest! {
    #![proptest_config(cases(40))]

    #[test]
    fn p1_to_p4_in_a_segment(actions in vec(action(), 0..40)) {
        run::<SystemV>(actions)?;
    }
}
