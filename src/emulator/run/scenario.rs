//! The services that scenarios hold.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::condition::Condition;
use super::revision::Revision;
use super::rollout::key;
use super::service::Service;
use super::{defaults, names};
use crate::emulator::dice::Dice;
use crate::emulator::query::checksum;
use crate::emulator::scenario::Scenario;
use crate::emulator::traffic::demand::{self, Demand};
use crate::emulator::vpcaccess::STAGING_CONNECTOR;

const CREATED: Timestamp = Timestamp::constant(1_742_205_600, 0);

/// So many services in `many`.
const MANY: usize = 2_000;

pub(super) fn records(scenario: Scenario) -> Vec<(String, Value)> {
    match scenario.project() {
        Some(project) if scenario == Scenario::Many => many(project),
        _ => demand::demands(scenario).iter().flat_map(staging).collect(),
    }
}

fn staging(demand: &Demand) -> [(String, Value); 2] {
    let spec = json!({
        "labels": {"app": demand.id(), "env": "staging"},
        "template": template(demand.id()),
    });
    deployed(demand.service.clone(), spec)
}

fn many(project: &str) -> Vec<(String, Value)> {
    let service = |number: usize| {
        let name = format!("projects/{project}/locations/us-central1/services/svc-{number:04}");
        let image = format!("us-central1-docker.pkg.dev/{project}/services/svc:{number}");
        deployed(
            name,
            json!({"template": {"containers": [{"image": image}]}}),
        )
    };
    (0..MANY).flat_map(service).collect()
}

/// A service that was deployed once and is well, with its revision.
fn deployed(name: String, mut spec: Value) -> [(String, Value); 2] {
    let mut dice = Dice::new(checksum(&name, "scenario"));
    defaults::fill(&mut spec, names::project(&name));
    let mut service = Service {
        uid: dice.uuid(),
        created: CREATED,
        condition: Condition::succeeded(CREATED),
        observed_generation: 1,
        revisions: 1,
        name,
        ..Service::default()
    };
    service.write(CREATED, spec);
    let id = names::revision(service.id(), 1, &mut dice);
    service.latest_created.clone_from(&id);
    service.latest_ready.clone_from(&id);
    service.route_traffic();
    let revision = Revision {
        name: service.revision_name(&id),
        uid: dice.uuid(),
        generation: 1,
        created: CREATED,
        updated: CREATED,
        launch_stage: "GA".to_owned(),
        template: service.template().clone(),
        condition: Condition::succeeded(CREATED),
    };
    [
        (key(&service.name), service.record()),
        (key(&revision.name), revision.record()),
    ]
}

fn template(name: &str) -> Value {
    json!({
        "containers": [{
            "image": format!("us-central1-docker.pkg.dev/netra-staging/services/{name}:1.42.0"),
            "env": env(name),
            "resources": {"limits": {"cpu": "1000m", "memory": "1Gi"}, "cpuIdle": true},
        }],
        "scaling": {"minInstanceCount": 1, "maxInstanceCount": 20},
        "vpcAccess": {"connector": STAGING_CONNECTOR, "egress": "PRIVATE_RANGES_ONLY"},
    })
}

/// The backend's `GIT_SHA` is written by CI with every release: it is nobody else's to set.
fn env(service: &str) -> Vec<Value> {
    let variable = |name: &str, value: &str| json!({"name": name, "value": value});
    let mut env = vec![
        variable("DB_CONNECTION_TIMEOUT", "30"),
        variable("DB_HOST", "10.20.0.3"),
        variable("LOG_LEVEL", "info"),
    ];
    if service == "netra-backend" {
        env.push(variable(
            "GIT_SHA",
            "4f1c9a7e2b6d8035c1e9f4a7b2d6c8e0135f7a9b",
        ));
    }
    if service == "netra-auth" {
        let password = json!({"secret": "netra-db-password", "version": "latest"});
        env.push(json!({"name": "DB_PASSWORD", "valueSource": {"secretKeyRef": password}}));
    }
    env
}
