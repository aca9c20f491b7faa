//! Keys: a number, or a path and an id as `ftok` takes them.

use crate::error::{Error, Place};
use nix::errno::Errno;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::str::FromStr;

/// What the key of the seats differs by.
const DERIVE: u32 = 0x6A3C_97E1;

/// A System V key other than `IPC_PRIVATE`.
///
/// ```
/// # use shm_handoff::example::*;
/// let key = Key::new(0x4d2)?;
/// assert_eq!((key.number(), key.to_string().as_str()), (1234, "key 1234 (0x4d2)"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    number: u32,
    /// Where in the segment the slot begins whose seats are meant.
    at: usize,
}

impl Key {
    /// The key with this number.
    ///
    /// # Errors
    /// [`Error::BadKey`] for 0, which is `IPC_PRIVATE`: it makes a new
    /// segment each time, so two sides could not meet there.
    ///
    /// ```
    /// # use shm_handoff::example::*;
    /// assert!(Key::new(1234).is_ok());
    /// assert!(Key::new(0).is_err(), "IPC_PRIVATE");
    /// ```
    pub fn new(number: u32) -> Result<Self, Error> {
        if number == 0 {
            return Err(Error::BadKey {
                given: "0".to_owned(),
                reason: "this is IPC_PRIVATE, at which two processes can't meet (use any other number)",
            });
        }
        Ok(Self { number, at: 0 })
    }

    /// The number.
    #[must_use]
    pub fn number(self) -> u32 {
        self.number
    }

    /// For the seats of a slot that begins at `at` in the segment.
    pub(crate) fn with_slot_at(self, at: usize) -> Self {
        Self { at, ..self }
    }

    /// It as an error has it.
    pub(crate) fn place(self) -> Place {
        Place::Key(self.number)
    }

    /// The key of the semaphore set that holds the seats: another number, as
    /// books use the segment's own key for semaphores of theirs.
    ///
    /// ```
    /// use shm_handoff::backend::sysv::Key;
    /// assert_eq!(Key::new(1234).unwrap().seats(), 0x6A3C_97E1 ^ 1234);
    /// ```
    #[must_use]
    pub fn seats(self) -> u32 {
        // Multiplicative hashing, by Knuth: a slot that begins elsewhere has seats of its own.
        let slot = (self.at as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        #[allow(clippy::cast_possible_truncation, reason = "32 bits were shifted out")]
        match self.number ^ DERIVE ^ slot as u32 {
            // The one key that would lead to IPC_PRIVATE keeps its number.
            0 => DERIVE,
            key => key,
        }
    }

    /// The key whose seats a semaphore set at `seats` would hold.
    pub(crate) fn of_seats(seats: u32) -> Option<Self> {
        let key = Self { number: if seats == DERIVE { DERIVE } else { seats ^ DERIVE }, at: 0 };
        (key.number != 0 && key.seats() == seats).then_some(key)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.place().fmt(f)
    }
}

/// A key as a user writes it: decimal, `0x` hex, or `PATH:ID` as a C program gives both to
/// `ftok`: the id is a number in any base, of which the low 8 bits count, or one letter.
///
/// ```
/// use shm_handoff::backend::sysv::KeySpec;
/// let spec: KeySpec = "0x4d2".parse().unwrap();
/// assert_eq!(spec.resolve().unwrap().number(), 1234);
/// let of = |given: &str| given.parse::<KeySpec>().unwrap().resolve().unwrap();
/// assert!(of("/etc/passwd:0x6641") == of("/etc/passwd:A") && of("/etc/passwd:A") == of("/etc/passwd:65"));
/// assert!("0".parse::<KeySpec>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySpec {
    /// A number.
    Number(Key),
    /// A file that exists, and the low 8 bits of an id: `ftok` makes the key.
    Path(PathBuf, u8),
}

impl KeySpec {
    /// The key; for a path this looks at the file.
    ///
    /// # Errors
    /// [`Error::Os`] if the file can't be looked at; [`Error::BadKey`] if `ftok` makes 0 of it.
    ///
    /// ```
    /// # use shm_handoff::example::*;
    /// let spec: KeySpec = "/etc:1".parse()?;
    /// assert_eq!(spec.resolve()?, spec.resolve()?, "a file has one key");
    /// assert!("/no/such/file:1".parse::<KeySpec>()?.resolve().is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn resolve(&self) -> Result<Key, Error> {
        match self {
            Self::Number(key) => Ok(*key),
            Self::Path(path, id) => {
                let meta = std::fs::metadata(path).map_err(|error| Error::Os {
                    call: "ftok",
                    on: path.display().to_string(),
                    errno: error.raw_os_error().map_or(Errno::UnknownErrno, Errno::from_raw),
                })?;
                Key::new(ftok(meta.dev(), meta.ino(), *id)).map_err(|_| Error::BadKey {
                    given: format!("{}:{id}", path.display()),
                    reason: "ftok makes 0 of it, which is IPC_PRIVATE, at which two processes can't meet (take another id)",
                })
            }
        }
    }
}

/// As glibc and musl make it: the id, the device's low byte, the inode's low two.
fn ftok(dev: u64, ino: u64, id: u8) -> u32 {
    let [dev, ..] = dev.to_le_bytes();
    let [ino0, ino1, ..] = ino.to_le_bytes();
    u32::from_le_bytes([ino0, ino1, dev, id])
}

/// What [`project`] does not understand.
const NO_PROJECT: &str =
    "the id behind the last colon is neither a number (decimal, 0x hexadecimal, 0 octal) nor one letter";

/// The second argument of `ftok`, as it would stand in a C program: a number in any base,
/// of which the low 8 bits count, or one letter.
fn project(id: &str) -> Option<u8> {
    if let [letter] = id.as_bytes()
        && letter.is_ascii_alphabetic()
    {
        return Some(*letter);
    }
    let number = id.strip_prefix('-').unwrap_or(id).to_ascii_lowercase();
    let (digits, base) = match number.as_bytes() {
        [b'0', b'x', ..] => (&number[2..], 16),
        [b'0', b'o', ..] => (&number[2..], 8),
        [b'0', b'b', ..] => (&number[2..], 2),
        [b'0', _, ..] => (&number[1..], 8),
        _ => (&number[..], 10),
    };
    // (`from_str_radix` takes a sign of its own.)
    let number = u64::from_str_radix(digits, base).ok().filter(|_| !digits.starts_with('+'))?;
    let [low, ..] = if id.starts_with('-') { number.wrapping_neg() } else { number }.to_le_bytes();
    Some(low)
}

impl FromStr for KeySpec {
    type Err = Error;

    fn from_str(given: &str) -> Result<Self, Error> {
        let bad = |reason| Error::BadKey { given: given.to_owned(), reason };
        if let Some(hex) = given.strip_prefix("0x").or_else(|| given.strip_prefix("0X")) {
            let number = u32::from_str_radix(hex, 16).ok().filter(|_| !hex.starts_with('+'));
            return Key::new(number.ok_or_else(|| bad("not a hexadecimal number of 32 bits"))?).map(Self::Number);
        }
        if let Some((path, id)) = given.rsplit_once(':') {
            return of_path(path.as_ref(), id).map_err(bad);
        }
        let number =
            given.parse::<u32>().or_else(|error| given.parse::<i32>().map(i32::cast_unsigned).map_err(|_| error));
        Key::new(number.map_err(|_| bad("neither a number of 32 bits, decimal or 0x hexadecimal, nor PATH:ID"))?)
            .map(Self::Number)
    }
}

impl TryFrom<OsString> for KeySpec {
    type Error = Error;

    /// As [`FromStr`]; a path need not be UTF-8.
    ///
    /// ```
    /// # use shm_handoff::example::*;
    /// use std::{ffi::OsString, os::unix::ffi::OsStringExt};
    /// let given = OsString::from_vec(b"/tmp/\xB2\xE2\xCA\xD4:1".to_vec()); // a folder named in GBK
    /// assert!(matches!(KeySpec::try_from(given)?, KeySpec::Path(_, 1)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn try_from(given: OsString) -> Result<Self, Error> {
        if let Some(text) = given.to_str() {
            return text.parse();
        }
        let bytes = given.as_bytes();
        let colon = bytes.iter().rposition(|byte| *byte == b':').unwrap_or(bytes.len());
        let (path, id) = (OsStr::from_bytes(&bytes[..colon]), bytes.get(colon + 1..).unwrap_or_default());
        of_path(path, &String::from_utf8_lossy(id))
            .map_err(|reason| Error::BadKey { given: given.to_string_lossy().into_owned(), reason })
    }
}

/// What stands before and behind the last colon; or why not.
fn of_path(path: &OsStr, id: &str) -> Result<KeySpec, &'static str> {
    let id = project(id).ok_or(NO_PROJECT)?;
    if path.is_empty() {
        return Err("there is no path before the colon");
    }
    Ok(KeySpec::Path(path.into(), id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_what_it_would_be_in_c() {
        for (ids, low) in [
            (&["65", "0x41", "0X41", "0101", "0b1000001", "0o101", "A", "321", "-191"][..], 65),
            (&["0", "256", "0x100", "00", "-256", "4294967296"], 0),
            (&["0x6666", "0xffffff66", "f"], 0x66),
            (&["255", "-1", "0xff", "0377"], 255),
            (&["7", "07", "007"], 7),
        ] {
            for id in ids {
                assert_eq!(project(id), Some(low), "{id}");
            }
        }
        for id in
            ["", "-", "+", "+1", "0x", "0x+1", "0xg", "08", "1a", "AB", "é", " 1", "1 ", "--1", "99999999999999999999"]
        {
            assert_eq!(project(id), None, "{id:?}");
        }
    }

    #[test]
    fn only_nothing_but_zeros_makes_0() {
        assert_eq!(ftok(0xAB00, 0x12_0000, 0), 0);
        assert_eq!([ftok(0xAB00, 0x12_0000, 1), ftok(0xAB01, 0x12_0000, 0), ftok(0xAB00, 1, 0)], [1 << 24, 1 << 16, 1]);
    }
}
