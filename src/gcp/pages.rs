//! Listings over all pages, the same way for every API.

use super::client::Client;
use super::endpoint::Api;
use super::error::fault;
use super::service::Listing;
use crate::core::error::{Fault, FaultKind};
use serde_json::Value;
use std::collections::HashSet;

/// Most pages of one listing: nothing that evenkeel manages comes in such numbers.
pub(super) const PAGE_LIMIT: usize = 100;

/// What to list.
pub(super) struct Pages<'a> {
    pub api: Api,
    pub project: &'a str,
    pub path: &'a str,
    /// The query of every page: its size, a filter.
    pub query: &'a [(&'a str, &'a str)],
}

impl Pages<'_> {
    /// Every page, in order. A token that comes twice, or no end, is an error: a part is no whole.
    pub async fn all(&self, client: &Client) -> Result<Vec<Value>, Fault> {
        let mut pages = Vec::new();
        let mut seen = HashSet::new();
        let mut token = String::new();
        for _ in 0..PAGE_LIMIT {
            let mut query = self.query.to_vec();
            if !token.is_empty() {
                query.push(("pageToken", &token));
            }
            let page = client
                .read(self.api, self.project, self.path, &query)
                .await?;
            let next = page["nextPageToken"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            pages.push(page);
            if next.is_empty() {
                return Ok(pages);
            }
            if !seen.insert(next.clone()) {
                return Err(unclear("a page token came twice"));
            }
            token = next;
        }
        Err(unclear("the listing has no end"))
    }

    /// All items under `field`, over all pages.
    pub async fn items(&self, client: &Client, field: &str) -> Result<Listing, Fault> {
        let mut listing = Listing {
            items: Vec::new(),
            unreachable: false,
        };
        for mut page in self.all(client).await? {
            listing.items.append(&mut items(&mut page, field)?);
            listing.unreachable |= is_partial(&page);
        }
        Ok(listing)
    }
}

/// A part of the scope could not be reached: `unreachable` in newer APIs, `unreachables` and a
/// warning in Compute Engine.
pub(super) fn is_partial(page: &Value) -> bool {
    let places = ["unreachable", "unreachables"];
    let named = places
        .iter()
        .any(|field| page[*field].as_array().is_some_and(|list| !list.is_empty()));
    let warning = page["warning"]["code"].as_str();
    named || matches!(warning, Some("UNREACHABLE" | "PARTIAL_SUCCESS"))
}

/// The parts of the scope that could not be reached, as the page names them.
pub(super) fn unreached(page: &Value) -> Vec<String> {
    let lists = ["unreachable", "unreachables"].map(|field| page[field].as_array());
    let named = lists.into_iter().flatten().flatten();
    let named: Vec<String> = named
        .filter_map(|name| Some(name.as_str()?.to_owned()))
        .collect();
    if named.is_empty() && is_partial(page) {
        return vec!["a part of it".to_owned()];
    }
    named
}

/// Takes the items out of a page. A page without the field is empty; one where it is no list is
/// not understood.
pub(super) fn items(page: &mut Value, field: &str) -> Result<Vec<Value>, Fault> {
    match page.get_mut(field).map(Value::take) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(items)) => Ok(items),
        Some(_) => Err(unclear("the listing is not a list")),
    }
}

/// A reply that does not tell.
pub(super) fn unclear(what: &str) -> Fault {
    fault(FaultKind::Unclear, 200, "UNREADABLE_REPLY", what)
}
