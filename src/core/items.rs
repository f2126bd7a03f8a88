//! Lists whose entries have an identity, as flat fields: `backends[zones/a/g].capacityScaler`.
//!
//! Each entry is merged by its key: an entry that the manifest leaves out is not managed, and the
//! whole list can still be sent, made of the live entries and the declared ones.

use super::fields::Fields;
use serde_json::Value;
use std::borrow::Cow;

/// A list of objects whose entries are told apart by one of their fields.
#[derive(Debug, Clone, Copy)]
pub struct KeyedList {
    /// Where the list stands: `backends`.
    pub path: &'static str,
    /// The field that tells its entries apart: `group`.
    pub key: &'static str,
    /// Brings the key into canonical form.
    pub canonical: fn(&str) -> String,
}

/// One field of one entry: the parts of `backends[zones/a/g].capacityScaler`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ItemField<'a> {
    pub list: &'a str,
    pub key: &'a str,
    pub field: &'a str,
}

impl KeyedList {
    /// Replaces the list in `fields` by one field for each member of each entry. Entries without
    /// a key stay out: nobody can say which ones they are.
    pub fn flatten(&self, fields: &mut Fields) {
        let Some(Value::Array(entries)) = fields.remove(self.path) else {
            return;
        };
        for entry in entries {
            let Some(key) = self.key_of(&entry) else {
                continue;
            };
            for (name, value) in entry.as_object().into_iter().flatten() {
                let value = if name == self.key {
                    Value::from(key.clone())
                } else {
                    value.clone()
                };
                fields.insert(format!("{}[{key}].{name}", self.path), value);
            }
        }
    }

    /// The canonical key of an entry.
    #[must_use]
    pub fn key_of(&self, entry: &Value) -> Option<String> {
        entry[self.key].as_str().map(self.canonical)
    }

    /// The live list with the changed members of its entries; new entries stand at the end.
    /// `None`: no field of this list is among the changes.
    #[must_use]
    pub fn merge(&self, live: &[Value], changes: &Fields) -> Option<Vec<Value>> {
        let mut list = live.to_vec();
        let mut touched = false;
        for (path, value) in changes {
            let Some(item) = split(path).filter(|item| item.list == self.path) else {
                continue;
            };
            touched = true;
            let found = list
                .iter()
                .position(|entry| self.key_of(entry).as_deref() == Some(item.key));
            let index = found.unwrap_or_else(|| {
                list.push(Value::Object(serde_json::Map::new()));
                list.len() - 1
            });
            if let Some(Value::Object(entry)) = list.get_mut(index) {
                // A live key keeps the form that it came in.
                if found.is_none() {
                    entry.insert(self.key.to_owned(), item.key.into());
                }
                if item.field != self.key {
                    entry.insert(item.field.to_owned(), value.clone());
                }
            }
        }
        touched.then_some(list)
    }
}

/// The parts of a field of an entry; `None` for every other field.
#[must_use]
pub fn split(path: &str) -> Option<ItemField<'_>> {
    let (list, rest) = path.split_once('[')?;
    let (key, field) = rest.rsplit_once("].")?;
    Some(ItemField { list, key, field })
}

/// The path without the keys: `backends[].capacityScaler`, as tables of fields name it. Lists in
/// lists and maps by key count too: `containers[].env[].value`, `labels[]`.
#[must_use]
pub fn generic(path: &str) -> Cow<'_, str> {
    if !path.contains('[') {
        return Cow::Borrowed(path);
    }
    let mut out = String::with_capacity(path.len());
    let mut inside = false;
    for c in path.chars() {
        inside &= c != ']';
        if !inside {
            out.push(c);
        }
        inside |= c == '[';
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::fields;
    use serde_json::json;

    const LIST: KeyedList = KeyedList {
        path: "backends",
        key: "group",
        canonical: str::to_lowercase,
    };

    fn flat(value: &Value) -> Fields {
        let mut flat = fields::flatten(value.as_object().unwrap());
        LIST.flatten(&mut flat);
        flat
    }

    #[test]
    fn entries_become_fields_by_key() {
        let flat = flat(
            &json!({"port": 1, "backends": [{"group": "A.b", "rate": 5}, {"rate": 1}, {"group": "c"}]}),
        );
        let names: Vec<_> = flat.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "backends[a.b].group",
                "backends[a.b].rate",
                "backends[c].group",
                "port"
            ]
        );
        assert_eq!(flat["backends[a.b].group"], "a.b");
        assert_eq!(generic("backends[a.b].rate"), "backends[].rate");
        assert_eq!(generic("port"), "port");
    }

    #[test]
    fn merging_keeps_what_nobody_declares() {
        let live = json!([{"group": "A", "rate": 5, "theirs": true}, {"group": "x"}]);
        let changes = flat(&json!({"backends": [{"group": "a", "rate": 6}, {"group": "n"}]}));
        let merged = LIST.merge(live.as_array().unwrap(), &changes).unwrap();
        assert_eq!(
            Value::from(merged),
            json!([{"group": "A", "rate": 6, "theirs": true}, {"group": "x"}, {"group": "n"}])
        );
        assert_eq!(LIST.merge(&[], &flat(&json!({"port": 1}))), None);
    }

    #[test]
    fn keys_are_no_part_of_a_generic_path() {
        let path = "containers[api].env[A.B].value";
        assert_eq!(generic(path), "containers[].env[].value");
        assert_eq!(generic("labels[a/b.c]"), "labels[]");
        assert_eq!(generic("a.b"), "a.b");
    }
}
