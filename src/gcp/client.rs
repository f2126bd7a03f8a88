//! One call to Google: budget, credentials, transport, verdict. Reads are repeated, writes never.
//!
//! Invariant: [`Client::write`] sends at most one request and needs a [`Proof`]; no header and no
//! body reaches a log.

use super::access::Access;
use super::budget::{Budgets, Lane, PATIENCE, Purse, Waits};
use super::clock::Clock;
use super::counts::{CallKind, Counts};
use super::endpoint::Api;
use super::entropy::Entropy;
use super::error::{Moment, Refusal, fault, from_reply, from_transport, unreadable};
use super::http::{Http, TransportError};
use crate::core::error::{Fault, FaultKind};
use crate::core::permit::{Durable, WritePermit};
use ::http::{Method, Request, Response, header};
use backon::{BackoffBuilder, ExponentialBuilder, Retryable};
use bytes::Bytes;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Most requests one read makes.
pub const READ_ATTEMPTS: usize = 5;
/// Longest time one read takes, waits included.
pub const READ_TOTAL: Duration = Duration::from_mins(1);
/// Longest time one attempt of a read takes; a hung connection leaves time for another.
pub const READ_ATTEMPT: Duration = Duration::from_secs(30);
/// The wait before the second attempt is uniform in 0..=this; it doubles up to [`PATIENCE`].
const FIRST_BACKOFF: Duration = Duration::from_millis(500);
/// Added to a wait that ends at a moment for everybody.
const CROWD_JITTER: Duration = Duration::from_secs(2);

/// What a write needs: leave to write, and evidence that the intent is on disk.
#[derive(Debug, Clone, Copy)]
pub struct Proof<'a> {
    permit: &'a WritePermit,
    intent: &'a Durable<'a>,
}

impl<'a> Proof<'a> {
    /// Both halves.
    #[must_use]
    pub fn new(permit: &'a WritePermit, intent: &'a Durable<'a>) -> Self {
        Proof { permit, intent }
    }
}

/// One call, spelled out.
#[derive(Debug, Clone)]
pub struct Call<'a> {
    pub api: Api,
    /// Whose quota the call draws on.
    pub project: &'a str,
    pub method: Method,
    /// Percent-encoded, without a leading `/`; see [`super::path`].
    pub path: &'a str,
    /// Plain text; encoded here.
    pub query: &'a [(&'a str, &'a str)],
    pub body: Option<&'a Value>,
}

/// What a client is made of.
pub struct Ports {
    pub http: Arc<dyn Http>,
    pub access: Access,
    pub budgets: Budgets,
    pub entropy: Arc<Entropy>,
    pub clock: Arc<dyn Clock>,
}

/// Talks to Google's REST APIs. Share one per process: budgets and counts live in it.
pub struct Client {
    ports: Ports,
    counts: Counts,
}

impl Client {
    #[must_use]
    pub fn new(ports: Ports) -> Self {
        Client {
            ports,
            counts: Counts::default(),
        }
    }

    /// GETs a JSON object. Transient failures are repeated with full-jitter exponential backoff: at
    /// most [`READ_ATTEMPTS`] requests and [`READ_TOTAL`]. Waits asked for by Google are honoured.
    ///
    /// # Errors
    /// The last failure. A wait longer than [`PATIENCE`] is not slept through: it comes back as
    /// `Throttled` with its length.
    pub async fn read(
        &self,
        api: Api,
        project: &str,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Value, Fault> {
        let call = Call {
            api,
            project,
            method: Method::GET,
            path,
            query,
            body: None,
        };
        self.repeated(&call).await
    }

    /// POSTs a question: for the methods that Google describes as reads and that take a body, such
    /// as `entries:list`. Repeated like [`Client::read`].
    ///
    /// # Errors
    /// As [`Client::read`].
    pub(super) async fn search(
        &self,
        api: Api,
        project: &str,
        path: &str,
        query: &[(&str, &str)],
        body: &Value,
    ) -> Result<Value, Fault> {
        let call = Call {
            api,
            project,
            method: Method::POST,
            path,
            query,
            body: Some(body),
        };
        self.repeated(&call).await
    }

    async fn repeated(&self, call: &Call<'_>) -> Result<Value, Fault> {
        let began = Instant::now();
        let attempts = (|| self.read_once(call))
            .retry(Schedule)
            .when(|refusal: &Refusal| refusal.again && refusal.fault.kind.is_transient())
            .adjust(|refusal: &Refusal, backoff: Option<Duration>| {
                self.next_wait(refusal, backoff?, began.elapsed())
            });
        match tokio::time::timeout(READ_TOTAL, attempts).await {
            Ok(outcome) => outcome.map_err(for_later),
            Err(_) => Err(no_answer(READ_TOTAL)),
        }
    }

    /// Makes a mutating call: one request, one answer, whatever the answer is.
    ///
    /// # Errors
    /// `Throttled` where nothing was carried out, `Unclear` where the call may have landed all the
    /// same, and all other kinds for a refusal. `Throttled` with a wait longer than [`PATIENCE`]
    /// can also come before anything is sent, from the budget; and so does one without a wait where
    /// the permit ran out while the call waited for its turn.
    pub async fn write(&self, proof: Proof<'_>, call: &Call<'_>) -> Result<Value, Fault> {
        // The id ties the call to its intent in the log.
        tracing::debug!(intent = proof.intent.intent().id, "write");
        self.attempt(call, Lane::Write, Some(proof.permit))
            .await
            .map_err(|refusal| refusal.fault)
    }

    /// Calls made so far, by API, method and code.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<CallKind, u64> {
        self.counts.snapshot()
    }

    /// What the budgets have cost so far.
    #[must_use]
    pub fn waits(&self) -> BTreeMap<(Api, Lane), Waits> {
        self.ports.budgets.waits()
    }

    async fn read_once(&self, call: &Call<'_>) -> Result<Value, Refusal> {
        tokio::time::timeout(READ_ATTEMPT, self.attempt(call, Lane::Read, None))
            .await
            .unwrap_or_else(|_| Err(Refusal::local(no_answer(READ_ATTEMPT))))
    }

    /// One request at most.
    async fn attempt(
        &self,
        call: &Call<'_>,
        lane: Lane,
        permit: Option<&WritePermit>,
    ) -> Result<Value, Refusal> {
        // An outage of the token service outlasts the backoff of a read: no repetition here.
        let request = self.request(call).await.map_err(Refusal::settled)?;
        let purse = Purse {
            project: call.project.to_owned(),
            api: call.api,
            lane,
        };
        if let Err(wait) = self.ports.budgets.acquire(&purse).await {
            return Err(over_budget(wait));
        }
        // A token and a budget may have taken long.
        if permit.is_some_and(|permit| !permit.is_good(self.ports.clock.now())) {
            return Err(no_leader());
        }
        let began = Instant::now();
        let outcome = self.ports.http.send(request).await;
        self.note(call, &outcome, began.elapsed());
        let verdict = self.judge(outcome);
        if let Err(Refusal {
            wait: Some(wait), ..
        }) = &verdict
        {
            self.ports.budgets.pause(&purse, *wait);
        }
        verdict
    }

    async fn request(&self, call: &Call<'_>) -> Result<Request<Bytes>, Fault> {
        let Access { endpoints, auth } = &self.ports.access;
        let broken = |why: String| fault(FaultKind::Invalid, 0, "BAD_REQUEST", &why);
        let url = endpoints
            .url(call.api, call.path, call.query)
            .map_err(|error| broken(error.to_string()))?;
        let headers = auth.headers().await?;
        if endpoints.is_google(call.api) && !headers.contains_key(header::AUTHORIZATION) {
            let text = "refusing to call Google without credentials";
            return Err(fault(FaultKind::Denied, 0, "NO_CREDENTIALS", text));
        }
        let body = call.body.map(Value::to_string).unwrap_or_default();
        let mut request = Request::builder()
            .method(call.method.clone())
            .uri(url.as_str())
            .body(Bytes::from(body))
            .map_err(|error| broken(error.to_string()))?;
        *request.headers_mut() = headers;
        let json = header::HeaderValue::from_static("application/json");
        if call.body.is_some() {
            request.headers_mut().insert(header::CONTENT_TYPE, json);
        }
        Ok(request)
    }

    fn note(
        &self,
        call: &Call<'_>,
        outcome: &Result<Response<Bytes>, TransportError>,
        took: Duration,
    ) {
        let status = outcome.as_ref().map_or(0, |reply| reply.status().as_u16());
        self.counts.add(call.api, &call.method, status);
        tracing::debug!(
            api = call.api.as_str(),
            method = call.method.as_str(),
            path = call.path,
            status,
            ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            "call"
        );
    }

    fn judge(&self, outcome: Result<Response<Bytes>, TransportError>) -> Result<Value, Refusal> {
        let reply = outcome.map_err(|error| from_transport(&error))?;
        if !reply.status().is_success() {
            let at = Moment {
                now: self.ports.clock.now(),
                jitter: self.ports.entropy.up_to(CROWD_JITTER),
            };
            return Err(from_reply(
                reply.status(),
                reply.headers(),
                reply.body(),
                at,
            ));
        }
        // Every method used here answers with an object; anything else came from somebody else.
        let Ok(value @ Value::Object(_)) = serde_json::from_slice(reply.body()) else {
            let text = "the reply is no JSON object: is this the API?";
            return Err(Refusal::local(unreadable(reply.status(), text)));
        };
        Ok(value)
    }

    /// The wait before the next attempt, or `None` to give up.
    fn next_wait(
        &self,
        refusal: &Refusal,
        backoff: Duration,
        elapsed: Duration,
    ) -> Option<Duration> {
        let jittered = self.ports.entropy.up_to(backoff);
        let wait = match refusal.wait {
            Some(asked) if asked > PATIENCE => return None,
            Some(asked) => asked.max(jittered),
            None => jittered,
        };
        (elapsed + wait < READ_TOTAL).then_some(wait)
    }
}

/// Doubling waits, before jitter.
struct Schedule;

impl BackoffBuilder for Schedule {
    type Backoff = backon::ExponentialBackoff;

    fn build(self) -> Self::Backoff {
        ExponentialBuilder::new()
            .with_min_delay(FIRST_BACKOFF)
            .with_max_delay(PATIENCE)
            .with_max_times(READ_ATTEMPTS - 1)
            .build()
    }
}

fn over_budget(wait: Duration) -> Refusal {
    let kind = FaultKind::Throttled { after: Some(wait) };
    let text = format!("the rate budget is used up for {:.0} s", wait.as_secs_f64());
    Refusal::settled(fault(kind, 0, "RATE_BUDGET", &text))
}

fn no_leader() -> Refusal {
    let kind = FaultKind::Throttled { after: None };
    let text = "not sent: this process may not lead any more";
    Refusal::settled(fault(kind, 0, "NO_LEASE", text))
}

/// A read that was told to come back later is `Throttled`, even by a 503: nothing can have landed.
fn for_later(refusal: Refusal) -> Fault {
    let Refusal {
        mut fault, wait, ..
    } = refusal;
    if wait.is_some() && fault.kind.is_transient() {
        fault.kind = FaultKind::Throttled { after: wait };
    }
    fault
}

fn no_answer(limit: Duration) -> Fault {
    let text = format!("no answer within {} s", limit.as_secs());
    fault(FaultKind::Unclear, 0, "NO_REPLY", &text)
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
