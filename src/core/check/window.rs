//! The samples of one probe, bounded, and their statistics.

use super::expression::{Expression, Op};
use super::sample::{Failure, Sample, Value};
use super::stat::Stat;
use crate::api::probe::SAMPLES_LIMIT;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Most fields of a sample.
const FIELDS: usize = 64;
/// Most reasons of failure that are told apart.
const REASONS: usize = 32;

/// The samples of one probe.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Window {
    columns: BTreeMap<String, Vec<Value>>,
    failures: BTreeMap<Failure, u64>,
    samples: u64,
}

impl Window {
    /// No samples.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a sample in. Beyond [`SAMPLES_LIMIT`] samples, which no prober makes, it is left out.
    pub fn push(&mut self, sample: Sample) {
        if self.samples >= u64::from(SAMPLES_LIMIT) {
            return;
        }
        self.samples += 1;
        for (field, value) in sample.values {
            if self.columns.len() < FIELDS || self.columns.contains_key(&field) {
                self.columns.entry(field).or_default().push(value);
            }
        }
        if let Some(failure) = sample.failure
            && (self.failures.len() < REASONS || self.failures.contains_key(&failure))
        {
            *self.failures.entry(failure).or_default() += 1;
        }
    }

    /// Takes the samples of a later probe in, within the same bounds.
    pub fn absorb(&mut self, later: Window) {
        let left = u64::from(SAMPLES_LIMIT) - self.samples;
        if later.samples > left {
            return;
        }
        self.samples += later.samples;
        for (field, values) in later.columns {
            if self.columns.len() < FIELDS || self.columns.contains_key(&field) {
                self.columns.entry(field).or_default().extend(values);
            }
        }
        for (failure, count) in later.failures {
            if self.failures.len() < REASONS || self.failures.contains_key(&failure) {
                *self.failures.entry(failure).or_default() += count;
            }
        }
    }

    /// How many samples there are.
    #[must_use]
    pub fn samples(&self) -> u64 {
        self.samples
    }

    /// The fields that have a value.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.columns.keys().map(String::as_str)
    }

    /// Why samples failed, and how many of them, the most frequent reason first.
    #[must_use]
    pub fn failures(&self) -> Vec<(&Failure, u64)> {
        let mut failures: Vec<_> = self.failures.iter().map(|(f, n)| (f, *n)).collect();
        failures.sort_by_key(|(failure, count)| (Reverse(*count), *failure));
        failures
    }

    /// A statistic of a field; `None` where there is no sample to make it of.
    #[must_use]
    pub fn stat(&self, field: &str, stat: Stat) -> Option<Value> {
        let values = self
            .columns
            .get(field)
            .filter(|values| !values.is_empty())?;
        match stat {
            Stat::Last => values.last().cloned(),
            Stat::Count => Some(count(values)),
            Stat::Ratio => ratio(values),
            _ => numeric(values, stat),
        }
    }

    /// How many are true, of a field that is true or false.
    #[must_use]
    pub fn trues(&self, field: &str) -> Option<u64> {
        let values = self.columns.get(field)?;
        let flags = values.iter().all(|value| matches!(value, Value::Flag(_)));
        let trues = values.iter().filter(|value| **value == Value::Flag(true));
        flags.then(|| trues.count() as u64)
    }

    /// The value that an expression compares. Without a statistic it is the worst one for that
    /// comparison, so that every sample compares when it does.
    #[must_use]
    pub fn measure(&self, expression: &Expression) -> Option<Value> {
        if let Some(stat) = expression.stat {
            return self.stat(&expression.field, stat);
        }
        let values = self.columns.get(&expression.field)?;
        let missed = values.iter().find(|value| !expression.holds(value));
        match (expression.op, missed) {
            (_, Some(Value::Never)) => Some(Value::Never),
            _ if values
                .iter()
                .any(|value| !matches!(value, Value::Number(_))) =>
            {
                missed.or(values.last()).cloned()
            }
            (Op::Below | Op::AtMost, _) => numeric(values, Stat::Max),
            (Op::Above | Op::AtLeast, _) => numeric(values, Stat::Min),
            (Op::Equal | Op::Unequal, _) => missed.or(values.last()).cloned(),
        }
    }
}

/// True ones of flags, those that came of others.
fn count(values: &[Value]) -> Value {
    let counts = |value: &&Value| !matches!(value, Value::Never | Value::Flag(false));
    Value::Number(as_f64(values.iter().filter(counts).count()))
}

fn ratio(values: &[Value]) -> Option<Value> {
    let flags = |value: &Value| matches!(value, Value::Flag(_));
    if !values.iter().all(flags) {
        return None;
    }
    let all = as_f64(values.len());
    let yes = values.iter().filter(|value| **value == Value::Flag(true));
    Some(Value::Number(as_f64(yes.count()) / all))
}

/// A statistic of numbers. What never came is longer than any of them.
fn numeric(values: &[Value], stat: Stat) -> Option<Value> {
    let mut numbers = values
        .iter()
        .map(|value| match value {
            Value::Number(number) => Some(*number),
            Value::Never => Some(f64::INFINITY),
            Value::Flag(flag) => Some(f64::from(u8::from(*flag))),
            Value::Word(_) => None,
        })
        .collect::<Option<Vec<f64>>>()?;
    if stat == Stat::Avg {
        let sum: f64 = numbers.iter().sum();
        return Some(Value::from(sum / as_f64(numbers.len())));
    }
    let percent = stat.percentile()? as usize;
    numbers.sort_by(f64::total_cmp);
    // Nearest rank: a value that was measured, never one between two.
    let rank = (percent * numbers.len()).div_ceil(100).max(1);
    numbers.get(rank - 1).map(|number| Value::from(*number))
}

/// Counts here stay below [`SAMPLES_LIMIT`].
fn as_f64(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(field: &str, values: impl IntoIterator<Item = Value>) -> Window {
        let mut window = Window::new();
        for value in values {
            window.push(Sample::new().with(field, value));
        }
        window
    }

    impl From<Value> for f64 {
        fn from(value: Value) -> f64 {
            match value {
                Value::Number(number) => number,
                other => panic!("{other:?} is no number"),
            }
        }
    }

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let hundred = window("t", (1..=100).map(|n| Value::Number(f64::from(n))));
        for (stat, want) in [
            (Stat::Min, 1.0),
            (Stat::Avg, 50.5),
            (Stat::P50, 50.0),
            (Stat::P90, 90.0),
            (Stat::P95, 95.0),
            (Stat::P99, 99.0),
            (Stat::Max, 100.0),
            (Stat::Count, 100.0),
            (Stat::Last, 100.0),
        ] {
            assert_eq!(hundred.stat("t", stat), Some(Value::Number(want)), "{stat}");
        }
        let one = window("t", [Value::Number(7.0)]);
        for stat in Stat::ALL.into_iter().filter(|stat| *stat != Stat::Ratio) {
            let want = if stat == Stat::Count { 1.0 } else { 7.0 };
            assert_eq!(one.stat("t", stat), Some(Value::Number(want)), "{stat}");
        }
        assert_eq!(
            one.stat("t", Stat::Ratio),
            None,
            "a time is not true or false"
        );
        assert_eq!(one.stat("u", Stat::Max), None, "no samples, no number");
    }

    #[test]
    fn what_never_came_is_longer_than_anything() {
        let times = window("t", [Value::Number(1.0), Value::Never, Value::Number(2.0)]);
        assert_eq!(times.stat("t", Stat::Max), Some(Value::Never));
        assert_eq!(times.stat("t", Stat::Avg), Some(Value::Never));
        assert_eq!(times.stat("t", Stat::P50), Some(Value::Number(2.0)));
        assert_eq!(times.stat("t", Stat::Min), Some(Value::Number(1.0)));
        assert_eq!(times.stat("t", Stat::Count), Some(Value::Number(2.0)));
    }

    #[test]
    fn flags_have_a_ratio_and_a_count_of_what_is_true() {
        let flags = window("ok", [true, true, true, false].map(Value::Flag));
        assert_eq!(flags.stat("ok", Stat::Ratio), Some(Value::Number(0.75)));
        assert_eq!(flags.stat("ok", Stat::Count), Some(Value::Number(3.0)));
    }

    #[test]
    fn without_a_statistic_every_sample_must_compare() {
        let says = |values: &[f64], text: &str| {
            let expression: Expression = text.parse().unwrap();
            let values = values.iter().map(|n| Value::Number(*n));
            let value = window("t", values).measure(&expression).unwrap();
            (f64::from(value.clone()), expression.holds(&value))
        };
        assert_eq!(says(&[1.0, 9.0, 2.0], "t < 5"), (9.0, false));
        assert_eq!(says(&[1.0, 9.0, 2.0], "t > 5"), (1.0, false));
        assert_eq!(says(&[6.0, 9.0], "t > 5"), (6.0, true));
        assert_eq!(says(&[200.0, 503.0, 200.0], "t == 200"), (503.0, false));
        assert_eq!(says(&[200.0, 201.0], "t != 503"), (201.0, true));
        let never = window("t", [Value::Number(1.0), Value::Never]);
        for text in ["t < 5", "t > 0", "t != 5", "t == 1"] {
            let expression: Expression = text.parse().unwrap();
            assert_eq!(never.measure(&expression), Some(Value::Never), "{text}");
        }
        let words = window("s", ["READY", "FAILED"].map(Value::from));
        let expression: Expression = "s == READY".parse().unwrap();
        assert_eq!(words.measure(&expression), Some(Value::from("FAILED")));
    }

    #[test]
    fn a_window_is_bounded() {
        let mut window = Window::new();
        for n in 0..u64::from(SAMPLES_LIMIT) + 10 {
            let field = format!("f{}", n % 100);
            window.push(Sample::new().with(&field, true).failed("x", n.to_string()));
        }
        assert_eq!(window.samples(), u64::from(SAMPLES_LIMIT));
        assert_eq!(window.fields().count(), FIELDS);
        assert_eq!(window.failures().len(), REASONS);
    }

    #[test]
    fn failures_come_by_frequency() {
        let mut window = Window::new();
        for (phase, reason) in [("tls", "b"), ("connect", "a"), ("tls", "b")] {
            window.push(Sample::new().with("ok", false).failed(phase, reason));
        }
        let said: Vec<_> = window
            .failures()
            .iter()
            .map(|(f, n)| format!("{n} {f}"))
            .collect();
        assert_eq!(said, ["2 tls: b", "1 connect: a"]);
    }
}
