//! The health of the endpoints behind a backend service, as its load balancer sees them.
//!
//! `getHealth` answers for one group of backends: the groups come from the backend service.

use super::client::Client;
use super::compute::collection;
use super::endpoint::Api;
use super::error::fault;
use super::pages::{items, unclear};
use super::path::segment;
use crate::core::error::{Fault, FaultKind};
use serde_json::{Value, json};
use std::sync::Arc;

/// Most groups of a backend service ("Backends per backend service: 50", quotas of Cloud Load
/// Balancing).
const GROUPS: usize = 50;

/// One endpoint of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Its group and itself: `instanceGroups/web/vm-1`.
    pub name: String,
    /// Google's word: `HEALTHY`, `UNHEALTHY`.
    pub state: String,
}

impl Endpoint {
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.state == "HEALTHY"
    }
}

/// Backend services of every project and place.
pub struct BackendHealth {
    client: Arc<Client>,
}

impl BackendHealth {
    #[must_use]
    pub fn new(client: Arc<Client>) -> Self {
        BackendHealth { client }
    }

    /// Every endpoint that the load balancer knows something of, group by group. Groups without a
    /// health check, such as serverless ones, have none.
    ///
    /// # Errors
    /// Those of a read; `NotFound` where there is no such backend service.
    pub async fn endpoints(
        &self,
        project: &str,
        location: &str,
        name: &str,
    ) -> Result<Vec<Endpoint>, Fault> {
        let services = collection(project, location, "backendServices")?;
        let path = format!("{services}/{}", segment(name)?);
        let read = self.client.read(Api::Compute, project, &path, &[]);
        let mut service = read.await?;
        let path = format!("{path}/getHealth");
        let backends = items(&mut service, "backends")?;
        if backends.len() > GROUPS {
            let text = format!("{} groups are too many to ask", backends.len());
            return Err(fault(FaultKind::Invalid, 200, "TOO_MANY_GROUPS", &text));
        }
        let mut endpoints = Vec::new();
        for backend in &backends {
            let group = backend["group"].as_str();
            let group = group.ok_or_else(|| unclear("a backend has no group"))?;
            let body = json!({"group": group});
            let asked = self.client.search(Api::Compute, project, &path, &[], &body);
            for status in items(&mut asked.await?, "healthStatus")? {
                endpoints.push(endpoint(group, &status));
            }
        }
        Ok(endpoints)
    }
}

fn endpoint(group: &str, status: &Value) -> Endpoint {
    let text = |field: &str| status[field].as_str().unwrap_or_default();
    let instance = last(text("instance"), 1);
    let itself = if instance.is_empty() {
        text("ipAddress")
    } else {
        instance
    };
    Endpoint {
        name: format!("{}/{itself}", last(group, 2)),
        state: text("healthState").to_owned(),
    }
}

/// The last parts of a link.
fn last(link: &str, parts: usize) -> &str {
    let mut slashes = link.rmatch_indices('/').map(|(at, _)| at);
    slashes.nth(parts - 1).map_or(link, |at| &link[at + 1..])
}

#[cfg(test)]
#[path = "backend_health_tests.rs"]
mod tests;
