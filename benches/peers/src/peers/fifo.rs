//! Two FIFOs in a directory of our own, as large as the pipes.

use super::framed::{From, To};
use super::pipe::enlarge;
use crate::Failure;
use crate::peer::{Ends, Peer, Place};
use nix::sys::stat::Mode;
use std::fs::{File, OpenOptions};
use std::path::PathBuf;

pub(crate) struct Fifo;

fn path(place: &Place, back: bool) -> PathBuf {
    place.dir.join(if back { "back" } else { "there" })
}

/// Open for both, so that opening waits for nobody.
fn open(place: &Place, back: bool) -> Result<File, Failure> {
    let file = OpenOptions::new().read(true).write(true).open(path(place, back))?;
    enlarge(&file);
    Ok(file)
}

fn ends(place: &Place, far: bool) -> Result<(To, From), Failure> {
    Ok((To(open(place, far)?.into()), From::new(open(place, !far)?.into())))
}

impl Peer for Fifo {
    type Tx = To;
    type Rx = From;

    fn make(place: &Place) -> Result<Self, Failure> {
        for back in [false, true] {
            nix::unistd::mkfifo(&path(place, back), Mode::S_IRUSR | Mode::S_IWUSR)?;
        }
        Ok(Self)
    }

    fn near(&mut self, place: &Place) -> Result<Ends<Self>, Failure> {
        ends(place, false)
    }

    fn far(place: &Place) -> Result<Ends<Self>, Failure> {
        ends(place, true)
    }
}
