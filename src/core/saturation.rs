//! How full a connector is, and whether to say so: a pure judgement of what was measured.
//!
//! The numbers are minutes old when they come, and jump from minute to minute. So the middle of the
//! last minutes counts, what is said holds until there is clearly more room again, and the numbers
//! that are shown move in steps.

use crate::api::Reason;
use crate::api::saturation::{Saturation, SaturationLevel};
use jiff::{SignedDuration, Timestamp};

/// From here on it is said. The remediation plans that evenkeel runs scale at 80 %.
const NEAR: f64 = 0.80;
/// From here on it is critical.
const AT: f64 = 0.95;
/// How far a value must fall below its threshold before it counts as over.
const SLACK: f64 = 0.10;
/// Numbers that are shown move when they differ by more than this share of the limit.
const NOISE: f64 = 0.05;
/// Minutes whose middle counts.
const RECENT: usize = 5;
/// Fewest minutes that make a trend.
const TREND: usize = 10;
/// A trend counts where it explains at least this much of what is seen.
const FIT: f64 = 0.5;
/// It is said that it fills up when it will be full within this time, from half full on.
const SOON: SignedDuration = SignedDuration::from_hours(1);
const HALF: f64 = 0.5;
/// Names in a message.
const NAMES: usize = 8;
/// Older minutes say nothing about now.
const STALE: SignedDuration = SignedDuration::from_mins(30);

/// What a connector can carry, and what would help when that is not enough.
#[derive(Debug, Clone, PartialEq)]
pub struct Capacity {
    pub machine_type: String,
    /// Mbit/s of one instance.
    pub each: f64,
    pub max_instances: u32,
    /// The easiest first.
    pub ways_out: Vec<String>,
}

impl Capacity {
    /// Mbit/s of as many instances as it may have.
    #[must_use]
    pub fn limit(&self) -> f64 {
        self.each * f64::from(self.max_instances)
    }
}

/// What was measured in one minute.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Minute {
    /// Its end.
    pub at: Timestamp,
    /// Mbit/s of the busier direction. Google does not say whether what an instance carries is
    /// meant for each direction; the sum of both would cry out at half of that.
    pub mbps: f64,
    pub instances: Option<f64>,
    /// The 99th percentile over the instances, from 0 to 1.
    pub cpu: Option<f64>,
}

/// How full it is now. `minutes`: the oldest first; `before`: what was said last.
///
/// `None` where the newest minute is too old to say anything.
#[must_use]
pub fn judge(
    capacity: &Capacity,
    minutes: &[Minute],
    shared_by: &[String],
    before: Option<&Saturation>,
    now: Timestamp,
) -> Option<Saturation> {
    let last = minutes.last()?;
    if now.duration_since(last.at) > STALE || capacity.limit() <= 0.0 {
        return None;
    }
    let recent = &minutes[minutes.len().saturating_sub(RECENT)..];
    let used = middle(recent.iter().map(|minute| minute.mbps))?;
    let cpu = middle(recent.iter().filter_map(|minute| minute.cpu));
    let instances = recent.iter().rev().find_map(|minute| minute.instances);
    let instances = instances.map(whole);
    let full_at = full_at(minutes, used, capacity.limit());
    let was = before.map_or(SaturationLevel::Room, |before| before.level);
    let fresh = Saturation {
        at: last.at,
        level: level(
            was,
            &Load {
                share: used / capacity.limit(),
                cpu: cpu.filter(|_| is_grown(instances, capacity)),
                soon: full_at.is_some_and(|at| at.duration_since(now) < SOON),
            },
        ),
        used_mbps: round(used),
        limit_mbps: round(capacity.limit()),
        cpu: cpu.map(round),
        instances,
        max_instances: capacity.max_instances,
        machine_type: capacity.machine_type.clone(),
        shared_by: shared_by.to_vec(),
        full_at,
        ways_out: capacity.ways_out.clone(),
    };
    Some(steady(fresh, before))
}

/// While it may still have more instances, GCP answers a busy CPU by itself.
fn is_grown(instances: Option<u32>, capacity: &Capacity) -> bool {
    instances.is_none_or(|instances| instances >= capacity.max_instances)
}

struct Load {
    /// Of the traffic that it can carry.
    share: f64,
    /// Where no instance can be added.
    cpu: Option<f64>,
    soon: bool,
}

fn level(was: SaturationLevel, load: &Load) -> SaturationLevel {
    let busiest = load.cpu.map_or(load.share, |cpu| cpu.max(load.share));
    let above = |threshold: f64, of: SaturationLevel| {
        let slack = if was >= of { SLACK } else { 0.0 };
        busiest >= threshold - slack
    };
    if above(AT, SaturationLevel::AtCapacity) {
        SaturationLevel::AtCapacity
    } else if above(NEAR, SaturationLevel::NearCapacity) {
        SaturationLevel::NearCapacity
    } else if load.soon && load.share >= HALF {
        SaturationLevel::FillingUp
    } else {
        SaturationLevel::Room
    }
}

/// When the traffic reaches the limit on a straight line through the minutes. `None` where it does
/// not grow, or jumps too much to tell.
fn full_at(minutes: &[Minute], used: f64, limit: f64) -> Option<Timestamp> {
    let (first, last) = (minutes.first()?, minutes.last()?);
    if minutes.len() < TREND || used >= limit {
        return None;
    }
    let points: Vec<_> = minutes
        .iter()
        .map(|minute| {
            (
                minute.at.duration_since(first.at).as_secs_f64(),
                minute.mbps,
            )
        })
        .collect();
    let slope = slope(&points)?;
    let left = SignedDuration::try_from_secs_f64((limit - used) / slope).ok()?;
    // Whole minutes: what is further away than a day is no trend.
    let left = SignedDuration::from_mins(left.as_mins());
    (left < SignedDuration::from_hours(24))
        .then(|| last.at.checked_add(left).ok())
        .flatten()
}

/// Mbit/s a second, by least squares, where it grows and the line fits.
fn slope(points: &[(f64, f64)]) -> Option<f64> {
    let count = f64::from(u32::try_from(points.len()).ok()?);
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let sum = |of: &dyn Fn(f64, f64) -> f64| -> f64 {
        points
            .iter()
            .map(|point| of(point.0 - x, point.1 - y))
            .sum()
    };
    let (xx, yy, xy) = (sum(&|a, _| a * a), sum(&|_, b| b * b), sum(&|a, b| a * b));
    let fits = xx > 0.0 && yy > 0.0 && xy * xy / (xx * yy) >= FIT;
    (fits && xy > 0.0).then(|| xy / xx)
}

/// The numbers of before, where they are about the same: a no-op changes nothing in status.
fn steady(fresh: Saturation, before: Option<&Saturation>) -> Saturation {
    let Some(before) = before else { return fresh };
    let near = |one: f64, other: f64, of: f64| (one - other).abs() <= NOISE * of;
    let cpu = match (fresh.cpu, before.cpu) {
        (Some(one), Some(other)) => near(one, other, 1.0),
        (one, other) => one.is_none() && other.is_none(),
    };
    let trend = match (fresh.full_at, before.full_at) {
        (Some(one), Some(other)) => one.duration_since(other).abs() < SignedDuration::from_mins(15),
        (one, other) => {
            fresh.level != SaturationLevel::FillingUp && one.is_none() == other.is_none()
        }
    };
    let same = Saturation {
        at: before.at,
        used_mbps: before.used_mbps,
        cpu: before.cpu,
        full_at: before.full_at,
        ..fresh.clone()
    };
    let quiet = near(fresh.used_mbps, before.used_mbps, fresh.limit_mbps) && cpu && trend;
    if quiet && same == *before {
        same
    } else {
        fresh
    }
}

/// What the condition says; `None` while there is room.
#[must_use]
pub fn condition(saturation: &Saturation) -> Option<(Reason, String)> {
    let (reason, severity) = match saturation.level {
        SaturationLevel::Room => return None,
        SaturationLevel::FillingUp => (Reason::FillingUp, "warning"),
        SaturationLevel::NearCapacity => (Reason::NearCapacity, "warning"),
        SaturationLevel::AtCapacity => (Reason::AtCapacity, "critical"),
    };
    Some((reason, format!("{severity}: {}", words(saturation))))
}

/// The numbers, who shares it, and the way out.
#[must_use]
pub fn words(saturation: &Saturation) -> String {
    let Saturation {
        used_mbps,
        limit_mbps,
        machine_type,
        max_instances,
        ..
    } = saturation;
    let share = 100.0 * used_mbps / limit_mbps;
    let mut text = format!("{used_mbps:.0} of {limit_mbps:.0} Mbps ({share:.0}%)");
    if let Some(cpu) = saturation.cpu {
        text = format!("{text}, CPU {:.0}%", cpu * 100.0);
    }
    text = match saturation.instances {
        Some(now) => format!("{text}, {now} of {max_instances} instances of {machine_type}"),
        None => format!("{text}, at most {max_instances} instances of {machine_type}"),
    };
    if let Some(at) = saturation.full_at {
        text = format!("{text}; full at {at:.0} if it goes on like this");
    }
    if !saturation.shared_by.is_empty() {
        text = format!("{text}; shared by {}", some_of(&saturation.shared_by));
    }
    if !saturation.ways_out.is_empty() {
        text = format!("{text}. Way out: {}", saturation.ways_out.join("; or "));
    }
    text
}

/// The first ones, and how many more there are.
fn some_of(names: &[String]) -> String {
    let shown = names[..names.len().min(NAMES)].join(", ");
    match names.len().saturating_sub(NAMES) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// The middle value; of an even number of them the larger one of the two in the middle.
fn middle(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// Hundredths: more digits are noise.
fn round(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

/// A count that came as a number.
fn whole(number: f64) -> u32 {
    let text = format!("{:.0}", number.max(0.0));
    text.parse().unwrap_or(u32::MAX)
}
