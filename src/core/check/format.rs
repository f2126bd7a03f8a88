//! Numbers as people read them, in the unit that their expression speaks.

use super::expression::{Expression, Unit, Want};
use super::sample::Value;

/// A measured value next to its expression: `7.2s`, `82%`, `READY`, `never`.
pub(super) fn measured(value: &Value, expression: &Expression) -> String {
    let unit = match &expression.want {
        Want::Number(quantity) => quantity.unit,
        Want::Word(_) => None,
    };
    match value {
        Value::Never => "never".to_owned(),
        Value::Word(word) => word.chars().take(60).collect(),
        Value::Flag(flag) => flag.to_string(),
        Value::Number(number) => match unit {
            None => short(*number),
            Some(Unit::Percent) => format!("{}%", short(number * 100.0)),
            Some(Unit::Mbps) => format!("{}Mbps", short(*number)),
            Some(_) => seconds(*number),
        },
    }
}

/// What an expression wants: `< 5s`.
pub(super) fn wanted(expression: &Expression) -> String {
    format!("{} {}", expression.op.as_str(), expression.want)
}

/// Seconds in the largest unit that leaves a number of at least 1, up to days.
#[must_use]
pub fn seconds(seconds: f64) -> String {
    let size = seconds.abs();
    let (number, unit) = if size >= 2.0 * 86_400.0 {
        (seconds / 86_400.0, "d")
    } else if size >= 600.0 {
        (seconds / 60.0, "m")
    } else if size >= 1.0 || size == 0.0 {
        (seconds, "s")
    } else {
        (seconds * 1e3, "ms")
    };
    format!("{}{unit}", short(number))
}

/// Three significant digits, without zeros at the end; whole numbers in full.
pub(super) fn short(number: f64) -> String {
    let size = number.abs();
    if !number.is_finite() {
        return "never".to_owned();
    }
    let mut places = if size >= 100.0 {
        0
    } else if size >= 10.0 {
        1
    } else {
        2
    };
    // 0.000123 keeps 123: one place more for each zero.
    let mut rest = size;
    while rest > 0.0 && rest < 1.0 && places < 9 {
        places += 1;
        rest *= 10.0;
    }
    let text = format!("{number:.places$}");
    if !text.contains('.') {
        return text;
    }
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0" } else { text }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_in_the_unit_of_the_expression() {
        for (text, value, says) in [
            ("connect.max < 5s", 7.2349, "7.23s"),
            ("connect.max < 5s", 0.0431, "43.1ms"),
            ("connect.max < 500ms", 12.0, "12s"),
            ("connect.max < 5m", 700.0, "11.7m"),
            ("expiry > 14d", 90.0 * 86_400.0, "90d"),
            ("expiry > 14d", -3.0 * 86_400.0, "-3d"),
            ("ok.ratio >= 99%", 0.985, "98.5%"),
            ("ok.ratio >= 1", 0.95, "0.95"),
            ("value < 600Mbps", 512.4, "512Mbps"),
            ("count == 0", 1234.0, "1234"),
            ("count == 0", 0.0, "0"),
            ("value < 1", 0.000_123_4, "0.000123"),
        ] {
            let expression: Expression = text.parse().unwrap();
            assert_eq!(measured(&Value::Number(value), &expression), says, "{text}");
        }
        let expression: Expression = "state == READY".parse().unwrap();
        assert_eq!(measured(&Value::from("FAILED"), &expression), "FAILED");
        assert_eq!(measured(&Value::Never, &expression), "never");
    }
}
