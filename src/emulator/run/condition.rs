//! The state of a service or a revision, in the words of `google.cloud.run.v2.Condition`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum State {
    #[default]
    Reconciling,
    Succeeded,
    Failed,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Condition {
    pub state: State,
    pub message: String,
    pub at: Timestamp,
}

impl Condition {
    pub fn reconciling(at: Timestamp) -> Self {
        Self::new(State::Reconciling, at, "")
    }

    pub fn succeeded(at: Timestamp) -> Self {
        Self::new(State::Succeeded, at, "")
    }

    pub fn failed(at: Timestamp, message: &str) -> Self {
        Self::new(State::Failed, at, message)
    }

    fn new(state: State, at: Timestamp, message: &str) -> Self {
        Self {
            state,
            message: message.to_owned(),
            at,
        }
    }

    pub fn is_reconciling(&self) -> bool {
        self.state == State::Reconciling
    }

    pub fn is_failed(&self) -> bool {
        self.state == State::Failed
    }

    pub fn body(&self, kind: &str) -> Value {
        let state = match self.state {
            State::Reconciling => "CONDITION_RECONCILING",
            State::Succeeded => "CONDITION_SUCCEEDED",
            State::Failed => "CONDITION_FAILED",
        };
        let mut body = json!({
            "type": kind,
            "state": state,
            "lastTransitionTime": self.at.to_string(),
        });
        if self.is_failed() {
            body["message"] = json!(self.message);
            body["severity"] = json!("ERROR");
            body["reason"] = json!("REVISION_FAILED");
        }
        body
    }

    /// `True`, `False` or `Unknown`, as Knative says it.
    pub fn knative(&self) -> &'static str {
        match self.state {
            State::Reconciling => "Unknown",
            State::Succeeded => "True",
            State::Failed => "False",
        }
    }
}
