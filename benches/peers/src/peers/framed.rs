//! Messages over a stream of bytes: four bytes of length, then the message, in one
//! `writev`; read as much as is there, up to 64 KiB at a time, as a buffered reader
//! does.

use super::must;
use crate::peer::{Rx, Tx};
use crate::work::LONGEST;
use nix::sys::uio::writev;
use std::io::IoSlice;
use std::os::fd::OwnedFd;

pub(crate) struct To(pub(crate) OwnedFd);

impl Tx for To {
    #[inline]
    fn send(&mut self, message: &[u8]) {
        let head = u32::try_from(message.len()).expect("short").to_ne_bytes();
        let mut parts = [IoSlice::new(&head), IoSlice::new(message)];
        let mut left = &mut parts[..];
        while !left.is_empty() {
            let written = must(writev(&self.0, left), "writev");
            IoSlice::advance_slices(&mut left, written);
        }
    }
}

pub(crate) struct From {
    fd: OwnedFd,
    buffer: Vec<u8>,
    begin: usize,
    end: usize,
}

const BUFFER: usize = 64 * 1024;
const HEAD: usize = 4;

impl From {
    pub(crate) fn new(fd: OwnedFd) -> Self {
        Self { fd, buffer: vec![0; BUFFER], begin: 0, end: 0 }
    }

    /// Until so many bytes are there.
    #[inline]
    fn fill(&mut self, wanted: usize) {
        while self.end - self.begin < wanted {
            if self.begin + HEAD + LONGEST > BUFFER || self.begin == self.end {
                self.buffer.copy_within(self.begin..self.end, 0);
                self.end -= self.begin;
                self.begin = 0;
            }
            let read = must(nix::unistd::read(&self.fd, &mut self.buffer[self.end..]), "read");
            assert!(read > 0, "the other side is gone");
            self.end += read;
        }
    }
}

impl Rx for From {
    #[inline]
    fn recv<T>(&mut self, _: usize, look: impl FnOnce(&[u8]) -> T) -> T {
        self.fill(HEAD);
        let head = self.buffer[self.begin..self.begin + HEAD].try_into().expect("four bytes");
        let len = u32::from_ne_bytes(head) as usize;
        self.fill(HEAD + len);
        let at = self.begin + HEAD;
        self.begin = at + len;
        look(&self.buffer[at..at + len])
    }
}
