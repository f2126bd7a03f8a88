//! POST, PUT and PATCH: one way in for everything that creates or changes an object.

use super::answer::{Refusal, Reply};
use super::log::Incoming;
use super::read::shape;
use super::resource::Resource;
use super::route::Target;
use super::store::{Place, Store};
use super::{apply, crd, delete, events, meta, patch, schema};
use serde_json::{Value, json};

const APPLY: &str = "application/apply-patch+yaml";

/// What a write says besides the object.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    pub manager: String,
    /// Unknown fields: `Strict`, `Warn` or `Ignore`.
    pub validation: String,
    pub dry: bool,
    pub force: bool,
    /// Server-side apply, which keeps the owners of fields itself.
    pub apply: bool,
}

impl Options {
    /// Those of a test itself.
    pub fn by(manager: &str) -> Self {
        Options {
            manager: manager.into(),
            validation: "Strict".into(),
            ..Options::default()
        }
    }

    fn of(request: &Incoming) -> Self {
        // By default the first word of the agent, as in `kubectl/v1.32`.
        let agent = request.header("user-agent").split('/').next();
        let agent = agent.filter(|name| !name.is_empty()).unwrap_or("unknown");
        let manager = request.query.get("fieldManager");
        let validation = request.query.get("fieldValidation");
        Options {
            manager: manager.map_or(agent, String::as_str).to_owned(),
            validation: validation.map_or("Warn", String::as_str).to_owned(),
            dry: request.asked("dryRun") == "All",
            force: request.is_asked("force"),
            apply: request.content_type() == APPLY,
        }
    }
}

/// What a write left.
#[derive(Debug)]
pub(crate) struct Written {
    pub object: Value,
    pub warnings: Vec<String>,
}

fn reply(code: u16, request: &Incoming, resource: &Resource, written: Written) -> Reply {
    let shown = shape(request).of(resource, written.object);
    Reply::json(code, &shown).warning(written.warnings)
}

fn body(target: &Target, request: &Incoming) -> Result<Value, Refusal> {
    let object = request.object()?;
    let resource = &target.resource;
    if object["kind"] != resource.kind || object["apiVersion"] != resource.api_version() {
        let text = format!(
            "the object provided is unrecognized (must be of type {}): {} {}",
            resource.kind, object["apiVersion"], object["kind"]
        );
        return Err(Refusal::bad(&text));
    }
    let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default();
    if resource.namespaced && !namespace.is_empty() && namespace != target.namespace {
        let text = "the namespace of the provided object does not match the namespace sent on \
                    the request";
        return Err(Refusal::bad(text));
    }
    Ok(events::stored(resource, object))
}

/// Answers a POST.
pub(crate) fn post(
    store: &mut Store,
    target: &Target,
    request: &Incoming,
) -> Result<Reply, Refusal> {
    let resource = &target.resource;
    if resource.namespaced && target.namespace.is_empty() {
        return Err(Refusal::method());
    }
    let object = body(target, request)?;
    let options = Options::of(request);
    let written = create(store, resource, &target.namespace, object, &options)?;
    Ok(reply(201, request, resource, written))
}

/// Creates an object.
pub(crate) fn create(
    store: &mut Store,
    resource: &Resource,
    namespace: &str,
    mut object: Value,
    options: &Options,
) -> Result<Written, Refusal> {
    let version = object["metadata"]["resourceVersion"].as_str();
    if version.is_some_and(|version| !version.is_empty()) {
        return Err(Refusal::bad(
            "resourceVersion should not be set on objects to be created",
        ));
    }
    let namespace = if resource.namespaced { namespace } else { "" };
    if resource.status {
        object.as_object_mut().unwrap().remove("status");
    }
    let name = meta::born(store, resource, namespace, &mut object)?;
    let place = (resource.shelf(), namespace.to_owned(), name.clone());
    if resource.namespaced {
        open(store, resource, namespace, &name)?;
    }
    if store.get(&place).is_some() {
        return Err(Refusal::exists(resource, &name));
    }
    let warnings = admit(resource, None, &mut object, options)?;
    if !options.apply {
        apply::note(resource, None, &mut object, &options.manager, false);
    }
    if !options.dry {
        object = store.put(place, object);
    }
    Ok(Written { object, warnings })
}

/// A namespace that takes new objects.
fn open(store: &Store, resource: &Resource, namespace: &str, name: &str) -> Result<(), Refusal> {
    let spaces = store.resource_on("namespaces").expect("always served");
    let place = ("namespaces".into(), String::new(), namespace.to_owned());
    let space = store.get(&place);
    let space = space.ok_or_else(|| Refusal::not_found(&spaces, namespace))?;
    if space["metadata"]["deletionTimestamp"].is_string() {
        let why = format!(
            "unable to create new content in namespace {namespace} because it is being terminated"
        );
        return Err(Refusal::forbidden(resource, name, &why));
    }
    Ok(())
}

/// The last look at an object before it is stored. Gives the warnings.
fn admit(
    resource: &Resource,
    old: Option<&Value>,
    object: &mut Value,
    options: &Options,
) -> Result<Vec<String>, Refusal> {
    if resource.is_crd() {
        crd::establish(object);
    }
    let Some(described) = &resource.schema else {
        return Ok(Vec::new());
    };
    let unknown = schema::prune(described, object);
    let unknown: Vec<_> = unknown
        .iter()
        .map(|field| format!("unknown field \"{field}\""))
        .collect();
    if options.validation == "Strict" && !unknown.is_empty() {
        let text = format!(
            "{} in version \"{}\" cannot be handled as a {}: strict decoding error: {}",
            resource.kind,
            resource.version,
            resource.kind,
            unknown.join(", ")
        );
        return Err(Refusal::bad(&text));
    }
    schema::fill(described, object);
    let name = object["metadata"]["name"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let causes = schema::validate(described, object, old);
    if !causes.is_empty() {
        return Err(Refusal::invalid(resource, &name, &causes));
    }
    Ok(if options.validation == "Ignore" {
        Vec::new()
    } else {
        unknown
    })
}

fn place(target: &Target, name: &str) -> Place {
    (
        target.resource.shelf(),
        target.namespace.clone(),
        name.to_owned(),
    )
}

/// Answers a PUT.
pub(crate) fn put(
    store: &mut Store,
    target: &Target,
    name: &str,
    request: &Incoming,
) -> Result<Reply, Refusal> {
    let object = body(target, request)?;
    if object["metadata"]["name"] != name {
        let text = "the name of the object does not match the name on the URL";
        return Err(Refusal::bad(text));
    }
    let place = place(target, name);
    if store.get(&place).is_none() {
        return Err(Refusal::not_found(&target.resource, name));
    }
    let resource = &target.resource;
    let version = object["metadata"]["resourceVersion"].as_str();
    if version.is_none_or(str::is_empty) && !resource.unconditional {
        let why = "must be specified for an update";
        let cause = super::answer::Cause::invalid("metadata.resourceVersion", "0x0", why);
        return Err(Refusal::invalid(resource, name, &[cause]));
    }
    let written = replace(store, target, &place, object, &Options::of(request))?;
    Ok(reply(200, request, resource, written))
}

/// Answers a PATCH.
pub(crate) fn patch(
    store: &mut Store,
    target: &Target,
    name: &str,
    request: &Incoming,
) -> Result<Reply, Refusal> {
    let place = place(target, name);
    let resource = &target.resource;
    if request.content_type() == APPLY {
        return applied(store, target, &place, request);
    }
    let live = store
        .get(&place)
        .ok_or_else(|| Refusal::not_found(resource, name))?;
    let shown = events::shown(resource, (*live).clone());
    let object = events::stored(resource, patch::patched(request, &shown)?);
    let written = replace(store, target, &place, object, &Options::of(request))?;
    Ok(reply(200, request, resource, written))
}

/// Answers a server-side apply, which creates what is not there.
fn applied(
    store: &mut Store,
    target: &Target,
    place: &Place,
    request: &Incoming,
) -> Result<Reply, Refusal> {
    let (resource, options) = (&target.resource, Options::of(request));
    if request.asked("fieldManager").is_empty() {
        return Err(Refusal::bad(
            "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for \
             apply patch",
        ));
    }
    let body = body(target, request)?;
    let live = store.get(place);
    if live.is_none() && target.status {
        return Err(Refusal::not_found(resource, &place.2));
    }
    let base = live.as_deref().cloned().unwrap_or_else(|| json!({}));
    let (manager, force) = (&options.manager, options.force);
    let object = apply::apply(resource, &base, &body, manager, force, target.status)?;
    if live.is_some() {
        let written = replace(store, target, place, object, &options)?;
        return Ok(reply(200, request, resource, written));
    }
    let written = create(store, resource, &target.namespace, object, &options)?;
    Ok(reply(201, request, resource, written))
}

/// Puts a new state of an object in the place of the old one, if it is the state it was made from.
fn replace(
    store: &mut Store,
    target: &Target,
    place: &Place,
    object: Value,
    options: &Options,
) -> Result<Written, Refusal> {
    let resource = &target.resource;
    let name = &place.2;
    let live = store
        .get(place)
        .ok_or_else(|| Refusal::not_found(resource, name))?;
    let given = object["metadata"]["resourceVersion"]
        .as_str()
        .unwrap_or_default();
    if !given.is_empty() && live["metadata"]["resourceVersion"] != given {
        return Err(Refusal::modified(resource, name));
    }
    let uid = object["metadata"]["uid"].as_str().unwrap_or_default();
    if !uid.is_empty() && live["metadata"]["uid"] != uid {
        let why = format!("Precondition failed: UID in precondition: {uid}");
        return Err(Refusal::conflict(resource, name, &why));
    }
    let mut object = meta::kept(resource, &live, object, target.status);
    object["metadata"]["resourceVersion"] = live["metadata"]["resourceVersion"].clone();
    meta::check(resource, &live, &object)?;
    let warnings = admit(resource, Some(&live), &mut object, options)?;
    if !target.status {
        meta::count(resource, &live, &mut object);
    }
    if !options.apply {
        let fields = live["metadata"]["managedFields"].clone();
        object["metadata"]["managedFields"] = fields;
        if object == *live {
            return Ok(Written { object, warnings });
        }
        apply::note(
            resource,
            Some(&live),
            &mut object,
            &options.manager,
            target.status,
        );
    }
    if !options.dry && object != *live {
        object = store.put(place.clone(), object);
        delete::settle(store, place);
    }
    Ok(Written { object, warnings })
}
