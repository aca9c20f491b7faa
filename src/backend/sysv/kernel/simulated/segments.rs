//! The calls on segments.

use super::objects::Objects;
use super::permissions::{ALTER, Caller, READ};
use super::segment::{Attachment, PAGE, Segment};
use super::table::{Object, PRIVATE};
use crate::backend::sysv::kernel::rows::{SegmentRow, Stat};
use nix::errno::Errno;
use std::ffi::c_int;

/// Bit in the mode of a segment that is removed and still attached.
const SHM_DEST: u32 = 0o1000;

impl<M: Clone> Objects<M> {
    /// `memory` makes what lies in a new segment of so many bytes.
    pub(crate) fn shmget(
        &mut self,
        me: Caller,
        key: u32,
        size: usize,
        flags: c_int,
        memory: impl FnOnce(usize) -> M,
    ) -> Result<c_int, Errno> {
        let limits = self.limits;
        let pages: usize = self.segments.iter().map(|(_, segment)| segment.body.pages()).sum();
        let make = || {
            if size == 0 || size > limits.shmmax {
                return Err(Errno::EINVAL);
            }
            if pages + size.div_ceil(PAGE) > limits.shmall {
                return Err(Errno::ENOSPC);
            }
            let (creator, creator_pid) = (Some(me.pid), me.pid);
            Ok(Segment { size, memory: memory(size), creator, creator_pid, last_pid: 0, removed: false })
        };
        self.segments.get(me, key, flags, |segment| segment.size >= size, limits.shmmni, make)
    }

    /// The number of the attachment, for [`shmdt`](Self::shmdt), and the memory.
    pub(crate) fn shmat(&mut self, me: Caller, id: c_int, flags: c_int) -> Result<(u64, M), Errno> {
        let segment = self.segments.at_mut(id)?;
        let wanted = if flags & libc::SHM_RDONLY != 0 { READ } else { READ | ALTER };
        segment.permissions.grant(me, wanted)?;
        segment.body.last_pid = me.pid;
        Ok((self.attachments.add(me.pid, id), segment.body.memory.clone()))
    }

    pub(crate) fn shmdt(&mut self, me: Caller, attachment: u64) -> Result<(), Errno> {
        match self.attachments.all.get(&attachment) {
            Some(Attachment { pid, .. }) if *pid == me.pid => {
                self.detach(attachment);
                Ok(())
            }
            _ => Err(Errno::EINVAL),
        }
    }

    pub(super) fn detach(&mut self, number: u64) {
        let Some(Attachment { pid, id }) = self.attachments.all.remove(&number) else { return };
        if let Ok(segment) = self.segments.at_mut(id) {
            segment.body.last_pid = pid;
        }
        self.destroy_if_over(id);
    }

    /// A segment that nobody is attached to goes if it was removed, or if each goes with its last attachment.
    fn destroy_if_over(&mut self, id: c_int) {
        let is_over = |removed| (removed || self.rmid_forced) && self.attachments.to(id) == 0;
        if self.segments.at(id).is_ok_and(|segment| is_over(segment.body.removed)) {
            self.segments.remove(id);
        }
    }

    /// Destroys those of these segments that are over.
    pub(super) fn destroy_where(&mut self, chosen: impl Fn(&Segment<M>) -> bool) {
        let chosen = self.segments.iter().filter(|(_, segment)| chosen(&segment.body)).map(|(id, _)| id);
        for id in chosen.collect::<Vec<_>>() {
            self.destroy_if_over(id);
        }
    }

    /// The end of a process, third step: the segments that it made have no maker that lives. Where each goes with
    /// its last attachment, those that have none go now.
    pub(crate) fn disown_all(&mut self, pid: u32) {
        self.destroy_where(|segment| segment.creator == Some(pid));
        for segment in self.segments.bodies_mut().filter(|segment| segment.creator == Some(pid)) {
            segment.creator = None;
        }
    }

    pub(crate) fn shm_stat(&self, me: Caller, id: c_int) -> Result<Stat, Errno> {
        let segment = self.segments.at(id)?;
        segment.permissions.grant(me, READ)?;
        Ok(Stat {
            size: segment.body.size,
            mode: segment.permissions.mode,
            uid: segment.permissions.uid,
            creator_uid: segment.permissions.creator_uid,
            attached: self.attachments.to(id),
            creator_pid: segment.body.creator_pid,
            last_pid: segment.body.last_pid,
            removed: segment.body.removed,
        })
    }

    pub(crate) fn shm_remove(&mut self, me: Caller, id: c_int) -> Result<(), Errno> {
        let segment = self.segments.at_mut(id)?;
        segment.permissions.owned_by(me)?;
        segment.body.removed = true;
        segment.key = PRIVATE;
        self.destroy_if_over(id);
        Ok(())
    }

    /// The segments, as `/proc/sysvipc/shm` shows them to everybody.
    pub(crate) fn segments(&self) -> Vec<SegmentRow> {
        let row = |(id, segment): (c_int, &Object<Segment<M>>)| SegmentRow {
            key: segment.key,
            id,
            mode: segment.permissions.mode | if segment.body.removed { SHM_DEST } else { 0 },
            size: segment.body.size,
            creator_pid: segment.body.creator_pid,
            attached: self.attachments.to(id),
            uid: segment.permissions.uid,
            creator_uid: segment.permissions.creator_uid,
        };
        self.segments.iter().map(row).collect()
    }
}
