//! How full the connectors are: readings of Cloud Monitoring, minute by minute, and what the core
//! makes of them. A failed reading leaves everything as it was.

use super::Engine;
use super::pass::later;
use super::ports::Shared;
use super::queue::Priority;
use crate::api::{Key, Kind, Saturation};
use crate::core::check::delay;
use crate::core::error::Fault;
use crate::core::observed::{Live, Present};
use crate::core::saturation::{Capacity, Minute, judge};
use crate::gcp::monitoring::{Points, Query};
use crate::kinds;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How far back a reading goes: long enough for a trend.
const SPAN: SignedDuration = SignedDuration::from_mins(30);
/// More points than a reduced series of that span has.
const POINTS: usize = 100;
/// Bytes a second to Mbit/s.
const MBPS: f64 = 8.0 / 1e6;

/// When each connector is read next, and how full it was.
#[derive(Default)]
pub(super) struct Loads {
    due: BTreeMap<Key, Timestamp>,
    running: BTreeSet<Key>,
    found: BTreeMap<Key, Arc<Saturation>>,
    /// What was said of a reading that failed: once, not each minute.
    said: BTreeMap<Key, String>,
}

/// A reading that came back.
pub(super) struct Reading {
    key: Key,
    minutes: Result<Vec<Minute>, Fault>,
    /// Who sends through it; `None`: that could not be read.
    senders: Option<Vec<String>>,
}

impl Loads {
    pub fn next_due(&self) -> Option<Timestamp> {
        let waiting = self
            .due
            .iter()
            .filter(|(key, _)| !self.running.contains(*key));
        waiting.map(|(_, due)| *due).min()
    }

    /// How full it was when it was last read; `None`: not read since the start.
    pub fn found(&self, key: &Key) -> Option<Arc<Saturation>> {
        self.found.get(key).cloned()
    }
}

impl Engine {
    /// Starts the readings that are due, of what is declared and there.
    pub(super) fn start_readings(&mut self, now: Timestamp) {
        let Some(every) = self.shared.settings.load else {
            return;
        };
        let there: Vec<Key> = self
            .wanted
            .keys()
            .filter(|key| self.carries(key))
            .cloned()
            .collect();
        self.loads.due.retain(|key, _| there.contains(key));
        self.loads.found.retain(|key, _| there.contains(key));
        self.loads.said.retain(|key, _| there.contains(key));
        for key in there {
            let due = self.loads.due.entry(key.clone()).or_insert(now);
            if *due > now || !self.loads.running.insert(key.clone()) {
                continue;
            }
            *due = later(now, every.mul_f64(0.9 + self.shared.jitter() / 5.0));
            let shared = Arc::clone(&self.shared);
            self.readings
                .push(Box::pin(async move { reading(&shared, key).await }));
        }
    }

    fn carries(&self, key: &Key) -> bool {
        self.present(key)
            .is_some_and(|present| capacity(key, present).is_some())
    }

    fn present(&self, key: &Key) -> Option<&Present> {
        match &self.memory.get(key)?.observed.live {
            Live::Present(present) => Some(present),
            Live::Absent | Live::Unknown(_) => None,
        }
    }

    /// A reading came back: a pass follows where it says something new.
    pub(super) fn loaded(&mut self, reading: Reading) {
        let Reading {
            key,
            minutes,
            senders,
        } = reading;
        self.loads.running.remove(&key);
        let minutes = match minutes {
            Ok(minutes) => minutes,
            Err(fault) => {
                let text = fault.to_string();
                if self.loads.said.get(&key) != Some(&text) {
                    tracing::warn!(%key, %fault, "how full it is cannot be read");
                    self.loads.said.insert(key, text);
                }
                return;
            }
        };
        self.loads.said.remove(&key);
        let now = self.shared.now();
        let Some(full) = self.judged(&key, &minutes, senders, now) else {
            return;
        };
        let known = self
            .memory
            .get(&key)
            .and_then(|memory| memory.record.status.saturation.as_deref());
        let news = known != Some(&full);
        self.loads.found.insert(key.clone(), Arc::new(full));
        if news {
            self.queue.push(&key, now, Priority::Progress);
        }
    }

    fn judged(
        &self,
        key: &Key,
        minutes: &[Minute],
        senders: Option<Vec<String>>,
        now: Timestamp,
    ) -> Option<Saturation> {
        let present = self.present(key)?;
        let capacity = capacity(key, present)?;
        let before = self.memory.get(key)?.record.status.saturation.as_deref();
        let shared_by = match (senders, before) {
            (Some(senders), _) => senders.into_iter().chain(present.users.clone()).collect(),
            (None, Some(before)) => before.shared_by.clone(),
            (None, None) => present.users.clone(),
        };
        judge(&capacity, minutes, &shared_by, before, now)
    }
}

fn capacity(key: &Key, present: &Present) -> Option<Capacity> {
    kinds::of(key.kind).capacity(present)
}

/// Asks Google. That nobody can say who sends does not hold up the numbers.
async fn reading(shared: &Shared, key: Key) -> Reading {
    let (minutes, senders) = futures::join!(read(shared, &key), senders(shared, &key));
    if let Err(fault) = &senders {
        tracing::debug!(%key, %fault, "who sends through it cannot be read");
    }
    Reading {
        minutes,
        senders: senders.ok().flatten(),
        key,
    }
}

/// The services of its region that name it; `None` where not all of them could be reached.
async fn senders(shared: &Shared, key: &Key) -> Result<Option<Vec<String>>, Fault> {
    let services = &shared.ports.services;
    let path = services
        .of(key.kind)
        .target(&key.project, &key.location, &key.name);
    let kind = Kind::RunService;
    let listing = services.of(kind).list(&key.project, &key.location).await?;
    if listing.unreachable {
        return Ok(None);
    }
    let sends = |raw: &Value| {
        let fields = kinds::of(kind).live(raw.clone()).fields;
        fields.values().any(|value| value.as_str() == Some(&*path))
    };
    let senders = listing.items.iter().filter(|raw| sends(raw));
    let names = senders.filter_map(|raw| raw["name"].as_str()?.rsplit('/').next());
    let mut names: Vec<_> = names.map(str::to_owned).collect();
    names.sort();
    Ok(Some(names))
}

/// The minutes of a connector, the oldest first.
async fn read(shared: &Shared, key: &Key) -> Result<Vec<Minute>, Fault> {
    let until = shared
        .now()
        .checked_sub(delay::METRIC)
        .unwrap_or(Timestamp::MIN);
    let query = |metric, aligner, reducer| points(shared, key, until, metric, aligner, reducer);
    let (sent, received, instances, cpu) = futures::try_join!(
        query("sent_bytes_count", "ALIGN_RATE", "REDUCE_SUM"),
        query("received_bytes_count", "ALIGN_RATE", "REDUCE_SUM"),
        query("instances", "ALIGN_MAX", "REDUCE_SUM"),
        query("cpu/utilizations", "ALIGN_PERCENTILE_99", "REDUCE_MAX"),
    )?;
    Ok(minutes(&sent, &received, &instances, &cpu))
}

async fn points(
    shared: &Shared,
    key: &Key,
    until: Timestamp,
    metric: &str,
    aligner: &str,
    reducer: &str,
) -> Result<Points, Fault> {
    let filter = format!(
        "metric.type = \"vpcaccess.googleapis.com/connector/{metric}\" AND \
         resource.type = \"vpc_access_connector\" AND \
         resource.label.connector_name = \"{}\" AND resource.label.location = \"{}\"",
        key.name, key.location
    );
    let query = Query {
        project: &key.project,
        filter: &filter,
        aligner,
        reducer: Some(reducer),
        group_by: &[],
        after: until.checked_sub(SPAN).unwrap_or(Timestamp::MIN),
        until,
        most: POINTS,
    };
    shared.ports.services.monitoring.points(&query).await
}

/// One row for each minute that has traffic in it. A part of the points would look like less
/// traffic: then there are none.
fn minutes(sent: &Points, received: &Points, instances: &Points, cpu: &Points) -> Vec<Minute> {
    if !sent.missing.is_empty() || !received.missing.is_empty() {
        return Vec::new();
    }
    let by_time = |points: &Points, factor: f64| -> BTreeMap<Timestamp, f64> {
        let numbers = points.points.iter().filter(|point| point.value.is_finite());
        numbers
            .map(|point| (point.end, point.value * factor))
            .collect()
    };
    let (sent, received) = (by_time(sent, MBPS), by_time(received, MBPS));
    let instances = by_time(instances, 1.0);
    // Shares are shown in percent, and come as either.
    let cpu = by_time(cpu, if cpu.unit == "%" { 0.01 } else { 1.0 });
    let times: BTreeSet<Timestamp> = sent.keys().chain(received.keys()).copied().collect();
    let of = |series: &BTreeMap<Timestamp, f64>, at| series.get(at).copied().unwrap_or_default();
    times
        .iter()
        .map(|at| Minute {
            at: *at,
            mbps: of(&sent, at).max(of(&received, at)),
            instances: instances.get(at).copied(),
            cpu: cpu.get(at).copied(),
        })
        .collect()
}
