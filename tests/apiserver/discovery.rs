//! What is served, as clients ask for it: one by one, or all at once.

use super::answer::{Refusal, Reply};
use super::log::Incoming;
use super::openapi;
use super::resource::Resource;
use super::store::Store;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// The answer, where the path is not one of an object.
pub(crate) fn answer(store: &Store, request: &Incoming) -> Option<Result<Reply, Refusal>> {
    let parts: Vec<_> = request
        .path
        .split('/')
        .filter(|part| !part.is_empty())
        .collect();
    let parts: Vec<_> = parts.iter().map(|part| &**part).collect();
    let value = match parts.as_slice() {
        ["version"] => version(),
        ["openapi", "v3", rest @ ..] => return Some(openapi::answer(store, rest)),
        ["healthz" | "readyz" | "livez"] => {
            return Some(Ok(Reply::stream(200, "ok".into()).of_kind("text/plain")));
        }
        ["api" | "apis"] if wants_all(request) => {
            let core = parts == ["api"];
            return Some(Ok(Reply::json(200, &all(store, core)).of_kind(AGGREGATED)));
        }
        ["api"] => json!({
            "kind": "APIVersions", "versions": ["v1"],
            "serverAddressByClientCIDRs": [],
        }),
        ["apis"] => json!({
            "kind": "APIGroupList", "apiVersion": "v1",
            "groups": groups(store).keys().map(|(g, v)| group(g, v)).collect::<Vec<_>>(),
        }),
        ["api", "v1"] => resources(store, "", "v1")?,
        ["apis", name] => {
            let known = groups(store);
            let Some(((g, v), _)) = known.iter().find(|((g, _), _)| g == name) else {
                return Some(Err(Refusal::no_route()));
            };
            let mut one = group(g, v);
            one["kind"] = json!("APIGroup");
            one["apiVersion"] = json!("v1");
            one
        }
        ["apis", group, version] => match resources(store, group, version) {
            Some(list) => list,
            None => return Some(Err(Refusal::no_route())),
        },
        _ => return None,
    };
    Some(Ok(Reply::json(200, &value)))
}

fn version() -> Value {
    json!({
        "major": "1", "minor": "32", "gitVersion": "v1.32.4", "gitCommit": "test",
        "gitTreeState": "clean", "buildDate": "2026-11-01T00:00:00Z", "goVersion": "none",
        "compiler": "none", "platform": "linux/amd64",
    })
}

fn wants_all(request: &Incoming) -> bool {
    let accept = request.header("accept");
    accept.contains("g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList")
}

type Groups = BTreeMap<(String, String), Vec<Arc<Resource>>>;

/// Everything but the core, by group and version.
fn groups(store: &Store) -> Groups {
    let mut groups = Groups::new();
    for resource in store.resources.iter().filter(|r| !r.group.is_empty()) {
        let key = (resource.group.clone(), resource.version.clone());
        groups.entry(key).or_default().push(Arc::clone(resource));
    }
    groups
}

fn group(name: &str, version: &str) -> Value {
    let version = json!({"groupVersion": format!("{name}/{version}"), "version": version});
    json!({"name": name, "versions": [version], "preferredVersion": version})
}

const VERBS: &[&str] = &[
    "create",
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "update",
    "watch",
];
const STATUS_VERBS: &[&str] = &["get", "patch", "update"];

fn resources(store: &Store, group: &str, version: &str) -> Option<Value> {
    let of = |r: &&Arc<Resource>| r.group == group && r.version == version;
    let mut list = Vec::new();
    for resource in store.resources.iter().filter(of) {
        list.push(json!({
            "name": resource.plural, "singularName": resource.singular,
            "namespaced": resource.namespaced, "kind": resource.kind, "verbs": VERBS,
            "shortNames": resource.short_names, "categories": resource.categories,
        }));
        if resource.status {
            list.push(json!({
                "name": format!("{}/status", resource.plural), "singularName": "",
                "namespaced": resource.namespaced, "kind": resource.kind, "verbs": STATUS_VERBS,
            }));
        }
    }
    let name = if group.is_empty() {
        version.into()
    } else {
        format!("{group}/{version}")
    };
    (!list.is_empty()).then(|| {
        json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": name,
            "resources": list})
    })
}

fn aggregated(resource: &Resource) -> Value {
    let mut entry = json!({
        "resource": resource.plural, "responseKind": resource.gvk(),
        "scope": if resource.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": resource.singular, "verbs": VERBS,
        "shortNames": resource.short_names, "categories": resource.categories,
    });
    if resource.status {
        entry["subresources"] = json!([{
            "subresource": "status", "responseKind": resource.gvk(), "verbs": STATUS_VERBS,
        }]);
    }
    entry
}

fn all(store: &Store, core: bool) -> Value {
    let discovered = |name: &str, version: &str, resources: &[Arc<Resource>]| {
        json!({
            "metadata": {"name": name},
            "versions": [{
                "version": version, "freshness": "Current",
                "resources": resources.iter().map(|r| aggregated(r)).collect::<Vec<_>>(),
            }],
        })
    };
    let items: Vec<_> = if core {
        let resources = store.resources.iter().filter(|r| r.group.is_empty());
        let resources: Vec<_> = resources.cloned().collect();
        vec![discovered("", "v1", &resources)]
    } else {
        let groups = groups(store);
        groups
            .iter()
            .map(|((g, v), resources)| discovered(g, v, resources))
            .collect()
    };
    json!({
        "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {},
        "items": items,
    })
}
