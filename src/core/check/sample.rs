//! What probers bring: samples, or the reason why there are none.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// One value of one field. Times are in seconds, rates in Mbit/s, shares 0 to 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    Flag(bool),
    Number(f64),
    Word(String),
    /// It did not come: no connection, no answer in time. Longer than any time, and no expression
    /// holds for it.
    Never,
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        if number.is_finite() {
            Value::Number(number)
        } else {
            Value::Never
        }
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Value::Flag(flag)
    }
}

impl From<std::time::Duration> for Value {
    fn from(time: std::time::Duration) -> Self {
        Value::Number(time.as_secs_f64())
    }
}

impl From<&str> for Value {
    fn from(word: &str) -> Self {
        Value::Word(word.to_owned())
    }
}

/// One connection, request, answer, point or entry.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sample {
    pub values: BTreeMap<String, Value>,
    /// Why it is not ok.
    pub failure: Option<Failure>,
}

impl Sample {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With a value of a field.
    #[must_use]
    pub fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.values.insert(field.to_owned(), value.into());
        self
    }

    /// With the reason of its failure.
    #[must_use]
    pub fn failed(mut self, phase: &'static str, reason: impl Into<String>) -> Self {
        self.failure = Some(Failure {
            phase,
            reason: reason.into(),
        });
        self
    }
}

/// Why a sample is not ok: what the target did, and in which phase.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Failure {
    /// `dns`, `connect`, `tls`, `ttfb`, ...
    pub phase: &'static str,
    pub reason: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.phase, self.reason)
    }
}

/// A probe that could not be made. It says nothing about the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{fault}: {message}")]
pub struct ProberError {
    pub fault: ProberFault,
    /// What, and what to do; no secret.
    pub message: String,
}

impl ProberError {
    #[must_use]
    pub fn new(fault: ProberFault, message: impl Into<String>) -> Self {
        ProberError {
            fault,
            message: message.into(),
        }
    }
}

/// The kinds of failure of a prober.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ProberFault {
    /// A secret or a credential is missing or refused.
    Credentials,
    /// The check itself cannot be carried out as it is written.
    Invalid,
    /// This machine lacks something: sockets, a route, a name server, certificates to trust.
    Local,
    /// Google or the network between could not be asked.
    Unavailable,
    /// It took longer than a probe may.
    Overdue,
}

impl ProberFault {
    /// Word for metrics and messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ProberFault::Credentials => "credentials",
            ProberFault::Invalid => "invalid",
            ProberFault::Local => "local",
            ProberFault::Unavailable => "unavailable",
            ProberFault::Overdue => "overdue",
        }
    }
}

impl fmt::Display for ProberFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_survive_json() {
        for value in [
            Value::Number(0.25),
            Value::Flag(true),
            Value::Word("READY".into()),
            Value::Never,
        ] {
            let text = serde_json::to_string(&value).unwrap();
            assert_eq!(
                serde_json::from_str::<Value>(&text).unwrap(),
                value,
                "{text}"
            );
        }
        assert_eq!(Value::from(f64::INFINITY), Value::Never);
        assert_eq!(Value::from(f64::NAN), Value::Never);
    }
}
