//! As much of PEM (RFC 7468) and X.509 (RFC 5280) as it takes to tell when a certificate ends and for whom it
//! is. Nothing is verified.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::emulator::base64;

const SEQUENCE: u8 = 0x30;
const OBJECT_ID: u8 = 0x06;
const OCTETS: u8 = 0x04;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// `[0]`: the version; `[3]`: the extensions; `[2]` in a name: a DNS name.
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
const DNS_NAME: u8 = 0x82;
/// 2.5.29.17
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];

pub(in crate::emulator) struct Leaf {
    pub expires: Timestamp,
    /// Its DNS names.
    pub names: Vec<String>,
}

/// The first certificate of a chain; None when it cannot be read.
pub(in crate::emulator) fn leaf(pem: &str) -> Option<Leaf> {
    let der = pem_blocks(pem, "CERTIFICATE").into_iter().next()?;
    let (certificate, _) = element(&der, SEQUENCE)?;
    let (mut fields, _) = element(certificate, SEQUENCE)?;
    if fields.first() == Some(&VERSION) {
        (_, fields) = any(fields)?;
    }
    // serialNumber, signature, issuer
    for _ in 0..3 {
        (_, fields) = any(fields)?;
    }
    let (validity, mut rest) = element(fields, SEQUENCE)?;
    let (_, not_after) = any(validity)?;
    let expires = time(not_after)?;
    let mut names = Vec::new();
    while let Some(tag) = rest.first().copied() {
        let (content, after) = any(rest)?;
        if tag == EXTENSIONS {
            names = alternative_names(content).unwrap_or_default();
        }
        rest = after;
    }
    Some(Leaf { expires, names })
}

/// The contents of the blocks whose label ends in `label`; none at all when one of them is not base64.
pub(in crate::emulator) fn pem_blocks(text: &str, label: &str) -> Vec<Vec<u8>> {
    let (begin, end) = ("-----BEGIN ", "-----END ");
    let label = format!("{}-----", label.replace('_', " "));
    let mut blocks = Vec::new();
    for part in text.split(begin).skip(1) {
        let Some((head, rest)) = part.split_once('\n') else {
            continue;
        };
        if !head.trim_end().ends_with(&label) {
            continue;
        }
        let body = rest.split(end).next().unwrap_or_default();
        let digits: String = body.split_whitespace().collect();
        match base64::decode(&digits) {
            Some(bytes) if !bytes.is_empty() && rest.contains(end) => blocks.push(bytes),
            _ => return Vec::new(),
        }
    }
    blocks
}

/// The content of the first element, and what follows it.
fn any(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (_tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match *first {
        short @ 0..=0x7f => (usize::from(short), rest),
        long => {
            let (digits, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
            if digits.is_empty() || digits.len() > 4 {
                return None;
            }
            let length = digits
                .iter()
                .fold(0, |length, digit| length << 8 | usize::from(*digit));
            (length, rest)
        }
    };
    rest.split_at_checked(length)
}

fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    (bytes.first() == Some(&tag)).then(|| any(bytes)).flatten()
}

/// `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`
fn time(bytes: &[u8]) -> Option<Timestamp> {
    let tag = *bytes.first()?;
    let text = std::str::from_utf8(any(bytes)?.0).ok()?;
    let text = match (tag, text.get(..2)?.parse::<u8>().ok()?) {
        (UTC_TIME, 50..) => format!("19{text}"),
        (UTC_TIME, _) => format!("20{text}"),
        (GENERALIZED_TIME, _) => text.to_owned(),
        _ => return None,
    };
    let civil = DateTime::strptime("%Y%m%d%H%M%SZ", &text).ok()?;
    Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

fn alternative_names(extensions: &[u8]) -> Option<Vec<String>> {
    let (mut list, _) = element(extensions, SEQUENCE)?;
    while let Some((extension, rest)) = element(list, SEQUENCE) {
        list = rest;
        let (id, mut value) = element(extension, OBJECT_ID)?;
        if id != SUBJECT_ALT_NAME {
            continue;
        }
        // A flag may stand between: whether the extension is critical.
        if value.first() != Some(&OCTETS) {
            (_, value) = any(value)?;
        }
        let (mut names, _) = element(element(value, OCTETS)?.0, SEQUENCE)?;
        let mut found = Vec::new();
        while let Some(tag) = names.first().copied() {
            let (name, rest) = any(names)?;
            if tag == DNS_NAME {
                found.push(String::from_utf8(name.to_vec()).ok()?);
            }
            names = rest;
        }
        return Some(found);
    }
    None
}
