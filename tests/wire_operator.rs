//! Everything the operator sends, and every reply it gets, against Google's own description: one life of each kind.
//!
//! Every operator in every test is watched like this (`common/recorded.rs`). Here each method that the operator has
//! a use for must have been met, so that none is watched only in name.

mod common;

use common::{CONNECTOR, LOCATION, Operator, PROJECT, World, declared, declared_as, key_of};
use common::{run, steps_of};
use evenkeel::api::envelope::{Deletion, RolloutSpec, StepSpec};
use evenkeel::api::{Declared, Key, Kind};
use evenkeel::emulator::{Action, FaultRule};
use serde_json::{Value, json};
use std::time::Duration;

const CERTIFICATE: &str = include_str!("wire/certificate.pem");
const KEY: &str = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n";
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

/// What leaves the manifest leaves GCP.
fn going(key: Key, resource: Value) -> Declared {
    let mut manifest = declared_as(key, resource);
    manifest.policy.deletion = Deletion::Delete;
    manifest.policy.rollout = Some(RolloutSpec {
        allow_disruptive: true,
        ..RolloutSpec::default()
    });
    manifest
}

/// A world that lets manifests take resources with them, and an operator in it.
fn start() -> (World, Operator) {
    let mut world = World::new();
    world.settings.deletes_per_sync = 10;
    let operator = world.operator();
    (world, operator)
}

/// Beside what a test is about: a source that declares nothing at all freezes deletions.
fn stays() -> Declared {
    declared(json!({"minInstances": 2}))
}

/// Declares all of it, then all of it changed: each time until all is well.
async fn change(operator: &Operator, first: Vec<Declared>, then: Vec<Declared>) {
    for mut set in [first, then] {
        set.push(stays());
        let keys: Vec<Key> = set.iter().map(|manifest| manifest.key.clone()).collect();
        operator.declare(set).await;
        // Long enough for the new manifests to be taken up.
        tokio::time::sleep(MINUTE).await;
        for key in keys {
            operator.ready(&key, 10 * HOUR).await;
        }
        // What is true of a settled world comes out of lists.
        tokio::time::sleep(20 * MINUTE).await;
    }
}

/// Declares all of it, then all of it changed, then none of it.
async fn live(operator: &Operator, first: Vec<Declared>, then: Vec<Declared>) {
    change(operator, first, then).await;
    operator.declare(vec![stays()]).await;
    let alone = |operator: &Operator| operator.board.resources().len() == 1;
    operator.until(10 * HOUR, alone).await;
}

/// All is well on the wire, and the operator met these methods of an API.
fn assert_met(world: &World, api: &str, wanted: &[&str]) {
    let wanted: Vec<String> = wanted.iter().map(|name| format!("{api}.{name}")).collect();
    world.wire.with(|tally| {
        tally.assert(wanted.iter().map(String::as_str));
        println!("{}", tally.report());
    });
}

#[test]
fn connectors() {
    run(|| async {
        let (world, operator) = start();
        let second = |machine_type: &str, max: i64| {
            let resource = json!({
                "minInstances": 2, "maxInstances": max, "network": "default",
                "ipCidrRange": "10.9.0.0/28", "machineType": machine_type,
            });
            let mut manifest = going(
                key_of(Kind::VpcAccessConnector, LOCATION, "second"),
                resource,
            );
            manifest.policy.rollout = Some(RolloutSpec {
                allow_disruptive: true,
                ..steps_of(1, 1)
            });
            manifest
        };
        // A lost reply is looked into: by the operations of the place, too.
        let lost = FaultRule::new(Action::ResetAfter).on("PATCH", "/").times(1);
        world.emulator.set_faults(vec![lost]);
        let first = vec![second("e2-micro", 4)];
        let then = vec![second("e2-standard-4", 6)];
        live(&operator, first, then).await;
        operator.stop().await;
        let methods =
            ["create", "delete", "get", "list", "patch"].map(|name| format!("connectors.{name}"));
        let mut wanted: Vec<&str> = methods.iter().map(String::as_str).collect();
        wanted.extend(["operations.get", "operations.list"]);
        assert_met(&world, "vpcaccess.projects.locations", &wanted);
    });
}

#[test]
fn health_checks_and_backend_services() {
    run(|| async {
        let (world, operator) = start();
        let places = ["global", LOCATION];
        let checks = |interval: i64| {
            places.map(|place| {
                let http = json!({"port": 8000, "requestPath": "/health/basic"});
                let resource =
                    json!({"checkIntervalSec": interval, "timeoutSec": 5, "httpHealthCheck": http});
                going(key_of(Kind::HealthCheck, place, "web"), resource)
            })
        };
        let services = |timeout: i64| {
            places.map(|place| {
                let resource = json!({
                    "loadBalancingScheme": "EXTERNAL_MANAGED", "protocol": "HTTP", "timeoutSec": timeout,
                    "connectionDraining": {"drainingTimeoutSec": 60},
                    "logConfig": {"enable": true, "sampleRate": 0.5},
                    "healthChecks": [match place {
                        "global" => format!("projects/{PROJECT}/global/healthChecks/web"),
                        region => format!("projects/{PROJECT}/regions/{region}/healthChecks/web"),
                    }],
                    "backends": [{
                        "group": format!("projects/{PROJECT}/zones/us-central1-a/instanceGroups/staging-group"),
                        "balancingMode": "UTILIZATION", "capacityScaler": 1.0,
                    }],
                });
                going(key_of(Kind::BackendService, place, "web"), resource)
            })
        };
        let set = |interval, timeout| {
            let checks = checks(interval).into_iter();
            checks.chain(services(timeout)).collect::<Vec<_>>()
        };
        live(&operator, set(5, 30), set(10, 60)).await;
        operator.stop().await;
        let mut wanted = Vec::new();
        for collection in ["healthChecks", "backendServices"] {
            let regional = format!(
                "region{}{}",
                collection[..1].to_uppercase(),
                &collection[1..]
            );
            for verb in ["list", "insert", "patch", "delete"] {
                wanted.extend([format!("{collection}.{verb}"), format!("{regional}.{verb}")]);
            }
        }
        // A health check may be one of a family, which is told from lists alone.
        let read = ["backendServices.get", "regionBackendServices.get"];
        let operations = ["globalOperations.get", "regionOperations.get"];
        wanted.extend([read, operations].concat().into_iter().map(str::to_owned));
        let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
        assert_met(&world, "compute", &wanted);
    });
}

/// Managed ones rotate on a proxy; one of our own stands in a region, its key read from Secret Manager.
#[test]
fn certificates() {
    run(|| async {
        let (world, operator) = start();
        let secret = format!("projects/{PROJECT}/secrets/edge-key");
        world.emulator.add_secret(&secret, KEY);
        let key = json!({"secretManager": format!("{secret}/versions/latest")});
        let own = going(
            key_of(Kind::SslCertificate, LOCATION, "edge"),
            json!({"selfManaged": {"certificate": CERTIFICATE, "privateKeyRef": key}}),
        );
        let managed = |domains: &[&str]| {
            let resource =
                json!({"managed": {"domains": domains}, "attachTo": ["staging-https-proxy"]});
            let key = key_of(Kind::SslCertificate, "global", "staging-cert");
            let mut manifest = declared_as(key, resource);
            manifest.policy.rollout = Some(RolloutSpec {
                bake: Some("10m".parse().unwrap()),
                timeout: Some("3h".parse().unwrap()),
                ..RolloutSpec::default()
            });
            manifest
        };
        let (old, new) = ("staging.netra.example.com", "new.netra.example.com");
        let first = vec![managed(&[old]), own.clone()];
        change(&operator, first, vec![managed(&[old, new])]).await;
        let gone = |operator: &Operator| !operator.board.resources().contains_key(&own.key);
        operator.until(10 * HOUR, gone).await;
        operator.stop().await;
        let wanted = [
            "sslCertificates.insert",
            "sslCertificates.delete",
            "sslCertificates.list",
            "regionSslCertificates.insert",
            "regionSslCertificates.delete",
            "regionSslCertificates.list",
            "targetHttpsProxies.list",
            "targetHttpsProxies.patch",
            "globalOperations.get",
            "regionOperations.get",
        ];
        assert_met(&world, "compute", &wanted);
        let access = ["projects.secrets.versions.access"];
        assert_met(&world, "secretmanager", &access);
    });
}

/// A rotation in Certificate Manager, with a reply that is lost on the way.
#[test]
fn managed_certificates() {
    run(|| async {
        let (world, operator) = start();
        world.keep_published();
        let place = format!("/v1/projects/{PROJECT}/locations/global/certificates");
        let lost = FaultRule::new(Action::ResetAfter)
            .on("POST", &place)
            .times(1);
        world.emulator.set_faults(vec![lost]);
        let wildcard = |domains: &[&str], more: &[Value]| {
            let mut entries = vec![json!({"map": "front", "hostname": "*.shop.example.com"})];
            entries.extend_from_slice(more);
            let resource = json!({"managed": {"domains": domains}, "attachTo": entries});
            let key = key_of(Kind::ManagedCertificate, "global", "shop");
            vec![going(key, resource)]
        };
        let (wild, base) = ("*.shop.example.com", "shop.example.com");
        let first = wildcard(&[wild], &[]);
        let primary = json!({"map": "front", "matcher": "PRIMARY"});
        live(&operator, first, wildcard(&[wild, base], &[primary])).await;
        operator.stop().await;
        let wanted = [
            "certificates.create",
            "certificates.delete",
            "certificates.list",
            "certificateMaps.create",
            "certificateMaps.list",
            "certificateMaps.certificateMapEntries.create",
            "certificateMaps.certificateMapEntries.patch",
            "certificateMaps.certificateMapEntries.delete",
            "certificateMaps.certificateMapEntries.list",
            "dnsAuthorizations.create",
            "dnsAuthorizations.delete",
            "dnsAuthorizations.list",
            "operations.get",
            "operations.list",
        ];
        assert_met(&world, "certificatemanager.projects.locations", &wanted);
    });
}

#[test]
fn run_services() {
    run(|| async {
        let (world, operator) = start();
        world.emulator.add_secret(
            &format!("projects/{PROJECT}/secrets/db-password"),
            "hunter2",
        );
        let service = |image: &str, timeout: &str| {
            let container = json!({
                "image": image,
                "env": [
                    {"name": "DB_CONNECTION_TIMEOUT", "value": "600"},
                    {"name": "DB_PASSWORD", "valueSource": {"secretKeyRef": {"secret": "db-password", "version": "1"}}},
                ],
                "startupProbe": {"periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 10,
                    "httpGet": {"path": "/health/basic", "port": 8080}},
                "resources": {"limits": {"cpu": "2", "memory": "1Gi"}},
            });
            let resource = json!({
                "ingress": "INGRESS_TRAFFIC_ALL",
                "template": {
                    "timeout": timeout,
                    "vpcAccess": {"connector": CONNECTOR, "egress": "PRIVATE_RANGES_ONLY"},
                    "containers": [container],
                },
            });
            let mut manifest = going(key_of(Kind::RunService, LOCATION, "shop"), resource);
            let share = |share| StepSpec {
                set: None,
                traffic: Some(share),
                pause: None,
            };
            manifest.policy.rollout = Some(RolloutSpec {
                steps: [10, 100].map(share).into(),
                bake: Some("5m".parse().unwrap()),
                ..RolloutSpec::default()
            });
            vec![manifest]
        };
        live(
            &operator,
            service("shop:1", "60s"),
            service("shop:2", "300s"),
        )
        .await;
        operator.stop().await;
        let wanted = [
            "services.create",
            "services.delete",
            "services.get",
            "services.list",
            "services.patch",
            "operations.get",
        ];
        assert_met(&world, "run.projects.locations", &wanted);
    });
}

#[test]
fn sql_instances() {
    run(|| async {
        let (world, operator) = start();
        world.emulator.add_secret(
            &format!("projects/{PROJECT}/secrets/db-password"),
            "hunter2",
        );
        let instance = |tier: &str, connections: &str| {
            let resource = json!({
                "databaseVersion": "POSTGRES_15",
                "settings": {
                    "tier": tier, "dataDiskSizeGb": 50,
                    "databaseFlags": [{"name": "max_connections", "value": connections}],
                    "userLabels": {"team": "core"},
                },
            });
            vec![going(
                key_of(Kind::SqlInstance, LOCATION, "shop-db"),
                resource,
            )]
        };
        let first = instance("db-custom-1-3840", "100");
        live(&operator, first, instance("db-custom-2-8192", "200")).await;
        operator.stop().await;
        let wanted = [
            "instances.insert",
            "instances.patch",
            "instances.delete",
            "instances.get",
            "instances.list",
            "operations.get",
        ];
        assert_met(&world, "sql", &wanted);
    });
}
