//! What is wrong with an object, in the engine's words.

use crate::api::{AlertSeverity, DocumentKind};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// An object of the manifests, by kind and `metadata.name`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Object {
    pub kind: String,
    pub name: String,
}

impl Object {
    #[must_use]
    pub fn new(kind: DocumentKind, name: &str) -> Self {
        Object {
            kind: kind.as_str().to_owned(),
            name: name.to_owned(),
        }
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

/// What makes two troubles of an object the same. Another severity is another trouble: whoever
/// was told of a warning hears that it ended, and that something worse began.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Topic {
    /// Stable word, such as `VerifyFailed`.
    pub reason: String,
    /// The declared content that it is about; empty where it is about none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub digest: String,
    pub severity: AlertSeverity,
}

/// One thing that is wrong with an object now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Trouble {
    #[serde(flatten)]
    pub topic: Topic,
    /// The part of the system, such as `vpc_connector`.
    pub component: String,
    /// What, with the numbers. At most 1 KiB, and no secret.
    pub message: String,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remediation: Option<String>,
    /// Who to call when that does not help.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalation: Option<String>,
    /// Where to read more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    pub since: Timestamp,
    /// How long it must last before anybody is told: for what often passes by itself.
    #[serde(skip)]
    pub grace: Duration,
}

/// What is known of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sight {
    /// At most one for each topic.
    pub troubles: Vec<Trouble>,
    /// False: what is not listed may be there all the same, as the object cannot be judged. A
    /// trouble that was there before is taken to go on.
    pub complete: bool,
}

impl Sight {
    /// Nothing is wrong.
    #[must_use]
    pub fn well() -> Self {
        Sight {
            troubles: Vec::new(),
            complete: true,
        }
    }

    /// Nothing is known.
    #[must_use]
    pub fn unknown() -> Self {
        Sight::default()
    }
}
