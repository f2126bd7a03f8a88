//! The emulator behind the operator's own transport, with no socket between them.

use crate::emulator::{Emulator, Outcome};
use crate::gcp::clock::Clock;
use crate::gcp::http::{Http, TransportError};
use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use std::sync::Arc;

/// A transport that ends in an emulator of this process.
pub struct Embedded {
    pub emulator: Arc<Emulator>,
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl Http for Embedded {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let handled = self.emulator.handle(self.clock.now(), &request);
        tokio::time::sleep(handled.delay).await;
        match handled.outcome {
            Outcome::Reply(response) => Ok(response),
            Outcome::Reset => Err(TransportError::Lost("connection reset".to_owned())),
        }
    }
}
