//! Fault rules from JSON. Every refusal names the field by its place.

use serde_json::{Map, Value};

use super::errors::Shape;
use super::faults::{Action, ErrorFault, FaultRule, Leaves, Match};

/// A fault rule that cannot be read, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct FaultJsonError {
    pub field: String,
    pub problem: String,
}

type Read<T> = Result<T, FaultJsonError>;

impl FaultRule {
    /// Reads `[rule, ...]` or `{"rules": [rule, ...]}`, where a rule is
    /// `{"name", "match": {"method", "pathPrefix", "pathContains", "after"}, "action": {kind: {...}}, "times",
    /// "probability"}` and a kind without fields may be a plain string.
    ///
    /// # Errors
    /// When a field is unknown, missing or of the wrong type: the error names it.
    pub fn list_from_json(json: &Value) -> Result<Vec<Self>, FaultJsonError> {
        let list = match json {
            Value::Object(object) => object.get("rules").unwrap_or(&Value::Null),
            other => other,
        };
        let rules = list
            .as_array()
            .ok_or_else(|| error("rules", "expected a list of rules"))?;
        rules
            .iter()
            .enumerate()
            .map(|(index, rule)| read_rule(rule, &format!("rules[{index}]")))
            .collect()
    }
}

fn read_rule(json: &Value, place: &str) -> Read<FaultRule> {
    let object = Object::new(json, place)?;
    object.allow(&["name", "match", "action", "times", "probability"])?;
    let action = match object.get("action") {
        Some(action) => read_action(action, &object.at("action"))?,
        None => return Err(error(&object.at("action"), "is missing")),
    };
    let matching = match object.get("match") {
        Some(matching) => read_match(matching, &object.at("match"))?,
        None => Match::default(),
    };
    let probability = object.get("probability").map(|value| {
        value
            .as_f64()
            .filter(|p| (0.0..=1.0).contains(p))
            .ok_or_else(|| error(&object.at("probability"), "expected a number from 0 to 1"))
    });
    let name = object
        .text("name")?
        .unwrap_or_else(|| action.name().to_owned());
    Ok(FaultRule {
        name,
        matching,
        action,
        times: object.whole("times")?,
        probability: probability.transpose()?,
    })
}

fn read_match(json: &Value, place: &str) -> Read<Match> {
    let object = Object::new(json, place)?;
    object.allow(&["method", "pathPrefix", "pathContains", "after"])?;
    Ok(Match {
        method: object.text("method")?,
        path_prefix: object.text("pathPrefix")?,
        path_contains: object.text("pathContains")?,
        after: object.whole("after")?.unwrap_or(0),
    })
}

const KINDS: &str = "expected one of error, reset-before, reset-after, delay, slow-operation, fail-operation, \
     ignore-write, stale-reads, unreachable-list, late-refusal";

fn read_action(json: &Value, place: &str) -> Read<Action> {
    let empty = Value::Object(Map::new());
    let (kind, fields) = match json {
        Value::String(kind) => (kind.as_str(), &empty),
        Value::Object(object) if object.len() == 1 => object
            .iter()
            .next()
            .map_or(("", &empty), |(kind, fields)| (kind.as_str(), fields)),
        _ => return Err(error(place, KINDS)),
    };
    let object = Object::new(fields, &format!("{place}.{kind}"))?;
    let plain = |action: Action| object.allow(&[]).map(|()| action);
    match kind {
        "error" => read_error(&object),
        "reset-before" => plain(Action::ResetBefore),
        "reset-after" => plain(Action::ResetAfter),
        "delay" => Ok(Action::Delay {
            ms: object.only_whole("ms")?,
        }),
        "slow-operation" => Ok(Action::SlowOperation {
            seconds: object.only_whole("seconds")?,
        }),
        "fail-operation" => read_failure(&object),
        "ignore-write" => plain(Action::IgnoreWrite),
        "stale-reads" => Ok(Action::StaleReads {
            seconds: object.only_whole("seconds")?,
        }),
        "unreachable-list" => plain(Action::UnreachableList),
        "late-refusal" => plain(Action::LateRefusal),
        _ => Err(error(&format!("{place}.{kind}"), KINDS)),
    }
}

fn read_error(object: &Object) -> Read<Action> {
    object.allow(&["status", "shape", "reason", "message", "retryAfter"])?;
    let status = object
        .whole("status")?
        .and_then(|status| u16::try_from(status).ok());
    let status = status
        .filter(|status| (400..=599).contains(status))
        .ok_or_else(|| {
            error(
                &object.at("status"),
                "expected an HTTP code from 400 to 599",
            )
        })?;
    let shape = match object.text("shape")?.as_deref() {
        None | Some("google") => Shape::Google,
        Some("compute") => Shape::Compute,
        Some(_) => return Err(error(&object.at("shape"), "expected google or compute")),
    };
    Ok(Action::Error(ErrorFault {
        status,
        shape,
        reason: object.text("reason")?,
        message: object.text("message")?,
        retry_after: object.whole("retryAfter")?,
    }))
}

fn read_failure(object: &Object) -> Read<Action> {
    object.allow(&["code", "message", "leaves"])?;
    let code = object.whole("code")?.unwrap_or(13);
    let code = i32::try_from(code)
        .ok()
        .filter(|code| (1..=16).contains(code))
        .ok_or_else(|| {
            error(
                &object.at("code"),
                "expected a google.rpc code from 1 to 16",
            )
        })?;
    let leaves = match object.text("leaves")?.as_deref() {
        None | Some("READY") => Leaves::Ready,
        Some("ERROR") => Leaves::Error,
        Some(_) => return Err(error(&object.at("leaves"), "expected READY or ERROR")),
    };
    let message = object
        .text("message")?
        .unwrap_or_else(|| "An internal error occurred.".to_owned());
    Ok(Action::FailOperation {
        code,
        message,
        leaves,
    })
}

fn error(field: &str, problem: &str) -> FaultJsonError {
    FaultJsonError {
        field: field.to_owned(),
        problem: problem.to_owned(),
    }
}

struct Object<'a> {
    fields: &'a Map<String, Value>,
    place: String,
}

impl<'a> Object<'a> {
    fn new(json: &'a Value, place: &str) -> Read<Self> {
        let fields = json
            .as_object()
            .ok_or_else(|| error(place, "expected an object"))?;
        Ok(Self {
            fields,
            place: place.to_owned(),
        })
    }

    fn at(&self, name: &str) -> String {
        format!("{}.{name}", self.place)
    }

    fn get(&self, name: &str) -> Option<&'a Value> {
        self.fields.get(name).filter(|value| !value.is_null())
    }

    fn allow(&self, known: &[&str]) -> Read<()> {
        match self
            .fields
            .keys()
            .find(|name| !known.contains(&name.as_str()))
        {
            Some(name) if known.is_empty() => Err(error(&self.at(name), "takes no fields")),
            Some(name) => {
                let problem = format!("unknown field, expected one of {}", known.join(", "));
                Err(error(&self.at(name), &problem))
            }
            None => Ok(()),
        }
    }

    fn text(&self, name: &str) -> Read<Option<String>> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        self.get(name)
            .map(|value| text(value).ok_or_else(|| error(&self.at(name), "expected a string")))
            .transpose()
    }

    fn whole(&self, name: &str) -> Read<Option<u64>> {
        self.get(name)
            .map(|value| {
                value
                    .as_u64()
                    .ok_or_else(|| error(&self.at(name), "expected a whole number"))
            })
            .transpose()
    }

    fn only_whole(&self, name: &str) -> Read<u64> {
        self.allow(&[name])?;
        self.whole(name)?
            .ok_or_else(|| error(&self.at(name), "is missing"))
    }
}
