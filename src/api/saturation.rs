//! `status.saturation`: how full something that everything goes through is.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How full a connector is. The numbers move when they differ from the last ones by more than a
/// twentieth, so that a settled connector does not change its status every minute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Saturation {
    /// The minute that the numbers end with.
    pub at: Timestamp,
    pub level: SaturationLevel,
    /// Traffic of the busier direction, in Mbit/s.
    pub used_mbps: f64,
    /// What the most instances carry, in Mbit/s.
    pub limit_mbps: f64,
    /// The 99th percentile over the instances, from 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<f64>,
    /// Instances that run now; they only grow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instances: Option<u32>,
    pub max_instances: u32,
    pub machine_type: String,
    /// The services that send through it, and other projects that use it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shared_by: Vec<String>,
    /// When it is full if the traffic goes on growing as it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full_at: Option<Timestamp>,
    /// What would help, the easiest first. Advice: nothing of it is done by itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ways_out: Vec<String>,
}

/// How pressing it is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum SaturationLevel {
    /// There is room.
    Room,
    /// At the present trend it is full within an hour.
    FillingUp,
    /// At least 80 % of what it can carry, or of the CPU of as many instances as it may have.
    NearCapacity,
    /// At least 95 %: it drops and delays.
    AtCapacity,
}
