//! The calls on semaphore sets.

use super::objects::Objects;
use super::permissions::{ALTER, Caller, READ};
use super::semop::{MOST, Outcome, Set, Sleeper, Ticket, alters};
use super::table::Object;
use crate::backend::sysv::kernel::rows::{SetRow, SetStat};
use libc::{SEM_UNDO, sembuf};
use nix::errno::Errno;
use std::ffi::c_int;

impl<M: Clone> Objects<M> {
    pub(crate) fn semget(&mut self, me: Caller, key: u32, count: u16, flags: c_int) -> Result<c_int, Errno> {
        let (limits, count) = (self.limits, usize::from(count));
        if count > limits.semmsl {
            return Err(Errno::EINVAL);
        }
        let used: usize = self.sets.iter().map(|(_, set)| set.body.semaphores.len()).sum();
        let make = || match count {
            0 => Err(Errno::EINVAL),
            _ if used + count > limits.semmns => Err(Errno::ENOSPC),
            _ => Ok(Set::new(count)),
        };
        self.sets.get(me, key, flags, |set| set.semaphores.len() >= count, limits.semmni, make)
    }

    /// All `steps` or none, now or later.
    pub(crate) fn semop(&mut self, me: Caller, id: c_int, steps: &[sembuf]) -> Result<Outcome, Errno> {
        if steps.is_empty() {
            return Err(Errno::EINVAL);
        }
        if steps.len() > self.limits.semopm {
            return Err(Errno::E2BIG);
        }
        let object = self.sets.at_mut(id)?;
        let set = &mut object.body;
        // Before anything is looked at: what was asked for in vain leaves this behind.
        if steps.iter().any(|step| i32::from(step.sem_flg) & SEM_UNDO != 0) {
            set.prepare_undo(me.pid);
        }
        if steps.iter().any(|step| usize::from(step.sem_num) >= set.semaphores.len()) {
            return Err(Errno::EFBIG);
        }
        object.permissions.grant(me, if alters(steps) { ALTER } else { READ })?;
        if set.attempt(me.pid, steps)? {
            if alters(steps) {
                self.woken.append(&mut set.wake(Some(steps)));
            }
            return Ok(Outcome::Done);
        }
        let ticket = self.next_ticket.take();
        set.asleep.push(Sleeper { ticket, pid: me.pid, steps: steps.to_vec() });
        Ok(Outcome::Waits(ticket))
    }

    /// What came of an operation that slept; `None`: it sleeps. Asked for once it is forgotten.
    pub(crate) fn woken(&mut self, ticket: Ticket) -> Option<Result<(), Errno>> {
        self.woken.remove(&ticket).map(|(_, result)| result)
    }

    /// The end of a sleep by a signal or by the clock: the operation is out of the queue. `Some`: it had come
    /// to something before.
    pub(crate) fn give_up(&mut self, ticket: Ticket) -> Option<Result<(), Errno>> {
        for set in self.sets.bodies_mut() {
            set.asleep.retain(|sleeper| sleeper.ticket != ticket);
        }
        self.woken(ticket)
    }

    pub(crate) fn sem_stat(&self, me: Caller, id: c_int) -> Result<SetStat, Errno> {
        let set = self.sets.at(id)?;
        set.permissions.grant(me, READ)?;
        Ok(SetStat {
            semaphores: set.body.semaphores.len(),
            untouched: set.body.untouched,
            uid: set.permissions.uid,
            gid: set.permissions.gid,
            creator_uid: set.permissions.creator_uid,
            mode: set.permissions.mode,
        })
    }

    pub(crate) fn sem_values(&self, me: Caller, id: c_int) -> Result<Vec<u16>, Errno> {
        let set = self.sets.at(id)?;
        set.permissions.grant(me, READ)?;
        let value = |value| u16::try_from(value).expect("a value is never below 0 or beyond SEMVMX");
        Ok(set.body.semaphores.iter().map(|semaphore| value(semaphore.value)).collect())
    }

    pub(crate) fn sem_pid(&self, me: Caller, id: c_int, number: u16) -> Result<u32, Errno> {
        let set = self.sets.at(id)?;
        set.permissions.grant(me, READ)?;
        set.body.semaphores.get(usize::from(number)).map(|semaphore| semaphore.pid).ok_or(Errno::EINVAL)
    }

    /// Sets a value whatever it was.
    pub(crate) fn sem_set(&mut self, me: Caller, id: c_int, number: u16, value: c_int) -> Result<(), Errno> {
        if !(0..=MOST).contains(&value) {
            return Err(Errno::ERANGE);
        }
        let set = self.sets.at_mut(id)?;
        let number = usize::from(number);
        if number >= set.body.semaphores.len() {
            return Err(Errno::EINVAL);
        }
        set.permissions.grant(me, ALTER)?;
        self.woken.append(&mut set.body.put(me.pid, number, value));
        Ok(())
    }

    /// Gives it another owner and permission bits. Its creator stays.
    pub(crate) fn sem_chown(&mut self, me: Caller, id: c_int, uid: u32, gid: u32, mode: u32) -> Result<(), Errno> {
        let set = self.sets.at_mut(id)?;
        set.permissions.owned_by(me)?;
        set.permissions.change(uid, gid, mode);
        Ok(())
    }

    /// Removes it, and its undo. Operations that sleep on it end.
    pub(crate) fn sem_remove(&mut self, me: Caller, id: c_int) -> Result<(), Errno> {
        self.sets.at(id)?.permissions.owned_by(me)?;
        let asleep = self.sets.remove(id).map_or_else(Vec::new, |set| set.body.asleep);
        self.woken.extend(asleep.into_iter().map(|sleeper| (sleeper.ticket, (sleeper.pid, Err(Errno::EIDRM)))));
        Ok(())
    }

    /// The sets, as `/proc/sysvipc/sem` shows them to everybody.
    pub(crate) fn sets(&self) -> Vec<SetRow> {
        let row = |set: &Object<Set>| SetRow {
            key: set.key,
            mode: set.permissions.mode,
            semaphores: set.body.semaphores.len(),
            uid: set.permissions.uid,
        };
        self.sets.iter().map(|(_, set)| row(set)).collect()
    }
}
