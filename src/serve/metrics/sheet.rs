//! Families of metrics, a row for each set of labels.

use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Unit;
use std::fmt;

/// Names and values.
pub type Labels = Vec<(&'static str, String)>;

/// What is written so far.
pub struct Sheet<'a>(pub DescriptorEncoder<'a>);

/// A family: its name without the unit, what it says, and its unit.
#[derive(Debug, Clone, Copy)]
pub struct About {
    pub name: &'static str,
    pub help: &'static str,
    pub unit: Option<&'static Unit>,
}

/// A family without a unit.
pub const fn about(name: &'static str, help: &'static str) -> About {
    About {
        name,
        help,
        unit: None,
    }
}

/// A family of seconds: `_seconds` is added to its name.
pub const fn seconds(name: &'static str, help: &'static str) -> About {
    About {
        name,
        help,
        unit: Some(&Unit::Seconds),
    }
}

impl Sheet<'_> {
    /// What goes up and down. A family without rows is named all the same.
    pub fn gauge(
        &mut self,
        about: About,
        rows: impl IntoIterator<Item = (Labels, f64)>,
    ) -> fmt::Result {
        self.family(about, MetricType::Gauge, rows, ConstGauge::new)
    }

    /// What only goes up. A family without rows is named all the same.
    pub fn counter(
        &mut self,
        about: About,
        rows: impl IntoIterator<Item = (Labels, f64)>,
    ) -> fmt::Result {
        self.family(about, MetricType::Counter, rows, ConstCounter::new)
    }

    fn family<M: EncodeMetric>(
        &mut self,
        about: About,
        kind: MetricType,
        rows: impl IntoIterator<Item = (Labels, f64)>,
        metric: impl Fn(f64) -> M,
    ) -> fmt::Result {
        let About { name, help, unit } = about;
        let mut family = self.0.encode_descriptor(name, help, unit, kind)?;
        for (labels, value) in rows {
            if labels.is_empty() {
                return metric(value).encode(family);
            }
            metric(value).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }

    /// Distributions: `write` is given what takes a row.
    pub fn histogram(
        &mut self,
        about: About,
        write: impl FnOnce(&mut dyn FnMut(Labels, &Histogram) -> fmt::Result) -> fmt::Result,
    ) -> fmt::Result {
        let About { name, help, unit } = about;
        let kind = MetricType::Histogram;
        let mut family = self.0.encode_descriptor(name, help, unit, kind)?;
        write(&mut |labels, histogram| histogram.encode(family.encode_family(&labels)?))
    }

    /// Facts that are labels.
    pub fn info(&mut self, about: About, labels: &impl EncodeLabelSet) -> fmt::Result {
        let About { name, help, unit } = about;
        let mut family = self
            .0
            .encode_descriptor(name, help, unit, MetricType::Info)?;
        family.encode_info(labels)
    }
}
