//! What the API's messages look like, and how Google reads JSON into them.
//!
//! The reader behaves like Google's JSON transcoder: JSON and proto names are both accepted, null means
//! unset, an int32 may come as a string, an enum as its number, and each unknown name or wrong type is reported
//! with its place.

use serde_json::{Map, Value};

use super::enum_numbers;
use super::errors::{ApiError, Violation};

pub(super) struct Message {
    pub type_name: &'static str,
    pub fields: &'static [Field],
}

pub(super) struct Field {
    pub json: &'static str,
    proto: &'static str,
    repeated: bool,
    pub kind: Kind,
}

pub(super) enum Kind {
    Text,
    /// A text that names another resource.
    Link,
    Int32,
    /// Travels as a string, because JSON numbers are doubles.
    Int64,
    Double,
    Bool,
    Enum(&'static str, &'static [&'static str]),
    /// An enum whose numbers are known too: the names stand at their numbers, see [`enum_numbers`].
    Numbered(&'static str, &'static [&'static str]),
    Message(&'static Message),
    /// Every name is allowed, each with a value of one kind.
    Map(&'static Kind),
    /// `Any`: every name is allowed inside.
    Open,
}

pub(super) const fn field(json: &'static str, proto: &'static str, kind: Kind) -> Field {
    Field {
        json,
        proto,
        repeated: false,
        kind,
    }
}

pub(super) const fn many(json: &'static str, proto: &'static str, kind: Kind) -> Field {
    Field {
        json,
        proto,
        repeated: true,
        kind,
    }
}

impl Field {
    pub fn is_repeated(&self) -> bool {
        self.repeated
    }
}

impl Message {
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields
            .iter()
            .find(|field| field.json == name || field.proto == name)
    }
}

/// What a null in a body means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nulls {
    /// As if the field were not there.
    Unset,
    /// Kept, for whoever merges the body.
    Keep,
}

/// Reads a request body; the result has JSON names, set fields only and numbers for int32.
pub(super) fn read(
    message: &Message,
    place: &str,
    body: &[u8],
    nulls: Nulls,
) -> Result<Map<String, Value>, ApiError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        return Err(unreadable(
            "Invalid JSON payload received. Unexpected token.",
            "",
        ));
    };
    let Value::Object(object) = value else {
        let description =
            "Invalid JSON payload received. Unknown name \"\": Root element must be a message.";
        return Err(unreadable(description, ""));
    };
    let mut reader = Reader {
        nulls,
        violations: Vec::new(),
    };
    let read = reader.object(message, place, object);
    if reader.violations.is_empty() {
        Ok(read)
    } else {
        Err(ApiError::unreadable(reader.violations))
    }
}

/// A method without a body field refuses every name in one.
pub(super) fn read_nothing(body: &[u8]) -> Result<(), ApiError> {
    static EMPTY: Message = Message {
        type_name: "google.protobuf.Empty",
        fields: &[],
    };
    read(&EMPTY, "", body, Nulls::Unset).map(|_| ())
}

pub(super) fn unreadable(description: &str, field: &str) -> ApiError {
    let violation = Violation {
        field: field.to_owned(),
        description: description.to_owned(),
    };
    ApiError::unreadable(vec![violation])
}

struct Reader {
    nulls: Nulls,
    violations: Vec<Violation>,
}

impl Reader {
    fn object(
        &mut self,
        message: &Message,
        place: &str,
        object: Map<String, Value>,
    ) -> Map<String, Value> {
        let mut read = Map::new();
        for (name, value) in object {
            let Some(field) = message.field(&name) else {
                self.violations.push(unknown_name(&name, place));
                continue;
            };
            if value.is_null() {
                if self.nulls == Nulls::Keep {
                    read.insert(field.json.to_owned(), value);
                }
                continue;
            }
            let at = if place.is_empty() {
                field.proto.to_owned()
            } else {
                format!("{place}.{}", field.proto)
            };
            if let Some(value) = self.field(field, &at, value) {
                read.insert(field.json.to_owned(), value);
            }
        }
        read
    }

    fn field(&mut self, field: &Field, at: &str, value: Value) -> Option<Value> {
        if !field.repeated {
            return self.value(&field.kind, at, value);
        }
        let Value::Array(items) = value else {
            self.violations.push(Violation {
                field: at.to_owned(),
                description: format!(
                    "Invalid JSON payload received. Unknown name \"{}\" at '{at}': Proto field is \
                     repeating, cannot start from a single value.",
                    field.json
                ),
            });
            return None;
        };
        let items = items.into_iter().enumerate();
        let read: Option<Vec<Value>> = items
            .map(|(index, item)| self.value(&field.kind, &format!("{at}[{index}]"), item))
            .collect();
        read.map(Value::Array)
    }

    fn value(&mut self, kind: &Kind, at: &str, value: Value) -> Option<Value> {
        let read = match (kind, value) {
            (Kind::Message(message), Value::Object(object)) => {
                Ok(Value::Object(self.object(message, at, object)))
            }
            (Kind::Map(kind), Value::Object(object)) => {
                Ok(Value::Object(self.map(kind, at, object)))
            }
            (kind, value) => kind.scalar(&value).ok_or(value),
        };
        match read {
            Ok(read) => Some(read),
            Err(value) => {
                self.violations.push(Violation {
                    field: at.to_owned(),
                    description: format!("Invalid value at '{at}' ({}), {value}", kind.name()),
                });
                None
            }
        }
    }

    fn map(&mut self, kind: &Kind, at: &str, object: Map<String, Value>) -> Map<String, Value> {
        let mut read = Map::new();
        for (name, value) in object {
            if value.is_null() && self.nulls == Nulls::Keep {
                read.insert(name, value);
            } else if let Some(value) = self.value(kind, &format!("{at}.{name}"), value) {
                read.insert(name, value);
            }
        }
        read
    }
}

impl Kind {
    /// The value as this kind is kept, if it is one.
    fn scalar(&self, value: &Value) -> Option<Value> {
        match self {
            Self::Text | Self::Link => value.is_string().then(|| value.clone()),
            Self::Bool => value.is_boolean().then(|| value.clone()),
            Self::Open => Some(value.clone()),
            Self::Int32 => int32(value).map(Value::from),
            Self::Int64 => int64(value).map(|number| number.to_string().into()),
            Self::Double => double(value).map(Value::from),
            Self::Enum(_, names) => {
                let known = value.as_str().is_some_and(|name| names.contains(&name));
                known.then(|| value.clone())
            }
            Self::Numbered(_, names) => enum_numbers::name(names, value).map(Value::from),
            Self::Message(_) | Self::Map(_) => None,
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Text | Self::Link => "TYPE_STRING".to_owned(),
            Self::Bool => "TYPE_BOOL".to_owned(),
            Self::Int32 => "TYPE_INT32".to_owned(),
            Self::Int64 => "TYPE_INT64".to_owned(),
            Self::Double => "TYPE_DOUBLE".to_owned(),
            Self::Enum(type_name, _) | Self::Numbered(type_name, _) => {
                format!("type.googleapis.com/{type_name}")
            }
            Self::Message(message) => format!("type.googleapis.com/{}", message.type_name),
            Self::Map(_) | Self::Open => "TYPE_MESSAGE".to_owned(),
        }
    }
}

fn unknown_name(name: &str, place: &str) -> Violation {
    let at = if place.is_empty() {
        String::new()
    } else {
        format!(" at '{place}'")
    };
    Violation {
        field: place.to_owned(),
        description: format!(
            "Invalid JSON payload received. Unknown name \"{name}\"{at}: Cannot find field."
        ),
    }
}

/// Proto3 JSON takes 3, 3.0 and "3" for an int32, and nothing out of its range.
pub(super) fn int32(value: &Value) -> Option<i32> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => i32::try_from(whole).ok(),
            None => number
                .as_f64()
                .filter(|f| f.fract() == 0.0)
                .and_then(whole_float),
        },
        _ => None,
    }
}

fn whole_float(float: f64) -> Option<i32> {
    format!("{float:.0}").parse().ok()
}

/// Proto3 JSON takes 3 and "3" for an int64.
pub(super) fn int64(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.as_i64(),
        _ => None,
    }
}

fn double(value: &Value) -> Option<f64> {
    match value {
        Value::String(text) => text.parse().ok().filter(|number: &f64| number.is_finite()),
        Value::Number(number) => number.as_f64(),
        _ => None,
    }
}
