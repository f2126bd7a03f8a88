//! Which checks a change must pass.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;

/// One entry of `verify`: the name of a Check, or `{check: NAME, mode: MODE}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verify {
    /// `metadata.name` of the Check.
    pub check: String,
    pub mode: VerifyMode,
}

/// What the verdict of a check leads to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum VerifyMode {
    /// It must pass, judged against what it was before.
    #[default]
    Gate,
    /// It is reported, and stops nothing.
    Report,
    /// It must have a first verdict, of any colour. For phases that only look.
    Baseline,
}

impl VerifyMode {
    /// Every mode.
    pub const ALL: [VerifyMode; 3] = [VerifyMode::Gate, VerifyMode::Report, VerifyMode::Baseline];

    /// The word in `mode:`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            VerifyMode::Gate => "Gate",
            VerifyMode::Report => "Report",
            VerifyMode::Baseline => "Baseline",
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Name(String),
    Entry(Entry),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    check: String,
    #[serde(default)]
    mode: VerifyMode,
}

impl<'de> Deserialize<'de> for Verify {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entry = match Written::deserialize(deserializer)? {
            Written::Name(check) => Entry {
                check,
                mode: VerifyMode::Gate,
            },
            Written::Entry(entry) => entry,
        };
        Ok(Verify {
            check: entry.check,
            mode: entry.mode,
        })
    }
}

impl Serialize for Verify {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written = match self.mode {
            VerifyMode::Gate => Written::Name(self.check.clone()),
            mode => Written::Entry(Entry {
                check: self.check.clone(),
                mode,
            }),
        };
        written.serialize(serializer)
    }
}

impl JsonSchema for Verify {
    fn schema_name() -> Cow<'static, str> {
        "Verify".into()
    }

    fn inline_schema() -> bool {
        true
    }

    /// A structural schema has no "text or mapping"; `evenkeel validate` looks closer.
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "The name of a Check, or {check: NAME, mode: Gate | Report | Baseline}.",
            "x-kubernetes-preserve-unknown-fields": true
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn both_forms_are_read_and_the_shorter_one_is_written() {
        for (written, check, mode, again) in [
            (json!("a"), "a", VerifyMode::Gate, json!("a")),
            (json!({"check": "a"}), "a", VerifyMode::Gate, json!("a")),
            (
                json!({"check": "a", "mode": "Report"}),
                "a",
                VerifyMode::Report,
                json!({"check": "a", "mode": "Report"}),
            ),
        ] {
            let verify: Verify = serde_json::from_value(written).unwrap();
            assert_eq!((verify.check.as_str(), verify.mode), (check, mode));
            assert_eq!(serde_json::to_value(&verify).unwrap(), again);
        }
        for wrong in [
            json!(1),
            json!({"check": "a", "mode": "gate"}),
            json!({"name": "a"}),
        ] {
            assert!(serde_json::from_value::<Verify>(wrong).is_err());
        }
    }
}
