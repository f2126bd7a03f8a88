//! Durations as people write them: `500ms`, `30s`, `10m`, `1h30m`, `2d`.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{borrow::Cow, fmt, str::FromStr, time::Duration};

/// Longest duration accepted: 30 days. Longer is almost surely a wrong unit.
pub const LONGEST: Duration = Duration::from_hours(720);

/// A duration with a unit. A bare number is refused: its unit would be a guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct HumanDuration(pub Duration);

const UNITS: [(&str, u64); 5] = [
    ("ms", 1),
    ("s", 1000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];

impl FromStr for HumanDuration {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let help = "write a number with a unit (ms s m h d), such as 30s, 10m or 1h30m";
        let mut rest = text.trim();
        if rest.is_empty() {
            return Err(format!("an empty duration; {help}"));
        }
        let mut millis: u64 = 0;
        while !rest.is_empty() {
            let digits = rest
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(rest.len());
            let number: u64 = rest[..digits]
                .parse()
                .map_err(|_| format!("`{text}` is not a duration; {help}"))?;
            rest = &rest[digits..];
            let letters = rest
                .find(|c: char| c.is_ascii_digit())
                .unwrap_or(rest.len());
            let unit = &rest[..letters];
            rest = &rest[letters..];
            if unit.is_empty() {
                return Err(format!("`{text}` has no unit; {help}"));
            }
            let factor = UNITS
                .iter()
                .find(|(name, _)| *name == unit)
                .map(|(_, factor)| *factor)
                .ok_or_else(|| format!("`{unit}` in `{text}` is no unit; {help}"))?;
            millis = number
                .checked_mul(factor)
                .and_then(|part| millis.checked_add(part))
                .filter(|total| u128::from(*total) <= LONGEST.as_millis())
                .ok_or_else(|| format!("`{text}` is longer than 30d"))?;
        }
        Ok(HumanDuration(Duration::from_millis(millis)))
    }
}

impl fmt::Display for HumanDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut millis = self.0.as_millis();
        if millis == 0 {
            return f.write_str("0s");
        }
        for (name, factor) in UNITS.iter().rev() {
            let factor = u128::from(*factor);
            if millis >= factor {
                write!(f, "{}{name}", millis / factor)?;
                millis %= factor;
            }
        }
        Ok(())
    }
}

impl Serialize for HumanDuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HumanDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for HumanDuration {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^([0-9]+(ms|s|m|h|d))+$",
            "description": "A duration with a unit, such as 30s, 10m or 1h30m. Longest: 30d."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        for text in ["0s", "500ms", "30s", "10m", "1h30m", "2d", "1d1h1m1s1ms"] {
            let parsed: HumanDuration = text.parse().unwrap();
            assert_eq!(parsed.to_string(), text);
        }
        assert_eq!("90m".parse::<HumanDuration>().unwrap().to_string(), "1h30m");
    }

    #[test]
    fn refuses_what_has_no_clear_unit() {
        for (text, says) in [
            ("10", "has no unit"),
            ("10 m", "is no unit"),
            ("10sec", "`sec` in `10sec` is no unit"),
            ("", "empty"),
            ("m", "not a duration"),
            ("-5s", "not a duration"),
            ("31d", "longer than 30d"),
            ("99999999999999999999s", "not a duration"),
            ("18446744073709551615d", "longer"),
        ] {
            let error = text.parse::<HumanDuration>().unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
