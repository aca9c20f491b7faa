//! What goes through the pipes between a script and a worker: numbers alone, so that a worker that
//! was forked from a test needs no memory of its own.

use nix::errno::Errno;

/// The numbers of a request or of a response.
pub(super) const WORDS: usize = 40;

pub(super) type Words = [i64; WORDS];

pub(super) const SIZE: usize = WORDS * 8;

/// A request is one of these and its numbers.
pub(super) mod op {
    pub(in super::super) const SHMGET: i64 = 0;
    pub(in super::super) const SHMAT: i64 = 1;
    pub(in super::super) const SHMDT: i64 = 2;
    pub(in super::super) const SHM_STAT: i64 = 3;
    pub(in super::super) const SHM_REMOVE: i64 = 4;
    pub(in super::super) const PEEK: i64 = 5;
    pub(in super::super) const POKE: i64 = 6;
    pub(in super::super) const SEMGET: i64 = 7;
    pub(in super::super) const SEMOP: i64 = 8;
    pub(in super::super) const SEMTIMEDOP: i64 = 9;
    pub(in super::super) const SEMOP_THEN_STAT: i64 = 10;
    pub(in super::super) const SEM_STAT: i64 = 11;
    pub(in super::super) const SEM_VALUES: i64 = 12;
    pub(in super::super) const SEM_PID: i64 = 13;
    pub(in super::super) const SEM_SET: i64 = 14;
    pub(in super::super) const SEM_CHOWN: i64 = 15;
    pub(in super::super) const SEM_REMOVE: i64 = 16;
    pub(in super::super) const END: i64 = 17;
}

/// A response is an errno, 0 for none, and numbers.
pub(super) fn response(result: Result<&[i64], Errno>) -> Words {
    let mut words = [0; WORDS];
    match result {
        Ok(numbers) => words[1..=numbers.len()].copy_from_slice(numbers),
        Err(errno) => words[0] = i64::from(errno as i32),
    }
    words
}

pub(super) fn to_bytes(words: &Words) -> [u8; SIZE] {
    let mut bytes = [0; SIZE];
    for (place, word) in bytes.chunks_exact_mut(8).zip(words) {
        place.copy_from_slice(&word.to_ne_bytes());
    }
    bytes
}

pub(super) fn from_bytes(bytes: &[u8; SIZE]) -> Words {
    let mut words = [0; WORDS];
    for (word, place) in words.iter_mut().zip(bytes.chunks_exact(8)) {
        *word = i64::from_ne_bytes(place.try_into().expect("8 bytes"));
    }
    words
}
