//! Lists: of one place, and of all places at once ("aggregated").
//!
//! Invariant: what could not be reached is said to be unreachable, never just left out, where the client asked
//! for partial success; without that the whole list fails.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::collection::Collection;
use super::errors::invalid;
use super::filter::Filter;
use super::place::{Name, scopes};
use super::{links, resource};
use crate::emulator::api::Request;
use crate::emulator::errors::ApiError;
use crate::emulator::query::{Params, seal_token};
use crate::emulator::registry::relative;
use crate::emulator::world::World;

/// "Acceptable values are 0 to 500, inclusive. (Default: 500)"
const PAGE_MAX: usize = 500;

/// One entry of a list, before it is filtered, ordered and cut into pages.
pub(super) struct Item<'a> {
    pub key: &'a str,
    /// Its creation time as text; all have one form, so texts compare as times do.
    pub born: String,
    pub body: Value,
}

pub(super) fn list(world: &mut World, request: &Request) -> Result<Value, ApiError> {
    let collection = resource::collection(request)?;
    let api = request.route.api;
    let prefix = format!("{}/", api.key(&request.route.name));
    let seen = world.records.seen_under(&prefix, request.view.at);
    let items = seen.map(|(key, record)| item(key, record, api.show(key, record, &request.eye())));
    reply(request, collection.list_kind, items.collect())
}

fn item<'a>(key: &'a str, record: &Value, body: Value) -> Item<'a> {
    Item {
        key,
        born: record["creationTimestamp"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
        body,
    }
}

/// The list of one place.
pub(super) fn reply(request: &Request, kind: &str, items: Vec<Item>) -> Result<Value, ApiError> {
    let mut reply = frame(request, kind);
    if request.view.partial {
        require_partial_success(request.params)?;
        let scope = request.route.name.splitn(3, '/').nth(2).unwrap_or_default();
        let scope = scope.rsplit_once('/').map_or(scope, |(scope, _)| scope);
        reply["warning"] = unreachable(scope);
        return Ok(reply);
    }
    let (page, next) = page(request, items)?;
    if !page.is_empty() {
        reply["items"] = page.into_iter().map(|item| item.body).collect();
    }
    if let Some(next) = next {
        reply["nextPageToken"] = next.into();
    }
    Ok(reply)
}

/// The resources of a project in every place.
pub(super) fn aggregated(world: &mut World, request: &Request) -> Result<Value, ApiError> {
    let collection = resource::collection(request)?;
    let api = request.route.api;
    let prefix = api.key(&format!("projects/{}/", request.route.project()));
    let mut lost = None;
    let mut items = Vec::new();
    for (key, record) in world.records.seen_under(&prefix, request.view.at) {
        let Some(name) = Name::parse(relative(key)).filter(|n| n.collection == collection.name)
        else {
            continue;
        };
        // The last place that has any does not answer.
        if request.view.partial && lost != Some(name.scope) {
            lost = Some(name.scope);
        }
        items.push(item(key, record, api.show(key, record, &request.eye())));
    }
    let lost = lost.or(request.view.partial.then_some("global"));
    if lost.is_some() {
        require_partial_success(request.params)?;
    }
    items.retain(|item| lost.is_none_or(|lost| scope_of(item.key) != lost));
    let (page, next) = page(request, items)?;
    let mut reply = frame(request, collection.aggregated_kind);
    reply["items"] = by_scope(request, collection, page, lost);
    if let Some(scope) = lost {
        reply["unreachables"] = json!([format!("projects/{}/{scope}", request.route.project())]);
        let words = "Some results could not be returned because some scopes are unreachable.";
        reply["warning"] = json!({"code": "PARTIAL_SUCCESS", "message": words});
    }
    if let Some(next) = next {
        reply["nextPageToken"] = next.into();
    }
    Ok(reply)
}

fn by_scope(
    request: &Request,
    collection: &Collection,
    page: Vec<Item>,
    lost: Option<&str>,
) -> Value {
    let mut found: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for item in page {
        let scope = scope_of(item.key).to_owned();
        found.entry(scope).or_default().push(item.body);
    }
    let every = is_true(request.params, "includeAllScopes");
    for scope in scopes(every) {
        found.entry(scope).or_default();
    }
    let entry = |(scope, items): (String, Vec<Value>)| {
        let entry = if lost == Some(scope.as_str()) {
            json!({"warning": unreachable(&scope)})
        } else if items.is_empty() {
            json!({"warning": no_results(&scope)})
        } else {
            json!({collection.name: items})
        };
        (scope, entry)
    };
    Value::Object(found.into_iter().map(entry).collect::<Map<_, _>>())
}

fn scope_of(key: &str) -> &str {
    Name::parse(relative(key)).map_or("", |name| name.scope)
}

/// The words are Google's.
fn no_results(scope: &str) -> Value {
    json!({
        "code": "NO_RESULTS_ON_PAGE",
        "message": format!("There are no results for scope '{scope}' on this page."),
        "data": [{"key": "scope", "value": scope}],
    })
}

fn unreachable(scope: &str) -> Value {
    json!({
        "code": "UNREACHABLE",
        "message": format!("The scope '{scope}' could not be reached."),
        "data": [{"key": "scope", "value": scope}],
    })
}

/// The dated versions have no such parameter: there, a list is always as much as could be reached.
fn require_partial_success(params: &Params) -> Result<(), ApiError> {
    if params.dated || is_true(params, "returnPartialSuccess") {
        return Ok(());
    }
    Err(ApiError::new(503, "Backend Error").with_reason("backendError"))
}

fn frame(request: &Request, kind: &str) -> Value {
    let name = &request.route.name;
    json!({"kind": kind, "id": name, "selfLink": links::url(request.base, name)})
}

fn page<'a>(
    request: &Request,
    items: Vec<Item<'a>>,
) -> Result<(Vec<Item<'a>>, Option<String>), ApiError> {
    let params = request.params;
    let size = max_results(params)?;
    let newest_first = newest_first(params)?;
    let filter = Filter::read(params.get("filter").unwrap_or_default())?;
    let after = params.page_token(&request.route.name)?;
    // A place in the order: by key, or by birth and then key.
    let place = |item: &Item| {
        if newest_first {
            format!("{} {}", item.born, item.key)
        } else {
            item.key.to_owned()
        }
    };
    let mut rest: Vec<(String, Item)> = items
        .into_iter()
        .filter(|item| filter.matches(&item.body))
        .map(|item| (place(&item), item))
        .collect();
    rest.sort_by(|(a, _), (b, _)| if newest_first { b.cmp(a) } else { a.cmp(b) });
    if let Some(after) = after {
        rest.retain(|(place, _)| {
            if newest_first {
                *place < after
            } else {
                *place > after
            }
        });
    }
    let more = rest.len() > size;
    rest.truncate(size);
    let next = rest
        .last()
        .filter(|_| more)
        .map(|(last, _)| seal_token(last, &request.route.name));
    Ok((rest.into_iter().map(|(_, item)| item).collect(), next))
}

/// 0 is read as the default.
fn max_results(params: &Params) -> Result<usize, ApiError> {
    let text = params.get("maxResults").unwrap_or_default();
    if text.is_empty() {
        return Ok(PAGE_MAX);
    }
    match text.parse::<usize>() {
        Ok(0) => Ok(PAGE_MAX),
        Ok(size) if size <= PAGE_MAX => Ok(size),
        _ => {
            let words = format!("Must be between 0 and {PAGE_MAX}, inclusive.");
            Err(invalid("maxResults", &json!(text), &words))
        }
    }
}

/// "Currently, only sorting by name or creationTimestamp desc is supported."
fn newest_first(params: &Params) -> Result<bool, ApiError> {
    let text = params.get("orderBy").unwrap_or_default();
    match text.split_whitespace().collect::<Vec<_>>()[..] {
        [] | ["name"] => Ok(false),
        ["creationTimestamp", "desc"] => Ok(true),
        _ => Err(invalid(
            "orderBy",
            &json!(text),
            "Only sorting by name or creationTimestamp desc is supported.",
        )),
    }
}

fn is_true(params: &Params, name: &str) -> bool {
    let value = params.get(name).unwrap_or_default();
    value.eq_ignore_ascii_case("true") || value == "1"
}
