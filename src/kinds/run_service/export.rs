//! A live service as a manifest: what a team decides, without what each deployment writes.

use super::live::{Home, connector, short};
use super::traffic::{self, Split};
use crate::api::{Key, Kind};
use crate::core::observed::Present;
use crate::kinds::export::{Export, LeftOut, Manifests, is_of_google};
use crate::kinds::secret::is_secret;
use serde_json::{Map, Value, json};

const IMAGE: &str = "whoever deploys keeps the image; write it into the manifest if evenkeel is to \
     keep it";
const BUILD: &str = "looks like something that each build writes; write it into the manifest if \
     evenkeel is to keep it";
const SECRET: &str = "holds what looks like a secret, and secrets are not exported; put it into \
     Secret Manager and name it with valueSource.secretKeyRef";

/// Names, or ends of names, of what builds and deployments write.
const OF_BUILDS: &[&str] = &[
    "GIT_SHA",
    "GIT_COMMIT",
    "GIT_HASH",
    "GIT_REF",
    "GIT_TAG",
    "GIT_BRANCH",
    "COMMIT_SHA",
    "COMMIT_HASH",
    "SHORT_SHA",
    "BUILD_ID",
    "BUILD_NUMBER",
    "BUILD_DATE",
    "BUILD_TIME",
    "BUILD_TIMESTAMP",
    "BUILD_SHA",
    "BUILD_TAG",
    "IMAGE_TAG",
    "IMAGE_DIGEST",
    "TRIGGER_ID",
    "DEPLOYED_AT",
    "DEPLOY_TIME",
];
/// Hex digits of a git commit.
const COMMIT: usize = 40;
/// Google writes under these; run v2 takes them from nobody.
const RESERVED: [&str; 4] = [
    "run.googleapis.com/",
    "cloud.googleapis.com/",
    "serving.knative.dev/",
    "autoscaling.knative.dev/",
];

pub(super) fn export(live: &Present, key: &Key) -> Export {
    let mut export = Export::of(Kind::RunService, &live.raw);
    let mut left_out = Vec::new();
    for field in ["labels", "annotations"] {
        if let Some(Value::Object(entries)) = export.resource.get_mut(field) {
            entries.retain(|name, value| keep_entry(field, name, value, &mut left_out));
            if entries.is_empty() {
                export.drop(field);
            }
        }
    }
    if let Some(Value::Array(containers)) = export.get_mut("template.containers") {
        for container in containers.iter_mut() {
            clean(container, &mut left_out);
        }
        containers.retain(says_something);
        if containers.is_empty() {
            export.drop("template.containers");
        }
    }
    if let Some(name) = export.get_mut("template.vpcAccess.connector") {
        let home = Home {
            project: key.project.clone(),
            location: key.location.clone(),
        };
        *name = connector(name.as_str().unwrap_or_default(), &home).into();
    }
    split(live, &mut export);
    export.left_out.extend(left_out);
    export
}

/// Manifests move traffic, they do not hold it: a split that is not "all to the latest" stays as it
/// is, and people must know.
fn split(live: &Present, export: &mut Export) {
    let split = Split::of(&live.raw[traffic::FIELD]).text();
    if split != traffic::ALL_LATEST {
        let why = format!(
            "{split} stays as it is: a manifest moves traffic only with steps in spec.rollout, and \
             in the end to the latest revision"
        );
        export.left_out.push(LeftOut {
            path: traffic::FIELD.to_owned(),
            why: why.into(),
        });
    }
}

fn keep_entry(field: &str, name: &str, value: &Value, left_out: &mut Vec<LeftOut>) -> bool {
    if is_of_google(name) || RESERVED.iter().any(|start| name.starts_with(start)) {
        return false;
    }
    let why = why_not(name, value.as_str().unwrap_or_default());
    left_out.extend(why.map(|why| LeftOut {
        path: format!("{field}[{name}]"),
        why: why.into(),
    }));
    why.is_none()
}

/// Why a value under this name is not for a manifest.
fn why_not(name: &str, value: &str) -> Option<&'static str> {
    let name = name.to_ascii_uppercase().replace(['-', '.', '/'], "_");
    if is_secret(&name, value) {
        return Some(SECRET);
    }
    let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let is_commit = value.len() == COMMIT && value.bytes().all(is_hex);
    (is_commit || is_of_builds(&name)).then_some(BUILD)
}

fn is_of_builds(name: &str) -> bool {
    OF_BUILDS.iter().any(|end| {
        let before = name.strip_suffix(end);
        before.is_some_and(|rest| rest.is_empty() || rest.ends_with('_'))
    })
}

/// One container: neither image nor what builds write, no secrets, no default probe.
fn clean(container: &mut Value, left_out: &mut Vec<LeftOut>) {
    let name = container["name"].as_str().unwrap_or_default();
    let at = format!("template.containers[{name}]");
    let default = default_probe(container);
    let Value::Object(fields) = container else {
        return;
    };
    if fields.remove("image").is_some() {
        left_out.push(LeftOut {
            path: format!("{at}.image"),
            why: IMAGE.into(),
        });
    }
    if fields.get("startupProbe") == Some(&default) {
        fields.remove("startupProbe");
    }
    let Some(Value::Array(env)) = fields.get_mut("env") else {
        return;
    };
    env.retain_mut(|variable| keep_variable(variable, &at, left_out));
    if env.is_empty() {
        fields.remove("env");
    }
}

fn keep_variable(variable: &mut Value, at: &str, left_out: &mut Vec<LeftOut>) -> bool {
    if variable.get("valueSource").is_some() {
        return true;
    }
    if variable.get("value").is_none() {
        // Google leaves the empty value out.
        variable["value"] = "".into();
    }
    let text = |field: &str| variable[field].as_str().unwrap_or_default();
    let why = why_not(text("name"), text("value"));
    left_out.extend(why.map(|why| LeftOut {
        path: format!("{at}.env[{}]", text("name")),
        why: why.into(),
    }));
    why.is_none()
}

/// What Google sets where nobody asked for a probe (Google, "About container health checks").
fn default_probe(container: &Value) -> Value {
    let port = container["ports"][0]["containerPort"].as_i64();
    json!({
        "timeoutSeconds": 240, "periodSeconds": 240, "failureThreshold": 1,
        "tcpSocket": {"port": port.unwrap_or(8080)},
    })
}

/// A container that only has a name declares nothing.
fn says_something(container: &Value) -> bool {
    let fields = container.as_object();
    fields.is_some_and(|fields| fields.keys().any(|name| name != "name"))
}

/// `connectorRef` where the connector has a manifest.
pub(super) fn refer(resource: &mut Map<String, Value>, manifests: &Manifests) {
    let access = resource
        .get_mut("template")
        .and_then(|t| t.get_mut("vpcAccess"));
    let Some(Value::Object(access)) = access else {
        return;
    };
    let name = access
        .get("connector")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let parts: Vec<&str> = name.split('/').collect();
    let ["projects", project, "locations", location, "connectors", _] = parts[..] else {
        return;
    };
    let key = Key {
        kind: Kind::VpcAccessConnector,
        project: project.to_owned(),
        location: location.to_owned(),
        name: short(name).to_owned(),
    };
    if let Some(name) = manifests.get(&key) {
        access.remove("connector");
        access.insert("connectorRef".to_owned(), json!({"name": name}));
    }
}
