//! Runtime intent: what a person asks of a running operator. Each token acts once and never edits
//! the spec.

use super::fields::Fields;
use crate::api::Subject;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Token {
    /// Unique and growing.
    pub id: String,
    pub about: Subject,
    pub at: Timestamp,
    pub ask: Ask,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Ask {
    /// Release the held content and try it again.
    Retry,
    /// Go ahead with the plan of this digest.
    Approve { plan: String },
    /// No writes until resumed.
    Pause,
    /// Write again; also goes on from a manual pause.
    Resume,
    /// Stop the rollout where it is, and hold its content.
    Abort,
    /// Go back to a saved revision, as far as fields go back, and hold the declared content.
    Undo {
        to: i64,
        fields: Fields,
        /// Why, where no person asked for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
}
