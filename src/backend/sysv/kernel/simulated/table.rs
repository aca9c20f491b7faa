//! The objects of one kind, by their ids and by their keys.

use super::permissions::{Caller, Permissions};
use libc::{IPC_CREAT, IPC_EXCL, IPC_PRIVATE};
use nix::errno::Errno;
use std::collections::BTreeMap;
use std::ffi::c_int;

/// The key of an object that no look-up finds.
pub(super) const PRIVATE: u32 = IPC_PRIVATE.cast_unsigned();

#[derive(Debug)]
pub(super) struct Object<T> {
    pub(super) key: u32,
    pub(super) permissions: Permissions,
    pub(super) body: T,
}

#[derive(Debug)]
pub(super) struct Table<T> {
    objects: BTreeMap<c_int, Object<T>>,
    /// The id of the next object. None is given twice.
    next: c_int,
}

impl<T> Table<T> {
    pub(super) fn new() -> Self {
        Self { objects: BTreeMap::new(), next: 0 }
    }

    /// The id of the object at `key` if it `is_enough`, or of a new one where the flags say so.
    pub(super) fn get(
        &mut self,
        me: Caller,
        key: u32,
        flags: c_int,
        is_enough: impl Fn(&T) -> bool,
        most: usize,
        make: impl FnOnce() -> Result<T, Errno>,
    ) -> Result<c_int, Errno> {
        let found = self.objects.iter().find(|(_, object)| key != PRIVATE && object.key == key);
        if let Some((id, object)) = found {
            if flags & IPC_CREAT != 0 && flags & IPC_EXCL != 0 {
                return Err(Errno::EEXIST);
            }
            if !is_enough(&object.body) {
                return Err(Errno::EINVAL);
            }
            object.permissions.grant_look_up(me, flags)?;
            return Ok(*id);
        }
        if key != PRIVATE && flags & IPC_CREAT == 0 {
            return Err(Errno::ENOENT);
        }
        let body = make()?;
        if self.objects.len() >= most {
            return Err(Errno::ENOSPC);
        }
        let id = self.next;
        self.next += 1;
        self.objects.insert(id, Object { key, permissions: Permissions::made_by(me, flags), body });
        Ok(id)
    }

    pub(super) fn at(&self, id: c_int) -> Result<&Object<T>, Errno> {
        self.objects.get(&id).ok_or(Errno::EINVAL)
    }

    pub(super) fn at_mut(&mut self, id: c_int) -> Result<&mut Object<T>, Errno> {
        self.objects.get_mut(&id).ok_or(Errno::EINVAL)
    }

    pub(super) fn remove(&mut self, id: c_int) -> Option<Object<T>> {
        self.objects.remove(&id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (c_int, &Object<T>)> {
        self.objects.iter().map(|(id, object)| (*id, object))
    }

    pub(super) fn bodies_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.objects.values_mut().map(|object| &mut object.body)
    }
}
