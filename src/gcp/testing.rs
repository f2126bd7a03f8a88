//! A scripted network and fixed credentials, for the tests of this room.

use super::access::Access;
use super::auth::Auth;
use super::budget::{Budgets, Lane, Rate};
use super::client::{Client, Ports};
use super::clock::SystemClock;
use super::endpoint::{Api, Base, Endpoints};
use super::entropy::Entropy;
use super::http::{Http, TransportError};
use crate::core::error::Fault;
use crate::core::permit::{Authority, Tenure, WritePermit};
use ::http::{HeaderMap, HeaderValue, Request, Response, header};
use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use tokio::time::Instant;

/// What the scripted network does with one request.
pub enum Answer {
    Reply(Response<Bytes>),
    Fail(TransportError),
    Hang,
}

/// Answers requests in the order of its script and remembers them. Panics when the script is over.
#[derive(Default)]
pub struct Script {
    answers: Mutex<VecDeque<Answer>>,
    seen: Mutex<Vec<(Instant, Request<Bytes>)>>,
}

impl Script {
    pub fn new(answers: Vec<Answer>) -> Arc<Self> {
        Arc::new(Script {
            answers: Mutex::new(answers.into()),
            seen: Mutex::default(),
        })
    }

    /// `METHOD /path?query` of each request so far.
    pub fn lines(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        let line = |(_, request): &(Instant, Request<Bytes>)| {
            format!(
                "{} {}",
                request.method(),
                request.uri().path_and_query().unwrap()
            )
        };
        seen.iter().map(line).collect()
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<Request<Bytes>> {
        let seen = self.seen.lock().unwrap();
        seen.iter().map(|(_, request)| request.clone()).collect()
    }

    /// When each request came.
    pub fn times(&self) -> Vec<Instant> {
        let seen = self.seen.lock().unwrap();
        seen.iter().map(|(at, _)| *at).collect()
    }
}

#[async_trait]
impl Http for Script {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        self.seen.lock().unwrap().push((Instant::now(), request));
        let answer = self.answers.lock().unwrap().pop_front();
        match answer.expect("a request beyond the script") {
            Answer::Reply(reply) => Ok(reply),
            Answer::Fail(error) => Err(error),
            Answer::Hang => std::future::pending().await,
        }
    }
}

pub fn reply(status: u16, body: impl Into<Bytes>) -> Answer {
    let reply = Response::builder().status(status).body(body.into());
    Answer::Reply(reply.unwrap())
}

pub fn ok(body: &Value) -> Answer {
    reply(200, body.to_string())
}

pub fn refuse(status: u16, word: &str) -> Answer {
    let error = json!({"error": {"code": status, "status": word, "message": word}});
    reply(status, error.to_string())
}

pub fn refuse_for(status: u16, retry_after: &'static str) -> Answer {
    let reply = Response::builder()
        .status(status)
        .header(header::RETRY_AFTER, retry_after)
        .body(Bytes::new());
    Answer::Reply(reply.unwrap())
}

/// Gives fixed headers, or a fixed fault.
pub struct FixedAuth(pub Result<HeaderMap, Fault>);

impl FixedAuth {
    pub fn token() -> Arc<Self> {
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_static("Bearer canary-token");
        headers.insert(header::AUTHORIZATION, value);
        Arc::new(FixedAuth(Ok(headers)))
    }
}

#[async_trait]
impl Auth for FixedAuth {
    async fn headers(&self) -> Result<HeaderMap, Fault> {
        self.0.clone()
    }
}

/// A client of `script` with a wide budget and credentials, at 10:00:40.
pub fn client(script: &Arc<Script>) -> Client {
    let wide = Rate::new(1000.0, 1000);
    let budgets = Budgets::new().with(Api::VpcAccess, Lane::Read, wide).with(
        Api::VpcAccess,
        Lane::Write,
        wide,
    );
    client_with(script, budgets, loopback())
}

pub fn client_with(script: &Arc<Script>, budgets: Budgets, access: Access) -> Client {
    let http: Arc<dyn Http> = Arc::<Script>::clone(script);
    Client::new(Ports {
        http,
        access,
        budgets,
        entropy: Arc::new(Entropy::seeded(1)),
        clock: Arc::new(SystemClock::starting_at(
            "2026-11-23T10:00:40Z".parse().unwrap(),
        )),
    })
}

/// Credentials that go to this machine.
pub fn loopback() -> Access {
    let base = Base::parse("http://127.0.0.1:1").unwrap();
    Access::authenticated(Endpoints::all_at(base), FixedAuth::token())
}

pub fn permit() -> WritePermit {
    let authority = Authority {
        tenure: Tenure::Unlimited,
        apply: true,
        draining: false,
    };
    authority.permit(false, Timestamp::MIN).unwrap()
}
