//! Where two sides meet: a place of the test's own, removed with all that belongs to it, also by a test that fails.

use crate::ipc;
use shm_handoff::backend::sysv::{Key, Options, SysV};
use std::sync::atomic::{AtomicU32, Ordering};

pub(crate) type Reader = shm_handoff_async::Reader<SysV>;
pub(crate) type Writer = shm_handoff_async::Writer<SysV>;
pub(crate) type BlockingReader = shm_handoff::Reader<SysV>;
pub(crate) type BlockingWriter = shm_handoff::Writer<SysV>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    Slot,
    Ring,
    /// A text that was declared.
    Text,
    /// Records of eight bytes, with four of an answer; their end is told beside them.
    Data,
}

pub(crate) const LAYOUTS: [Layout; 4] = [Layout::Slot, Layout::Ring, Layout::Text, Layout::Data];

pub(crate) struct Place {
    layout: Layout,
    key: Key,
}

/// Keys of this process: its number, and a count.
fn next_key() -> Key {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    assert!(count < 1 << 14, "more places than keys");
    Key::new(1 << 30 | (std::process::id() & 0xFFFF) << 14 | count).unwrap()
}

impl Place {
    pub(crate) fn new(layout: Layout) -> Self {
        let place = Self { layout, key: next_key() };
        // What a process of the same number may have left.
        place.remove();
        place
    }

    pub(crate) fn ring() -> Self {
        Self::new(Layout::Ring)
    }

    pub(crate) fn options(&self) -> Options {
        Self::at(self.layout, self.key.number())
    }

    /// The options of a place that another process has made.
    pub(crate) fn at(layout: Layout, key: u32) -> Options {
        let key = Key::new(key).unwrap();
        match layout {
            Layout::Slot => Options::slot(key),
            Layout::Ring => Options::ring(key, 64 << 10).unwrap(),
            Layout::Text => Options::declared(key, &"text[64]".parse().unwrap()),
            Layout::Data => Options::declared(
                key,
                &"struct { int written; long record; int answer; },data=record,reply=answer".parse().unwrap(),
            ),
        }
    }

    pub(crate) fn key(&self) -> u32 {
        self.key.number()
    }

    /// The longest message there.
    pub(crate) fn longest(&self) -> usize {
        match self.layout {
            Layout::Slot => 2047,
            Layout::Ring => 16 << 10,
            Layout::Text => 63,
            Layout::Data => 8,
        }
    }

    pub(crate) fn reader(&self) -> Reader {
        Reader::open(&self.options()).unwrap()
    }

    pub(crate) fn writer(&self) -> Writer {
        Writer::open(&self.options()).unwrap()
    }

    pub(crate) fn blocking_reader(&self) -> BlockingReader {
        BlockingReader::open(&self.options()).unwrap()
    }

    pub(crate) fn blocking_writer(&self) -> BlockingWriter {
        BlockingWriter::open(&self.options()).unwrap()
    }

    pub(crate) fn remove_segment(&self) {
        ipc::remove_segment(self.key.number());
    }

    fn remove(&self) {
        self.remove_segment();
        ipc::remove_set(self.key.seats());
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.remove();
    }
}

/// A message that every layout can carry.
pub(crate) fn message(number: u32) -> [u8; 8] {
    let text = format!("{number:08}");
    text.as_bytes().try_into().unwrap()
}

/// Its number.
pub(crate) fn number(message: &[u8]) -> u32 {
    std::str::from_utf8(message).unwrap().parse().unwrap()
}
