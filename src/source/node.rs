//! A parsed document with the place of every key and value.

use serde_json::{Map, Number, Value};
use std::ops::Range;

/// A value and where it stands (byte range in the text).
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub at: Range<usize>,
    pub data: Data,
    /// An unquoted scalar: some YAML readers give it another type than text.
    pub plain: bool,
    /// How many nodes this one holds, itself included.
    pub size: usize,
    /// Levels below this node.
    pub height: usize,
}

#[derive(Debug, Clone)]
pub(super) enum Data {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    /// Refused while parsing, and reported there.
    Bad,
    /// In the order written; keys are unique.
    Map(Vec<Entry>),
}

#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub key: String,
    pub key_at: Range<usize>,
    pub value: Node,
}

impl Node {
    pub fn scalar(at: Range<usize>, data: Data, plain: bool) -> Node {
        Node {
            at,
            data,
            plain,
            size: 1,
            height: 0,
        }
    }

    /// A value that stands in no text.
    pub fn from_json(value: &Value) -> Node {
        let data = match value {
            Value::Null => Data::Null,
            Value::Bool(value) => Data::Bool(*value),
            Value::Number(value) => Data::Number(value.clone()),
            Value::String(value) => Data::Text(value.clone()),
            Value::Array(items) => Data::List(items.iter().map(Node::from_json).collect()),
            Value::Object(members) => Data::Map(members.iter().map(Entry::from_json).collect()),
        };
        Node::scalar(0..0, data, false)
    }

    pub fn entries(&self) -> &[Entry] {
        match &self.data {
            Data::Map(entries) => entries,
            _ => &[],
        }
    }

    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    pub fn text(&self) -> Option<&str> {
        match &self.data {
            Data::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Leaves out the entries that `keep` refuses.
    pub fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        if let Data::Map(entries) = &mut self.data {
            entries.retain(|entry| keep(&entry.key));
        }
    }

    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        match &mut self.data {
            Data::Map(entries) => entries
                .iter_mut()
                .find(|entry| entry.key == key)
                .map(|entry| &mut entry.value),
            _ => None,
        }
    }

    pub fn to_json(&self) -> Value {
        match &self.data {
            Data::Null | Data::Bad => Value::Null,
            Data::Bool(value) => Value::Bool(*value),
            Data::Number(value) => Value::Number(value.clone()),
            Data::Text(value) => Value::String(value.clone()),
            Data::List(items) => items.iter().map(Node::to_json).collect(),
            Data::Map(_) => Value::Object(self.to_object()),
        }
    }

    /// Without the values that were refused while parsing.
    pub fn to_object(&self) -> Map<String, Value> {
        self.entries()
            .iter()
            .filter(|entry| !matches!(entry.value.data, Data::Bad))
            .map(|entry| (entry.key.clone(), entry.value.to_json()))
            .collect()
    }

    /// Where the key at the end of a path stands, such as `url` of `spec.provider.url`.
    pub fn key_position(&self, path: &str) -> Range<usize> {
        let (around, key) = path.rsplit_once('.').unwrap_or(("", path));
        let node = around
            .split('.')
            .try_fold(self, |node, name| node.get(name));
        let entry = node.and_then(|node| node.entry(key));
        entry.map_or_else(|| self.position(path), |entry| entry.key_at.clone())
    }

    /// Where `spec.rollout.steps[0].set` stands: the value, or the key of a mapping or list.
    /// A path that leads nowhere gives the deepest part of it that exists.
    pub fn position(&self, path: &str) -> Range<usize> {
        let mut node = self;
        let mut at = self.at.clone();
        for part in path.split(['.', '[']).filter(|part| !part.is_empty()) {
            let index = part.strip_suffix(']').and_then(|n| n.parse::<usize>().ok());
            match (&node.data, index) {
                (Data::List(items), Some(index)) if index < items.len() => {
                    node = &items[index];
                    at = node.at.clone();
                }
                _ => match node.entry(part) {
                    Some(entry) => {
                        node = &entry.value;
                        at = entry.place();
                    }
                    None => break,
                },
            }
        }
        at
    }
}

impl Entry {
    fn from_json((key, value): (&String, &Value)) -> Entry {
        Entry {
            key: key.clone(),
            key_at: 0..0,
            value: Node::from_json(value),
        }
    }

    /// A scalar's own place; the key of a mapping or list, which has no line of its own.
    pub fn place(&self) -> Range<usize> {
        match self.value.data {
            Data::Map(_) | Data::List(_) => self.key_at.clone(),
            _ if self.value.at.is_empty() => self.key_at.clone(),
            _ => self.value.at.clone(),
        }
    }
}

/// What a value is, in words for a message.
pub(super) fn describe(node: &Node) -> String {
    use super::suggest::quote;
    match &node.data {
        Data::Null | Data::Bad => "null".to_owned(),
        Data::Bool(value) => format!("`{value}`"),
        Data::Number(value) => format!("{value}"),
        Data::Text(value) if value.is_empty() => "an empty text".to_owned(),
        Data::Text(value) => format!("the text {}", quote(value)),
        Data::List(_) => "a list".to_owned(),
        Data::Map(_) => "a mapping".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::source::diagnostic::Faults;
    use crate::source::yaml;

    #[test]
    fn paths_lead_to_the_words_that_are_meant() {
        let text = "spec:\n  resource:\n    maxInstances: 50\n    empty:\n  steps:\n  - set: {a: ü}\n  - pause: 1m\n";
        let mut faults = Faults::default();
        let node = &yaml::parse(text, &mut faults)[0];
        for (path, words) in [
            ("spec.resource.maxInstances", "50"),
            ("spec.resource.empty", "empty"),
            ("spec.resource", "resource"),
            ("spec.resource.network", "resource"),
            ("spec.steps[0].set.a", "ü"),
            ("spec.steps[1].pause", "1m"),
            ("spec.steps[7].pause", "steps"),
        ] {
            assert_eq!(&text[node.position(path)], words, "{path}");
        }
        assert_eq!(node.position("nowhere").start, 0);
    }
}
