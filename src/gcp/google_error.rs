//! Reading Google's error replies: two envelopes, and whatever a proxy sends instead.
//!
//! Compute and Cloud SQL: `{error:{code,message,errors:[{reason,domain}],details}}`. The others:
//! `{error:{code,message,status,details:[]}}` (google.rpc.Status with `ErrorInfo`, `RetryInfo`).
//! One tolerant reader takes both: nothing is required to be present.

use serde_json::Value;
use std::time::Duration;

/// What an error reply says, before anybody judges it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GoogleError {
    /// `error.status`, such as `FAILED_PRECONDITION`; empty in the older envelope.
    pub status: String,
    /// `error.errors[].reason`, the `reason` of every detail and the `type` of every violated
    /// precondition, such as `rateLimitExceeded`.
    pub reasons: Vec<String>,
    /// As Google wrote it: neither redacted nor bounded yet.
    pub message: String,
    /// `RetryInfo.retryDelay`.
    pub retry_delay: Option<Duration>,
}

/// Longest body that is looked at when it is no JSON.
const TEXT_LIMIT: usize = 4096;

impl GoogleError {
    /// Reads the body of an error reply. Never fails: an unreadable body becomes the message.
    #[must_use]
    pub fn from_body(body: &[u8]) -> Self {
        match serde_json::from_slice::<Value>(body) {
            // Streaming methods wrap their error in an array.
            Ok(Value::Array(items)) => items.first().map(Self::from_value).unwrap_or_default(),
            Ok(value) => Self::from_value(&value),
            Err(_) => GoogleError {
                message: plain_text(body),
                ..Self::default()
            },
        }
    }

    fn from_value(value: &Value) -> Self {
        match &value["error"] {
            Value::Object(_) => Self::from_status(&value["error"]),
            // OAuth style: {"error": "invalid_grant", "error_description": "..."}.
            Value::String(code) => GoogleError {
                status: code.clone(),
                message: text(&value["error_description"]),
                ..Self::default()
            },
            _ => Self::default(),
        }
    }

    /// Reads a google.rpc.Status, as in an error envelope or in a failed operation.
    #[must_use]
    pub fn from_status(error: &Value) -> Self {
        let items = |key: &str| error[key].as_array().map_or(&[][..], Vec::as_slice);
        let reasons = items("errors").iter().chain(items("details"));
        let reasons = reasons.filter_map(|item| item["reason"].as_str());
        let violations = items("details")
            .iter()
            .filter_map(|detail| detail["violations"].as_array());
        let violated = violations
            .flatten()
            .filter_map(|violation| violation["type"].as_str());
        GoogleError {
            status: text(&error["status"]),
            reasons: reasons.chain(violated).map(str::to_owned).collect(),
            message: text(&error["message"]),
            retry_delay: items("details")
                .iter()
                .find_map(|detail| seconds(detail["retryDelay"].as_str()?)),
        }
    }

    /// Google's word for the error: the first reason, else the status.
    #[must_use]
    pub fn word(&self) -> &str {
        let first = self.reasons.first().map_or("", String::as_str);
        if self.status.is_empty() {
            first
        } else {
            &self.status
        }
    }

    /// True where one of the words is the status or a reason. `RATE_LIMIT_EXCEEDED` and
    /// `rateLimitExceeded` are one word.
    #[must_use]
    pub fn says(&self, words: &[&str]) -> bool {
        let flat = |word: &str| word.replace('_', "").to_ascii_lowercase();
        let said = self.reasons.iter().chain(std::iter::once(&self.status));
        said.map(|word| flat(word))
            .any(|said| words.iter().any(|word| flat(word) == said))
    }

    /// True where the message holds one of the phrases, whatever the case.
    #[must_use]
    pub fn mentions(&self, phrases: &[&str]) -> bool {
        let message = self.message.to_ascii_lowercase();
        phrases
            .iter()
            .any(|phrase| message.contains(&phrase.to_ascii_lowercase()))
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A protobuf duration in JSON: `"30s"`, `"1.5s"`.
fn seconds(text: &str) -> Option<Duration> {
    let seconds: f64 = text.strip_suffix('s')?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// The words of an HTML or text body, tags and runs of blanks left out.
fn plain_text(body: &[u8]) -> String {
    let body = String::from_utf8_lossy(&body[..body.len().min(TEXT_LIMIT)]);
    let mut out = String::new();
    let mut in_tag = false;
    for c in body.chars() {
        match c {
            '<' => {
                in_tag = true;
                out.push(' ');
            }
            '>' => in_tag = false,
            _ if in_tag => {}
            _ => out.push(c),
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: &Value) -> GoogleError {
        GoogleError::from_body(value.to_string().as_bytes())
    }

    #[test]
    fn both_envelopes() {
        let new = read(
            &json!({"error": {"code": 429, "message": "m", "status": "RESOURCE_EXHAUSTED",
            "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "RATE_LIMIT_EXCEEDED"},
                        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1.5s"}]}}),
        );
        assert_eq!(new.word(), "RESOURCE_EXHAUSTED");
        assert!(new.says(&["rateLimitExceeded"]));
        assert_eq!(new.retry_delay, Some(Duration::from_millis(1500)));

        let old = read(&json!({"error": {"code": 409, "message": "M is here",
            "errors": [{"reason": "alreadyExists", "domain": "global"}]}}));
        assert_eq!(old.word(), "alreadyExists");
        assert!(old.says(&["ALREADY_EXISTS"]));
        assert!(old.mentions(&["m IS"]));
        assert!(!old.says(&["exists"]));
    }

    #[test]
    fn anything_else() {
        let html =
            GoogleError::from_body(b"<html><title>Error 404</title>\n <p>Not <b>Found</b></html>");
        assert_eq!(html.message, "Error 404 Not Found");
        assert_eq!(GoogleError::from_body(b""), GoogleError::default());
        assert_eq!(GoogleError::from_body(b"null"), GoogleError::default());
        assert_eq!(GoogleError::from_body(b"[]"), GoogleError::default());
        assert_eq!(
            GoogleError::from_body(b"\xff\xfe").message,
            "\u{fffd}\u{fffd}"
        );
        let oauth = read(&json!({"error": "invalid_grant", "error_description": "Bad"}));
        assert_eq!(
            (oauth.word(), oauth.message.as_str()),
            ("invalid_grant", "Bad")
        );
        let wrong = read(
            &json!({"error": {"code": "x", "errors": 1, "details": [1, {"retryDelay": "-1s"}]}}),
        );
        assert_eq!(wrong, GoogleError::default());
        let array = read(&json!([{"error": {"status": "ABORTED"}}]));
        assert_eq!(array.word(), "ABORTED");
    }
}
