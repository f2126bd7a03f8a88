//! Requests a minute per project and API, reads and writes apart.
//!
//! Google publishes numbers for few of the APIs; the windows follow "quota refills at the start of the next
//! synchronized interval" (compute/docs/api-quota).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::api::Api;
use super::errors::ApiError;
use super::query::checksum;
use super::route::Route;

/// The most requests that one project may send to one API in one minute. 0 means no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    pub reads_per_minute: u64,
    pub writes_per_minute: u64,
}

impl Default for Quota {
    fn default() -> Self {
        Self {
            reads_per_minute: 6_000,
            writes_per_minute: 600,
        }
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Meter {
    quota: Quota,
    minute: i64,
    used: BTreeMap<String, u64>,
}

impl Meter {
    pub fn set(&mut self, quota: Quota) {
        self.quota = quota;
        self.used.clear();
    }

    pub fn charge(&mut self, now: Timestamp, route: &Route) -> Result<(), ApiError> {
        let (class, limit) = if route.is_write() {
            ("Write", self.quota.writes_per_minute)
        } else {
            ("Read", self.quota.reads_per_minute)
        };
        self.count(now, route.api, route.project(), class, limit)
    }

    /// A read whose project stands in its body, where the API has a limit that nobody can raise.
    pub fn charge_project(
        &mut self,
        now: Timestamp,
        api: &dyn Api,
        project: &str,
        limit: u64,
    ) -> Result<(), ApiError> {
        let limit = match self.quota.reads_per_minute {
            0 => 0,
            reads => reads.min(limit),
        };
        self.count(now, api, project, "Read", limit)
    }

    fn count(
        &mut self,
        now: Timestamp,
        api: &dyn Api,
        project: &str,
        class: &str,
        limit: u64,
    ) -> Result<(), ApiError> {
        let minute = now.as_second().div_euclid(60);
        if minute != self.minute {
            self.minute = minute;
            self.used.clear();
        }
        let key = format!("{}/{project}/{class}", api.service());
        let used = self.used.entry(key).or_default();
        if limit > 0 && *used >= limit {
            return Err(exceeded(api, project, class, limit));
        }
        *used += 1;
        Ok(())
    }
}

fn exceeded(api: &dyn Api, project: &str, class: &str, limit: u64) -> ApiError {
    let (service, number) = (api.service(), project_number(project));
    let message = format!(
        "Quota exceeded for quota metric '{class} requests' and limit '{class} requests per minute' of service \
         '{service}' for consumer 'project_number:{number}'."
    );
    let metadata = json!({
        "service": service,
        "consumer": format!("projects/{number}"),
        "quota_metric": format!("{service}/{}_requests", class.to_lowercase()),
        "quota_limit": format!("{class}RequestsPerMinutePerProject"),
        "quota_limit_value": limit.to_string(),
        "quota_location": "global",
        "quota_unit": "1/min/{project}",
    });
    ApiError::new(api.throttled(), message).with_info(
        "RATE_LIMIT_EXCEEDED",
        "googleapis.com",
        &metadata,
    )
}

/// A made-up number that is always the same for a project.
pub(super) fn project_number(project: &str) -> u64 {
    100_000_000_000 + checksum(project, "") % 900_000_000_000
}
