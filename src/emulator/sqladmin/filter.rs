//! The filter of `instances.list`: `field:value`, space-separated, with AND and OR, as the API reference says.

use serde_json::Value;

use super::errors;
use crate::emulator::errors::ApiError;

/// Any of the groups, each with all of its terms.
pub(super) struct Filter {
    groups: Vec<Vec<(String, String)>>,
}

impl Filter {
    pub fn read(text: &str) -> Result<Self, ApiError> {
        let mut groups = vec![Vec::new()];
        for word in text.split_whitespace() {
            match word {
                "AND" => {}
                "OR" => groups.push(Vec::new()),
                word => {
                    let (name, value) = word
                        .split_once([':', '='])
                        .filter(|(name, _)| !name.is_empty())
                        .ok_or_else(|| errors::invalid(format!("Invalid filter ({text}).")))?;
                    let value = value.trim_matches('"').to_owned();
                    if let Some(group) = groups.last_mut() {
                        group.push((name.to_owned(), value));
                    }
                }
            }
        }
        Ok(Self { groups })
    }

    pub fn takes(&self, body: &Value) -> bool {
        let holds = |(name, value): &(String, String)| {
            let found = body.pointer(&format!("/{}", name.replace('.', "/")));
            match found {
                Some(Value::String(text)) => text == value,
                Some(Value::Bool(on)) => value == if *on { "true" } else { "false" },
                Some(Value::Number(number)) => *value == number.to_string(),
                _ => false,
            }
        };
        self.groups.iter().any(|group| group.iter().all(holds))
    }
}
