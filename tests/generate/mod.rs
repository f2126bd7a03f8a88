//! Resources as people make them in GCP, and the emulated GCP that takes them.

pub mod certificates;
pub mod compute;
pub mod connectors;
pub mod gcp;
pub mod managed;
pub mod run;
pub mod sql;
pub mod texts;

use evenkeel::api::Kind;
use serde_json::{Map, Value};

/// A resource to make, in the words of the API.
#[derive(Debug, Clone)]
pub struct Create {
    pub kind: Kind,
    pub location: String,
    pub name: String,
    /// The collection, with a query where the API wants the name there.
    pub path: String,
    pub body: Value,
}

impl Create {
    /// What of the body a manifest may hold, as it would be written: 64-bit numbers as numbers.
    pub fn resource(&self) -> Map<String, Value> {
        self.body.as_object().cloned().unwrap_or_default()
    }
}

/// An object of the fields that are given.
pub fn some(fields: Vec<(&str, Option<Value>)>) -> Value {
    let given = fields.into_iter();
    let given = given.filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(given.collect())
}
