//! Numbers of C in the bytes of a record.

/// The integer in up to eight bytes.
pub(super) fn integer(bytes: &[u8], is_signed: bool) -> i128 {
    let mut wide = [0; 8];
    let unused = wide.len() - bytes.len();
    // The number's highest bit is that of `wide`, on machines of either order.
    let range = if cfg!(target_endian = "little") { unused..8 } else { 0..bytes.len() };
    wide[range].copy_from_slice(bytes);
    let shift = 8 * unused;
    if is_signed { (i64::from_ne_bytes(wide) >> shift).into() } else { (u64::from_ne_bytes(wide) >> shift).into() }
}

/// The least and the greatest integer that so many bytes hold.
pub(super) fn range(bytes: usize, is_signed: bool) -> (i128, i128) {
    let bits = 8 * bytes;
    if is_signed { (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) } else { (0, (1 << bits) - 1) }
}

/// Puts an integer that is in their range into up to eight bytes.
pub(super) fn put(number: i128, bytes: &mut [u8]) {
    let len = bytes.len();
    bytes.copy_from_slice(&number.to_le_bytes()[..len]);
    if cfg!(target_endian = "big") {
        bytes.reverse();
    }
}

/// The names of what JSON has no numbers for, with the bits of a `float` and of a `double`.
const NO_NUMBERS: [(&str, u32, u64); 4] = [
    ("inf", 0x7f80_0000, 0x7ff0_0000_0000_0000),
    ("-inf", 0xff80_0000, 0xfff0_0000_0000_0000),
    ("NaN", 0x7fc0_0000, 0x7ff8_0000_0000_0000),
    ("-NaN", 0xffc0_0000, 0xfff8_0000_0000_0000),
];

/// A `float` or a `double`.
#[derive(Debug, Clone, Copy)]
pub(super) enum Float {
    Single(f32),
    Double(f64),
}

impl Float {
    pub(super) fn of(bytes: &[u8]) -> Self {
        match bytes.try_into() {
            Ok(bytes) => Self::Single(f32::from_ne_bytes(bytes)),
            Err(_) => Self::Double(f64::from_ne_bytes(bytes.try_into().expect("a float has 4 bytes, or 8"))),
        }
    }

    pub(super) fn put(self, bytes: &mut [u8]) {
        match self {
            Self::Single(number) => bytes.copy_from_slice(&number.to_ne_bytes()),
            Self::Double(number) => bytes.copy_from_slice(&number.to_ne_bytes()),
        }
    }

    /// What it is called, if it is no number of JSON.
    pub(super) fn name(self) -> Option<String> {
        let (bits, named) = match self {
            Self::Single(number) if number.is_finite() => return None,
            Self::Double(number) if number.is_finite() => return None,
            Self::Single(number) => {
                let bits = number.to_bits();
                (u64::from(bits), NO_NUMBERS.iter().find(|(_, single, _)| *single == bits))
            }
            Self::Double(number) => {
                let bits = number.to_bits();
                (bits, NO_NUMBERS.iter().find(|(_, _, double)| *double == bits))
            }
        };
        Some(named.map_or_else(|| format!("NaN({bits:#x})"), |(name, ..)| (*name).to_owned()))
    }

    /// The one of so many bytes that has this name.
    pub(super) fn named(name: &str, bytes: usize) -> Option<Self> {
        let named = NO_NUMBERS.iter().find(|(known, ..)| *known == name);
        let digits = name.strip_prefix("NaN(0x").and_then(|rest| rest.strip_suffix(')'));
        let bits = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok());
        if bytes == size_of::<f32>() {
            let bits = bits.and_then(|bits| u32::try_from(bits).ok()).filter(|bits| f32::from_bits(*bits).is_nan());
            bits.or(named.map(|(_, bits, _)| *bits)).map(|bits| Self::Single(f32::from_bits(bits)))
        } else {
            let bits = bits.filter(|bits| f64::from_bits(*bits).is_nan());
            bits.or(named.map(|(_, _, bits)| *bits)).map(|bits| Self::Double(f64::from_bits(bits)))
        }
    }

    /// The one of so many bytes that is nearest to a number of JSON; `None`: it is too large. (Read as what it is:
    /// a `float` that was read as a `double` first would be rounded twice.)
    pub(super) fn nearest(number: &str, bytes: usize) -> Option<Self> {
        if bytes == size_of::<f32>() {
            number.parse().ok().filter(|number: &f32| number.is_finite()).map(Self::Single)
        } else {
            number.parse().ok().filter(|number: &f64| number.is_finite()).map(Self::Double)
        }
    }
}
