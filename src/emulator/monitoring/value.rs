//! Values, points and series, as every step of a query passes them on.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::distribution::Distribution;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Gauge,
    Delta,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Gauge => "GAUGE",
            Self::Delta => "DELTA",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Int,
    Double,
    Distribution,
}

impl Type {
    pub fn name(self) -> &'static str {
        match self {
            Self::Int => "INT64",
            Self::Double => "DOUBLE",
            Self::Distribution => "DISTRIBUTION",
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Int(i64),
    Double(f64),
    Distribution(Distribution),
}

impl Value {
    /// None for a distribution.
    pub fn number(&self) -> Option<f64> {
        match self {
            // Counts here are far below the 2^52 that a double holds exactly.
            #[allow(clippy::cast_precision_loss)]
            Self::Int(number) => Some(*number as f64),
            Self::Double(number) => Some(*number),
            Self::Distribution(_) => None,
        }
    }

    pub fn body(&self) -> Json {
        match self {
            Self::Int(number) => json!({"int64Value": number.to_string()}),
            Self::Double(number) => json!({"doubleValue": number}),
            Self::Distribution(distribution) => json!({"distributionValue": distribution.body()}),
        }
    }
}

pub(super) type Labels = BTreeMap<&'static str, String>;

/// Which series a point belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Identity {
    pub metric: Labels,
    pub resource: Labels,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Point {
    pub start: Timestamp,
    pub end: Timestamp,
    pub value: Value,
}

/// A series, oldest point first.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Series {
    pub identity: Identity,
    pub kind: Kind,
    pub value_type: Type,
    pub points: Vec<Point>,
}
