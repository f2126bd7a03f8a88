//! Secret Manager v1: reading the value of a secret, and nothing else.
//!
//! Invariant: a value leaves in the reply to an access only. The request log and the view of the world never hold
//! one; a snapshot must, and marks each with the name `sensitive`.

mod crc32c;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::crc32c::crc32c;
use super::api::{Api, Eye, Method, Request};
use super::base64;
use super::errors::ApiError;
use super::messages::{Kind, Message, field};
use super::operations::{Ending, Operation};
use super::quota::project_number;
use super::route::Route;
use super::scenario::Scenario;
use super::world::World;

pub(super) const SERVICE: &str = "secretmanager.googleapis.com";

pub(super) struct SecretManager;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Secret {
    /// From `projects` on.
    name: String,
    versions: Vec<Version>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Version {
    sensitive: String,
}

impl Secret {
    fn of(record: &Value) -> Self {
        Self::deserialize(record).unwrap_or_default()
    }

    fn record(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    fn new(name: &str, value: &str) -> Self {
        let mut secret = Self {
            name: name.to_owned(),
            versions: Vec::new(),
        };
        secret.add(value);
        secret
    }

    fn add(&mut self, value: &str) {
        let sensitive = value.to_owned();
        self.versions.push(Version { sensitive });
    }

    /// The number and the value of a version by its number or its alias `latest`.
    fn version(&self, wanted: &str) -> Option<(usize, &str)> {
        let number = match wanted {
            "latest" => self.versions.len(),
            number => number.parse().ok()?,
        };
        let version = self.versions.get(number.checked_sub(1)?)?;
        Some((number, &version.sensitive))
    }
}

impl World {
    /// Adds a version to a secret, and makes the secret if it is not there. `name` is from `projects` on.
    pub fn add_secret(&mut self, name: &str, value: &str) {
        let key = SecretManager.key(name);
        let secret = match self.records.truth(&key).map(Secret::of) {
            None => Secret::new(name, value),
            Some(mut secret) => {
                secret.add(value);
                secret
            }
        };
        self.show(&key, Some(secret.record()));
    }

    /// The newest value of a secret by its name, from `projects` on.
    pub fn newest_secret(&self, name: &str) -> Option<String> {
        let secret = self
            .records
            .truth(&SecretManager.key(name))
            .map(Secret::of)?;
        let (_, value) = secret.version("latest")?;
        Some(value.to_owned())
    }

    /// The names of all secrets.
    pub fn secret_names(&self) -> Vec<String> {
        let prefix = SecretManager.key("");
        let all = self.records.all_under(&prefix);
        all.map(|(_, record)| Secret::of(record).name).collect()
    }
}

/// Google names the project by its number here.
fn numbered(name: &str, project: &str) -> String {
    let number = project_number(project).to_string();
    name.replacen(project, &number, 1)
}

fn access(world: &mut World, request: &Request) -> Result<Value, ApiError> {
    let path = request.route.resource();
    let (name, wanted) = path.split_once("/versions/").unwrap_or((path, ""));
    let project = request.route.project();
    let key = request.route.api.key(name);
    let seen = world.records.seen(&key, request.view.at).map(Secret::of);
    let secret = seen.ok_or_else(|| {
        let name = numbered(name, project);
        ApiError::not_found(format!("Secret [{name}] not found or has no versions."))
    })?;
    let (number, value) = secret.version(wanted).ok_or_else(|| {
        let name = numbered(path, project);
        ApiError::not_found(format!("Secret Version [{name}] not found."))
    })?;
    Ok(json!({
        "name": format!("{}/versions/{number}", numbered(name, project)),
        "payload": {
            "data": base64::encode(value.as_bytes()),
            "dataCrc32c": crc32c(value.as_bytes()).to_string(),
        },
    }))
}

impl Api for SecretManager {
    fn service(&self) -> &'static str {
        SERVICE
    }

    fn title(&self) -> &'static str {
        "Secret Manager API"
    }

    fn methods(&self) -> &'static [Method] {
        METHODS
    }

    fn secrets(&self) -> &'static [&'static str] {
        &["payload", "data"]
    }

    fn admit(&self, world: &World, route: &Route) -> Result<(), ApiError> {
        world.check_project(route)
    }

    fn show(&self, _key: &str, record: &Value, _eye: &Eye) -> Value {
        let secret = Secret::of(record);
        json!({"name": secret.name, "versions": secret.versions.len()})
    }

    /// There are no operations.
    fn operation(&self, _operation: &Operation, _eye: &Eye) -> Value {
        json!({})
    }

    fn finish(&self, _world: &mut World, _operation: &Operation) -> Ending {
        Ending::Done(json!({}))
    }

    fn overwrite(&self, _key: &str, _record: &Value, _fields: &Value) -> Result<Value, String> {
        Err("set secrets by their own control, which is not logged".to_owned())
    }

    fn seed(&self, scenario: Scenario) -> Vec<(String, Value)> {
        let staging = scenario == Scenario::NetraStaging;
        let secrets = staging.then(|| Secret::new(STAGING_SECRET, "a-made-up-password"));
        let secrets = secrets.into_iter();
        secrets
            .map(|secret| (self.key(&secret.name), secret.record()))
            .collect()
    }
}

/// The password that the services of `netra-staging` reach their database with.
const STAGING_SECRET: &str = "projects/netra-staging/secrets/netra-db-password";

static PAYLOAD: Message = Message {
    type_name: "google.cloud.secretmanager.v1.SecretPayload",
    fields: &[
        field("data", "data", Kind::Text),
        field("dataCrc32c", "data_crc32c", Kind::Int64),
    ],
};

static ACCESSED: Message = Message {
    type_name: "google.cloud.secretmanager.v1.AccessSecretVersionResponse",
    fields: &[
        field("name", "name", Kind::Text),
        field("payload", "payload", Kind::Message(&PAYLOAD)),
    ],
};

static METHODS: &[Method] = &[Method::get(
    "/v1/projects/{project}/secrets/{secret}/versions/{version}:access",
    &ACCESSED,
    access,
)
.called(
    "secretmanager.versions.access",
    "google.cloud.secretmanager.v1.SecretManagerService.AccessSecretVersion",
)];
