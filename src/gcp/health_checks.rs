//! Health checks of Compute Engine together with the backend services that use them: paths and
//! verbs, nothing else.
//!
//! A managed health check is a family: the check of its name, and for a while the one that takes
//! over from it. A family of one is Google's reply as it is; a larger one is a composite: `{name,
//! healthChecks: [...], backendServices: [...]}`, where only a read of its own has the services.

use super::aggregated::aggregated;
use super::client::{Call, Client, Proof};
use super::compute::{
    Compute, GLOBAL, HEALTH_CHECKS, PAGE_SIZE, ROOT, collection, request_id, target_of,
};
use super::compute_operation::{from_compute, relative};
use super::endpoint::Api;
use super::pages::unclear;
use super::path::{full_name, segment};
use super::service::{Listing, Service, Survey, by_place};
use crate::core::error::Fault;
use crate::core::observed::Operation;
use crate::core::permit::{Durable, WritePermit};
use crate::core::record::{Intent, Verb};
use ::http::Method;
use async_trait::async_trait;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

const BACKEND_SERVICES: &str = "backendServices";
/// What a composite keeps of a backend service.
const KEPT: [&str; 4] = ["name", "selfLink", "fingerprint", "healthChecks"];

/// Health checks of every project and place.
pub struct HealthChecks {
    checks: Compute,
    /// The family that a check's name belongs to.
    base_of: fn(&str) -> &str,
}

impl HealthChecks {
    #[must_use]
    pub fn new(client: Arc<Client>, base_of: fn(&str) -> &str) -> Self {
        HealthChecks {
            checks: Compute::new(client, HEALTH_CHECKS),
            base_of,
        }
    }

    fn is_of(&self, check: &Value, base: &str) -> bool {
        self.name_of(check).as_deref() == Some(base)
    }

    fn families(&self, checks: Vec<Value>) -> Vec<Value> {
        let mut families: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for check in checks {
            if let Some(base) = self.name_of(&check) {
                families.entry(base).or_default().push(check);
            }
        }
        let families = families.into_iter();
        families
            .filter_map(|(base, members)| family(&base, members, None))
            .collect()
    }

    /// The members of a family: one LIST, which Google filters by name.
    async fn members(
        &self,
        project: &str,
        location: &str,
        base: &str,
    ) -> Result<Vec<Value>, Fault> {
        segment(base)?;
        let path = collection(project, location, HEALTH_CHECKS)?;
        let filter = format!("name eq \"{base}(-[0-9a-f]+)?\"");
        let query = [PAGE_SIZE, ("filter", filter.as_str())];
        let mut members = self.checks.whole(project, &path, &query).await?;
        members.retain(|check| self.is_of(check, base));
        Ok(members)
    }

    /// Backend services that can use a health check of this place: those of its region, and for a
    /// global one all there are.
    async fn services_near(&self, project: &str, location: &str) -> Result<Vec<Value>, Fault> {
        if location != GLOBAL {
            let path = collection(project, location, BACKEND_SERVICES)?;
            return self.checks.whole(project, &path, &[PAGE_SIZE]).await;
        }
        let survey = aggregated(self.checks.client(), project, BACKEND_SERVICES).await?;
        if survey.unreachable.is_empty() {
            return Ok(survey.found.into_iter().map(|(_, item)| item).collect());
        }
        Err(unclear("a part of the backend services cannot be reached"))
    }

    /// The backend services that use a member of the family.
    async fn users_of(
        &self,
        project: &str,
        location: &str,
        base: &str,
    ) -> Result<Vec<Value>, Fault> {
        let place = target_of(project, location, HEALTH_CHECKS);
        let is_ours = |link: &str| match relative(link).rsplit_once('/') {
            Some((collection, name)) => collection == place && (self.base_of)(name) == base,
            None => false,
        };
        let mut services = self.services_near(project, location).await?;
        services.retain(|service| {
            let checks = service["healthChecks"].as_array().into_iter().flatten();
            checks.filter_map(Value::as_str).any(is_ours)
        });
        Ok(services)
    }
}

/// Google's reply for one, a composite for more; `None` for none.
fn family(base: &str, mut members: Vec<Value>, services: Option<&[Value]>) -> Option<Value> {
    if members.len() < 2 && services.is_none() {
        return members.pop();
    }
    if members.is_empty() {
        return None;
    }
    let mut composite = json!({"name": base, "healthChecks": members});
    if let Some(services) = services {
        composite[BACKEND_SERVICES] = services.iter().map(kept).collect();
    }
    Some(composite)
}

fn kept(service: &Value) -> Value {
    let fields = KEPT.iter().filter_map(|field| {
        let value = service.get(*field)?;
        Some(((*field).to_owned(), value.clone()))
    });
    Value::Object(fields.collect::<Map<_, _>>())
}

#[async_trait]
impl Service for HealthChecks {
    async fn users(&self, project: &str, location: &str, name: &str) -> Result<Vec<String>, Fault> {
        let users = self.users_of(project, location, name).await?;
        Ok(users
            .iter()
            .map(|service| {
                let link = service["selfLink"].as_str().map(relative);
                let name = || service["name"].as_str().unwrap_or("a backend service");
                link.unwrap_or_else(name).to_owned()
            })
            .collect())
    }

    async fn list(&self, project: &str, location: &str) -> Result<Listing, Fault> {
        let listing = self.checks.list(project, location).await?;
        Ok(Listing {
            items: self.families(listing.items),
            unreachable: listing.unreachable,
        })
    }

    async fn survey(&self, project: &str) -> Result<Survey, Fault> {
        let checks = self.checks.survey(project).await?;
        let mut survey = Survey {
            unreachable: checks.unreachable,
            ..Survey::default()
        };
        for (place, members) in by_place(checks.found) {
            let here = |family| (place.clone(), family);
            survey
                .found
                .extend(self.families(members).into_iter().map(here));
        }
        Ok(survey)
    }

    /// Who uses the checks is read while there is more than one: only then it matters.
    async fn get(&self, project: &str, location: &str, name: &str) -> Result<Option<Value>, Fault> {
        let members = self.members(project, location, name).await?;
        if members.len() < 2 {
            return Ok(family(name, members, None));
        }
        let services = self.users_of(project, location, name).await?;
        Ok(family(name, members, Some(&services)))
    }

    async fn get_whole(
        &self,
        project: &str,
        location: &str,
        name: &str,
    ) -> Result<Option<Value>, Fault> {
        let members = self.members(project, location, name).await?;
        let services = self.users_of(project, location, name).await?;
        Ok(family(name, members, Some(&services)))
    }

    async fn write(&self, permit: &WritePermit, intent: Durable<'_>) -> Result<Operation, Fault> {
        let wanted = intent.intent();
        let key = &wanted.key;
        let Some(object) = wanted.object.as_deref() else {
            return self.checks.write(permit, intent).await;
        };
        let one = format!(
            "{ROOT}/{}",
            full_name(&self.object(&key.project, &key.location, object))?
        );
        let (method, path, body) = match wanted.verb {
            Verb::Create => {
                let all = collection(&key.project, &key.location, HEALTH_CHECKS)?;
                (Method::POST, all, Some(&wanted.body))
            }
            Verb::Patch => (Method::PATCH, one, Some(&wanted.body)),
            Verb::Delete => (Method::DELETE, one, None),
        };
        let call = Call {
            api: Api::Compute,
            project: &key.project,
            method,
            path: &path,
            query: &[("requestId", &request_id(wanted))],
            body,
        };
        let proof = Proof::new(permit, &intent);
        from_compute(&self.checks.client().write(proof, &call).await?)
    }

    async fn operation(&self, name: &str) -> Result<Operation, Fault> {
        self.checks.operation(name).await
    }

    async fn operations(&self, project: &str, location: &str) -> Result<Vec<Operation>, Fault> {
        self.checks.operations(project, location).await
    }

    async fn operations_on(
        &self,
        project: &str,
        location: &str,
        target: &str,
    ) -> Result<Vec<Operation>, Fault> {
        self.checks.operations_on(project, location, target).await
    }

    fn request(&self, intent: &Intent) -> Option<String> {
        self.checks.request(intent)
    }

    /// The name of the family.
    fn name_of(&self, item: &Value) -> Option<String> {
        let name = self.checks.name_of(item)?;
        Some((self.base_of)(&name).to_owned())
    }

    fn target(&self, project: &str, location: &str, name: &str) -> String {
        self.checks.target(project, location, name)
    }

    /// `healthChecks/x` is in the place of the family, a whole name where it says.
    fn object(&self, project: &str, location: &str, object: &str) -> String {
        if object.starts_with("projects/") {
            return object.to_owned();
        }
        target_of(project, location, object)
    }
}

#[cfg(test)]
#[path = "health_checks_tests.rs"]
mod tests;
