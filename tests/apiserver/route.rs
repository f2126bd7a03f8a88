//! From a path to what it means.

use super::answer::{Refusal, Reply};
use super::log::Incoming;
use super::resource::Resource;
use super::{World, delete, discovery, list, read, write};
use http::Method;
use std::sync::Arc;

/// What a path names.
pub(crate) struct Target {
    pub resource: Arc<Resource>,
    /// `""`: all namespaces, or none.
    pub namespace: String,
    /// `None`: the collection.
    pub name: Option<String>,
    /// The status subresource.
    pub status: bool,
}

type Answer = Result<Reply, Refusal>;

/// Does what a request asks for.
pub(crate) fn dispatch(world: &Arc<World>, request: &Incoming) -> Answer {
    if let Some(found) = discovery::answer(&world.store(), request) {
        return found;
    }
    let target = target(world, &request.path)?;
    let watches = request.is_asked("watch");
    match (&request.method, &target.name) {
        (&Method::GET, None) if watches => read::watch(world, &target, request),
        (&Method::GET, None) => list::list(&world.store(), &target, request),
        (&Method::GET, Some(name)) if watches => read::watch_one(world, &target, name, request),
        (&Method::GET, Some(name)) => read::get(&world.store(), &target, name, request),
        (&Method::POST, None) => write::post(&mut world.store(), &target, request),
        (&Method::PUT, Some(name)) => write::put(&mut world.store(), &target, name, request),
        (&Method::PATCH, Some(name)) => write::patch(&mut world.store(), &target, name, request),
        (&Method::DELETE, Some(name)) if !target.status => {
            delete::one(&mut world.store(), &target, name, request)
        }
        (&Method::DELETE, None) => delete::collection(&mut world.store(), &target, request),
        _ => Err(Refusal::method()),
    }
}

fn target(world: &World, path: &str) -> Result<Target, Refusal> {
    let parts: Vec<_> = path.split('/').filter(|part| !part.is_empty()).collect();
    let (group, version, rest) = match parts.as_slice() {
        ["api", version, rest @ ..] => ("", *version, rest),
        ["apis", group, version, rest @ ..] => (*group, *version, rest),
        _ => return Err(Refusal::no_route()),
    };
    let (namespace, rest) = match rest {
        ["namespaces", name, plural, more @ ..]
            if !(group.is_empty() && matches!(*plural, "status" | "finalize")) =>
        {
            (*name, [&[*plural], more].concat())
        }
        other => ("", other.to_vec()),
    };
    let (plural, name, status) = match rest.as_slice() {
        [plural] => (*plural, None, false),
        [plural, name] => (*plural, Some(*name), false),
        [plural, name, "status"] => (*plural, Some(*name), true),
        _ => return Err(Refusal::no_route()),
    };
    let store = world.store();
    let mut served = store.resources.iter();
    let wanted =
        |r: &&Arc<Resource>| r.group == group && r.version == version && r.plural == plural;
    let resource = served.find(wanted).cloned().ok_or_else(Refusal::no_route)?;
    // Of a namespace, or of all of them; never of one that cannot have any.
    let fits = resource.namespaced || namespace.is_empty();
    if !fits
        || (status && !resource.status)
        || (name.is_some() && resource.namespaced && namespace.is_empty())
    {
        return Err(Refusal::no_route());
    }
    Ok(Target {
        resource,
        namespace: namespace.to_owned(),
        name: name.map(str::to_owned),
        status,
    })
}
