//! What belongs together: the certificates of a family, what proves them and what serves them.

use super::{AUTHORIZATIONS, CERTIFICATES, ENTRIES, MAPS, last, short};
use crate::core::error::Fault;
use crate::gcp::pages::unclear;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Everything in a scope.
#[derive(Default)]
pub(super) struct All {
    pub certificates: Vec<Value>,
    pub authorizations: Vec<Value>,
    pub maps: Vec<Value>,
    pub entries: Vec<Value>,
    pub unreachable: bool,
}

/// What one family is connected with.
#[derive(Default)]
pub(super) struct Family {
    pub certificates: Vec<Value>,
    pub authorizations: Vec<Value>,
    pub maps: Vec<Value>,
    pub entries: Vec<Value>,
}

impl Family {
    pub fn composite(self, name: &str) -> Value {
        json!({
            "name": name, CERTIFICATES: self.certificates, AUTHORIZATIONS: self.authorizations,
            MAPS: self.maps, ENTRIES: self.entries,
        })
    }
}

impl All {
    /// What is in each location. Nothing refers to anything in another one.
    pub fn by_location(self) -> Result<BTreeMap<String, All>, Fault> {
        let mut places: BTreeMap<String, All> = BTreeMap::new();
        split(&mut places, self.certificates, |all| &mut all.certificates)?;
        split(&mut places, self.authorizations, |all| {
            &mut all.authorizations
        })?;
        split(&mut places, self.maps, |all| &mut all.maps)?;
        split(&mut places, self.entries, |all| &mut all.entries)?;
        Ok(places)
    }

    /// Puts the short names of the certificates that use it into each authorization.
    pub fn tell_users(&mut self) {
        let mut users: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for certificate in &self.certificates {
            for name in texts(&certificate["managed"][AUTHORIZATIONS]) {
                let user = last(&certificate["name"]).to_owned();
                users.entry(short(name).to_owned()).or_default().push(user);
            }
        }
        for authorization in &mut self.authorizations {
            let users = users.remove(last(&authorization["name"]));
            authorization["usedBy"] = json!(users.unwrap_or_default());
        }
    }
}

/// What each family in a location is connected with.
pub(super) fn families(
    all: &All,
    base_of: fn(&str) -> &str,
    label: &str,
) -> BTreeMap<String, Family> {
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    for certificate in &all.certificates {
        let family = families.entry(base_of(last(&certificate["name"])).to_owned());
        family.or_default().certificates.push(certificate.clone());
    }
    for authorization in &all.authorizations {
        let users = texts(&authorization["usedBy"]).map(base_of);
        let mut owners: BTreeSet<&str> = users.collect();
        let maker = authorization["labels"][label].as_str();
        // One that nobody uses is all that is left of its maker, or all there is yet.
        if let Some(maker) = maker
            && (owners.is_empty() || families.contains_key(maker))
        {
            owners.insert(maker);
        }
        for owner in owners {
            let family = families.entry(owner.to_owned()).or_default();
            family.authorizations.push(authorization.clone());
        }
    }
    for entry in &all.entries {
        let served = texts(&entry[CERTIFICATES]).map(|name| base_of(short(name)));
        let served: BTreeSet<&str> = served.collect();
        let map = map_of(entry);
        let map = all.maps.iter().find(|item| last(&item["name"]) == map);
        for owner in served {
            let family = families.entry(owner.to_owned()).or_default();
            family.entries.push(entry.clone());
            family
                .maps
                .extend(map.filter(|m| !family.maps.contains(m)).cloned());
        }
    }
    families
}

/// The location in an item's full name.
pub(super) fn location_of(item: &Value) -> Result<&str, Fault> {
    let mut parts = item["name"].as_str().unwrap_or_default().split('/');
    match (parts.nth(2), parts.next()) {
        (Some("locations"), Some(location)) => Ok(location),
        _ => Err(unclear("a listed item is in no location")),
    }
}

fn split(
    places: &mut BTreeMap<String, All>,
    items: Vec<Value>,
    part: fn(&mut All) -> &mut Vec<Value>,
) -> Result<(), Fault> {
    for item in items {
        let all = places.entry(location_of(&item)?.to_owned()).or_default();
        part(all).push(item);
    }
    Ok(())
}

/// The short name of the map that an entry is in.
fn map_of(entry: &Value) -> &str {
    let name = entry["name"].as_str().unwrap_or_default();
    name.rsplit('/').nth(2).unwrap_or_default()
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    let items = list.as_array().into_iter().flatten();
    items.filter_map(Value::as_str)
}
