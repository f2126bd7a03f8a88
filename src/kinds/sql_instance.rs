//! `SqlInstance`: Cloud SQL instances, sqladmin v1.
//!
//! Sources: the sqladmin v1 discovery document for the fields and for what restarts; Google,
//! "Configure database flags" for the flags that restart.

mod check;
mod encode;
mod export;

use super::export::Export;
use super::tree::{self, Collection, Members};
use super::{ManagedKind, Names};
use crate::api::status::Mutability;
use crate::api::{Declared, Finding, Key, Kind};
use crate::core::fields::{self, Fields};
use crate::core::items;
use crate::core::observed::{Lifecycle, Present};
use crate::core::rules::{FieldRule, Rules};
use serde_json::{Map, Value};

pub(super) struct SqlInstance;

const DISK: &str = "settings.dataDiskSizeGb";
const SOURCE: &str = "sqladmin v1";
const RESTART: &str = "Google restarts the instance: connections drop, for about a minute";
const FLAG_RESTART: &str = "this flag takes effect with a restart: connections drop";
const FIXED: &str = "set at creation and fixed from then on: declare a new instance beside it and \
     move the data over, or put the live value back in the manifest";

const COLLECTIONS: &[Collection] = &[
    Collection {
        path: "settings.userLabels",
        members: Members::Entries,
    },
    Collection {
        path: "settings.databaseFlags",
        members: Members::By("name"),
    },
    Collection {
        path: "settings.ipConfiguration.authorizedNetworks",
        members: Members::By("value"),
    },
];

static RULES: Rules = Rules {
    missing_for_create,
    flatten: canonical,
    encode: encode::encode,
    ..Rules::new(Kind::SqlInstance, FIELDS)
};

const FIELDS: &[FieldRule] = &[
    rule("databaseVersion", Mutability::Immutable, None),
    rule("region", Mutability::Immutable, None),
    rule("settings.tier", Mutability::Reversible, Some(RESTART)),
    FieldRule {
        path: DISK,
        mutability: Mutability::GrowOnly,
        disruption: None,
        refusal: "a disk does not shrink in place: put the live size back in the manifest, or \
                  move the data to a smaller instance",
        source: SOURCE,
    },
    rule("settings.storageAutoResize", Mutability::Reversible, None),
    rule(
        "settings.availabilityType",
        Mutability::Reversible,
        Some(RESTART),
    ),
    rule(
        "settings.databaseFlags[].value",
        Mutability::Reversible,
        None,
    ),
    restarting("settings.databaseFlags[max_connections].value"),
    restarting("settings.databaseFlags[shared_buffers].value"),
    restarting("settings.databaseFlags[max_worker_processes].value"),
    restarting("settings.databaseFlags[max_wal_senders].value"),
    restarting("settings.databaseFlags[max_replication_slots].value"),
    restarting("settings.databaseFlags[max_prepared_transactions].value"),
    restarting("settings.databaseFlags[max_locks_per_transaction].value"),
    restarting("settings.databaseFlags[cloudsql.logical_decoding].value"),
    restarting("settings.databaseFlags[cloudsql.iam_authentication].value"),
    restarting("settings.databaseFlags[cloudsql.enable_pgaudit].value"),
    restarting("settings.databaseFlags[innodb_buffer_pool_size].value"),
    rule(
        "settings.backupConfiguration.enabled",
        Mutability::Reversible,
        None,
    ),
    rule(
        "settings.backupConfiguration.pointInTimeRecoveryEnabled",
        Mutability::Reversible,
        Some(RESTART),
    ),
    rule(
        "settings.backupConfiguration.binaryLogEnabled",
        Mutability::Reversible,
        Some(RESTART),
    ),
    rule(
        "settings.ipConfiguration.privateNetwork",
        Mutability::WriteOnly,
        Some(RESTART),
    ),
    rule(
        "settings.ipConfiguration.ipv4Enabled",
        Mutability::Reversible,
        Some("clients on the public address lose it"),
    ),
];

const fn rule(
    path: &'static str,
    mutability: Mutability,
    disruption: Option<&'static str>,
) -> FieldRule {
    FieldRule {
        path,
        mutability,
        disruption,
        refusal: FIXED,
        source: SOURCE,
    }
}

const fn restarting(path: &'static str) -> FieldRule {
    FieldRule {
        path,
        mutability: Mutability::Reversible,
        disruption: Some(FLAG_RESTART),
        refusal: "",
        source: "Google, \"Configure database flags\"",
    }
}

/// Left out by Google where they are off.
const SWITCHES: &[&str] = &[
    "settings.backupConfiguration.enabled",
    "settings.backupConfiguration.pointInTimeRecoveryEnabled",
    "settings.backupConfiguration.binaryLogEnabled",
    "settings.insightsConfig.queryInsightsEnabled",
    "settings.insightsConfig.recordApplicationTags",
    "settings.insightsConfig.recordClientAddress",
    "settings.ipConfiguration.ipv4Enabled",
    "settings.ipConfiguration.enablePrivatePathForGoogleCloudServices",
    "settings.storageAutoResize",
    "settings.deletionProtectionEnabled",
];

impl ManagedKind for SqlInstance {
    fn rules(&self) -> &'static Rules {
        &RULES
    }

    fn declared(&self, declared: &Declared, _: &dyn Names) -> Fields {
        let mut fields = canonical(&declared.resource);
        fields.insert("region".to_owned(), declared.key.location.clone().into());
        let fixed = fields.get("settings.storageAutoResize") == Some(&Value::Bool(false));
        if let Some(size) = fields.get_mut(DISK)
            && let Some(least) = size.as_i64()
            && !fixed
        {
            // The disk grows by itself: more than declared is as declared.
            *size = fields::at_least(least);
        }
        fields
    }

    fn live(&self, raw: Value) -> Present {
        let parts: Map<String, Value> = raw
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(part, _)| ["databaseVersion", "region", "settings"].contains(&part.as_str()))
            .map(|(part, value)| (part.clone(), value.clone()))
            .collect();
        let mut fields = canonical(&parts);
        fields.remove("settings.settingsVersion");
        for switch in SWITCHES {
            fields.entry((*switch).to_owned()).or_insert(false.into());
        }
        let state = raw["state"]
            .as_str()
            .unwrap_or("SQL_INSTANCE_STATE_UNSPECIFIED");
        Present {
            fields,
            lifecycle: lifecycle(state),
            state: state.to_owned(),
            users: Vec::new(),
            raw,
        }
    }

    fn export(&self, live: &Present, _: &Key) -> Export {
        export::export(live)
    }

    fn check(&self, declared: &Declared) -> Vec<Finding> {
        check::check(declared)
    }

    fn notes(&self, live: Option<&Fields>, declared: &Fields) -> Vec<String> {
        let live = live.and_then(|live| live.get(DISK)?.as_i64());
        let least = declared.get(DISK).and_then(fields::minimum);
        match (live, least) {
            (Some(live), Some(least)) if live > least => vec![format!(
                "the disk has {live} GB and the manifest asks for at least {least} GB: it stays, \
                 since a disk does not shrink in place"
            )],
            _ => Vec::new(),
        }
    }
}

/// Values in the one spelling that is compared: 64-bit numbers come as texts, networks as links.
fn canonical(body: &Map<String, Value>) -> Fields {
    let fields = tree::flatten(body, COLLECTIONS);
    fields
        .into_iter()
        .map(|(path, value)| {
            let value = one(&path, value);
            (path, value)
        })
        .collect()
}

fn one(path: &str, value: Value) -> Value {
    let Value::String(text) = &value else {
        return value;
    };
    match items::generic(path).as_ref() {
        DISK => text.parse::<i64>().map_or(value, Value::from),
        "settings.ipConfiguration.privateNetwork" => match text.find("projects/") {
            Some(start) => text[start..].into(),
            None => value,
        },
        _ => value,
    }
}

fn lifecycle(state: &str) -> Lifecycle {
    match state {
        "RUNNABLE" => Lifecycle::Ready,
        "PENDING_DELETE" => Lifecycle::Deleting,
        "FAILED" | "SUSPENDED" => Lifecycle::Failed,
        // PENDING_CREATE, MAINTENANCE, REPAIRING and whatever Google adds.
        _ => Lifecycle::Busy,
    }
}

fn missing_for_create(declared: &Fields) -> Option<&'static str> {
    let has = |field: &str| declared.contains_key(field);
    (!has("databaseVersion") || !has("settings.tier"))
        .then_some("databaseVersion and settings.tier: Google creates no instance without them")
}

#[cfg(test)]
#[path = "sql_instance_tests.rs"]
mod tests;
