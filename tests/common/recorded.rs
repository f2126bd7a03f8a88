//! The wire between an operator and GCP, with everything that passes held against Google's descriptions.

use async_trait::async_trait;
use bytes::Bytes;
use evenkeel::gcp::http::{Http, TransportError};
use http::{Request, Response};
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};

use super::wire::Exchange;
use super::wire::tally::Tally;

/// What went over the wire.
#[derive(Clone, Default)]
pub struct Wire(Arc<Watched>);

/// Complains when it goes, so that no test that looks at something else misses a request that Google would not
/// understand, or a reply that Google would not give.
#[derive(Default)]
struct Watched(Mutex<Tally>);

impl Wire {
    pub fn with<T>(&self, look: impl FnOnce(&mut Tally) -> T) -> T {
        look(&mut self.0.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let tally = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
            tally.assert([]);
        }
    }
}

pub struct Recorded {
    pub inner: Arc<dyn Http>,
    pub wire: Wire,
}

#[async_trait]
impl Http for Recorded {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let body = json_of(request.body());
        let reply = self.inner.send(request).await;
        let (status, answer) = match &reply {
            Ok(response) => (response.status().as_u16(), json_of(response.body())),
            Err(_) => (0, Value::Null),
        };
        let exchange = Exchange {
            method: method.as_str(),
            path: uri.path(),
            query: uri.query().unwrap_or_default(),
            body,
            status,
            reply: answer,
        };
        self.wire.with(|tally| match reply {
            Ok(_) => tally.add_strictly(&exchange),
            Err(_) => tally.add_unanswered(&exchange),
        });
        reply
    }
}

fn json_of(bytes: &Bytes) -> Value {
    if bytes.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(bytes).expect("JSON")
    }
}
