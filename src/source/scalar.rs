//! Scalars: YAML 1.2 (core schema), minus the spellings that other readers take differently.

use super::diagnostic::Fault;
use super::node::Data;
use super::suggest::quote;
use serde_json::Number;
use std::ops::Range;

/// What an unquoted scalar is.
pub(super) fn plain(text: &str, at: Range<usize>) -> Result<Data, Fault> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Data::Null),
        "true" | "True" | "TRUE" => return Ok(Data::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Data::Bool(false)),
        _ => {}
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned.to_ascii_lowercase().as_str(), ".inf" | ".nan") {
        let message = format!("{} is not a number a manifest can hold", quote(text));
        return Err(Fault::new(at, message, "write a finite number"));
    }
    if is_octal_like(unsigned) {
        return Err(leading_zero(text, unsigned, at));
    }
    Ok(number(text, unsigned).map_or_else(|| Data::Text(text.to_owned()), Data::Number))
}

/// The words that YAML 1.1 readers, `kubectl` among them, take for a boolean.
pub(super) fn old_boolean(text: &str) -> Option<bool> {
    match text {
        "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
        "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

fn is_octal_like(unsigned: &str) -> bool {
    unsigned.len() > 1
        && unsigned.starts_with('0')
        && unsigned.bytes().all(|b| b.is_ascii_digit() || b == b'_')
}

fn leading_zero(text: &str, unsigned: &str, at: Range<usize>) -> Fault {
    let digits = unsigned.trim_start_matches(['0', '_']);
    let digits = if digits.is_empty() { "0" } else { digits };
    Fault::new(
        at,
        format!(
            "{} is octal to some YAML readers and decimal to others",
            quote(text)
        ),
        format!(
            "write {} for a number, or \"{text}\" for a text",
            quote(digits)
        ),
    )
}

fn number(text: &str, unsigned: &str) -> Option<Number> {
    let first = unsigned.bytes().next()?;
    if !(first.is_ascii_digit() || first == b'.') {
        return None;
    }
    let based = |digits: &str, base| i64::from_str_radix(digits, base).ok().map(Number::from);
    if let Some(hex) = text.strip_prefix("0x") {
        return hex
            .bytes()
            .all(|b| b.is_ascii_hexdigit())
            .then(|| based(hex, 16))?;
    }
    if let Some(octal) = text.strip_prefix("0o") {
        return octal
            .bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| based(octal, 8))?;
    }
    let int = text.parse::<i64>().ok().map(Number::from);
    int.or_else(|| text.parse::<u64>().ok().map(Number::from))
        .or_else(|| float(text, unsigned))
}

fn float(text: &str, unsigned: &str) -> Option<Number> {
    let shaped = unsigned
        .bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    let value = shaped.then(|| text.parse::<f64>().ok())??;
    Number::from_f64(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        match plain(text, 0..0) {
            Ok(data) => format!("{data:?}"),
            Err(fault) => format!("refused: {}", fault.message),
        }
    }

    #[test]
    fn core_schema() {
        assert_eq!(read("null"), "Null");
        assert_eq!(read("True"), "Bool(true)");
        assert_eq!(read("12"), "Number(Number(12))");
        assert_eq!(read("-1.5e3"), "Number(Number(-1500.0))");
        assert_eq!(read("0x1F"), "Number(Number(31))");
        assert_eq!(read("0o17"), "Number(Number(15))");
        assert_eq!(
            read("18446744073709551615"),
            "Number(Number(18446744073709551615))"
        );
        for text in [
            "no", "inf", "nan", "1_000", "e5", "-", "--1", "1.2.3", "0x-1", "10m",
        ] {
            assert_eq!(read(text), format!("Text({text:?})"));
        }
    }

    #[test]
    fn spellings_that_readers_disagree_on() {
        assert!(read("010").starts_with("refused: `010` is octal"));
        assert!(read(".inf").starts_with("refused"));
        assert!(read("-.NaN").starts_with("refused"));
        assert_eq!(old_boolean("no"), Some(false));
        assert_eq!(old_boolean("n"), None);
    }
}
