//! A TCP pipe: four bytes of length before each message, through buffers of 64 KiB.

use super::{Sender, THERE, text};
use crate::tally::Tally;
use std::io::{BufReader, BufWriter, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};

const PORT: u16 = 7400;
const BUFFER: usize = 64 << 10;

struct Pipe(BufWriter<TcpStream>);

pub(super) fn sender() -> Result<Box<dyn Sender>, String> {
    let stream = TcpStream::connect((THERE, PORT)).map_err(text)?;
    stream.set_nodelay(true).map_err(text)?;
    Ok(Box::new(Pipe(BufWriter::with_capacity(BUFFER, stream))))
}

impl Sender for Pipe {
    fn send(&mut self, message: &[u8]) -> Result<(), String> {
        let len = u32::try_from(message.len()).map_err(text)?;
        self.0.write_all(&len.to_le_bytes()).and_then(|()| self.0.write_all(message)).map_err(text)
    }

    fn flush(&mut self) -> Result<(), String> {
        self.0.flush().map_err(text)
    }
}

pub(super) fn receive(tally: &'static Tally, ready: &dyn Fn()) -> Result<(), String> {
    let listener = TcpListener::bind((THERE, PORT)).map_err(text)?;
    ready();
    let mut stream = BufReader::with_capacity(BUFFER, listener.accept().map_err(text)?.0);
    let mut message = Vec::new();
    loop {
        let mut len = [0; 4];
        match stream.read_exact(&mut len) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(text(error)),
        }
        message.resize(usize::try_from(u32::from_le_bytes(len)).map_err(text)?, 0);
        stream.read_exact(&mut message).map_err(text)?;
        tally.take(&message);
    }
}
