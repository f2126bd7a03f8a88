//! The four collections as data: what each takes, what may change in it, and the rules that are its own.

use serde_json::{Map, Value, json};

use super::names::{read_reference, show_reference};
use super::{authorizations, certificates, maps, messages};
use crate::emulator::errors::ApiError;
use crate::emulator::messages::Message;
use crate::emulator::query::snake;
use crate::emulator::world::World;

pub(super) type Record = Map<String, Value>;

pub(super) struct Collection {
    /// As in paths and lists.
    pub name: &'static str,
    /// The query parameter with the id of a new one.
    pub id: &'static str,
    pub message: &'static Message,
    /// What a create takes.
    pub input: &'static [&'static str],
    /// What a patch may change.
    pub mutable: &'static [&'static str],
    /// Lists that refer to other resources: where they are (RFC 6901), and what they name.
    pub references: &'static [(&'static str, &'static str)],
    /// Items of a page: when the client does not say, and at most.
    pub page: (usize, usize),
    /// Completes what was sent, for the resource of this name; refuses what cannot stand.
    pub take: fn(&World, &str, &mut Record) -> Result<(), ApiError>,
    /// The same for a resource with a patch in it.
    pub take_change: fn(&World, &str, &mut Record) -> Result<(), ApiError>,
    /// Whether what it refers to is still there.
    pub stands: fn(&World, &str, &Record) -> Result<(), ApiError>,
    /// Who refers to the resource, by full names.
    pub users: fn(&World, &str) -> Vec<String>,
    /// What is said of a delete while there are users.
    pub in_use: &'static str,
    /// What others are, and clients see in this one.
    pub look_around: fn(&World, &str, &mut Record),
}

/// The default and the maximum are documented for map entries only.
const PAGE: (usize, usize) = (100, 1_000);

static COLLECTIONS: [Collection; 4] = [
    Collection {
        name: "certificates",
        id: "certificateId",
        message: &messages::CERTIFICATE,
        input: &[
            "description",
            "labels",
            "scope",
            "managed",
            "selfManaged",
            "managedIdentity",
        ],
        mutable: &["description", "labels", "selfManaged"],
        references: &[("/managed/dnsAuthorizations", "dnsAuthorizations")],
        page: PAGE,
        take: certificates::take,
        take_change: certificates::take_change,
        stands: certificates::stands,
        users: certificates::users,
        in_use: "can't delete certificate that is referenced by a CertificateMapEntry or other resources",
        look_around: certificates::look_around,
    },
    Collection {
        name: "certificateMaps",
        id: "certificateMapId",
        message: &messages::MAP,
        input: &["description", "labels"],
        mutable: &["description", "labels"],
        references: &[],
        page: PAGE,
        take: |_, _, _| Ok(()),
        take_change: |_, _, _| Ok(()),
        stands: |_, _, _| Ok(()),
        users: maps::proxies,
        in_use: "can't delete certificate map that is referenced by a target proxy",
        look_around: maps::look_around,
    },
    Collection {
        name: "certificateMapEntries",
        id: "certificateMapEntryId",
        message: &messages::ENTRY,
        input: &[
            "description",
            "labels",
            "hostname",
            "matcher",
            "certificates",
        ],
        mutable: &["description", "labels", "certificates"],
        references: &[("/certificates", "certificates")],
        // "at most 50 ... will be returned. The maximum value is 1000"
        page: (50, 1_000),
        take: maps::take_entry,
        take_change: maps::take_entry,
        stands: |world, name, entry| maps::take_entry(world, name, &mut entry.clone()),
        users: |_, _| Vec::new(),
        in_use: "",
        look_around: |_, _, _| {},
    },
    Collection {
        name: "dnsAuthorizations",
        id: "dnsAuthorizationId",
        message: &messages::AUTHORIZATION,
        input: &["description", "labels", "domain", "type"],
        mutable: &["description", "labels"],
        references: &[],
        page: PAGE,
        take: authorizations::take,
        take_change: |_, _, _| Ok(()),
        stands: |_, _, _| Ok(()),
        users: authorizations::users,
        in_use: "can't delete DNS authorization that is referenced by a Certificate",
        look_around: |_, _, _| {},
    },
];

impl Collection {
    /// The collection that a name is in: of an item, or of the collection itself.
    pub fn in_name(name: &str) -> Option<&'static Self> {
        let mut parts = name.rsplit('/');
        parts.find_map(|part| {
            COLLECTIONS
                .iter()
                .find(|collection| collection.name == part)
        })
    }

    /// How messages name it: `certificate_map_entry`.
    pub fn noun(&self) -> String {
        let last = self.message.type_name.rsplit('.').next();
        let name = snake(last.unwrap_or_default());
        name.trim_start_matches('_').to_owned()
    }

    /// References as records keep them. What is no reference stays as it is.
    pub fn read_references(&self, name: &str, record: &mut Record) {
        let mut value = Value::Object(std::mem::take(record));
        self.each_reference(&mut value, |reference, collection| {
            let text = reference.as_str().unwrap_or_default();
            if let Some(read) = read_reference(text, collection, name) {
                *reference = json!(read);
            }
        });
        if let Value::Object(read) = value {
            *record = read;
        }
    }

    /// As clients see a record, but for what is told by looking around.
    pub fn show(&self, record: &Record) -> Value {
        let mut shown = Value::Object(record.clone());
        self.each_reference(&mut shown, |reference, _| {
            *reference = show_reference(reference.as_str().unwrap_or_default());
        });
        shown
    }

    fn each_reference(&self, record: &mut Value, mut visit: impl FnMut(&mut Value, &str)) {
        for (pointer, collection) in self.references {
            let items = record.pointer_mut(pointer).and_then(Value::as_array_mut);
            for item in items.into_iter().flatten() {
                visit(item, collection);
            }
        }
    }
}

pub(super) fn fields(record: &Value) -> &Record {
    static NONE: std::sync::LazyLock<Record> = std::sync::LazyLock::new(Map::new);
    record.as_object().unwrap_or(&NONE)
}

/// Empty where it is not set.
pub(super) fn text<'a>(record: &'a Record, name: &str) -> &'a str {
    record.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The texts of a list.
pub(super) fn texts<'a>(record: &'a Record, name: &str) -> impl Iterator<Item = &'a str> {
    let items = record.get(name).and_then(Value::as_array);
    items.into_iter().flatten().filter_map(Value::as_str)
}

/// Google leaves empty fields out.
pub(super) fn set_or_remove(record: &mut Record, name: &str, value: Value) {
    if value == json!([]) || value == json!("") || value == json!({}) || value.is_null() {
        record.remove(name);
    } else {
        record.insert(name.to_owned(), value);
    }
}
