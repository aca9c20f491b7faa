//! A segment, and the attachments to all of them.

use std::collections::BTreeMap;
use std::ffi::c_int;

pub(super) const PAGE: usize = 4096;

#[derive(Debug)]
pub(super) struct Segment<M> {
    pub(super) size: usize,
    pub(super) memory: M,
    /// The process that made it, as long as it lives.
    pub(super) creator: Option<u32>,
    pub(super) creator_pid: u32,
    pub(super) last_pid: u32,
    pub(super) removed: bool,
}

impl<M> Segment<M> {
    pub(super) fn pages(&self) -> usize {
        self.size.div_ceil(PAGE)
    }
}

/// Who is attached to what, by the numbers of the attachments.
#[derive(Debug, Default)]
pub(super) struct Attachments {
    pub(super) all: BTreeMap<u64, Attachment>,
    next: u64,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Attachment {
    pub(super) pid: u32,
    pub(super) id: c_int,
}

impl Attachments {
    pub(super) fn add(&mut self, pid: u32, id: c_int) -> u64 {
        let number = self.next;
        self.next += 1;
        self.all.insert(number, Attachment { pid, id });
        number
    }

    pub(super) fn to(&self, id: c_int) -> usize {
        self.all.values().filter(|attachment| attachment.id == id).count()
    }

    pub(super) fn of_process(&self, pid: u32) -> Vec<u64> {
        self.all.iter().filter(|(_, attachment)| attachment.pid == pid).map(|(number, _)| *number).collect()
    }
}
