//! DELETE: finalizers, preconditions, what goes along with an owner, and namespaces.

use super::answer::{Refusal, Reply};
use super::list::selected;
use super::log::Incoming;
use super::meta;
use super::resource::Resource;
use super::route::Target;
use super::select::Selector;
use super::store::{Place, Store, now};
use serde_json::{Value, json};

/// Answers the DELETE of one object.
pub(crate) fn one(
    store: &mut Store,
    target: &Target,
    name: &str,
    request: &Incoming,
) -> Result<Reply, Refusal> {
    let resource = &target.resource;
    let place = (resource.shelf(), target.namespace.clone(), name.to_owned());
    let live = store
        .get(&place)
        .ok_or_else(|| Refusal::not_found(resource, name))?;
    let options = request.object()?;
    for field in ["uid", "resourceVersion"] {
        let wanted = options["preconditions"][field].as_str();
        if wanted.is_some_and(|wanted| live["metadata"][field] != wanted) {
            let why = format!("Precondition failed: {field}");
            return Err(Refusal::conflict(resource, name, &why));
        }
    }
    let dry = request.asked("dryRun") == "All" || options["dryRun"] == json!(["All"]);
    let left = if dry {
        None
    } else {
        take(store, &place, policy(request, &options))
    };
    Ok(match left {
        Some(object) => Reply::json(200, &object),
        None => Reply::json(200, &gone(resource, name, &live)),
    })
}

fn gone(resource: &Resource, name: &str, live: &Value) -> Value {
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
        "details": {"name": name, "group": resource.group, "kind": resource.plural,
            "uid": live["metadata"]["uid"]},
    })
}

fn policy<'a>(request: &'a Incoming, options: &'a Value) -> &'a str {
    let asked = request.query.get("propagationPolicy").map(String::as_str);
    options["propagationPolicy"]
        .as_str()
        .or(asked)
        .unwrap_or("Background")
}

/// Answers the DELETE of a collection.
pub(crate) fn collection(
    store: &mut Store,
    target: &Target,
    request: &Incoming,
) -> Result<Reply, Refusal> {
    let options = request.object()?;
    let all = selected(store, target, &Selector::of(request)?);
    for (place, _) in &all {
        take(store, place, policy(request, &options));
    }
    Ok(Reply::json(
        200,
        &json!({
            "kind": format!("{}List", target.resource.kind),
            "apiVersion": target.resource.api_version(),
            "metadata": {"resourceVersion": store.version().to_string()},
            "items": all.iter().map(|(_, object)| (**object).clone()).collect::<Vec<_>>(),
        }),
    ))
}

/// Deletes an object, or marks it where finalizers hold it: then it is given back.
fn take(store: &mut Store, place: &Place, policy: &str) -> Option<Value> {
    let mut object = (*store.get(place)?).clone();
    let marked = object["metadata"]["deletionTimestamp"].is_string();
    if policy == "Orphan" {
        orphan(store, &object["metadata"]["uid"]);
    }
    if !marked {
        object["metadata"]["deletionTimestamp"] = json!(now());
        object["metadata"]["deletionGracePeriodSeconds"] = json!(0);
        if let Some(generation) = object["metadata"]["generation"].as_i64() {
            object["metadata"]["generation"] = json!(generation + 1);
        }
        if object["kind"] == "Namespace" {
            object["status"]["phase"] = json!("Terminating");
        }
    }
    if meta::may_go(&object) {
        finish(store, place);
        return None;
    }
    let kept = if marked {
        object
    } else {
        store.put(place.clone(), object)
    };
    if kept["kind"] == "Namespace" {
        empty(store, &place.2);
        return store.get(place).map(|object| (*object).clone());
    }
    Some(kept)
}

/// After a write: an object that is being deleted goes when nothing holds it any more.
pub(crate) fn settle(store: &mut Store, place: &Place) {
    if store.get(place).is_some_and(|object| meta::may_go(&object)) {
        finish(store, place);
    }
}

/// Takes an object away, with what it owns.
fn finish(store: &mut Store, place: &Place) {
    let Some(gone) = store.remove(place) else {
        return;
    };
    if place.0 == "customresourcedefinitions.apiextensions.k8s.io" {
        for (of_kind, _) in store.list(&place.2, None) {
            store.remove(&of_kind);
        }
    }
    for (owned, object) in store.everything() {
        let uid = &gone["metadata"]["uid"];
        let owners = object["metadata"]["ownerReferences"].as_array();
        let owners = owners.map(Vec::as_slice).unwrap_or_default();
        let (dead, living): (Vec<_>, Vec<_>) = owners.iter().partition(|o| o["uid"] == *uid);
        if dead.is_empty() {
            continue;
        }
        if living.is_empty() {
            take(store, &owned, "Background");
        } else {
            disown(store, &owned, uid);
        }
    }
    // A namespace waits for the last of what it holds.
    let space = ("namespaces".into(), String::new(), place.1.clone());
    let leaving = store
        .get(&space)
        .filter(|n| n["metadata"]["deletionTimestamp"].is_string());
    if leaving.is_some() {
        close(store, &place.1);
    }
}

fn orphan(store: &mut Store, uid: &Value) {
    for (place, object) in store.everything() {
        let owners = object["metadata"]["ownerReferences"].as_array();
        if owners.is_some_and(|owners| owners.iter().any(|owner| owner["uid"] == *uid)) {
            disown(store, &place, uid);
        }
    }
}

fn disown(store: &mut Store, place: &Place, uid: &Value) {
    let Some(object) = store.get(place) else {
        return;
    };
    let mut object = (*object).clone();
    if let Some(owners) = object["metadata"]["ownerReferences"].as_array_mut() {
        owners.retain(|owner| owner["uid"] != *uid);
    }
    store.put(place.clone(), object);
}

/// Deletes everything in a namespace that is being deleted.
fn empty(store: &mut Store, namespace: &str) {
    for (place, _) in store.everything() {
        if place.1 == namespace {
            take(store, &place, "Background");
        }
    }
    close(store, namespace);
}

/// Ends a namespace that is empty.
fn close(store: &mut Store, namespace: &str) {
    let space = ("namespaces".to_owned(), String::new(), namespace.to_owned());
    let filled = store
        .everything()
        .iter()
        .any(|(place, _)| place.1 == namespace);
    let Some(object) = store.get(&space).filter(|_| !filled) else {
        return;
    };
    let mut object = (*object).clone();
    object["spec"]["finalizers"] = json!([]);
    store.put(space.clone(), object);
    settle(store, &space);
}
