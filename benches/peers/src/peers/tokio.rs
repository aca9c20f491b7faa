//! On tokio, a runtime of one thread a side: the ring by `shm-handoff-async`, and a Unix socket, framed and read as the
//! blocking one is.

use super::{classic, len_of, must, unix};
use crate::Failure;
use crate::peer::{Ends, Peer, Place, passed};
use crate::turns::{RUNTIME, Receives, Sends};
use crate::work::{LONGEST, RING};
use nix::sys::socket::SockType;
use shm_handoff::backend::sysv::{Key, Options, SysV};
use shm_handoff_async::{Reader, Writer};
use std::os::fd::{OwnedFd, RawFd};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

pub(crate) struct Ring;

pub(crate) struct To(Writer<SysV, shm_handoff::Ring>);

pub(crate) struct From {
    reader: Reader<SysV, shm_handoff::Ring>,
    text: Vec<u8>,
}

impl Sends for To {
    #[inline]
    async fn send(&mut self, message: &[u8]) {
        must(self.0.send(message).await, "send");
    }
}

impl Receives for From {
    #[inline]
    async fn recv(&mut self) -> &[u8] {
        let len = len_of(must(self.reader.recv(&mut self.text).await, "recv"));
        &self.text[..len]
    }
}

fn ring_ends(to: u32, from: u32) -> Result<Ends<Ring>, Failure> {
    let options = |key| Ok::<_, Failure>(Options::ring(Key::new(key)?, RING)?);
    let (to, reader) = (Writer::open(&options(to)?)?, Reader::open(&options(from)?)?);
    Ok((To(to), From { reader, text: vec![0; LONGEST] }))
}

impl Peer for Ring {
    type Tx = To;
    type Rx = From;

    fn make(_: &Place) -> Result<Self, Failure> {
        Ok(Self)
    }

    fn near(&mut self, place: &Place) -> Result<Ends<Self>, Failure> {
        ring_ends(place.key, place.key + 1)
    }

    fn far(place: &Place) -> Result<Ends<Self>, Failure> {
        ring_ends(place.key + 1, place.key)
    }

    fn close(self, place: &Place, ends: Ends<Self>) -> Result<(), Failure> {
        classic::remove(place)?;
        Self::close_far(ends)
    }

    fn close_far((to, from): Ends<Self>) -> Result<(), Failure> {
        to.0.into_inner().close_flushed()?;
        Ok(from.reader.into_inner().close()?)
    }

    fn clean(place: &Place) {
        classic::clean(place);
    }
}

pub(crate) struct Socket([Option<OwnedFd>; 2]);

pub(crate) struct ToSocket {
    half: OwnedWriteHalf,
    frame: Vec<u8>,
}

pub(crate) struct FromSocket {
    half: OwnedReadHalf,
    buffer: Vec<u8>,
    begin: usize,
    end: usize,
}

const BUFFER: usize = 64 * 1024;
const HEAD: usize = 4;

impl Sends for ToSocket {
    #[inline]
    async fn send(&mut self, message: &[u8]) {
        self.frame.clear();
        self.frame.extend_from_slice(&u32::try_from(message.len()).expect("short").to_ne_bytes());
        self.frame.extend_from_slice(message);
        must(self.half.write_all(&self.frame).await, "write");
    }
}

impl FromSocket {
    #[inline]
    async fn fill(&mut self, wanted: usize) {
        while self.end - self.begin < wanted {
            if self.begin + HEAD + LONGEST > BUFFER || self.begin == self.end {
                self.buffer.copy_within(self.begin..self.end, 0);
                self.end -= self.begin;
                self.begin = 0;
            }
            let read = must(self.half.read(&mut self.buffer[self.end..]).await, "read");
            assert!(read > 0, "the other side is gone");
            self.end += read;
        }
    }
}

impl Receives for FromSocket {
    #[inline]
    async fn recv(&mut self) -> &[u8] {
        self.fill(HEAD).await;
        let head = self.buffer[self.begin..self.begin + HEAD].try_into().expect("four bytes");
        let len = u32::from_ne_bytes(head) as usize;
        self.fill(HEAD + len).await;
        let at = self.begin + HEAD;
        self.begin = at + len;
        &self.buffer[at..at + len]
    }
}

impl Socket {
    fn ends(fd: OwnedFd) -> Result<Ends<Self>, Failure> {
        let stream = std::os::unix::net::UnixStream::from(fd);
        stream.set_nonblocking(true)?;
        // Its events come to this side's runtime.
        let _within = RUNTIME.enter();
        let (from, to) = UnixStream::from_std(stream)?.into_split();
        let from = FromSocket { half: from, buffer: vec![0; BUFFER], begin: 0, end: 0 };
        Ok((ToSocket { half: to, frame: Vec::new() }, from))
    }
}

impl Peer for Socket {
    type Tx = ToSocket;
    type Rx = FromSocket;

    fn make(_: &Place) -> Result<Self, Failure> {
        Ok(Self(unix::pair(SockType::Stream)?))
    }

    fn fds(&self) -> Vec<RawFd> {
        unix::far_fd(&self.0)
    }

    fn near(&mut self, _: &Place) -> Result<Ends<Self>, Failure> {
        Self::ends(unix::near_fd(&mut self.0)?)
    }

    fn far(place: &Place) -> Result<Ends<Self>, Failure> {
        Self::ends(passed(place, 0)?)
    }
}
