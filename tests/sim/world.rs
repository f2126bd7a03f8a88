//! The world around the operator: GCP, true time, the die, the fuse that ends operators, and the
//! trace. It outlives every operator.

use super::content::Place;
use super::faults::{self, Rates};
use super::script::{Meddle, Script};
use super::trace::{Trace, What, key_of};
use bytes::Bytes;
use evenkeel::emulator::{Emulator, Handled, LogEntry, Options, Outcome, Quota, Scenario};
use evenkeel::gcp::clock::{Clock, SystemClock};
use evenkeel::journal::SqliteJournal;
use fastrand::Rng;
use http::Request;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

pub struct World {
    pub emulator: Emulator,
    clock: SystemClock,
    pub trace: Trace,
    pub disk: Arc<SqliteJournal>,
    rng: Mutex<Rng>,
    rates: Mutex<Rates>,
    wild: f64,
    /// Effects until the next crash.
    fuse: Mutex<Option<u32>>,
    /// Faults that happened, by name, but for the emulator's own.
    injected: Mutex<BTreeMap<String, u64>>,
    calls: Mutex<u64>,
    /// Requests of people that were made, and that were handled.
    requests: Mutex<(usize, usize)>,
    /// Rings when an operator died.
    pub died: Notify,
}

/// One operator's life. After its end nothing it does has an effect.
#[derive(Default)]
pub struct Life {
    over: AtomicBool,
}

impl Life {
    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    pub fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

impl World {
    /// Call inside a paused runtime.
    pub fn new(seed: u64, script: &Script) -> World {
        let start: Timestamp = "2026-11-23T10:00:00Z".parse().unwrap();
        let world = World {
            emulator: Emulator::new(Options {
                scenario: Scenario::Empty,
                seed,
                timing: script.timing.clone(),
            }),
            clock: SystemClock::starting_at(start),
            trace: Trace::default(),
            disk: Arc::new(SqliteJournal::in_memory().unwrap()),
            rng: Mutex::new(Rng::with_seed(seed ^ 0x000f_a017)),
            rates: Mutex::new(script.rates),
            wild: script.wild,
            fuse: Mutex::new(None),
            injected: Mutex::default(),
            calls: Mutex::new(0),
            requests: Mutex::default(),
            died: Notify::new(),
        };
        world.furnish(&script.fleet);
        world.new_weather();
        world.arm();
        world
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn note(&self, what: What) {
        self.trace.push(self.now(), what);
    }

    /// Rolls the die.
    pub fn rng<T>(&self, roll: impl FnOnce(&mut Rng) -> T) -> T {
        roll(&mut self.rng.lock().unwrap())
    }

    /// Whether a fault of this rate happens now; it is counted under its name.
    pub fn befalls(&self, name: &str, rate: impl Fn(&Rates) -> f64) -> bool {
        let rate = rate(&self.rates.lock().unwrap());
        let happens = rate > 0.0 && self.rng(|rng| rng.f64() < rate);
        if happens {
            self.count(name);
        }
        happens
    }

    pub fn count(&self, name: &str) {
        *self
            .injected
            .lock()
            .unwrap()
            .entry(name.to_owned())
            .or_default() += 1;
    }

    /// Every fault that happened, by name.
    pub fn injected(&self) -> BTreeMap<String, u64> {
        let mut all = self.injected.lock().unwrap().clone();
        all.extend(self.emulator.faults_fired());
        all
    }

    pub fn sets_clocks(&self) -> bool {
        self.rates.lock().unwrap().clock
    }

    /// Burns the fuse by one effect. False: the operator died right here.
    pub fn survives(&self, life: &Life, point: &'static str) -> bool {
        if life.is_over() {
            return false;
        }
        {
            let mut fuse = self.fuse.lock().unwrap();
            match fuse.as_mut() {
                None => return true,
                Some(0) => *fuse = None,
                Some(left) => {
                    *left -= 1;
                    return true;
                }
            }
        }
        self.kill(life, point);
        false
    }

    pub fn kill(&self, life: &Life, point: &'static str) {
        self.count(&format!("crash {point}"));
        self.note(What::Crash(point));
        life.end();
        self.died.notify_one();
    }

    /// Draws when the next crash is.
    pub fn arm(&self) {
        let most = self.rates.lock().unwrap().crash;
        let fuse = (most > 0).then(|| self.rng(|rng| rng.u32(..most)));
        *self.fuse.lock().unwrap() = fuse;
    }

    /// Books requests of people.
    pub fn requests(&self, asked: usize, handled: usize) {
        let mut requests = self.requests.lock().unwrap();
        *requests = (requests.0 + asked, requests.1 + handled);
    }

    pub fn requests_open(&self) -> bool {
        let requests = self.requests.lock().unwrap();
        requests.0 > requests.1
    }

    pub fn next_call(&self) -> u64 {
        let mut calls = self.calls.lock().unwrap();
        *calls += 1;
        *calls
    }

    /// GCP answers a request as of now; what it logged comes with it.
    pub fn serve(&self, request: &Request<Bytes>) -> (Handled, Option<LogEntry>) {
        let handled = self.emulator.handle(self.now(), request);
        let entry = self.emulator.requests().pop();
        self.forget_log();
        (handled, entry)
    }

    fn forget_log(&self) {
        let wipe = Request::delete("http://gcp/_emulator/requests");
        self.emulator
            .handle(self.now(), &wipe.body(Bytes::new()).unwrap());
    }

    pub fn truth(&self, place: &Place) -> Option<Value> {
        self.emulator.advance(self.now());
        let key = &place.key;
        self.emulator
            .connector(&key.project, &key.location, &key.name)
    }

    pub fn exists(&self, key: &evenkeel::api::Key) -> bool {
        self.emulator.advance(self.now());
        self.emulator
            .connector(&key.project, &key.location, &key.name)
            .is_some()
    }

    pub fn new_weather(&self) {
        let rules = self.rng(|rng| faults::rules(rng, self.wild));
        self.emulator.set_faults(rules);
        self.emulator.set_quota(Quota::default());
        self.note(What::Note("the weather changes".to_owned()));
    }

    pub fn outage(&self) {
        self.emulator.set_faults(faults::outage());
        self.note(What::Note("an outage begins".to_owned()));
    }

    pub fn low_quota(&self) {
        self.count("low quota");
        self.emulator.set_quota(Quota {
            reads_per_minute: 10,
            writes_per_minute: 1,
        });
        self.note(What::Note("10 reads and 1 write a minute".to_owned()));
    }

    /// No more faults.
    pub fn calm(&self) {
        self.emulator.set_faults(Vec::new());
        self.emulator.set_quota(Quota::default());
        *self.rates.lock().unwrap() = Rates::default();
        *self.fuse.lock().unwrap() = None;
        self.note(What::Calm);
    }

    /// Another writer acts. Does nothing where that is impossible now.
    pub fn meddle(&self, place: &Place, meddle: &Meddle) {
        let key = &place.key;
        let scope = format!(
            "projects/{}/locations/{}/connectors",
            key.project, key.location
        );
        let name = format!("{scope}/{}", key.name);
        let now = self.now();
        // Whatever the stranger was told, the log says what landed.
        let _ = match meddle {
            Meddle::Patch(fields) => self.emulator.foreign_patch(now, &name, fields).is_ok(),
            Meddle::Break => {
                let broken = json!({"state": "ERROR"});
                let ready = self.truth(place).is_some_and(|c| c["state"] == "READY");
                ready && self.emulator.foreign_patch(now, &name, &broken).is_ok()
            }
            Meddle::Delete => self.emulator.foreign_delete(now, &name).is_ok(),
            Meddle::Grow(size) => {
                let path = format!("{name}?updateMask=minInstances,maxInstances");
                self.call("PATCH", &path, size)
            }
            Meddle::Create(body) => {
                self.call("POST", &format!("{scope}?connectorId={}", key.name), body)
            }
        };
        let entry = self.emulator.requests().pop();
        self.forget_log();
        if let Some(entry) = entry.filter(|entry| entry.landed) {
            self.count("foreign writer");
            let (key, entry) = (key.clone(), Box::new(entry));
            self.note(What::Foreign { key, entry });
        }
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> bool {
        let request = Request::builder()
            .method(method)
            .uri(format!("http://gcp/v1/{path}"));
        let body = Bytes::from(body.to_string());
        let handled = self
            .emulator
            .handle(self.now(), &request.body(body).unwrap());
        matches!(handled.outcome, Outcome::Reply(reply) if reply.status().is_success())
    }

    /// Puts the connectors there that exist from the start.
    fn furnish(&self, fleet: &[Place]) {
        let mut snapshot = self.emulator.snapshot();
        for place in fleet {
            let Some((machine, min, max)) = place.exists else {
                continue;
            };
            let key = &place.key;
            let user = if place.used {
                "netra-user"
            } else {
                &key.project
            };
            let name = format!(
                "projects/{}/locations/{}/connectors/{}",
                key.project, key.location, key.name
            );
            let since = "2025-01-01T00:00:00Z";
            let record = format!("//vpcaccess.googleapis.com/{name}");
            snapshot["records"][&record] = json!([{
                "at": since, "hidden_until": since, "behind": 0,
                "record": {
                    "name": name, "network": "default", "ipCidrRange": place.range, "subnet": null,
                    "machineType": machine, "minInstances": min, "maxInstances": max,
                    "state": "READY", "connectedProjects": [user], "createTime": since,
                }
            }]);
        }
        self.emulator.restore(&snapshot).unwrap();
    }
}

/// The resource that a logged write is about.
pub fn key_in(entry: &LogEntry) -> Option<evenkeel::api::Key> {
    let create = url::form_urlencoded::parse(entry.query.as_bytes())
        .find(|(name, _)| name == "connectorId")
        .map(|(_, value)| value.into_owned());
    key_of(&entry.path, create.as_deref())
}
