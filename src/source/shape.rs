//! The patterns of the schema in words: what a text must look like, and how one may go wrong.

use super::suggest::quote;
use crate::api::HumanDuration;
use std::net::Ipv4Addr;

/// What is wrong with a text, in the words of the pattern it must match.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Misfit {
    pub message: String,
    pub limit: String,
    pub help: String,
}

/// A pattern of the schema, the test behind it, and what to say.
pub(super) struct Shape {
    pub pattern: &'static str,
    fits: fn(&str) -> bool,
    what: &'static str,
    limit: &'static str,
    help: &'static str,
}

/// Every pattern that the schemas use.
pub(super) const SHAPES: &[Shape] = &[
    Shape {
        pattern: r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$",
        fits: object_name,
        what: "an object name",
        limit: "1 to 253 of a-z, 0-9, `-` and `.`; a letter or digit at both ends (Kubernetes)",
        help: "write it in lower case, with `-` between words",
    },
    Shape {
        pattern: r"^[a-z][-a-z0-9:.]{4,61}[a-z0-9]$",
        fits: project,
        what: "a project id",
        limit: "6 to 63 of a-z, 0-9 and `-`; a letter first, no `-` last (Google)",
        help: "use the project id, not its number or display name: gcloud projects list",
    },
    Shape {
        pattern: r"^[a-z][-a-z0-9]{1,62}$",
        fits: location,
        what: "a location",
        limit: "2 to 63 of a-z, 0-9 and `-`; a letter first",
        help: "write a region such as us-central1, or global",
    },
    Shape {
        pattern: r"^([0-9]+(ms|s|m|h|d))+$",
        fits: duration,
        what: "a duration",
        limit: "whole numbers with the units ms, s, m, h, d; at most 30d",
        help: "write a number with its unit, such as 30s, 10m or 1h30m",
    },
    Shape {
        pattern: r"^(manual|([0-9]+(ms|s|m|h|d))+)$",
        fits: pause,
        what: "a duration or `manual`",
        limit: "a duration of at most 30d, or `manual`",
        help: "write a duration such as 10m, or manual to wait for a person",
    },
    Shape {
        pattern: r"^[0-9]+(\.[0-9]{1,9})?s$",
        fits: google_duration,
        what: "a duration in seconds",
        limit: "a number of seconds with the unit s (Google)",
        help: "write seconds with their unit, such as 600s",
    },
    Shape {
        pattern: r"^([0-9]{1,3}\.){3}[0-9]{1,3}/28$",
        fits: slash_28,
        what: "a /28 range",
        limit: "an IPv4 network of exactly 16 addresses (Google)",
        help: "write an unused range such as 10.8.0.0/28",
    },
    Shape {
        pattern: r"^projects/[^/]+/secrets/[^/]+/versions/[^/]+$",
        fits: secret_version,
        what: "a version of a secret",
        limit: "projects/P/secrets/S/versions/V (Secret Manager)",
        help: "write the whole name, such as projects/p/secrets/key/versions/latest",
    },
];

/// Why `text` does not match `pattern`; `None` when it does, or when nobody knows the pattern.
pub(super) fn misfit(pattern: &str, text: &str) -> Option<Misfit> {
    let shape = SHAPES.iter().find(|shape| shape.pattern == pattern)?;
    if (shape.fits)(text) {
        return None;
    }
    Some(Misfit {
        message: format!("{} is not {}", quote(text), shape.what),
        limit: shape.limit.to_owned(),
        help: help(shape, text),
    })
}

/// The general way out, or the exact one when the slip is a known one.
fn help(shape: &Shape, text: &str) -> String {
    if let Some(fixed) = spelled_unit(text).filter(|_| shape.is_duration()) {
        return format!("write {}", quote(&fixed));
    }
    let lower = text.to_ascii_lowercase().replace(['_', ' '], "-");
    if lower != text && (shape.fits)(&lower) {
        return format!("write {}", quote(&lower));
    }
    shape.help.to_owned()
}

/// The way out for a bare number where a text of this pattern is wanted; `None`: quotes will do.
pub(super) fn for_number(pattern: &str, number: &str) -> Option<String> {
    let shape = SHAPES.iter().find(|shape| shape.pattern == pattern)?;
    if shape.is_duration() {
        Some(format!("give it a unit: {number}s or {number}m"))
    } else if (shape.fits)(number) {
        None
    } else {
        Some(shape.help.to_owned())
    }
}

impl Shape {
    fn is_duration(&self) -> bool {
        (self.fits)("1s") && !(self.fits)("s")
    }
}

/// `10sec` as `10s`, `5 minutes` as `5m`.
fn spelled_unit(text: &str) -> Option<String> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let unit = match text[digits..].trim().to_ascii_lowercase().as_str() {
        "msec" | "millis" | "millisecond" | "milliseconds" => "ms",
        "s" | "sec" | "secs" | "second" | "seconds" => "s",
        "m" | "min" | "mins" | "minute" | "minutes" => "m",
        "h" | "hr" | "hrs" | "hour" | "hours" => "h",
        "d" | "day" | "days" => "d",
        _ => return None,
    };
    let fixed = format!("{}{unit}", &text[..digits]);
    duration(&fixed).then_some(fixed)
}

fn letters(text: &str, also: &str, length: std::ops::RangeInclusive<usize>) -> bool {
    length.contains(&text.len())
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || also.contains(c))
}

fn object_name(text: &str) -> bool {
    letters(text, "-.", 1..=253) && !text.starts_with(['-', '.']) && !text.ends_with(['-', '.'])
}

fn project(text: &str) -> bool {
    letters(text, "-:.", 6..=63)
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && !text.ends_with(['-', ':', '.'])
}

fn location(text: &str) -> bool {
    letters(text, "-", 2..=63) && text.starts_with(|c: char| c.is_ascii_lowercase())
}

fn duration(text: &str) -> bool {
    text.trim() == text && text.parse::<HumanDuration>().is_ok()
}

fn google_duration(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let Some(number) = text.strip_suffix('s') else {
        return false;
    };
    match number.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction) && fraction.len() <= 9,
        None => digits(number),
    }
}

fn pause(text: &str) -> bool {
    text == "manual" || duration(text)
}

fn slash_28(text: &str) -> bool {
    let Some(address) = text.strip_suffix("/28") else {
        return false;
    };
    let address = address.parse::<Ipv4Addr>();
    address.is_ok_and(|address| u32::from(address).trailing_zeros() >= 4)
}

fn secret_version(text: &str) -> bool {
    let parts: Vec<&str> = text.split('/').collect();
    matches!(parts[..], ["projects", p, "secrets", s, "versions", v]
        if !p.is_empty() && !s.is_empty() && !v.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(what: &str) -> &'static str {
        SHAPES
            .iter()
            .find(|shape| shape.what == what)
            .unwrap()
            .pattern
    }

    #[test]
    fn slips_get_the_exact_way_out() {
        for (what, text, help) in [
            ("a duration", "10sec", "write `10s`"),
            ("a duration", "5 minutes", "write `5m`"),
            ("a duration or `manual`", "1 Hour", "write `1h`"),
            (
                "an object name",
                "Staging_Connector",
                "write `staging-connector`",
            ),
            ("a location", "US-Central1", "write `us-central1`"),
        ] {
            assert_eq!(misfit(pattern(what), text).unwrap().help, help);
        }
        assert!(
            misfit(pattern("a duration"), "31d")
                .unwrap()
                .limit
                .contains("30d")
        );
    }

    #[test]
    fn fits_and_misfits() {
        for (what, good, bad) in [
            ("an object name", "a-b.c", "-a"),
            ("a project id", "netra-staging", "12345678"),
            ("a location", "global", "1"),
            ("a duration", "1h30m", "10"),
            ("a duration or `manual`", "manual", "Manually"),
            ("a /28 range", "10.8.0.16/28", "10.8.0.1/28"),
            (
                "a version of a secret",
                "projects/p/secrets/s/versions/1",
                "s",
            ),
        ] {
            assert_eq!(misfit(pattern(what), good), None, "{good}");
            assert!(misfit(pattern(what), bad).is_some(), "{bad}");
        }
        assert!(misfit(pattern("a /28 range"), "10.8.0.0/24").is_some());
        assert!(misfit(pattern("a /28 range"), "999.8.0.0/28").is_some());
    }

    #[test]
    fn every_pattern_of_the_schemas_has_words() {
        fn patterns(schema: &serde_json::Value, out: &mut Vec<String>) {
            match schema {
                serde_json::Value::Object(object) => {
                    if let Some(pattern) = object.get("pattern").and_then(|p| p.as_str()) {
                        out.push(pattern.to_owned());
                    }
                    for child in object.values() {
                        patterns(child, out);
                    }
                }
                serde_json::Value::Array(items) => {
                    for child in items {
                        patterns(child, out);
                    }
                }
                _ => {}
            }
        }
        let mut found = Vec::new();
        patterns(&crate::api::crd::metadata_schema(), &mut found);
        for kind in crate::api::Kind::ALL {
            patterns(&crate::api::crd::spec_schema(*kind), &mut found);
        }
        assert!(!found.is_empty());
        for pattern in found {
            assert!(
                SHAPES.iter().any(|shape| shape.pattern == pattern),
                "no words for {pattern}"
            );
        }
    }
}
