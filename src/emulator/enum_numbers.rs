//! Enums as numbers, which Google's REST clients send, and ask for with `$alt=json;enum-encoding=int`
//! (cloud.google.com/apis/docs/system-parameters).
//!
//! The names of a [`Kind::Numbered`] stand at their numbers, as in the API's `.proto` files.

use serde_json::{Map, Value};

use super::api::Api;
use super::messages::{Kind, Message, int32};

/// Stands at a number that no name has.
pub(super) const NO_NAME: &str = "";

/// The name that a client means, whether it says the name or the number.
pub(super) fn name(names: &'static [&'static str], said: &Value) -> Option<&'static str> {
    let found = match said {
        Value::String(said) => names.iter().copied().find(|name| name == said),
        number => {
            let number = usize::try_from(int32(number)?).ok()?;
            names.get(number).copied()
        }
    };
    found.filter(|name| *name != NO_NAME)
}

/// A reply with numbers in place of the names of enums.
pub(super) fn encode(api: &dyn Api, message: &Message, reply: Value) -> Value {
    match reply {
        Value::Object(fields) => Value::Object(encode_fields(api, message, fields)),
        other => other,
    }
}

fn encode_fields(
    api: &dyn Api,
    message: &Message,
    fields: Map<String, Value>,
) -> Map<String, Value> {
    let encode = |(name, value): (String, Value)| {
        let value = match message.field(&name) {
            Some(field) => encode_value(api, &field.kind, value),
            None => value,
        };
        (name, value)
    };
    fields.into_iter().map(encode).collect()
}

fn encode_value(api: &dyn Api, kind: &Kind, value: Value) -> Value {
    match (kind, value) {
        (kind, Value::Array(items)) => {
            let items = items.into_iter();
            items.map(|item| encode_value(api, kind, item)).collect()
        }
        (Kind::Numbered(_, names), Value::String(name)) => {
            let number = names.iter().position(|known| *known == name);
            number.map_or(Value::String(name), Value::from)
        }
        (Kind::Message(message), value) => encode(api, message, value),
        // What stands in an `Any` names its type.
        (Kind::Open, Value::Object(fields)) => {
            let kind = fields.get("@type").and_then(Value::as_str);
            match kind.and_then(|kind| message_of(api, kind)) {
                Some(message) => Value::Object(encode_fields(api, message, fields)),
                None => Value::Object(fields),
            }
        }
        (_, value) => value,
    }
}

/// Operations speak of what the API's own methods answer with.
fn message_of(api: &dyn Api, type_url: &str) -> Option<&'static Message> {
    let (_, name) = type_url.rsplit_once('/')?;
    let mut answers = api.methods().iter().map(|method| method.answer);
    answers.find(|answer| answer.type_name == name)
}
