//! Lists: filtered, ordered and cut into pages, of one place or of all.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::collection::{fields, text};
use super::methods::{body, collection};
use super::names;
use super::refusal::{not_found, refuse};
use crate::emulator::api::Request;
use crate::emulator::compute::filter::Filter;
use crate::emulator::errors::ApiError;
use crate::emulator::messages::int32;
use crate::emulator::query::{Params, seal_token};
use crate::emulator::registry::relative;
use crate::emulator::world::World;

/// A hyphen for the location, or for the map of entries, stands for all.
pub(super) fn list(world: &mut World, request: &Request) -> Result<Value, ApiError> {
    let (collection, route) = (collection(request)?, request.route);
    let parent = route.resource();
    if collection.name == "certificateMapEntries"
        && !parent.split('/').any(|part| part == "-")
        && world
            .records
            .seen(&route.api.key(parent), request.view.at)
            .is_none()
    {
        return Err(not_found(parent));
    }
    let mut reply = json!({});
    if request.view.partial {
        reply["unreachable"] = json!([names::place(parent)]);
        return Ok(reply);
    }
    let filter = Filter::read(request.params.get("filter").unwrap_or_default());
    let filter = filter.map_err(|_| refuse("filter", "invalid list filter"))?;
    let order = Order::read(request.params)?;
    let all = route.name.split("/-").next().unwrap_or_default();
    let prefix = route.api.key(all);
    let found = world.records.seen_under(&prefix, request.view.at);
    let items = found
        .filter(|(key, _)| is_item(relative(key), &route.name))
        .map(|(key, record)| (order.place(key, record), key, record))
        .filter(|(_, key, record)| filter.matches(&body(world, collection, relative(key), record)));
    let size = page_size(request.params, collection.page)?;
    let (page, next) = cut(items.collect(), &order, request, size)?;
    let bodies = page.into_iter();
    let bodies = bodies.map(|(_, key, record)| body(world, collection, relative(key), record));
    let bodies: Vec<Value> = bodies.collect();
    if !bodies.is_empty() {
        reply[collection.name] = bodies.into();
    }
    if let Some(next) = next {
        reply["nextPageToken"] = next.into();
    }
    Ok(reply)
}

/// Whether a name is that of an item of the collection; a hyphen in the collection's name stands for all.
fn is_item(name: &str, collection: &str) -> bool {
    let Some((holder, _)) = name.rsplit_once('/') else {
        return false;
    };
    let (holder, wanted) = (holder.split('/'), collection.split('/'));
    holder.clone().count() == wanted.clone().count()
        && holder
            .zip(wanted)
            .all(|(part, wanted)| wanted == "-" || part == wanted)
}

/// What a list is ordered by: a place in the order is a text.
struct Order {
    time: Option<&'static str>,
    descending: bool,
}

impl Order {
    fn read(params: &Params) -> Result<Self, ApiError> {
        let text = params.get("orderBy").unwrap_or_default();
        let mut words = text.split_whitespace();
        let field = words.next().unwrap_or("name");
        let descending = match (words.next(), words.next()) {
            (None | Some("asc"), None) => false,
            (Some("desc"), None) => true,
            _ => return Err(refuse("order_by", "invalid order by")),
        };
        let time = match field {
            "name" => None,
            "createTime" | "create_time" => Some("createTime"),
            "updateTime" | "update_time" => Some("updateTime"),
            _ => return Err(refuse("order_by", "invalid order by")),
        };
        Ok(Self { time, descending })
    }

    fn place(&self, key: &str, record: &Value) -> String {
        let Some(field) = self.time else {
            return key.to_owned();
        };
        let at: Timestamp = text(fields(record), field)
            .parse()
            .unwrap_or(Timestamp::MIN);
        let since = at.as_nanosecond() - Timestamp::MIN.as_nanosecond();
        format!("{since:024} {key}")
    }
}

/// A place in the order, a key and a record.
type Item<'a> = (String, &'a str, &'a Value);

/// One page in order, and the token of the next one.
fn cut<'a>(
    mut items: Vec<Item<'a>>,
    order: &Order,
    request: &Request,
    size: usize,
) -> Result<(Vec<Item<'a>>, Option<String>), ApiError> {
    let after = request.params.page_token(&request.route.name)?;
    items.sort_by(|(a, ..), (b, ..)| if order.descending { b.cmp(a) } else { a.cmp(b) });
    if let Some(after) = after {
        items.retain(|(place, ..)| {
            if order.descending {
                *place < after
            } else {
                *place > after
            }
        });
    }
    let more = items.len() > size;
    items.truncate(size);
    let next = items
        .last()
        .filter(|_| more)
        .map(|(last, ..)| seal_token(last, &request.route.name));
    Ok((items, next))
}

fn page_size(params: &Params, (default, most): (usize, usize)) -> Result<usize, ApiError> {
    let Some(text) = params.get("pageSize").filter(|text| !text.is_empty()) else {
        return Ok(default);
    };
    let size = int32(&Value::from(text)).and_then(|size| usize::try_from(size).ok());
    match size {
        Some(0) => Ok(default),
        Some(size) => Ok(size.min(most)),
        None => Err(refuse("page_size", "invalid page size")),
    }
}
