//! LIST: selectors, pages, and the version to watch from.

use super::answer::{Refusal, Reply};
use super::log::Incoming;
use super::read::shape;
use super::route::Target;
use super::select::Selector;
use super::store::{Place, Store};
use super::{events, resource::Resource};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::sync::Arc;

/// The objects that a target and a selector name.
pub(crate) fn selected(
    store: &Store,
    target: &Target,
    selector: &Selector,
) -> Vec<(Place, Arc<Value>)> {
    let namespace = Some(target.namespace.as_str()).filter(|name| !name.is_empty());
    let mut all = store.list(&target.resource.shelf(), namespace);
    all.retain(|(_, object)| selector.takes(object));
    all
}

/// Where the next page begins, as `continue` carries it: the version, namespace and name.
fn token(version: u64, place: &Place) -> String {
    STANDARD.encode(json!([version, place.1, place.2]).to_string())
}

fn read_token(text: &str) -> Result<(u64, String, String), Refusal> {
    let bytes = STANDARD.decode(text).ok();
    let parsed = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    parsed.ok_or_else(|| Refusal::bad("continue key is not valid"))
}

/// Answers a LIST.
pub(crate) fn list(store: &Store, target: &Target, request: &Incoming) -> Result<Reply, Refusal> {
    let mut all = selected(store, target, &Selector::of(request)?);
    let mut metadata = json!({"resourceVersion": store.version().to_string()});
    if let Some(text) = request
        .query
        .get("continue")
        .filter(|text| !text.is_empty())
    {
        let (version, namespace, name) = read_token(text)?;
        // A page of a state that is forgotten.
        store.since(version)?;
        all.retain(|(place, _)| (&place.1, &place.2) > (&namespace, &name));
        metadata["resourceVersion"] = json!(version.to_string());
    }
    let limit = request.asked("limit").parse().unwrap_or(0_usize);
    if limit > 0 && all.len() > limit {
        let version = metadata["resourceVersion"].as_str().unwrap().parse();
        metadata["remainingItemCount"] = json!(all.len() - limit);
        all.truncate(limit);
        let (last, _) = all.last().unwrap();
        metadata["continue"] = json!(token(version.unwrap(), last));
    }
    let resource = &target.resource;
    let items: Vec<_> = all
        .into_iter()
        .map(|(_, object)| events::shown(resource, (*object).clone()))
        .collect();
    Ok(Reply::json(
        200,
        &shaped(request, resource, items, &metadata),
    ))
}

fn shaped(request: &Incoming, resource: &Resource, items: Vec<Value>, metadata: &Value) -> Value {
    let shape = shape(request);
    if let Some(mut table) = shape.table(resource, &items) {
        table["metadata"] = metadata.clone();
        return table;
    }
    let (kind, version) = if shape.is_metadata() {
        ("PartialObjectMetadataList".into(), "meta.k8s.io/v1".into())
    } else {
        (format!("{}List", resource.kind), resource.api_version())
    };
    let items: Vec<_> = items.into_iter().map(|item| shape.one(item)).collect();
    json!({"kind": kind, "apiVersion": version, "metadata": metadata, "items": items})
}
