//! The wire between an operator and GCP: slow, lossy, and it outlives the operator: what has left
//! arrives, whoever is still there to hear the answer.

use super::kinds::object_of;
use super::trace::{Sent, What};
use super::world::{Life, World};
use async_trait::async_trait;
use bytes::Bytes;
use evenkeel::api::Key;
use evenkeel::core::record::Verb;
use evenkeel::emulator::{Handled, Outcome};
use evenkeel::gcp::http::{Http, TransportError};
use http::{Method, Request, Response};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

/// When a client gives up on a call, as the live one does.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long a request can be under way: the operator believes in 90 s from when it wrote the call
/// down, of which it may have waited 10 for leave to send.
const LATEST_MS: u64 = 75_000;

pub struct Wire {
    pub world: Arc<World>,
    pub life: Arc<Life>,
}

#[async_trait]
impl Http for Wire {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let write = request.method() != Method::GET;
        self.pass(write, "before a call").await;
        if self.world.befalls("no connection", |rates| rates.not_sent) {
            return Err(TransportError::NotSent("connection refused".to_owned()));
        }
        if !write && self.world.befalls("hanging read", |rates| rates.hang) {
            sleep(PATIENCE).await;
            return Err(TransportError::Lost("no reply in 60 s".to_owned()));
        }
        let left = write.then(|| self.left(&request));
        let call = left.as_ref().map_or(0, |(call, _)| *call);
        let arrival = self.travel(left, request);
        let Ok(Ok(handled)) = timeout(PATIENCE, arrival).await else {
            self.reply(write, call, "no reply in 60 s");
            return Err(TransportError::Lost("no reply in 60 s".to_owned()));
        };
        self.pass(write, "between a call and its reply").await;
        sleep(handled.delay).await;
        let (text, outcome) = match handled.outcome {
            Outcome::Reply(reply) => (reply.status().as_u16().to_string(), Ok(reply)),
            Outcome::Reset => {
                let lost = TransportError::Lost("connection reset".to_owned());
                ("connection reset".to_owned(), Err(lost))
            }
        };
        self.reply(write, call, &text);
        self.pass(write, "between a reply and the journal").await;
        outcome
    }
}

impl Wire {
    /// Goes on, or stands still for good: the operator is dead.
    async fn pass(&self, write: bool, point: &'static str) {
        let alive = if write {
            self.world.survives(&self.life, point)
        } else {
            !self.life.is_over()
        };
        if !alive {
            std::future::pending::<()>().await;
        }
    }

    fn left(&self, request: &Request<Bytes>) -> (u64, Key) {
        let call = self.world.next_call();
        let sent = self.sent(call, request);
        let key = sent.key.clone();
        self.world.note(What::Sent(sent));
        (call, key)
    }

    fn reply(&self, write: bool, call: u64, text: &str) {
        if write {
            let text = text.to_owned();
            self.world.note(What::Reply { call, text });
        }
    }

    /// Sends the request on its way.
    fn travel(
        &self,
        call: Option<(u64, Key)>,
        request: Request<Bytes>,
    ) -> oneshot::Receiver<Handled> {
        let late = call.is_some() && self.world.befalls("late landing", |rates| rates.late);
        let way = self.world.rng(|rng| {
            if late {
                rng.u64(60_500..LATEST_MS)
            } else {
                rng.u64(1..250)
            }
        });
        let (sender, receiver) = oneshot::channel();
        let world = Arc::clone(&self.world);
        tokio::task::spawn_local(async move {
            sleep(Duration::from_millis(way)).await;
            let handled = world.serve(&request, call);
            // Nobody may be listening any more.
            let _ = sender.send(handled);
        });
        receiver
    }

    fn sent(&self, call: u64, request: &Request<Bytes>) -> Sent {
        let text = request.uri().query().unwrap_or_default();
        let mask = url::form_urlencoded::parse(text.as_bytes())
            .find(|(key, _)| key == "updateMask")
            .map(|(_, value)| value.into_owned());
        let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        let method = request.method().as_str();
        let object = object_of(method, request.uri().path(), text, Some(&body)).unwrap();
        let fields = mask.as_deref().unwrap_or_default().split(',');
        Sent {
            call,
            key: self.world.whose(&object, &body).unwrap(),
            object,
            verb: match *request.method() {
                Method::POST => Verb::Create,
                Method::DELETE => Verb::Delete,
                _ => Verb::Patch,
            },
            mask: fields
                .filter(|field| !field.is_empty())
                .map(str::to_owned)
                .collect(),
            body,
        }
    }
}
