//! The filter of a search for entries.
//!
//! Source: "Logging query language". Served: comparisons of the fields of an entry, AND, OR, NOT, `=~`, `log_id()` and
//! texts alone. Comparisons do not mind case, but for regular expressions. The rest is refused.

use jiff::Timestamp;
use regex::Regex;
use serde_json::Value;

use super::entry::SEVERITIES;
use crate::emulator::errors::ApiError;
use crate::emulator::expression::{self, Expression, Operand, Sign};

/// "The maximum length of a filter is 20,000 characters."
const LENGTH_MAX: usize = 20_000;

/// The fields of `LogEntry`.
const FIELDS: &[&str] = &[
    "httpRequest",
    "insertId",
    "jsonPayload",
    "labels",
    "logName",
    "operation",
    "protoPayload",
    "receiveTimestamp",
    "resource",
    "severity",
    "sourceLocation",
    "spanId",
    "textPayload",
    "timestamp",
    "trace",
    "traceSampled",
];

#[derive(Debug, Default)]
pub(super) struct Filter {
    condition: Option<Condition>,
    /// Bounds of `timestamp` that must hold whatever else does.
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    /// The `resource.type` that must be, whatever else is.
    pub kind: Option<String>,
}

#[derive(Debug)]
enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Holds(Vec<String>, Test),
    /// Some field holds this text.
    Anywhere(String),
}

#[derive(Debug)]
enum Test {
    Equal(String),
    Has(String),
    Matches(Regex),
    Order(Sign, String),
    OneOf(Vec<Test>),
}

fn refused(problem: &str) -> ApiError {
    ApiError::invalid(format!("Unparseable filter: {problem}"))
}

impl Filter {
    pub fn read(text: &str) -> Result<Self, ApiError> {
        if text.chars().count() > LENGTH_MAX {
            return Err(refused("the filter is longer than 20000 characters"));
        }
        let parsed = expression::parse(text).map_err(|problem| refused(&problem.to_string()))?;
        let Some(expression) = parsed else {
            return Ok(Self::default());
        };
        let (mut from, mut to) = (None, None);
        for part in expression.conjuncts() {
            if let Some((sign, at)) = bound(part) {
                match sign {
                    Sign::Less | Sign::LessOrEqual => to = to.into_iter().chain([at]).min(),
                    Sign::Greater | Sign::GreaterOrEqual => {
                        from = from.into_iter().chain([at]).max();
                    }
                    _ => (from, to) = (Some(at), Some(at)),
                }
            }
        }
        let kind = expression.conjuncts().into_iter().find_map(resource_type);
        let condition = Some(Condition::of(expression)?);
        Ok(Self {
            condition,
            from,
            to,
            kind,
        })
    }

    pub fn takes(&self, entry: &Value) -> bool {
        self.condition
            .as_ref()
            .is_none_or(|condition| condition.holds(entry))
    }
}

/// The type of `resource.type="type"`.
fn resource_type(part: &Expression) -> Option<String> {
    match part {
        Expression::Compare(field, Sign::Equal, Operand::Text(kind)) => {
            (field.join(".") == "resource.type").then(|| kind.to_lowercase())
        }
        _ => None,
    }
}

/// A comparison of `timestamp` with a time.
fn bound(part: &Expression) -> Option<(Sign, Timestamp)> {
    let Expression::Compare(field, sign, Operand::Text(text)) = part else {
        return None;
    };
    let bounds = !matches!(
        sign,
        Sign::Differs | Sign::Has | Sign::Matches | Sign::MatchesNot
    );
    let is_time = field.len() == 1 && field.first().is_some_and(|name| name == "timestamp");
    (is_time && bounds)
        .then(|| text.parse().ok())
        .flatten()
        .map(|at| (*sign, at))
}

impl Condition {
    fn of(expression: Expression) -> Result<Self, ApiError> {
        let many = |parts: Vec<Expression>| -> Result<Vec<Self>, ApiError> {
            parts.into_iter().map(Self::of).collect()
        };
        match expression {
            Expression::All(parts) => Ok(Self::All(many(parts)?)),
            Expression::Any(parts) => Ok(Self::Any(many(parts)?)),
            Expression::Not(inner) => Ok(Self::Not(Box::new(Self::of(*inner)?))),
            Expression::Text(text) => Ok(Self::Anywhere(text.to_lowercase())),
            Expression::Call(name, arguments) => match (name.as_str(), &arguments[..]) {
                ("log_id", [id]) => Ok(Self::Holds(
                    vec!["logName".to_owned()],
                    Test::Matches(ending(&id.replace('/', "%2F"))?),
                )),
                _ => Err(refused(&format!("unsupported function '{name}'"))),
            },
            Expression::Compare(field, sign, operand) => Self::compare(field, sign, operand),
        }
    }

    fn compare(mut field: Vec<String>, sign: Sign, operand: Operand) -> Result<Self, ApiError> {
        let first = field
            .first_mut()
            .ok_or_else(|| refused("a field is missing"))?;
        let known = FIELDS
            .iter()
            .find(|known| known.eq_ignore_ascii_case(&camel(first)));
        let Some(known) = known else {
            return Err(refused(&format!("Field not found: '{first}'.")));
        };
        (*known).clone_into(first);
        let (sign, negated) = match sign {
            Sign::Differs => (Sign::Equal, true),
            Sign::MatchesNot => (Sign::Matches, true),
            other => (other, false),
        };
        let name = field.join(".");
        let test = match operand {
            Operand::Text(text) => Test::of(&name, sign, text)?,
            Operand::AnyOf(texts) => {
                let each = texts.into_iter().map(|text| Test::of(&name, sign, text));
                Test::OneOf(each.collect::<Result<_, _>>()?)
            }
            Operand::Call(name, _) => {
                return Err(refused(&format!("unsupported function '{name}'")));
            }
        };
        let holds = Self::Holds(field, test);
        Ok(if negated {
            Self::Not(Box::new(holds))
        } else {
            holds
        })
    }

    fn holds(&self, entry: &Value) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(entry)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(entry)),
            Self::Not(inner) => !inner.holds(entry),
            Self::Holds(field, test) => {
                let found = field
                    .iter()
                    .try_fold(entry, |value, part| member(value, part));
                found.is_some_and(|found| test.holds(field, found))
            }
            Self::Anywhere(text) => anywhere(entry, text),
        }
    }
}

/// JSON and proto names are both taken.
fn camel(name: &str) -> String {
    let mut up = false;
    let mut camel = String::new();
    for c in name.chars() {
        match c {
            '_' => up = true,
            _ if up => {
                camel.push(c.to_ascii_uppercase());
                up = false;
            }
            _ => camel.push(c),
        }
    }
    camel
}

fn member<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let object = value.as_object()?;
    object.get(name).or_else(|| object.get(&camel(name)))
}

fn ending(text: &str) -> Result<Regex, ApiError> {
    let pattern = format!("/logs/{}$", regex::escape(text));
    Regex::new(&pattern).map_err(|_| refused("the log id is too long"))
}

fn anywhere(value: &Value, text: &str) -> bool {
    match value {
        Value::Object(fields) => fields.values().any(|value| anywhere(value, text)),
        Value::Array(items) => items.iter().any(|value| anywhere(value, text)),
        scalar => shown(scalar).to_lowercase().contains(text),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

impl Test {
    fn of(field: &str, sign: Sign, text: String) -> Result<Self, ApiError> {
        let is_time = matches!(field, "timestamp" | "receiveTimestamp");
        if is_time && text.parse::<Timestamp>().is_err() {
            return Err(refused(&format!(
                "invalid timestamp '{text}' for field '{field}'"
            )));
        }
        if field == "severity" && rank(&text).is_none() && sign != Sign::Matches {
            return Err(refused(&format!(
                "invalid value '{text}' for field 'severity'"
            )));
        }
        Ok(match sign {
            Sign::Has if text == "*" => Self::Has(String::new()),
            Sign::Has => Self::Has(text.to_lowercase()),
            Sign::Matches => {
                let pattern = Regex::new(&text);
                Self::Matches(
                    pattern
                        .map_err(|_| refused(&format!("invalid regular expression '{text}'")))?,
                )
            }
            Sign::Equal if !is_time && field != "severity" => Self::Equal(text.to_lowercase()),
            sign => Self::Order(sign, text),
        })
    }

    fn holds(&self, field: &[String], found: &Value) -> bool {
        match self {
            Self::OneOf(tests) => tests.iter().any(|test| test.holds(field, found)),
            Self::Matches(pattern) => pattern.is_match(&shown(found)),
            Self::Has(part) => anywhere(found, part) || found.get(part.as_str()).is_some(),
            Self::Equal(wanted) => match (found.as_f64(), wanted.parse::<f64>()) {
                (Some(found), Ok(wanted)) => (found - wanted).abs() < f64::EPSILON,
                _ => shown(found).to_lowercase() == *wanted,
            },
            Self::Order(sign, wanted) => {
                let order = order(field, &shown(found), wanted);
                order.is_some_and(|order| match sign {
                    Sign::Less => order.is_lt(),
                    Sign::LessOrEqual => order.is_le(),
                    Sign::Greater => order.is_gt(),
                    Sign::GreaterOrEqual => order.is_ge(),
                    _ => order.is_eq(),
                })
            }
        }
    }
}

/// The place of a severity; also by its number.
fn rank(word: &str) -> Option<usize> {
    let named = SEVERITIES
        .iter()
        .position(|known| known.eq_ignore_ascii_case(word));
    named
        .or_else(|| Some(word.parse::<usize>().ok()? / 100).filter(|rank| *rank < SEVERITIES.len()))
}

fn order(field: &[String], found: &str, wanted: &str) -> Option<std::cmp::Ordering> {
    match field.first().map(String::as_str) {
        Some("severity") => Some(rank(found)?.cmp(&rank(wanted)?)),
        Some("timestamp" | "receiveTimestamp") => {
            let (found, wanted): (Timestamp, Timestamp) =
                (found.parse().ok()?, wanted.parse().ok()?);
            Some(found.cmp(&wanted))
        }
        _ => match (number(found), number(wanted)) {
            (Some(found), Some(wanted)) => Some(found.total_cmp(&wanted)),
            _ => Some(found.to_lowercase().cmp(&wanted.to_lowercase())),
        },
    }
}

/// A number, or a duration such as `7.2s`.
fn number(text: &str) -> Option<f64> {
    text.strip_suffix('s').unwrap_or(text).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::Filter;
    use serde_json::json;

    #[test]
    fn an_entry_is_found_by_any_of_its_fields() {
        let entry = json!({
            "logName": "projects/p/logs/run.googleapis.com%2Frequests",
            "resource": {"type": "cloud_run_revision", "labels": {"service_name": "shop"}},
            "timestamp": "2026-11-23T10:00:05Z", "severity": "ERROR",
            "httpRequest": {"status": 503, "latency": "7.200s"},
            "textPayload": "startup phase database completed in 61.4s",
        });
        for (text, found) in [
            ("", true),
            ("severity>=WARNING", true),
            ("severity=\"error\"", true),
            ("severity<ERROR", false),
            ("severity=(ERROR OR CRITICAL)", true),
            (
                "resource.type=\"cloud_run_revision\" resource.labels.service_name=SHOP",
                true,
            ),
            ("NOT resource.labels.service_name=\"shop\"", false),
            ("httpRequest.status=503", true),
            ("http_request.status>=500 AND httpRequest.status<504", true),
            ("httpRequest.latency>\"5s\"", true),
            ("textPayload:\"DATABASE completed\"", true),
            ("textPayload=~\"completed in [0-9.]+s$\"", true),
            ("textPayload!~\"^startup\"", false),
            ("jsonPayload.message:*", false),
            ("textPayload:*", true),
            ("timestamp>=\"2026-11-23T10:00:05Z\"", true),
            ("timestamp<\"2026-11-23T10:00:05Z\"", false),
            ("log_id(\"run.googleapis.com/requests\")", true),
            ("\"phase database\"", true),
            ("absent", false),
        ] {
            assert_eq!(Filter::read(text).unwrap().takes(&entry), found, "{text}");
        }
    }

    #[test]
    fn what_is_not_served_is_refused() {
        for (text, wanted) in [
            ("severity>=", "syntax error at line 1, column 11, token ''"),
            ("colour=\"red\"", "Field not found: 'colour'"),
            ("severity>=LOUD", "invalid value 'LOUD'"),
            ("timestamp>=\"yesterday\"", "invalid timestamp"),
            ("textPayload=~\"(\"", "invalid regular expression"),
            ("sample(insertId, 0.1)", "unsupported function 'sample'"),
            (
                "ip_in_net(jsonPayload.ip, \"10.0.0.0/8\")",
                "unsupported function",
            ),
        ] {
            let error = Filter::read(text).unwrap_err();
            assert!(error.message.contains(wanted), "{text}: {}", error.message);
        }
    }

    #[test]
    fn times_that_must_hold_bound_the_search() {
        let filter = Filter::read(
            "timestamp>\"2026-11-23T10:00:00Z\" timestamp<\"2026-11-23T11:00:00Z\" a OR b",
        );
        let filter = filter.unwrap();
        assert_eq!(filter.from.unwrap().to_string(), "2026-11-23T10:00:00Z");
        assert_eq!(filter.to.unwrap().to_string(), "2026-11-23T11:00:00Z");
        let either = Filter::read("timestamp>\"2026-11-23T10:00:00Z\" OR severity=ERROR").unwrap();
        assert!(either.from.is_none());
    }
}
