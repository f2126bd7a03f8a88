//! Base64 (RFC 4648), as bytes fields and PEM use it.

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

pub(super) fn encode(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let block = (0..3).fold(0_u32, |block, index| {
            block << 8 | chunk.get(index).map_or(0, |byte| u32::from(*byte))
        });
        for index in 0..4 {
            if index <= chunk.len() {
                let digit = (block >> (18 - 6 * index)) & 0x3f;
                text.push(char::from(DIGITS[digit as usize]));
            } else {
                text.push('=');
            }
        }
    }
    text
}

/// Takes both alphabets and a missing padding; bits beyond the last byte are dropped.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=').bytes().map(digit);
    let digits: Vec<u32> = digits.collect::<Option<_>>()?;
    let mut bytes = Vec::with_capacity(digits.len() * 3 / 4);
    for chunk in digits.chunks(4) {
        if chunk.len() == 1 {
            return None;
        }
        let block = (0..4).fold(0, |block, index| {
            block << 6 | chunk.get(index).copied().unwrap_or(0)
        });
        let [_, whole @ ..] = block.to_be_bytes();
        bytes.extend_from_slice(&whole[..chunk.len() - 1]);
    }
    Some(bytes)
}

fn digit(byte: u8) -> Option<u32> {
    let byte = match byte {
        b'-' => b'+',
        b'_' => b'/',
        other => other,
    };
    let at = DIGITS.iter().position(|digit| *digit == byte)?;
    u32::try_from(at).ok()
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    #[test]
    fn both_ways_agree_with_the_rfc() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(encode(bytes.as_bytes()), text);
            assert_eq!(decode(text).as_deref(), Some(bytes.as_bytes()));
        }
        assert_eq!(decode("tpf="), decode("tpc="), "unused bits are dropped");
        assert_eq!((decode("a"), decode("a*b=")), (None, None));
    }
}
