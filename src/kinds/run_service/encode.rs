//! Fields to the call that writes them.
//!
//! Google replaces every part that a mask names, so each part is built from the live one, with only
//! the given fields changed: what the manifest leaves out stays. The name of the live revision is
//! left out, since a changed template under the name of an old revision is refused; the etag goes
//! along, so a change in between is a conflict and not a loss.

use super::super::tree;
use super::live::{COLLECTIONS, main_container, name_of_variable};
use super::{secrets, traffic};
use crate::core::record::Verb;
use crate::core::rules::{Change, Encoded};
use serde_json::{Map, Value};

const PROBES: &[&str] = &["httpGet", "tcpSocket", "grpc"];

pub(super) fn encode(change: &Change<'_>) -> Encoded {
    let null = Value::Null;
    let live = change.live.map_or(&null, |live| &live.raw);
    let mut body = Value::Object(Map::new());
    let mut mask = Vec::new();
    for path in change.fields.keys() {
        let part = path.split(['.', '[']).next().unwrap_or(path);
        if mask.iter().any(|known| known == part) {
            continue;
        }
        mask.push(part.to_owned());
        if let Some(old) = live.get(part) {
            body[part] = old.clone();
        }
    }
    if let Some(Value::Object(template)) = body.get_mut("template") {
        template.remove("revision");
    }
    let main = main_container(live);
    for (path, value) in change.fields {
        put(&mut body, change, path, value, main.as_deref());
    }
    drop_read_only(&mut body);
    match change.verb {
        Verb::Create | Verb::Delete => mask.clear(),
        Verb::Patch => {
            if let Some(etag) = live.get("etag") {
                body["etag"] = etag.clone();
            }
        }
    }
    Encoded { mask, body }
}

fn put(body: &mut Value, change: &Change<'_>, path: &str, value: &Value, main: Option<&str>) {
    if path == traffic::FIELD {
        let live = change
            .live
            .map_or(&Value::Null, |live| &live.raw["traffic"]);
        body[traffic::FIELD] = traffic::targets(value, live);
        return;
    }
    let path = named(path, main, body);
    drop_alternatives(body, &path);
    if let Some(stem) = path.strip_suffix(".valueDigest") {
        if let Some(secret) = secret(change, &path, value) {
            tree::put(body, &format!("{stem}.value"), &secret.into(), COLLECTIONS);
        }
        return;
    }
    tree::put(body, &path, value, COLLECTIONS);
}

/// The path with the container's name as it is in the body.
fn named(path: &str, main: Option<&str>, body: &mut Value) -> String {
    const UNNAMED: &str = "template.containers[].";
    if let (Some(rest), Some(main)) = (path.strip_prefix(UNNAMED), main) {
        return format!("template.containers[{main}].{rest}");
    }
    adopt_name(path, main, body);
    path.to_owned()
}

/// A declared name for a container that has none so far names that container.
fn adopt_name(path: &str, main: Option<&str>, body: &mut Value) {
    let name = path.strip_prefix("template.containers[");
    let name = name
        .and_then(|rest| rest.split(']').next())
        .unwrap_or_default();
    if main != Some("") || name.is_empty() {
        return;
    }
    let containers = body.pointer_mut("/template/containers");
    if let Some([only]) = containers
        .and_then(Value::as_array_mut)
        .map(Vec::as_mut_slice)
        && only["name"].as_str().unwrap_or_default().is_empty()
    {
        only["name"] = name.into();
    }
}

/// Of several forms of one thing the declared one stays alone.
fn drop_alternatives(body: &mut Value, path: &str) {
    let null = Value::Null;
    let mut drop = |path: String| tree::put(body, &path, &null, COLLECTIONS);
    if path == "template.vpcAccess.connector" {
        drop("template.vpcAccess.networkInterfaces".to_owned());
    } else if path.starts_with("template.vpcAccess.networkInterfaces[") {
        drop("template.vpcAccess.connector".to_owned());
    } else if let Some((probe, rest)) = path.split_once("Probe.") {
        let action = rest.split('.').next().unwrap_or(rest);
        for other in PROBES
            .iter()
            .filter(|other| PROBES.contains(&action) && **other != action)
        {
            drop(format!("{probe}Probe.{other}"));
        }
    } else if let Some((stem, rest)) = path.split_once("].value")
        && path.contains(".env[")
    {
        let from_source = rest.starts_with("Source");
        let other = if from_source { "value" } else { "valueSource" };
        drop(format!("{stem}].{other}"));
    }
}

/// The value behind a digest: from the manifest, else from the live service.
fn secret(change: &Change<'_>, path: &str, sign: &Value) -> Option<String> {
    let name = name_of_variable(path);
    let sign = sign.as_str()?;
    let declared = change.declared.and_then(|d| d.resource.get("template"));
    let live = change.live.map(|live| &live.raw["template"]);
    let templates = declared.into_iter().chain(live);
    templates
        .into_iter()
        .find_map(|template| secrets::find(template, name, sign))
}

/// What Google writes into containers by itself and takes from nobody.
fn drop_read_only(body: &mut Value) {
    let containers = body.pointer_mut("/template/containers");
    for container in containers
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        if let Value::Object(container) = container {
            container.remove("buildInfo");
        }
    }
}
