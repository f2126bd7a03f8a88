//! How late Google is: what happened later than that ago cannot be read yet.

use std::time::Duration;

/// Until a point of Cloud Monitoring can be read: the longest of the metrics about managed kinds
/// ("sampled every 60 seconds; after sampling, data is not visible for up to 240 seconds", Google's
/// list of metrics, VPC access connectors).
pub const METRIC: Duration = Duration::from_mins(4);
/// The points of a minute become one ("the alignment period must be at least 60 seconds").
pub const MINUTE: Duration = Duration::from_mins(1);
/// Until an entry of Cloud Logging is found. Google publishes no number; most come within seconds.
pub const LOG: Duration = Duration::from_mins(1);
