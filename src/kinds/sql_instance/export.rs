//! A live instance as a manifest.

use super::one;
use crate::api::Kind;
use crate::core::observed::Present;
use crate::kinds::export::{Export, is_of_google};
use serde_json::{Value, json};

const NETWORK: &str = "settings.ipConfiguration.privateNetwork";

pub(super) fn export(live: &Present) -> Export {
    let mut export = Export::of(Kind::SqlInstance, &live.raw);
    let off = [
        "settings.backupConfiguration.pointInTimeRecoveryEnabled",
        "settings.backupConfiguration.binaryLogEnabled",
        "settings.insightsConfig.queryInsightsEnabled",
        "settings.insightsConfig.recordApplicationTags",
        "settings.insightsConfig.recordClientAddress",
        "settings.ipConfiguration.enablePrivatePathForGoogleCloudServices",
        "settings.deletionProtectionEnabled",
    ];
    export.drop_idle(&off.map(|path| (path, json!(false))));
    let backups = live.fields.get("settings.backupConfiguration.enabled");
    if backups != Some(&json!(true)) {
        // What is set of them has no effect.
        export.drop("settings.backupConfiguration");
    }
    if let Some(network) = export.get_mut(NETWORK) {
        *network = one(NETWORK, network.take());
    }
    if let Some(Value::Object(labels)) = export.get_mut("settings.userLabels") {
        labels.retain(|name, _| !is_of_google(name));
        if labels.is_empty() {
            export.drop("settings.userLabels");
        }
    }
    export
}
