//! One resource of each kind for the matrix: its manifests, and what others do to it.

use super::common::manager::PLACE;
use super::common::{LOCATION, PROJECT, World, declared_as, key_of};
use evenkeel::api::{Declared, Key, Kind};
use serde_json::{Value, json};

const NAME: &str = "matrix";
const PROXY: &str = "projects/netra-staging/global/targetHttpsProxies/staging-https-proxy";
/// A certificate that is none of ours.
const THEIRS: &str = "theirs";
const CERTIFICATES: &str = "projects/netra-staging/global/sslCertificates";

/// A kind in the matrix.
pub struct Subject {
    pub key: Key,
    /// The manifest that creates it.
    pub made: Value,
    /// The same with another value of one field.
    pub changed: Value,
    /// The same without that field.
    pub rest: Value,
    /// That field, as people read it.
    pub field: &'static str,
    /// What GCP has in it, as made, as changed, and as somebody else sets it.
    pub values: [Value; 3],
    pub writes_of_a_change: usize,
    pub writes_of_a_delete: usize,
    /// Where GCP has the resource and the field; not for certificates, which are of many parts.
    path: String,
    pointer: &'static str,
}

impl Subject {
    /// A resource with one field, at this pointer, that has these values.
    fn new(
        key: Key,
        path: &str,
        made: &Value,
        pointer: &'static str,
        values: [Value; 3],
    ) -> Subject {
        let with = |value: &Value| {
            let mut resource = made.clone();
            *resource.pointer_mut(pointer).unwrap() = value.clone();
            resource
        };
        let mut rest = made.clone();
        let (parent, field) = pointer.rsplit_once('/').unwrap();
        let parent = rest.pointer_mut(parent).unwrap();
        parent.as_object_mut().unwrap().remove(field);
        Subject {
            path: format!("projects/{PROJECT}/{path}/{}", key.name),
            key,
            made: with(&values[0]),
            changed: with(&values[1]),
            rest,
            field,
            values,
            writes_of_a_change: 1,
            writes_of_a_delete: 1,
            pointer,
        }
    }

    /// What the world needs before a manifest can come to anything.
    pub async fn prepare(&self, world: &World) {
        if self.key.kind == Kind::ManagedCertificate {
            let theirs = json!({"managed": {"domains": ["old.example.com"]}});
            let path = format!("certificates?certificateId={THEIRS}");
            world.manage("POST", &path, theirs).await;
            world.keep_published();
        }
    }

    /// What GCP has in the field.
    pub fn value(&self, world: &World) -> Value {
        match self.key.kind {
            Kind::SslCertificate => served(world),
            Kind::ManagedCertificate => mapped(world),
            _ => {
                let live = world.truth(&self.path);
                live.pointer(self.pointer).cloned().unwrap_or_default()
            }
        }
    }

    /// Somebody else sets the field.
    pub fn disturb(&self, world: &World) {
        match self.key.kind {
            Kind::SslCertificate => {
                let others = json!([format!("{CERTIFICATES}/staging-cert")]);
                world.foreign(PROXY, json!({"sslCertificates": others}));
            }
            Kind::ManagedCertificate => {
                let entry = entry(world).expect("an entry")["name"].clone();
                world.foreign(entry.as_str().unwrap(), json!({"certificates": [theirs()]}));
            }
            _ => {
                let mut fields = self.values[2].clone();
                for name in self.pointer.rsplit('/').filter(|name| !name.is_empty()) {
                    fields = json!({name: fields});
                }
                world.foreign(&self.path, fields);
            }
        }
    }

    /// Who uses it, until [`Subject::disturb`] takes it away.
    pub fn user(&self) -> Option<&'static str> {
        (self.key.kind == Kind::SslCertificate).then_some("staging-https-proxy")
    }

    pub fn exists(&self, world: &World) -> bool {
        match self.key.kind {
            Kind::SslCertificate => {
                let made = world
                    .own_writes()
                    .into_iter()
                    .filter_map(|write| write.body);
                let mut names = made.filter_map(|body| body["name"].as_str().map(str::to_owned));
                names.any(|name| world.truth(&format!("{CERTIFICATES}/{name}")).is_object())
            }
            Kind::ManagedCertificate => {
                let names = world.collection("certificates").into_keys();
                let all = names.chain(world.collection("dnsAuthorizations").into_keys());
                entry(world).is_some() || all.into_iter().any(|name| name.starts_with(NAME))
            }
            _ => world.truth(&self.path).is_object(),
        }
    }
}

/// The domains that the proxy serves with our certificates.
fn served(world: &World) -> Value {
    let proxy = world.truth(PROXY);
    let links = proxy["sslCertificates"].as_array().unwrap().iter();
    let ours = links.map(|link| world.truth(link.as_str().unwrap().split("/v1/").last().unwrap()));
    let ours = ours.filter(|found| found["name"].as_str().unwrap().starts_with(NAME));
    ours.map(|found| found["managed"]["domains"].clone())
        .collect()
}

/// The map's only entry.
fn entry(world: &World) -> Option<Value> {
    let entries = world.collection("certificateMapEntries");
    entries.into_values().next()
}

fn theirs() -> String {
    format!("{}/certificates/{THEIRS}", &PLACE[3..])
}

/// The domains that the map's entry serves with our certificates.
fn mapped(world: &World) -> Value {
    let certificates = world.collection("certificates");
    let Some(entry) = entry(world) else {
        return json!([]);
    };
    let served = entry["certificates"].as_array().unwrap().iter();
    let served = served.map(|name| name.as_str().unwrap().rsplit('/').next().unwrap());
    let ours = served.filter(|name| name.starts_with(NAME));
    ours.map(|name| certificates[name]["managed"]["domains"].clone())
        .collect()
}

pub fn connector() -> Subject {
    let made = json!({"minInstances": 2, "maxInstances": 4, "network": "default",
        "ipCidrRange": "10.9.0.0/28", "machineType": null});
    Subject::new(
        key_of(Kind::VpcAccessConnector, LOCATION, NAME),
        "locations/us-central1/connectors",
        &made,
        "/machineType",
        ["e2-micro", "e2-standard-4", "f1-micro"].map(Value::from),
    )
}

pub fn health_check() -> Subject {
    let made =
        json!({"checkIntervalSec": null, "timeoutSec": 5, "httpHealthCheck": {"port": 8080}});
    Subject::new(
        key_of(Kind::HealthCheck, "global", NAME),
        "global/healthChecks",
        &made,
        "/checkIntervalSec",
        [10, 20, 60].map(Value::from),
    )
}

pub fn backend_service() -> Subject {
    let made = json!({"loadBalancingScheme": "EXTERNAL_MANAGED", "protocol": "HTTP",
        "timeoutSec": null});
    Subject::new(
        key_of(Kind::BackendService, "global", NAME),
        "global/backendServices",
        &made,
        "/timeoutSec",
        [60, 90, 45].map(Value::from),
    )
}

/// A change is a rotation: create, attach, detach, delete. Drift is a proxy that lost it.
pub fn certificate() -> Subject {
    let resource = |domains: &[&str]| json!({"managed": {"domains": domains}, "attachTo": ["staging-https-proxy"]});
    let domains = ["a.example.com", "b.example.com"];
    Subject {
        key: key_of(Kind::SslCertificate, "global", NAME),
        made: resource(&domains[..1]),
        changed: resource(&domains),
        rest: json!({"managed": {"domains": domains[..1]}}),
        field: "attachTo[staging-https-proxy]",
        values: [json!([domains[..1]]), json!([domains]), json!([])],
        writes_of_a_change: 4,
        writes_of_a_delete: 1,
        path: String::new(),
        pointer: "",
    }
}

/// A change is a rotation: create, point the entry at it, delete. Drift is an entry that somebody points
/// elsewhere. A delete takes the entry, the certificate and the authorization.
pub fn managed_certificate() -> Subject {
    let resource = |domains: &[&str]| {
        json!({"managed": {"domains": domains},
            "attachTo": [{"map": "matrix", "hostname": "*.example.com"}]})
    };
    let domains = ["*.example.com", "example.com"];
    Subject {
        key: key_of(Kind::ManagedCertificate, "global", NAME),
        made: resource(&domains[..1]),
        changed: resource(&domains),
        rest: json!({"managed": {"domains": domains[..1]}}),
        field: "attachTo[matrix/*.example.com]",
        values: [json!([domains[..1]]), json!([domains]), json!([])],
        writes_of_a_change: 3,
        writes_of_a_delete: 3,
        path: String::new(),
        pointer: "",
    }
}

pub fn service() -> Subject {
    let made = json!({"ingress": null, "template": {"containers": [{"image": "us-docker.pkg.dev/p/r/matrix:1"}]}});
    let from = |who: &str| Value::from(format!("INGRESS_TRAFFIC_{who}"));
    Subject::new(
        key_of(Kind::RunService, LOCATION, NAME),
        "locations/us-central1/services",
        &made,
        "/ingress",
        ["ALL", "INTERNAL_ONLY", "INTERNAL_LOAD_BALANCER"].map(from),
    )
}

pub fn instance() -> Subject {
    let made = json!({"databaseVersion": "POSTGRES_15",
        "settings": {"tier": null, "dataDiskSizeGb": 50}});
    Subject::new(
        key_of(Kind::SqlInstance, LOCATION, NAME),
        "instances",
        &made,
        "/settings/tier",
        ["db-custom-1-3840", "db-custom-2-8192", "db-custom-4-15360"].map(Value::from),
    )
}

/// One resource of each kind, the ones that can refer to others doing so.
pub fn settled_world() -> Vec<Declared> {
    let subjects = [
        connector(),
        health_check(),
        backend_service(),
        certificate(),
        managed_certificate(),
        service(),
        instance(),
    ];
    let manifest = |subject: Subject| {
        let mut resource = subject.made;
        let to = json!({"name": NAME});
        match subject.key.kind {
            Kind::BackendService => resource["healthChecksRef"] = json!([to]),
            Kind::RunService => resource["template"]["vpcAccess"] = json!({"connectorRef": to}),
            _ => {}
        }
        declared_as(subject.key, resource)
    };
    subjects.into_iter().map(manifest).collect()
}

/// What a poll lists for them, by the last words of the paths in order.
pub const LISTED: [&str; 11] = [
    "backendServices",
    "healthChecks",
    "sslCertificates",
    "targetHttpsProxies",
    "instances",
    "certificateMaps",
    "certificateMapEntries",
    "certificates",
    "dnsAuthorizations",
    "connectors",
    "services",
];
