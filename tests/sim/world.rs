//! The world around the operator: GCP, true time, the die, the fuse that ends operators, and the
//! trace. It outlives every operator.

use super::faults::{self, Rates};
use super::kinds::{self, Call, Meddle, Place, Prop, managed_certificate, object_of};
use super::prober::{Nature, Temper};
use super::script::Script;
use super::trace::{Trace, What};
use bytes::Bytes;
use evenkeel::api::{Key, Kind};
use evenkeel::emulator::{Domain, Emulator, Handled, LogEntry, LogStatus, Options, Outcome};
use evenkeel::emulator::{Quota, Scenario, Timing};
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
    fleet: Vec<Place>,
    /// Every object as it was when it was last looked at; `None`: nobody looks.
    known: Mutex<Option<BTreeMap<String, Value>>>,
    domains: Mutex<BTreeMap<String, Domain>>,
    /// The records that people have put into the DNS.
    published: Mutex<BTreeMap<String, String>>,
    /// What checks measure.
    pub nature: Nature,
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
                timing: Timing::instant(),
            }),
            fleet: script.fleet.clone(),
            known: Mutex::default(),
            domains: Mutex::default(),
            published: Mutex::default(),
            nature: Nature::new(script.tempers.clone()),
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
        world.furnish(&script.props);
        world.emulator.set_timing(script.timing.clone());
        world.new_weather();
        world.arm();
        world
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Writes down what happens now, after everything in GCP that came before it.
    pub fn note(&self, what: What) {
        self.catch_up();
        self.trace.push(self.now(), what);
    }

    /// Brings GCP to the present, looking at every state in between.
    fn catch_up(&self) {
        if self.known.lock().unwrap().is_none() {
            return;
        }
        let now = self.now();
        while let Some(at) = self.emulator.next_due().filter(|at| *at <= now) {
            self.emulator.advance(at);
            self.look(at);
        }
    }

    /// Nothing comes about by itself any more but what is far away, such as a renewal.
    pub fn is_still(&self) -> bool {
        self.catch_up();
        let watched = self.known.lock().unwrap().is_some();
        let soon = self.now() + jiff::SignedDuration::from_hours(24);
        !watched || self.emulator.next_due().is_none_or(|at| at > soon)
    }

    /// Notes every object that is no longer as it was.
    fn look(&self, at: Timestamp) {
        self.publish();
        let mut known = self.known.lock().unwrap();
        let Some(known) = known.as_mut() else { return };
        let mut now: BTreeMap<_, _> = self.emulator.everything().into_iter().collect();
        now.retain(|name, _| is_watched(name));
        for (name, body) in &now {
            if known.get(name) != Some(body) {
                let (name, body) = (name.clone(), Some(body.clone()));
                self.trace.push(at, What::Became { name, body });
            }
        }
        for name in known.keys().filter(|name| !now.contains_key(*name)) {
            let (name, body) = (name.clone(), None);
            self.trace.push(at, What::Became { name, body });
        }
        *known = now;
    }

    /// People put the records that prove domains into the DNS.
    fn publish(&self) {
        let managed = |place: &Place| place.key.kind == Kind::ManagedCertificate;
        if !self.fleet.iter().any(managed) {
            return;
        }
        let records = managed_certificate::records(&self.emulator, &self.domains.lock().unwrap());
        let mut published = self.published.lock().unwrap();
        if *published != records {
            self.emulator.set_dns(records.clone());
            *published = records;
        }
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

    /// GCP answers a request of the operator, whose call, if it is one, has this number and key.
    pub fn serve(&self, request: &Request<Bytes>, call: Option<(u64, Key)>) -> Handled {
        self.catch_up();
        let busy = call.is_some() && self.emulator.is_busy(request.uri().path());
        let handled = self.emulator.handle(self.now(), request);
        let entry = self.emulator.requests().pop();
        self.forget_log();
        let Some(entry) = entry else { return handled };
        match call {
            Some((call, key)) => {
                let entry = Box::new(entry);
                self.note(What::Landed {
                    call,
                    key,
                    entry,
                    busy,
                });
                self.look(self.now());
            }
            None => self.note(read(entry)),
        }
        handled
    }

    /// The resource that an object belongs to: its own, or that of the one who just wrote a change
    /// of it down.
    pub fn whose(&self, object: &str, body: &Value) -> Option<Key> {
        let owns = |place: &&Place| kinds::of(place.key.kind).owns(&place.key, object);
        let place = self.fleet.iter().find(owns);
        let own = place.map(|place| place.key.clone());
        own.or_else(|| self.trace.author(object, body))
    }

    fn forget_log(&self) {
        let wipe = Request::delete("http://gcp/_emulator/requests");
        self.emulator
            .handle(self.now(), &wipe.body(Bytes::new()).unwrap());
    }

    pub fn truth(&self, key: &Key) -> Option<Value> {
        self.catch_up();
        self.emulator.advance(self.now());
        kinds::of(key.kind).truth(&self.emulator, key)
    }

    pub fn new_weather(&self) {
        let all = self.fleet.iter().any(is_more_than_a_connector);
        let rules = self.rng(|rng| faults::rules(rng, self.wild, all));
        self.emulator.set_faults(rules);
        self.emulator.set_quota(Quota::default());
        self.note(What::Note("the weather changes".to_owned()));
    }

    /// What a check measures is something else from now on.
    pub fn turn(&self, check: String, temper: Temper) {
        self.note(What::Note(format!(
            "{check} measures {:?} now",
            temper.truth
        )));
        self.count("another truth");
        self.nature.turn(check, temper);
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
        self.set_domains(BTreeMap::new());
        *self.rates.lock().unwrap() = Rates::default();
        *self.fuse.lock().unwrap() = None;
        self.nature.calm();
        self.note(What::Calm);
    }

    fn set_domains(&self, domains: BTreeMap<String, Domain>) {
        self.catch_up();
        self.emulator.advance(self.now());
        *self.domains.lock().unwrap() = domains.clone();
        self.emulator.set_domains(domains);
        self.look(self.now());
    }

    /// Another writer acts. Does nothing where that is impossible now.
    pub fn meddle(&self, place: &Place, meddle: &Meddle) {
        self.catch_up();
        let kind = kinds::of(place.key.kind);
        let name = kind.name(&place.key);
        let now = self.now();
        // Whatever the stranger was told, the log says what landed.
        let _ = match meddle {
            Meddle::Patch(fields) => self.emulator.foreign_patch(now, &name, fields).is_ok(),
            Meddle::Break => {
                let broken = json!({"state": "ERROR"});
                let ready = self
                    .truth(&place.key)
                    .is_some_and(|c| c["state"] == "READY");
                ready && self.emulator.foreign_patch(now, &name, &broken).is_ok()
            }
            Meddle::Delete => self.emulator.foreign_delete(now, &name).is_ok(),
            Meddle::Deed(deed) => {
                let truth = self.truth(&place.key);
                let call = kind.deed(place, deed, truth.as_ref());
                call.is_some_and(|call| self.call(now, &call))
            }
            Meddle::Domain(domain, fate) => {
                let mut domains = self.domains.lock().unwrap().clone();
                domains.insert(domain.clone(), *fate);
                self.note(What::Note(format!("{domain} is {fate:?} now")));
                self.count("domain");
                self.set_domains(domains);
                true
            }
        };
        let entry = self.emulator.requests().pop();
        self.forget_log();
        if let Some(entry) = entry.filter(|entry| entry.landed) {
            self.count("foreign writer");
            let (key, entry) = (place.key.clone(), Box::new(entry));
            self.note(What::Foreign { key, entry });
            self.look(now);
        }
    }

    fn call(&self, now: Timestamp, call: &Call) -> bool {
        let request = Request::builder()
            .method(call.method)
            .uri(format!("http://gcp{}", call.path));
        let body = match &call.body {
            Value::Null => Bytes::new(),
            body => Bytes::from(body.to_string()),
        };
        let handled = self.emulator.handle(now, &request.body(body).unwrap());
        matches!(handled.outcome, Outcome::Reply(reply) if reply.status().is_success())
    }

    /// Puts everything there that exists from the start.
    fn furnish(&self, props: &[Prop]) {
        let mut snapshot = self.emulator.snapshot();
        let since = "2025-01-01T00:00:00Z";
        for prop in props {
            if let Prop::Record(name, record) = prop {
                snapshot["records"][name] = json!([{
                    "at": since, "hidden_until": since, "behind": 0, "record": record,
                }]);
            }
        }
        self.emulator.restore(&snapshot).unwrap();
        let mut at: Timestamp = "2026-11-20T00:00:00Z".parse().unwrap();
        for prop in props {
            let Prop::Made(call) = prop else { continue };
            assert!(self.call(at, call), "{call:?}");
            at += jiff::SignedDuration::from_mins(1);
            self.emulator.advance(at);
            self.publish();
        }
        self.forget_log();
        if self.fleet.iter().any(is_more_than_a_connector) {
            *self.known.lock().unwrap() = Some(BTreeMap::new());
            self.look(at);
        }
    }
}

fn is_more_than_a_connector(place: &Place) -> bool {
    place.key.kind != Kind::VpcAccessConnector
}

/// The log of a connector's requests tells everything; operations and revisions are of no interest.
fn is_watched(name: &str) -> bool {
    let services = [
        "//compute.",
        "//run.",
        "//sqladmin.",
        "//certificatemanager.",
    ];
    services.iter().any(|service| name.starts_with(service)) && !name.contains("/revisions/")
}

fn read(entry: LogEntry) -> What {
    What::Read {
        status: match entry.status {
            LogStatus::Code(code) => code.to_string(),
            LogStatus::Word(_) => "reset".to_owned(),
        },
        path: entry.path,
        faults: entry.faults,
    }
}

/// The name of the object that a logged write is about.
pub fn object_in(entry: &LogEntry) -> Option<String> {
    object_of(
        &entry.method,
        &entry.path,
        &entry.query,
        entry.body.as_ref(),
    )
}
