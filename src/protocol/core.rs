//! What a layout is to the endpoints: one side of it each, with all atomic operations of that
//! side. A core never waits; what it is told and says is all that the endpoints know of a layout.

use super::backlog::Backlog;
use crate::backend::{Backend, Layout, Wanted};
use crate::error::{Corrupt, Error, Unsendable};
use std::fmt::Debug;
use std::time::Duration;

pub(crate) use super::record::{Cursor, Kind, Record};

/// A layout, as a type: [`Slot`](crate::Slot), [`Ring`](crate::Ring), or [`Either`](crate::Either) of the two. Sealed.
///
/// ```
/// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = slot();
/// fn layout<L: shm_handoff::Core>(reader: &Reader<InProc, L>) -> Layout {
///     reader.backend().layout()
/// }
/// assert_eq!(layout(&reader), Layout::Slot);
/// ```
pub trait Core: Debug {
    #[doc(hidden)]
    type Producer: Producer;
    #[doc(hidden)]
    type Consumer: Consumer;
    /// What the layout is called where another one was found.
    #[doc(hidden)]
    const NAME: &'static str;
    /// `None`: either will do.
    #[doc(hidden)]
    const WANTED: Option<Wanted>;
}

/// The writing side.
pub trait Producer: Sized + Debug {
    /// Of memory that is laid out so; `None`: of another layout.
    fn of(layout: Layout) -> Option<Self>;

    /// Programs without a seat use this layout, too: they wake nobody, and wipe the flag when they
    /// start.
    fn has_strangers(&self) -> bool;

    /// Begins where the memory, which was opened just now, stands.
    fn attach<B: Backend>(&mut self, memory: &B) -> Result<(), Corrupt>;

    /// The longest message, in bytes.
    fn longest<B: Backend>(&self, memory: &B) -> usize;

    /// The bytes of an end.
    fn end(&self) -> &'static [u8];

    /// Whether an end is told beside what is sent, by the [backend](Backend::tell_end), and has no bytes.
    fn ends_beside<B: Backend>(&self, _: &B) -> bool {
        false
    }

    /// How long an answer is; 0: the layout has none.
    fn reply_len<B: Backend>(&self, _: &B) -> usize {
        0
    }

    /// Copies out what the reader has answered to the message that it released last.
    fn read_reply<B: Backend>(&self, _: &B, _answer: &mut [u8]) {}

    /// Whether `bytes` can be carried, and as what.
    fn check<B: Backend>(&self, memory: &B, bytes: &[u8]) -> Result<Kind, Unsendable>;

    /// Publishes `bytes` if all is well at a glance: nothing has to come first, they can be carried,
    /// and there is room straight away.
    fn push_straight<B: Backend>(&mut self, memory: &B, bytes: &[u8]) -> bool;

    /// For the next glance: whether nothing has to come first, as far as the endpoint knows.
    fn renew<B: Backend>(&mut self, memory: &B, nothing_first: bool);

    /// Whether there is room at a glance: if not, only a wait tells.
    fn knows_room<B: Backend>(&self, memory: &B, len: usize) -> bool;

    /// Looks whether there is room for `len` bytes.
    fn has_room<B: Backend>(&mut self, memory: &B, len: usize) -> Result<bool, Corrupt>;

    /// Publishes a record for which there is room, and wakes the reader.
    fn push<B: Backend>(&mut self, memory: &B, kind: Kind, bytes: &[u8]);

    /// Publishes several, the first one last, as far as there is room without a look; how many, and
    /// `messages` moves behind them.
    fn push_all<'m, B: Backend>(&mut self, _: &B, _: &mut (impl Iterator<Item = &'m [u8]> + Clone)) -> usize {
        0
    }

    /// Sleeps until there may be room for `len` bytes, for `longest` at most.
    fn park<B: Backend>(&mut self, memory: &B, len: usize, longest: Duration) -> Result<(), Corrupt>;

    /// Whether the memory may have been removed by the reader when it was woken last; asked once.
    fn take_doubt(&mut self) -> bool {
        false
    }

    /// Whether a reader has taken something since this was asked last.
    fn take_met(&mut self) -> bool {
        false
    }

    /// Whether nothing lies there that was not released, an end included.
    fn is_drained<B: Backend>(&self, memory: &B) -> bool;

    /// How many messages lie there that were not released; no more than `most` are counted.
    fn unreleased<B: Backend>(&self, memory: &B, most: usize) -> usize;

    /// What comes next waits for the end of the session before to be met.
    fn is_behind_end(&self) -> bool {
        false
    }

    /// From now on, in this memory, an end counts as what was not released, too: it goes to memory of another layout.
    fn take_end_along(&mut self) {}

    /// A copy of what was not released.
    fn take_along<B: Backend>(&self, memory: &B) -> Result<Backlog, Error>;
}

/// The reading side.
pub trait Consumer: Sized + Debug {
    /// As a producer's.
    fn of(layout: Layout) -> Option<Self>;

    /// As a producer's.
    fn has_strangers(&self) -> bool;

    /// As a producer's.
    fn attach<B: Backend>(&mut self, memory: &B) -> Result<(), Corrupt>;

    /// The longest message, in bytes.
    fn longest<B: Backend>(&self, memory: &B) -> usize;

    /// Takes the first message that was not released, if all is well at a glance: copies it to `bytes`,
    /// releases it if the copy is `wanted`, and says how long it was.
    ///
    /// # Errors
    /// The flag that was seen, for [`found`](Self::found).
    fn take_straight<B: Backend>(
        &mut self,
        memory: &B,
        bytes: &mut [u8],
        wanted: impl FnOnce(&[u8]) -> bool,
    ) -> Result<usize, u32>;

    /// Peeks at the first message that was not released, if all is well at a glance: copies it to the
    /// beginning of `text`, and sets the cursor behind it.
    ///
    /// # Errors
    /// As for [`take_straight`](Self::take_straight).
    fn peek_straight<B: Backend>(&mut self, memory: &B, text: &mut [u8]) -> Result<Record, u32>;

    /// What a flag says that was seen at the first message which was not released.
    fn found<B: Backend>(&self, memory: &B, flag: u32) -> Result<Option<Record>, Corrupt>;

    /// The first record that was not released, wherever the cursor is.
    fn first<B: Backend>(&mut self, memory: &B) -> Result<Option<Record>, Corrupt>;

    /// What lies at the cursor.
    fn poll<B: Backend>(&mut self, memory: &B) -> Result<Option<Record>, Corrupt>;

    /// Sets the cursor to the first record that was not released.
    fn rewind(&mut self);

    /// Before a wait: lets the writer have what it may wait for, and looks again if that took time.
    fn run_dry<B: Backend>(&mut self, _: &B) -> Result<Option<Record>, Corrupt> {
        Ok(None)
    }

    /// After a wait of so many looks.
    fn arrived(&mut self, _: u32) {}

    /// Looks so that what was published before a death or a removal is seen.
    fn poll_last<B: Backend>(&mut self, memory: &B) -> Result<Option<Record>, Corrupt> {
        self.poll(memory)
    }

    /// Sleeps until there may be a message, for `longest` at most.
    fn park<B: Backend>(&mut self, memory: &B, longest: Duration) -> Result<(), Corrupt>;

    /// Copies what was found into `bytes`; `None`: it does not fit.
    fn read<B: Backend>(&self, memory: &B, found: Record, bytes: &mut [u8]) -> Option<(usize, Kind)>;

    /// Copies what was found to the beginning of `text`, which grows as it must.
    fn copy<B: Backend>(&self, memory: &B, found: Record, text: &mut Vec<u8>) -> Result<(usize, Kind), Error>;

    /// Moves the cursor behind what was found.
    fn step_over(&mut self, found: Record);

    /// Gives back what was found, and all before it.
    fn release<B: Backend>(&mut self, memory: &B, found: Record);

    /// Where the cursor is.
    fn cursor(&self) -> Cursor;

    /// Gives back what lies before `cursor`, if it was stepped over, and nothing else.
    fn release_up_to<B: Backend>(&mut self, memory: &B, cursor: Cursor);

    /// For memory of another layout than `cursor` is of, so that it means nothing here.
    fn continue_from(&mut self, cursor: Cursor);

    /// The record that stands for an end which is told beside what is sent; `None`: an end lies there as messages do.
    fn end_beside<B: Backend>(&self, _: &B) -> Option<Record> {
        None
    }

    /// How long an answer is; 0: the layout has none.
    fn reply_len<B: Backend>(&self, _: &B) -> usize {
        0
    }

    /// Copies an answer in, to what was peeked at and not released; whether there is such a message.
    fn reply<B: Backend>(&self, _: &B, _bytes: &[u8]) -> bool {
        false
    }

    /// Whether the reader coalesces when it is close behind the writer.
    fn coalesce(&mut self, _: bool) {}

    /// Notes that the end was met, in memory that was removed for it.
    fn close<B: Backend>(&mut self, _: &B) {}

    /// Before the reader leaves: what it has released is free.
    fn give_back<B: Backend>(&mut self, _: &B) {}
}
