//! Who may do what with an object.

use nix::errno::Errno;
use std::ffi::c_int;

/// The process that makes a call, and its effective user and group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) pid: u32,
    /// 0 may do everything, as with `CAP_IPC_OWNER` and `CAP_SYS_ADMIN`.
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl Caller {
    fn is_privileged(self) -> bool {
        self.uid == 0
    }
}

/// What a call wants, as the bits of one class of users.
pub(super) const READ: u32 = 0o4;
pub(super) const ALTER: u32 = 0o2;

/// All bits of one class.
const ANY: u32 = 0o7;

const MODE: u32 = 0o777;

/// Whose an object is, and what it grants.
#[derive(Debug, Clone, Copy)]
pub(super) struct Permissions {
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) creator_uid: u32,
    creator_gid: u32,
    pub(super) mode: u32,
}

impl Permissions {
    /// Of what `me` makes with these flags.
    pub(super) fn made_by(me: Caller, flags: c_int) -> Self {
        let mode = flags.cast_unsigned() & MODE;
        Self { uid: me.uid, gid: me.gid, creator_uid: me.uid, creator_gid: me.gid, mode }
    }

    /// Whether the object grants `me` what it wants.
    pub(super) fn grant(&self, me: Caller, wanted: u32) -> Result<(), Errno> {
        let granted = if [self.uid, self.creator_uid].contains(&me.uid) {
            self.mode >> 6
        } else if [self.gid, self.creator_gid].contains(&me.gid) {
            self.mode >> 3
        } else {
            self.mode
        };
        let is_granted = wanted & !granted & ANY == 0;
        if me.is_privileged() || is_granted { Ok(()) } else { Err(Errno::EACCES) }
    }

    /// Whether it grants all that the mode bits of a look-up's flags ask for, of whichever class.
    pub(super) fn grant_look_up(&self, me: Caller, flags: c_int) -> Result<(), Errno> {
        let bits = flags.cast_unsigned() & MODE;
        self.grant(me, bits >> 6 | bits >> 3 | bits)
    }

    /// Whether `me` is its owner or its creator.
    pub(super) fn owned_by(&self, me: Caller) -> Result<(), Errno> {
        let is_owner = [self.uid, self.creator_uid].contains(&me.uid);
        if me.is_privileged() || is_owner { Ok(()) } else { Err(Errno::EPERM) }
    }

    /// Gives it another owner and mode. The creator stays.
    pub(super) fn change(&mut self, uid: u32, gid: u32, mode: u32) {
        (self.uid, self.gid, self.mode) = (uid, gid, mode & MODE);
    }
}
