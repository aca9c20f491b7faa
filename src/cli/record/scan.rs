//! Reads a recording from its beginning, entry by entry. The file can be any file: what it says of itself is believed only as far
//! as it has the bytes for it.

use super::format::{Entry, HEAD, HEADER, Head, Header, Headless, is_begun};
use std::io::{self, ErrorKind, Read};

/// Where a recording stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// At the end of the file.
    Whole,
    /// In front of so many bytes of an entry whose rest was never written: `record` was killed, or the machine was.
    Torn(u64),
    /// In front of so many bytes of which the first ones are damaged.
    Damaged(u64),
}

/// Why a file can't be read as a recording.
#[derive(Debug)]
pub enum Unreadable {
    /// It is none, or of another version, or its header is damaged.
    Header(Headless),
    /// It can't be read.
    Io(io::Error),
    /// There is no memory for an entry of so many bytes.
    Memory(u32),
}

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// The entries of a recording.
#[derive(Debug)]
pub struct Entries<R> {
    from: R,
    header: Option<Header>,
    /// Where the next entry begins.
    at: u64,
    /// How many bytes come behind that.
    left: u64,
    stop: Option<Stop>,
}

impl<R: Read> Entries<R> {
    /// Reads the header of what has `len` bytes. A recording that has none yet has no entries.
    ///
    /// # Errors
    /// It is no recording, or can't be read.
    pub fn new(mut from: R, len: u64) -> Result<Self, Unreadable> {
        let mut bytes = [0; HEADER];
        let got = fill(&mut from, &mut bytes, len)?;
        if got < HEADER {
            let stop = match &bytes[..got] {
                [] => Stop::Whole,
                begun if is_begun(begun) => Stop::Torn(got as u64),
                _ => return Err(Unreadable::Header(Headless::Foreign)),
            };
            return Ok(Self { from, header: None, at: 0, left: got as u64, stop: Some(stop) });
        }
        let behind = len - HEADER as u64;
        if bytes == [0; HEADER] {
            // Of a machine that failed before anything was written.
            let mut zeros = Self { from, header: None, at: 0, left: len, stop: Some(Stop::Torn(len)) };
            return if zeros.is_zero(behind)? { Ok(zeros) } else { Err(Unreadable::Header(Headless::Foreign)) };
        }
        let header = Some(Header::from_bytes(&bytes).map_err(Unreadable::Header)?);
        Ok(Self { from, header, at: HEADER as u64, left: behind, stop: None })
    }

    /// `None`: nothing was recorded yet.
    #[must_use]
    pub fn header(&self) -> Option<Header> {
        self.header
    }

    /// Where the next entry begins, or where the recording stops.
    #[must_use]
    pub fn at(&self) -> u64 {
        self.at
    }

    /// How it stops; `None`: there may be another entry.
    #[must_use]
    pub fn stop(&self) -> Option<Stop> {
        self.stop
    }

    /// Reads the next entry, and its body to `body`. `None`: the recording stops here.
    ///
    /// # Errors
    /// It can't be read.
    pub fn next(&mut self, body: &mut Vec<u8>) -> Result<Option<Entry>, Unreadable> {
        body.clear();
        if self.stop.is_some() {
            return Ok(None);
        }
        let mut bytes = [0; HEAD];
        match fill(&mut self.from, &mut bytes, self.left)? {
            0 => return Ok(self.stops(Stop::Whole)),
            HEAD => {}
            _ => return Ok(self.stops(Stop::Torn(self.left))),
        }
        let behind = self.left - HEAD as u64;
        let Some(head) = Head::from_bytes(&bytes) else {
            // A machine that fails can leave zeros where the bytes were to be.
            let is_zero = bytes.iter().all(|byte| *byte == 0) && self.is_zero(behind)?;
            return Ok(self.stops(if is_zero { Stop::Torn(self.left) } else { Stop::Damaged(self.left) }));
        };
        let len = u64::from(head.len);
        if len > behind {
            return Ok(self.stops(Stop::Torn(self.left)));
        }
        let size = head.len as usize;
        body.try_reserve_exact(size).map_err(|_| Unreadable::Memory(head.len))?;
        body.resize(size, 0);
        if fill(&mut self.from, body, len)? < size {
            // Somebody has cut the file meanwhile.
            return Ok(self.stops(Stop::Torn(self.left)));
        }
        if crc32fast::hash(body) != head.body {
            body.clear();
            let is_last = self.is_zero(behind - len)?;
            return Ok(self.stops(if is_last { Stop::Torn(self.left) } else { Stop::Damaged(self.left) }));
        }
        self.at += HEAD as u64 + len;
        self.left = behind - len;
        Ok(Some(head.entry))
    }

    fn stops(&mut self, stop: Stop) -> Option<Entry> {
        self.stop = Some(stop);
        None
    }

    /// Whether the next `len` bytes are zero, as far as there are any.
    fn is_zero(&mut self, mut len: u64) -> io::Result<bool> {
        let mut bytes = [0; 4096];
        while len > 0 {
            let got = fill(&mut self.from, &mut bytes, len)?;
            if bytes[..got].iter().any(|byte| *byte != 0) {
                return Ok(false);
            }
            if got == 0 {
                break;
            }
            len -= got as u64;
        }
        Ok(true)
    }
}

/// Reads to `bytes`, and no more than `len` of them; how many there were.
fn fill(from: &mut impl Read, bytes: &mut [u8], len: u64) -> io::Result<usize> {
    let most = bytes.len().min(usize::try_from(len).unwrap_or(usize::MAX));
    let mut got = 0;
    while got < most {
        match from.read(&mut bytes[got..most]) {
            Ok(0) => break,
            Ok(more) => got += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(got)
}
