//! What Cloud SQL fills in where a client says nothing. Source: the API reference (instance, settings) and
//! "Instance settings".

use serde_json::{Map, Value, json};

use super::instance::SPEC;

pub(super) const REGION: &str = "us-central1";

/// The part of a request body that is the client's to set, with defaults.
pub(super) fn spec_of(body: &Map<String, Value>) -> Value {
    let wanted = body
        .iter()
        .filter(|(name, _)| SPEC.contains(&name.as_str()));
    let mut spec: Value = wanted
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect::<Map<_, _>>()
        .into();
    fill(&mut spec);
    spec
}

pub(super) fn fill(spec: &mut Value) {
    set(spec, "databaseVersion", json!("MYSQL_8_0"));
    set(spec, "region", json!(REGION));
    set(spec, "instanceType", json!("CLOUD_SQL_INSTANCE"));
    let zone = format!("{}-a", spec["region"].as_str().unwrap_or(REGION));
    set(spec, "gceZone", json!(zone));
    set(spec, "settings", json!({}));
    let zone = spec["gceZone"].clone();
    if let Some(settings) = spec.get_mut("settings") {
        fill_settings(settings, &zone);
    }
}

fn fill_settings(settings: &mut Value, zone: &Value) {
    if let Some(fields) = settings.as_object_mut() {
        // The server's own: see `Instance::body`.
        fields.remove("settingsVersion");
        fields.remove("kind");
    }
    let defaults = [
        ("activationPolicy", json!("ALWAYS")),
        ("availabilityType", json!("ZONAL")),
        ("connectorEnforcement", json!("NOT_REQUIRED")),
        ("dataDiskSizeGb", json!("10")),
        ("dataDiskType", json!("PD_SSD")),
        ("deletionProtectionEnabled", json!(false)),
        ("edition", json!("ENTERPRISE")),
        ("pricingPlan", json!("PER_USE")),
        ("replicationType", json!("SYNCHRONOUS")),
        ("storageAutoResize", json!(true)),
        ("storageAutoResizeLimit", json!("0")),
        ("backupConfiguration", json!({})),
        ("ipConfiguration", json!({})),
        ("locationPreference", json!({"zone": zone})),
    ];
    for (name, value) in defaults {
        set(settings, name, value);
    }
    if let Some(backup) = settings.get_mut("backupConfiguration") {
        set(backup, "enabled", json!(false));
        set(backup, "startTime", json!("03:00"));
        set(backup, "kind", json!("sql#backupConfiguration"));
    }
    if let Some(network) = settings.get_mut("ipConfiguration") {
        set(network, "ipv4Enabled", json!(true));
    }
    if let Some(place) = settings.get_mut("locationPreference") {
        set(place, "kind", json!("sql#locationPreference"));
    }
}

fn set(object: &mut Value, name: &str, value: Value) {
    if let Some(fields) = object.as_object_mut() {
        fields.entry(name).or_insert(value);
    }
}
