//! A pair of Unix sockets: a stream, framed like a pipe, or packets in sequence.

use super::{framed, must};
use crate::Failure;
use crate::peer::{Ends, Peer, Place, Rx, Tx, passed};
use crate::work::LONGEST;
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, recv, send, socketpair};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

pub(super) fn pair(kind: SockType) -> Result<[Option<OwnedFd>; 2], Failure> {
    let (near, far) = socketpair(AddressFamily::Unix, kind, None, SockFlag::empty())?;
    Ok([Some(near), Some(far)])
}

/// The far side's, which the near one does not keep.
pub(super) fn far_fd(pair: &[Option<OwnedFd>; 2]) -> Vec<RawFd> {
    pair[1].iter().map(AsRawFd::as_raw_fd).collect()
}

pub(super) fn near_fd(pair: &mut [Option<OwnedFd>; 2]) -> Result<OwnedFd, Failure> {
    pair[1] = None;
    Ok(pair[0].take().ok_or("taken")?)
}

pub(crate) struct Stream([Option<OwnedFd>; 2]);

impl Stream {
    fn ends(fd: OwnedFd) -> Result<Ends<Self>, Failure> {
        Ok((framed::To(fd.try_clone()?), framed::From::new(fd)))
    }
}

impl Peer for Stream {
    type Tx = framed::To;
    type Rx = framed::From;

    fn make(_: &Place) -> Result<Self, Failure> {
        Ok(Self(pair(SockType::Stream)?))
    }

    fn fds(&self) -> Vec<RawFd> {
        far_fd(&self.0)
    }

    fn near(&mut self, _: &Place) -> Result<Ends<Self>, Failure> {
        Self::ends(near_fd(&mut self.0)?)
    }

    fn far(place: &Place) -> Result<Ends<Self>, Failure> {
        Self::ends(passed(place, 0)?)
    }
}

pub(crate) struct SeqPacket([Option<OwnedFd>; 2]);

pub(crate) struct To(OwnedFd);

pub(crate) struct From {
    fd: OwnedFd,
    text: Vec<u8>,
}

impl Tx for To {
    #[inline]
    fn send(&mut self, message: &[u8]) {
        must(send(self.0.as_raw_fd(), message, MsgFlags::MSG_NOSIGNAL), "send");
    }
}

impl Rx for From {
    #[inline]
    fn recv<T>(&mut self, _: usize, look: impl FnOnce(&[u8]) -> T) -> T {
        let len = must(recv(self.fd.as_raw_fd(), &mut self.text, MsgFlags::empty()), "recv");
        look(&self.text[..len])
    }
}

impl SeqPacket {
    fn ends(fd: OwnedFd) -> Result<Ends<Self>, Failure> {
        Ok((To(fd.try_clone()?), From { fd, text: vec![0; LONGEST] }))
    }
}

impl Peer for SeqPacket {
    type Tx = To;
    type Rx = From;

    fn make(_: &Place) -> Result<Self, Failure> {
        Ok(Self(pair(SockType::SeqPacket)?))
    }

    fn fds(&self) -> Vec<RawFd> {
        far_fd(&self.0)
    }

    fn near(&mut self, _: &Place) -> Result<Ends<Self>, Failure> {
        Self::ends(near_fd(&mut self.0)?)
    }

    fn far(place: &Place) -> Result<Ends<Self>, Failure> {
        Self::ends(passed(place, 0)?)
    }
}
