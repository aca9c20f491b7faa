//! The ipc-channel crate: its channel of bytes, one each way.

use super::must;
use crate::Failure;
use crate::peer::{Ends, Peer, Place, Rx, Tx};
use ipc_channel::ipc::{IpcBytesReceiver, IpcBytesSender, IpcOneShotServer, IpcSender, bytes_channel};

/// What the far side sends to the near one: its ends.
type Given = (IpcBytesSender, IpcBytesReceiver);

pub(crate) struct Channel {
    server: Option<IpcOneShotServer<Given>>,
    name: String,
}

pub(crate) struct To(IpcBytesSender);

pub(crate) struct From(IpcBytesReceiver);

impl Tx for To {
    #[inline]
    fn send(&mut self, message: &[u8]) {
        must(self.0.send(message), "send");
    }
}

impl Rx for From {
    #[inline]
    fn recv<T>(&mut self, _: usize, look: impl FnOnce(&[u8]) -> T) -> T {
        match self.0.recv() {
            Ok(message) => look(&message),
            Err(error) => panic!("recv: {error:?}"),
        }
    }
}

impl Peer for Channel {
    type Tx = To;
    type Rx = From;

    fn make(_: &Place) -> Result<Self, Failure> {
        let (server, name) = IpcOneShotServer::new()?;
        Ok(Self { server: Some(server), name })
    }

    fn note(&self) -> String {
        self.name.clone()
    }

    fn near(&mut self, _: &Place) -> Result<Ends<Self>, Failure> {
        let server = self.server.take().ok_or("taken")?;
        let (_, (to, from)) = server.accept().map_err(|error| format!("{error:?}"))?;
        Ok((To(to), From(from)))
    }

    fn far(place: &Place) -> Result<Ends<Self>, Failure> {
        let (there, from) = bytes_channel()?;
        let (to, back) = bytes_channel()?;
        let near = IpcSender::connect(place.note.clone())?;
        near.send((there, back)).map_err(|error| format!("{error:?}"))?;
        Ok((To(to), From(from)))
    }
}
