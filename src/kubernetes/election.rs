//! The election of a leader on a `Lease`: [`super::lease`] decides, this reads and writes.
//!
//! Invariant: [`Leadership::holds_until`] is never later than what the machine says; where it is
//! over, [`Leadership::lost`] is cancelled, and stays so.

use super::lease::{Bid, Machine, Seen, Step, Terms, Written};
use crate::gcp::entropy::Entropy;
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{Api, ObjectMeta, PostParams};
use kube::{Client, Error};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

/// Who runs for what.
#[derive(Debug, Clone)]
pub struct Candidate {
    pub namespace: String,
    /// Of the Lease.
    pub name: String,
    /// Of this process alone, also after a restart.
    pub identity: String,
    pub terms: Terms,
}

/// What a leader holds: until when, and a token that ends with it.
#[derive(Debug, Clone)]
pub struct Leadership {
    until: Arc<Mutex<Option<Instant>>>,
    lost: CancellationToken,
}

impl Leadership {
    /// Until when this process leads, if nothing else is heard; `None` where it is over.
    #[must_use]
    pub fn holds_until(&self) -> Option<Instant> {
        let until = *self.until.lock().unwrap_or_else(PoisonError::into_inner);
        until.filter(|until| Instant::now() < *until && !self.lost.is_cancelled())
    }

    /// Cancelled when this process no longer leads. It never does again.
    #[must_use]
    pub fn lost(&self) -> &CancellationToken {
        &self.lost
    }
}

/// A running election.
pub struct Election {
    won: watch::Receiver<bool>,
    leadership: Leadership,
    resign: CancellationToken,
    task: JoinHandle<()>,
}

impl Election {
    /// Starts running. Call inside the runtime.
    #[must_use]
    pub fn start(client: Client, candidate: &Candidate, entropy: Arc<Entropy>) -> Self {
        let (tell, won) = watch::channel(false);
        let leadership = Leadership {
            until: Arc::default(),
            lost: CancellationToken::new(),
        };
        let resign = CancellationToken::new();
        let runner = Runner {
            leases: Api::namespaced(client, &candidate.namespace),
            candidate: candidate.clone(),
            machine: Machine::new(&candidate.identity, candidate.terms),
            start: Instant::now(),
            entropy,
            acquired: None,
            leadership: leadership.clone(),
            tell,
            said: String::new(),
        };
        Election {
            won,
            leadership,
            task: tokio::spawn(runner.run(resign.clone())),
            resign,
        }
    }

    /// Waits until this process leads.
    pub async fn won(&mut self) -> Leadership {
        if self.won.wait_for(|won| *won).await.is_err() {
            // The task is gone: it leads no more.
            self.leadership.lost.cancel();
        }
        self.leadership.clone()
    }

    /// Lets others lead at once, where this process did.
    pub async fn resign(self) {
        self.resign.cancel();
        let _ = self.task.await;
    }
}

struct Runner {
    leases: Api<Lease>,
    candidate: Candidate,
    machine: Machine,
    start: Instant,
    entropy: Arc<Entropy>,
    /// `acquireTime`, of our own lead.
    acquired: Option<Timestamp>,
    leadership: Leadership,
    tell: watch::Sender<bool>,
    /// What was said last: once for each reason, not every two seconds.
    said: String,
}

impl Runner {
    async fn run(mut self, resign: CancellationToken) {
        loop {
            let until = self.publish();
            let ended = self.leadership.lost.is_cancelled();
            if ended || resign.is_cancelled() {
                break;
            }
            tokio::select! {
                biased;
                () = resign.cancelled() => break,
                () = passes(until) => {}
                () = self.step() => {}
            }
        }
        self.leave().await;
    }

    /// Tells until when it leads. Gives when that has to be looked at again.
    fn publish(&mut self) -> Option<Instant> {
        let until = self
            .machine
            .leads(self.now())
            .map(|until| self.start + until);
        let mut shown = self
            .leadership
            .until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let led = shown.is_some();
        *shown = until;
        drop(shown);
        if led && until.is_none() {
            let rival = self.machine.rival().unwrap_or("nobody");
            tracing::error!(lease = self.candidate.name, rival, "leads no more");
            self.leadership.lost.cancel();
        }
        if !led && until.is_some() {
            tracing::info!(lease = self.candidate.name, "leads");
            self.tell.send_replace(true);
        }
        until
    }

    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn jitter(&self) -> f64 {
        self.entropy.up_to(Duration::from_secs(1)).as_secs_f64()
    }

    /// One thing that the machine wants. Dropped in the middle where the lead ends meanwhile.
    async fn step(&mut self) {
        match self.machine.next(self.now()) {
            Step::Sleep(until) => sleep_until(self.start + until).await,
            Step::Read => {
                let outcome = self.read().await;
                let jitter = self.jitter();
                self.machine.read(self.now(), outcome, jitter);
                let rival = self
                    .machine
                    .rival()
                    .map(|rival| format!("{rival} leads; waiting"));
                if let Some(text) = rival {
                    self.say(text);
                }
            }
            Step::Write(bid) => {
                let sent = self.now();
                let outcome = self.write(&bid).await;
                let jitter = self.jitter();
                self.machine
                    .written(sent, self.now(), &bid, outcome, jitter);
            }
        }
    }

    fn say(&mut self, text: String) {
        if self.said != text {
            tracing::info!(lease = self.candidate.name, "{text}");
            self.said = text;
        }
    }

    /// Longest time a request may take: a leader gets a second try before its lead ends.
    fn patience(&self) -> Duration {
        self.candidate.terms.renew / 3
    }

    async fn read(&mut self) -> Result<Option<Seen>, ()> {
        let answer = timeout(self.patience(), self.leases.get_opt(&self.candidate.name)).await;
        match answer {
            Ok(Ok(lease)) => Ok(lease.map(seen)),
            Ok(Err(error)) => {
                self.say(format!("the Lease cannot be read: {error}"));
                Err(())
            }
            Err(_) => {
                self.say("the Lease cannot be read: no answer".into());
                Err(())
            }
        }
    }

    async fn write(&mut self, bid: &Bid) -> Written {
        let now = Timestamp::now();
        if bid.acquires || self.acquired.is_none() {
            self.acquired = Some(now);
        }
        let lease = self.lease(bid, now);
        let (by, name) = (PostParams::default(), self.candidate.name.clone());
        let leases = self.leases.clone();
        let answer = timeout(self.patience(), async {
            match &bid.version {
                None => leases.create(&by, &lease).await,
                Some(_) => leases.replace(&name, &by, &lease).await,
            }
        });
        match answer.await {
            Ok(Ok(lease)) => match lease.metadata.resource_version {
                Some(version) => Written::Done(version),
                None => Written::Unclear,
            },
            Ok(Err(Error::Api(status))) if [404, 409].contains(&status.code) => Written::Lost,
            Ok(Err(error)) => {
                self.say(format!("the Lease cannot be written: {error}"));
                Written::Unclear
            }
            Err(_) => {
                self.say("the Lease cannot be written: no answer".into());
                Written::Unclear
            }
        }
    }

    fn lease(&self, bid: &Bid, now: Timestamp) -> Lease {
        let lasts = self.candidate.terms.lease.as_secs_f64().ceil();
        Lease {
            metadata: ObjectMeta {
                name: Some(self.candidate.name.clone()),
                namespace: Some(self.candidate.namespace.clone()),
                resource_version: bid.version.clone(),
                ..ObjectMeta::default()
            },
            spec: Some(LeaseSpec {
                // Empty, as client-go has it: nobody.
                holder_identity: Some(bid.holder.clone().unwrap_or_default()),
                #[allow(clippy::cast_possible_truncation, reason = "seconds of a lease")]
                lease_duration_seconds: Some(lasts as i32),
                acquire_time: self.acquired.map(MicroTime),
                renew_time: Some(MicroTime(now)),
                lease_transitions: Some(bid.transitions),
                ..LeaseSpec::default()
            }),
        }
    }

    async fn leave(&mut self) {
        let ended = self.leadership.lost.is_cancelled();
        let last = self.machine.resign();
        *self
            .leadership
            .until
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = None;
        self.leadership.lost.cancel();
        // Whoever lost it has nothing to let go.
        if let Some(bid) = last.filter(|_| !ended) {
            self.write(&bid).await;
        }
    }
}

/// When a lead ends; never, where there is none.
async fn passes(until: Option<Instant>) {
    match until {
        Some(until) => sleep_until(until).await,
        None => std::future::pending().await,
    }
}

fn seen(lease: Lease) -> Seen {
    let spec = lease.spec.unwrap_or_default();
    let lasts = spec
        .lease_duration_seconds
        .and_then(|lasts| u64::try_from(lasts).ok());
    Seen {
        version: lease.metadata.resource_version.unwrap_or_default(),
        holder: spec.holder_identity,
        transitions: spec.lease_transitions.unwrap_or_default(),
        lease: lasts.map(Duration::from_secs),
    }
}
