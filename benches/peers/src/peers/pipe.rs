//! Two pipes, each of the largest size that any user may ask for.

use super::framed::{From, To};
use crate::Failure;
use crate::peer::{Ends, Peer, Place, passed};
use nix::fcntl::{FcntlArg, fcntl};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};

/// Each end once: to there (read, write), and back (read, write).
pub(crate) struct Pipe([Option<OwnedFd>; 4]);

/// `/proc/sys/fs/pipe-max-size`, unless somebody changed it.
const SIZE: i32 = 1024 * 1024;

/// Makes a pipe large; as it is if that is refused.
pub(crate) fn enlarge(fd: impl AsFd) {
    let _ = fcntl(fd, FcntlArg::F_SETPIPE_SZ(SIZE));
}

impl Peer for Pipe {
    type Tx = To;
    type Rx = From;

    fn make(_: &Place) -> Result<Self, Failure> {
        let (there_read, there_write) = nix::unistd::pipe()?;
        let (back_read, back_write) = nix::unistd::pipe()?;
        enlarge(&there_write);
        enlarge(&back_write);
        Ok(Self([there_read, there_write, back_read, back_write].map(Some)))
    }

    fn fds(&self) -> Vec<RawFd> {
        [0, 3].iter().filter_map(|at| self.0[*at].as_ref()).map(AsRawFd::as_raw_fd).collect()
    }

    fn near(&mut self, _: &Place) -> Result<Ends<Self>, Failure> {
        let [_, write, read, _] = &mut self.0;
        let ends = (To(write.take().ok_or("taken")?), From::new(read.take().ok_or("taken")?));
        // The far side has its own of these: so each notices when the other is gone.
        self.0 = [const { None }; 4];
        Ok(ends)
    }

    fn far(place: &Place) -> Result<Ends<Self>, Failure> {
        Ok((To(passed(place, 1)?), From::new(passed(place, 0)?)))
    }
}
