//! Distributions: counts in buckets, as Cloud Monitoring keeps latencies and utilisations.

use serde_json::{Value, json};

/// How values fall into buckets. The first and the last bucket take what is below and above.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Buckets {
    /// Milliseconds: bounds at 1.4^n, up to five hours.
    Latency,
    /// Ratios: a hundredth each.
    Ratio,
}

const LATENCY_GROWTH: f64 = 1.4;
const LATENCY_BUCKETS: u32 = 50;
const RATIO_WIDTH: f64 = 0.01;
const RATIO_BUCKETS: u32 = 100;

/// Where values lie around their mean, from the least to the greatest.
const SPREAD: [f64; 20] = [
    0.70, 0.76, 0.80, 0.83, 0.86, 0.89, 0.91, 0.93, 0.95, 0.97, 0.99, 1.01, 1.03, 1.06, 1.09, 1.12,
    1.16, 1.21, 1.30, 1.43,
];

impl Buckets {
    fn finite(self) -> u32 {
        match self {
            Self::Latency => LATENCY_BUCKETS,
            Self::Ratio => RATIO_BUCKETS,
        }
    }

    /// The lower bound of finite bucket `index`, and the upper one of the bucket before it.
    fn bound(self, index: u32) -> f64 {
        match self {
            Self::Latency => LATENCY_GROWTH.powf(f64::from(index)),
            Self::Ratio => RATIO_WIDTH * f64::from(index),
        }
    }

    fn options(self) -> Value {
        match self {
            Self::Latency => json!({"exponentialBuckets": {
                "numFiniteBuckets": LATENCY_BUCKETS, "growthFactor": LATENCY_GROWTH, "scale": 1.0,
            }}),
            Self::Ratio => json!({"linearBuckets": {
                "numFiniteBuckets": RATIO_BUCKETS, "width": RATIO_WIDTH, "offset": 0.0,
            }}),
        }
    }

    /// 0 is the bucket of what is below.
    fn of(self, value: f64) -> usize {
        let below = (0..=self.finite()).take_while(|index| self.bound(*index) <= value);
        below.count()
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Distribution {
    buckets: Buckets,
    counts: Vec<u64>,
    count: u64,
    sum: f64,
    squares: f64,
}

impl Distribution {
    pub fn empty(buckets: Buckets) -> Self {
        let counts = vec![0; buckets.finite() as usize + 2];
        Self {
            buckets,
            counts,
            count: 0,
            sum: 0.0,
            squares: 0.0,
        }
    }

    /// So many values around a mean: closer for ratios, which cannot pass 1.
    pub fn around(buckets: Buckets, mean: f64, count: u64) -> Self {
        let mut made = Self::empty(buckets);
        let places = SPREAD.len() as u64;
        for (place, spread) in (0..).zip(SPREAD) {
            // The remainder goes to the places in the middle.
            let more = u64::from((place * 7 + 3) % places < count % places);
            let value = match buckets {
                Buckets::Latency => mean * spread,
                Buckets::Ratio => (mean * (1.0 + (spread - 1.0) / 4.0)).clamp(0.0, 1.0),
            };
            made.add(value, count / places + more);
        }
        made
    }

    fn add(&mut self, value: f64, times: u64) {
        let counts = &mut self.counts;
        let last = counts.len().saturating_sub(1);
        if let Some(bucket) = counts.get_mut(self.buckets.of(value).min(last)) {
            *bucket += times;
        }
        self.count += times;
        self.sum += value * float(times);
        self.squares += value * value * float(times);
    }

    pub fn merge(&mut self, other: &Self) {
        for (ours, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *ours += theirs;
        }
        self.count += other.count;
        self.sum += other.sum;
        self.squares += other.squares;
    }

    pub fn buckets(&self) -> Buckets {
        self.buckets
    }

    pub fn mean(&self) -> f64 {
        if self.count == 0 {
            return 0.0;
        }
        self.sum / float(self.count)
    }

    /// By interpolation within a bucket, as Cloud Monitoring estimates it. None of nothing.
    pub fn percentile(&self, percent: f64) -> Option<f64> {
        if self.count == 0 {
            return None;
        }
        let wanted = float(self.count) * percent / 100.0;
        let mut passed = 0.0;
        for (index, count) in (0_u32..).zip(&self.counts) {
            let count = float(*count);
            if passed + count >= wanted && count > 0.0 {
                let (low, high) = self.bounds(index);
                return Some(low + (high - low) * ((wanted - passed) / count).clamp(0.0, 1.0));
            }
            passed += count;
        }
        None
    }

    fn bounds(&self, index: u32) -> (f64, f64) {
        let finite = self.buckets.finite();
        let low = index
            .checked_sub(1)
            .map_or(0.0, |before| self.buckets.bound(before));
        (low, self.buckets.bound(index.min(finite)))
    }

    /// Trailing empty buckets are left out.
    pub fn body(&self) -> Value {
        let used = self.counts.iter().rposition(|count| *count > 0);
        let counts = self.counts.iter().take(used.map_or(0, |last| last + 1));
        let counts: Vec<String> = counts.map(u64::to_string).collect();
        let deviation = self.squares - self.mean() * self.sum;
        json!({
            "count": self.count.to_string(),
            "mean": self.mean(),
            "sumOfSquaredDeviation": deviation.max(0.0),
            "bucketOptions": self.buckets.options(),
            "bucketCounts": counts,
        })
    }
}

/// Counts here are far below the 2^52 that a double holds exactly.
#[allow(clippy::cast_precision_loss)]
pub(super) fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::{Buckets, Distribution};

    #[test]
    fn percentiles_lie_around_the_mean() {
        let slow = Distribution::around(Buckets::Latency, 7_000.0, 1_000);
        let (p50, p99) = (
            slow.percentile(50.0).unwrap(),
            slow.percentile(99.0).unwrap(),
        );
        assert!((5_000.0..9_000.0).contains(&p50), "{p50}");
        assert!(p99 > p50 && p99 < 15_000.0, "{p99}");
        assert!((slow.mean() / 7_000.0 - 1.0).abs() < 0.05);
        let busy = Distribution::around(Buckets::Ratio, 0.68, 7);
        assert!(busy.percentile(99.0).unwrap() < 0.8);
        assert_eq!(busy.body()["count"], "7");
        assert_eq!(Distribution::empty(Buckets::Ratio).percentile(50.0), None);
    }

    #[test]
    fn merging_adds_up() {
        let mut one = Distribution::around(Buckets::Latency, 100.0, 10);
        one.merge(&Distribution::around(Buckets::Latency, 10_000.0, 30));
        assert!(one.percentile(10.0).unwrap() < 200.0 && one.percentile(90.0).unwrap() > 5_000.0);
        assert_eq!(one.body()["count"], "40");
    }
}
