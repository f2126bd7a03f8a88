//! Statistics that an expression can ask for.

use std::fmt;

/// What becomes of the samples of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stat {
    Min,
    Avg,
    P50,
    P90,
    P95,
    P99,
    Max,
    /// Of a field that is true or false: the share that is true, 0 to 1.
    Ratio,
    /// Of a field that is true or false: how many are true. Of others: how many came.
    Count,
    /// The newest sample.
    Last,
}

impl Stat {
    /// Every statistic, in the order of the documentation.
    pub const ALL: [Stat; 10] = [
        Stat::Min,
        Stat::Avg,
        Stat::P50,
        Stat::P90,
        Stat::P95,
        Stat::P99,
        Stat::Max,
        Stat::Ratio,
        Stat::Count,
        Stat::Last,
    ];

    /// The word in an expression.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Stat::Min => "min",
            Stat::Avg => "avg",
            Stat::P50 => "p50",
            Stat::P90 => "p90",
            Stat::P95 => "p95",
            Stat::P99 => "p99",
            Stat::Max => "max",
            Stat::Ratio => "ratio",
            Stat::Count => "count",
            Stat::Last => "last",
        }
    }

    /// The statistic of this name.
    #[must_use]
    pub fn named(text: &str) -> Option<Stat> {
        Stat::ALL.into_iter().find(|stat| stat.as_str() == text)
    }

    /// The share of samples at or below a percentile, in percent; `None` for what is none.
    #[must_use]
    pub fn percentile(self) -> Option<u32> {
        match self {
            Stat::Min => Some(0),
            Stat::P50 => Some(50),
            Stat::P90 => Some(90),
            Stat::P95 => Some(95),
            Stat::P99 => Some(99),
            Stat::Max => Some(100),
            Stat::Avg | Stat::Ratio | Stat::Count | Stat::Last => None,
        }
    }

    /// True where this one is at least `other`, whatever the samples are.
    #[must_use]
    pub fn is_at_least(self, other: Stat) -> bool {
        match (self.percentile(), other.percentile()) {
            (Some(one), Some(other)) => one >= other,
            _ => {
                self == other
                    || self == Stat::Max && other == Stat::Avg
                    || self == Stat::Avg && other == Stat::Min
            }
        }
    }
}

impl fmt::Display for Stat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
