//! Two POSIX message queues of ten messages, which is what any user may have.

use super::must;
use crate::Failure;
use crate::peer::{Ends, Peer, Place, Rx, Tx};
use nix::mqueue::{MQ_OFlag, MqAttr, MqdT, mq_open, mq_receive, mq_send, mq_unlink};
use nix::sys::stat::Mode;

pub(crate) struct Mq;

/// `/proc/sys/fs/mqueue/msg_max`, unless somebody changed it.
const MESSAGES: i64 = 10;

fn name(place: &Place, back: bool) -> String {
    format!("/{}-{}", place.name, if back { "back" } else { "there" })
}

pub(crate) struct To(MqdT);

pub(crate) struct From {
    queue: MqdT,
    text: Vec<u8>,
}

impl Tx for To {
    #[inline]
    fn send(&mut self, message: &[u8]) {
        must(mq_send(&self.0, message, 0), "mq_send");
    }
}

impl Rx for From {
    #[inline]
    fn recv<T>(&mut self, _: usize, look: impl FnOnce(&[u8]) -> T) -> T {
        let len = must(mq_receive(&self.queue, &mut self.text, &mut 0), "mq_receive");
        look(&self.text[..len])
    }
}

fn ends(place: &Place, far: bool) -> Result<(To, From), Failure> {
    let open = |back, flag| mq_open(name(place, back).as_str(), flag, Mode::empty(), None);
    let (to, queue) = (open(far, MQ_OFlag::O_WRONLY)?, open(!far, MQ_OFlag::O_RDONLY)?);
    Ok((To(to), From { queue, text: vec![0; place.longest] }))
}

impl Peer for Mq {
    type Tx = To;
    type Rx = From;

    fn make(place: &Place) -> Result<Self, Failure> {
        let attributes = MqAttr::new(0, MESSAGES, place.longest.try_into()?, 0);
        let flags = MQ_OFlag::O_CREAT | MQ_OFlag::O_EXCL | MQ_OFlag::O_RDWR;
        for back in [false, true] {
            let queue = mq_open(name(place, back).as_str(), flags, Mode::S_IRUSR | Mode::S_IWUSR, Some(&attributes))
                .map_err(|error| format!("mq_open for messages of {} bytes: {error}", place.longest))?;
            nix::mqueue::mq_close(queue)?;
        }
        Ok(Self)
    }

    fn near(&mut self, place: &Place) -> Result<Ends<Self>, Failure> {
        ends(place, false)
    }

    fn far(place: &Place) -> Result<Ends<Self>, Failure> {
        ends(place, true)
    }

    fn close(self, place: &Place, (to, from): Ends<Self>) -> Result<(), Failure> {
        nix::mqueue::mq_close(to.0)?;
        nix::mqueue::mq_close(from.queue)?;
        Self::clean(place);
        Ok(())
    }

    fn clean(place: &Place) {
        for back in [false, true] {
            let _ = mq_unlink(name(place, back).as_str());
        }
    }
}
