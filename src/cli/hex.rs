//! What `--format hex` prints: a message a line, two lowercase digits a byte, as `xxd -r -p` reads them back.

/// Puts a message and a newline behind `line`.
pub(super) fn add(message: &[u8], line: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    line.reserve(2 * message.len() + 1);
    for byte in message {
        line.extend([DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
    line.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_message_a_line() {
        let mut line = Vec::new();
        for message in [&b"\x00\x09\xafz"[..], b"", b"\xff"] {
            add(message, &mut line);
        }
        assert_eq!(String::from_utf8(line).unwrap(), "0009af7a\n\nff\n");
    }

    proptest! {
        #[test]
        fn digits_are_the_bytes(message: Vec<u8>) {
            let mut line = Vec::new();
            add(&message, &mut line);
            let text = std::str::from_utf8(&line).unwrap().strip_suffix('\n').unwrap();
            let bytes = (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap());
            prop_assert_eq!(bytes.collect::<Vec<_>>(), message);
        }
    }
}
