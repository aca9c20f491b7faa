//! Which version this is. The macros of the header are made by `tests/header.rs`.

use std::ffi::{c_char, c_int};

/// 10000 × major + 100 × minor + patch.
const NUMBER: c_int = 10_000 * number(env!("CARGO_PKG_VERSION_MAJOR"))
    + 100 * number(env!("CARGO_PKG_VERSION_MINOR"))
    + number(env!("CARGO_PKG_VERSION_PATCH"));

const fn number(digits: &str) -> c_int {
    let (digits, mut at, mut number) = (digits.as_bytes(), 0, 0);
    while at < digits.len() {
        number = 10 * number + (digits[at] - b'0') as c_int;
        at += 1;
    }
    number
}

/// The version of the library that the program runs with, counted as `SHMH_VERSION` is. It can be another one than that of the
/// header which the program was compiled with.
#[unsafe(no_mangle)]
pub extern "C" fn shmh_version() -> c_int {
    NUMBER
}

/// The same as a text, such as `SHMH_VERSION_STRING`; never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn shmh_version_string() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn digits_are_counted() {
        assert_eq!((number("0"), number("7"), number("104")), (0, 7, 104));
    }
}
