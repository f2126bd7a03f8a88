//! Requests as they came, for handlers and for assertions.

use super::answer::Refusal;
use axum::body::Body;
use http::{HeaderMap, Method, Request};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Mutex;

/// More than any manifest.
const LARGEST_BODY: usize = 3 << 20;

/// A request that was answered.
#[derive(Debug, Clone)]
pub struct Logged {
    pub method: String,
    pub path: String,
    pub query: BTreeMap<String, String>,
    pub agent: String,
    /// `Null` where there was none, or none that could be read.
    pub body: Value,
    pub status: u16,
}

#[derive(Default)]
pub(crate) struct Log(Mutex<Vec<Logged>>);

impl Log {
    pub fn note(&self, mut entry: Logged, status: u16) {
        entry.status = status;
        self.0.lock().unwrap().push(entry);
    }

    pub fn all(&self) -> Vec<Logged> {
        self.0.lock().unwrap().clone()
    }

    pub fn clear(&self) {
        self.0.lock().unwrap().clear();
    }
}

/// A request, read to its end.
pub(crate) struct Incoming {
    pub method: Method,
    pub path: String,
    pub query: BTreeMap<String, String>,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Incoming {
    pub async fn read(request: Request<Body>) -> Result<(Self, Logged), Refusal> {
        let (head, body) = request.into_parts();
        let body = axum::body::to_bytes(body, LARGEST_BODY).await;
        let body = body.map_err(|_| Refusal::too_large())?.to_vec();
        let query = head.uri.query().unwrap_or_default();
        let query = url::form_urlencoded::parse(query.as_bytes());
        let incoming = Incoming {
            method: head.method,
            path: head.uri.path().to_owned(),
            query: query.into_owned().collect(),
            headers: head.headers,
            body,
        };
        let entry = Logged {
            method: incoming.method.to_string(),
            path: incoming.path.clone(),
            query: incoming.query.clone(),
            agent: incoming.header("user-agent").to_owned(),
            body: incoming.object().unwrap_or_default(),
            status: 0,
        };
        Ok((incoming, entry))
    }

    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default()
    }

    pub fn asked(&self, parameter: &str) -> &str {
        self.query.get(parameter).map_or("", String::as_str)
    }

    pub fn is_asked(&self, parameter: &str) -> bool {
        matches!(self.asked(parameter), "true" | "1")
    }

    pub fn content_type(&self) -> &str {
        let value = self.header("content-type");
        value.split(';').next().unwrap_or_default().trim()
    }

    /// The body as JSON, or as YAML, of which JSON is a part.
    pub fn object(&self) -> Result<Value, Refusal> {
        if self.content_type() == "application/vnd.kubernetes.protobuf" {
            return Err(Refusal::media_type());
        }
        if self.body.is_empty() {
            return Ok(Value::Null);
        }
        if let Ok(value) = serde_json::from_slice(&self.body) {
            return Ok(value);
        }
        let text = std::str::from_utf8(&self.body).map_err(|e| Refusal::bad(&e.to_string()))?;
        serde_saphyr::from_str(text).map_err(|e| Refusal::bad(&e.to_string()))
    }
}
