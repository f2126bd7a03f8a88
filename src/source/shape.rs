//! The patterns of the schema in words: what a text must look like, and how one may go wrong.

use super::suggest::quote;
use crate::api::HumanDuration;
use crate::api::check::EXPRESSION;
use regex::Regex;
use std::net::Ipv4Addr;
use std::sync::LazyLock;

/// What is wrong with a text, in the words of the pattern it must match.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Misfit {
    pub message: String,
    pub limit: String,
    pub help: String,
}

/// A pattern of the schema, what it cannot say, and the words for both.
pub(super) struct Shape {
    pub pattern: &'static str,
    also: fn(&str) -> bool,
    what: &'static str,
    limit: &'static str,
    help: &'static str,
}

/// The pattern of a name server's address.
const DNS_SERVER: &str = r"^([0-9]{1,3}(\.[0-9]{1,3}){3}(:[0-9]{1,5})?|[0-9a-fA-F:.]+|\[[0-9a-fA-F:.]+\](:[0-9]{1,5})?)$";

/// Every pattern that the schemas use.
pub(super) const SHAPES: &[Shape] = &[
    Shape {
        pattern: r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$",
        also: any,
        what: "an object name",
        limit: "1 to 253 of a-z, 0-9, `-` and `.`; a letter or digit at both ends (Kubernetes)",
        help: "write it in lower case, with `-` between words",
    },
    Shape {
        pattern: r"^[a-z][-a-z0-9:.]{4,61}[a-z0-9]$",
        also: any,
        what: "a project id",
        limit: "6 to 63 of a-z, 0-9 and `-`; a letter first, no `-` last (Google)",
        help: "use the project id, not its number or display name: gcloud projects list",
    },
    Shape {
        pattern: r"^[a-z][-a-z0-9]{1,62}$",
        also: any,
        what: "a location",
        limit: "2 to 63 of a-z, 0-9 and `-`; a letter first",
        help: "write a region such as us-central1, or global",
    },
    Shape {
        pattern: r"^([0-9]+(ms|s|m|h|d))+$",
        also: duration,
        what: "a duration",
        limit: "whole numbers with the units ms, s, m, h, d; at most 30d",
        help: "write a number with its unit, such as 30s, 10m or 1h30m",
    },
    Shape {
        pattern: r"^(manual|([0-9]+(ms|s|m|h|d))+)$",
        also: pause,
        what: "a duration or `manual`",
        limit: "a duration of at most 30d, or `manual`",
        help: "write a duration such as 10m, or manual to wait for a person",
    },
    Shape {
        pattern: r"^[0-9]+(\.[0-9]{1,9})?s$",
        also: any,
        what: "a duration in seconds",
        limit: "a number of seconds with the unit s (Google)",
        help: "write seconds with their unit, such as 600s",
    },
    Shape {
        pattern: r"^([0-9]{1,3}\.){3}[0-9]{1,3}/28$",
        also: slash_28,
        what: "a /28 range",
        limit: "an IPv4 network of exactly 16 addresses (Google)",
        help: "write an unused range such as 10.8.0.0/28",
    },
    Shape {
        pattern: r"^projects/[^/]+/secrets/[^/]+/versions/[^/]+$",
        also: any,
        what: "a version of a secret",
        limit: "projects/P/secrets/S/versions/V (Secret Manager)",
        help: "write the whole name, such as projects/p/secrets/key/versions/latest",
    },
    Shape {
        pattern: EXPRESSION,
        also: any,
        what: "an expression",
        limit: "field[.stat] op value",
        help: "write it as `connect.max < 5s` or `ok.ratio >= 99%`",
    },
    Shape {
        pattern: r"^https?://[^/?#\s]+([/?#]\S*)?$",
        also: any,
        what: "an address",
        limit: "http:// or https://, and a host",
        help: "write it as https://HOST[:PORT]/PATH",
    },
    Shape {
        pattern: r"^(/([^~/]|~[01])*)*$",
        also: any,
        what: "a JSON pointer",
        limit: "parts that start with `/` (RFC 6901)",
        help: "write it as `/startup/seconds`",
    },
    Shape {
        pattern: r"^[-a-zA-Z0-9_.]{1,253}(:[0-9]{1,5})?$|^\[[0-9a-fA-F:.]+\](:[0-9]{1,5})?$",
        also: any,
        what: "a host with a port",
        limit: "HOST[:PORT]; an IPv6 address in brackets",
        help: "write it as 10.0.0.2:8443 or [fd00::2]:8443",
    },
    Shape {
        pattern: r"^[-a-zA-Z0-9_.:]{1,253}$",
        also: any,
        what: "a host",
        limit: "a name or an address, without port and path",
        help: "write it as db.internal or 10.20.0.3",
    },
    Shape {
        pattern: r"^[-a-zA-Z0-9_.*]{1,253}$",
        also: any,
        what: "a DNS name",
        limit: "letters, digits, `-`, `_` and `.`",
        help: "write it in full, such as api.example.com",
    },
    Shape {
        pattern: DNS_SERVER,
        also: any,
        what: "an address of a server",
        limit: "ADDRESS[:PORT]; an IPv6 address with a port in brackets",
        help: "write it as 10.0.0.2 or [fd00::2]:53; names are not looked up here",
    },
    Shape {
        pattern: r"^ALIGN_[A-Z0-9_]{1,40}$",
        also: any,
        what: "an aligner",
        limit: "a word of Cloud Monitoring that starts with ALIGN_",
        help: "write it as ALIGN_MEAN, ALIGN_RATE or ALIGN_PERCENTILE_99",
    },
    Shape {
        pattern: r"^REDUCE_[A-Z0-9_]{1,40}$",
        also: any,
        what: "a reducer",
        limit: "a word of Cloud Monitoring that starts with REDUCE_",
        help: "write it as REDUCE_SUM or REDUCE_MAX",
    },
    Shape {
        pattern: r"^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$",
        also: any,
        what: "a name in Compute Engine",
        limit: "1 to 63 of a-z, 0-9 and `-`; a letter first, no `-` last (Google)",
        help: "write the short name, without the project",
    },
    Shape {
        pattern: r"^[-._a-zA-Z0-9]{1,253}$",
        also: any,
        what: "an entry of a Secret",
        limit: "1 to 253 of letters, digits, `-`, `_` and `.` (Kubernetes)",
        help: "write the name of the entry, never its value",
    },
    Shape {
        pattern: r"^[A-Za-z_][A-Za-z0-9_]{0,127}$",
        also: any,
        what: "an environment variable",
        limit: "letters, digits and `_`; no digit first",
        help: "write the name of the variable, never its value",
    },
    Shape {
        pattern: r"^[a-z][a-z0-9_]{0,62}$",
        also: any,
        what: "a component",
        limit: "1 to 63 of a-z, 0-9 and `_`; a letter first",
        help: "write it as vpc_connector, database, ssl or load_balancer",
    },
    Shape {
        pattern: r"^[-a-z0-9.*]{1,253}$",
        also: any,
        what: "a name or a pattern of names",
        limit: "a-z, 0-9, `-`, `.`, and `*` for any text",
        help: "write the name of an object, or \"*\" for all",
    },
];

/// Why `text` does not match `pattern`; `None` when it does, or when nobody knows the pattern.
pub(super) fn misfit(pattern: &str, text: &str) -> Option<Misfit> {
    let shape = SHAPES.iter().find(|shape| shape.pattern == pattern)?;
    if shape.fits(text) {
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
    if lower != text && shape.fits(&lower) {
        return format!("write {}", quote(&lower));
    }
    shape.help.to_owned()
}

/// The way out for a bare number where a text of this pattern is wanted; `None`: quotes will do.
pub(super) fn for_number(pattern: &str, number: &str) -> Option<String> {
    let shape = SHAPES.iter().find(|shape| shape.pattern == pattern)?;
    if shape.is_duration() {
        Some(format!("give it a unit: {number}s or {number}m"))
    } else if shape.fits(number) {
        None
    } else {
        Some(shape.help.to_owned())
    }
}

/// The patterns, compiled once. A pattern that does not compile matches nothing; a test rules it
/// out.
static COMPILED: LazyLock<Vec<Option<Regex>>> = LazyLock::new(|| {
    SHAPES
        .iter()
        .map(|shape| Regex::new(shape.pattern).ok())
        .collect()
});

impl Shape {
    fn fits(&self, text: &str) -> bool {
        let index = SHAPES
            .iter()
            .position(|shape| shape.pattern == self.pattern);
        let pattern = index.and_then(|index| COMPILED[index].as_ref());
        pattern.is_some_and(|pattern| pattern.is_match(text)) && (self.also)(text)
    }

    fn is_duration(&self) -> bool {
        self.pattern.contains("ms|s|m")
    }
}

fn any(_: &str) -> bool {
    true
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

fn duration(text: &str) -> bool {
    text.trim() == text && text.parse::<HumanDuration>().is_ok()
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
            ("an expression", "json.wait.p95 <= 1.5s", "connect.max"),
            ("an address", "https://a.example:8443/x?y=1", "a.example"),
            ("a JSON pointer", "/a~1b/0", "a/b"),
            ("a host with a port", "[fd00::2]:8443", "fd00::2"),
            ("a host", "fd00::2", "https://a"),
            ("an address of a server", "10.0.0.2:53", "dns.google"),
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
        for kind in crate::api::DocumentKind::all() {
            patterns(&crate::api::crd::spec_schema(kind), &mut found);
        }
        assert!(!found.is_empty());
        assert!(COMPILED.iter().all(Option::is_some));
        for pattern in found {
            assert!(
                SHAPES.iter().any(|shape| shape.pattern == pattern),
                "no words for {pattern}"
            );
        }
    }
}
