//! Partial responses: the `fields` parameter, such as `nextPageToken,connectors(name,state),a/b`.
//!
//! Every path must be a field of the reply's message; inside open messages (`Any`, maps) any name goes.

use std::collections::BTreeMap;

use serde_json::Value;

use super::errors::{ApiError, Violation};
use super::messages::{Kind, Message};

/// A tree of names. A leaf (no children) selects everything below it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Mask {
    children: BTreeMap<String, Mask>,
}

impl Mask {
    pub fn parse(text: &str, message: &Message) -> Result<Self, ApiError> {
        let mut parser = Parser { rest: text };
        let mask = parser
            .selection()
            .filter(|_| parser.rest.is_empty())
            .ok_or_else(|| refused(format!("Error parsing 'fields' parameter: '{text}'.")))?;
        mask.check(message, "")?;
        Ok(mask)
    }

    /// Keeps only what the mask selects; what it selects but is not there stays absent.
    pub fn apply(&self, value: Value) -> Value {
        if self.children.is_empty() {
            return value;
        }
        match value {
            Value::Array(items) => items.into_iter().map(|item| self.apply(item)).collect(),
            Value::Object(object) => object
                .into_iter()
                .filter_map(|(name, value)| {
                    let child = self
                        .children
                        .get(&name)
                        .or_else(|| self.children.get("*"))?;
                    Some((name, child.apply(value)))
                })
                .collect(),
            scalar => scalar,
        }
    }

    fn check(&self, message: &Message, place: &str) -> Result<(), ApiError> {
        for (name, child) in &self.children {
            let path = if place.is_empty() {
                name.clone()
            } else {
                format!("{place}/{name}")
            };
            if name == "*" {
                continue;
            }
            let field = message.field(name).filter(|field| field.json == name);
            match field.map(|field| &field.kind) {
                Some(Kind::Message(inner)) => child.check(inner, &path)?,
                Some(Kind::Open | Kind::Map(_)) => {}
                Some(_) if child.children.is_empty() => {}
                _ => {
                    return Err(refused(format!(
                        "Error expanding 'fields' parameter. Cannot find matching fields for path '{path}'."
                    )));
                }
            }
        }
        Ok(())
    }

    fn merge(&mut self, other: Self) {
        for (name, theirs) in other.children {
            match self.children.get_mut(&name) {
                // "a,a(b)": the whole of `a` is already selected.
                Some(ours) if ours.children.is_empty() => {}
                Some(ours) if theirs.children.is_empty() => ours.children.clear(),
                Some(ours) => ours.merge(theirs),
                None => {
                    self.children.insert(name, theirs);
                }
            }
        }
    }
}

fn refused(description: String) -> ApiError {
    let violation = Violation {
        field: "fields".to_owned(),
        description,
    };
    ApiError::invalid("Request contains an invalid argument.").with_violations(vec![violation])
}

// selection = path *("," path); path = name ["/" path / "(" selection ")"]
struct Parser<'a> {
    rest: &'a str,
}

impl Parser<'_> {
    fn selection(&mut self) -> Option<Mask> {
        let mut mask = self.path()?;
        while self.take(',') {
            mask.merge(self.path()?);
        }
        Some(mask)
    }

    fn path(&mut self) -> Option<Mask> {
        let name = self.name()?;
        let child = if self.take('/') {
            self.path()?
        } else if self.take('(') {
            let inner = self.selection()?;
            if !self.take(')') {
                return None;
            }
            inner
        } else {
            Mask::default()
        };
        Some(Mask {
            children: BTreeMap::from([(name, child)]),
        })
    }

    fn name(&mut self) -> Option<String> {
        let end = self
            .rest
            .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '@' | '*' | '.')))
            .unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!name.is_empty()).then(|| name.to_owned())
    }

    fn take(&mut self, wanted: char) -> bool {
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Mask;
    use crate::emulator::vpcaccess::messages::LIST_CONNECTORS;
    use serde_json::json;

    #[test]
    fn selects_nested_names_in_both_notations() {
        let reply = json!({"connectors": [{"name": "a", "state": "READY", "subnet": {"name": "s", "projectId": "p"}}],
                           "nextPageToken": "t"});
        let cases = [
            ("nextPageToken", json!({"nextPageToken": "t"})),
            (
                "connectors(name,state)",
                json!({"connectors": [{"name": "a", "state": "READY"}]}),
            ),
            (
                "connectors/subnet/name",
                json!({"connectors": [{"subnet": {"name": "s"}}]}),
            ),
            (
                "connectors/name,connectors/state",
                json!({"connectors": [{"name": "a", "state": "READY"}]}),
            ),
            (
                "connectors(name),connectors",
                json!({"connectors": reply["connectors"]}),
            ),
            (
                "*/name",
                json!({"connectors": [{"name": "a"}], "nextPageToken": "t"}),
            ),
            ("connectors/network", json!({"connectors": [{}]})),
        ];
        for (text, expected) in cases {
            let mask = Mask::parse(text, &LIST_CONNECTORS).unwrap();
            assert_eq!(mask.apply(reply.clone()), expected, "{text}");
        }
    }

    #[test]
    fn refuses_unknown_paths_and_bad_syntax() {
        for text in [
            "nothing",
            "connectors(nothing)",
            "connectors(name",
            "a,,b",
            "connectors/name/x",
            ")",
            " ",
        ] {
            assert!(Mask::parse(text, &LIST_CONNECTORS).is_err(), "{text}");
        }
    }
}
