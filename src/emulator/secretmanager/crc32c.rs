//! The checksum that Secret Manager gives with a value.

/// CRC-32C (RFC 3720, appendix B.4), reflected.
pub(super) fn crc32c(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| (crc >> 1) ^ (0x82f6_3b78 * (crc & 1));
    let sum = bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), step)
    });
    !sum
}

#[cfg(test)]
mod tests {
    use super::crc32c;

    #[test]
    fn known_answer() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    }
}
