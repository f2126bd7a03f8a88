//! Cloud SQL instances: one operation at a time, a version of the settings, disks that only grow.

use super::{Call, Content, Meddle, Place, fields, pick};
use crate::sim::{body, content};
use evenkeel::api::envelope::RolloutSpec;
use evenkeel::api::{Declared, Key};
use fastrand::Rng;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

pub struct SqlInstance;

const TIERS: [&str; 2] = ["db-custom-2-7680", "db-custom-4-15360"];
/// A flag that restarts, one that does not.
const OURS: [&str; 2] = ["max_connections", "log_min_duration_statement"];
const THEIRS: &str = "log_connections";

/// The request that makes one, with a flag of a stranger.
pub fn make(key: &Key) -> Call {
    Call {
        method: "POST",
        path: format!("/v1/projects/{}/instances", key.project),
        body: json!({
            "name": key.name, "region": key.location, "databaseVersion": "POSTGRES_15",
            "settings": {
                "tier": TIERS[0], "dataDiskSizeGb": "20",
                "databaseFlags": [{"name": THEIRS, "value": "on"}],
            },
        }),
    }
}

fn size(settings: &Value) -> Option<i64> {
    let size = &settings["dataDiskSizeGb"];
    size.as_i64().or_else(|| size.as_str()?.parse().ok())
}

fn settings(declared: &Declared) -> &Value {
    declared.resource.get("settings").unwrap_or(&Value::Null)
}

impl Content for SqlInstance {
    fn home(&self) -> (&'static str, &'static str) {
        ("sqladmin.googleapis.com", "/v1/")
    }

    fn name(&self, key: &Key) -> String {
        format!("projects/{}/instances/{}", key.project, key.name)
    }

    fn resource(&self, rng: &mut Rng, _: &Place, memory: &mut Value) -> Map<String, Value> {
        let floor = memory.as_i64().unwrap_or(20);
        let mut settings = json!({});
        if rng.u8(..10) < 8 {
            settings["tier"] = json!(pick(rng, &TIERS));
        }
        if rng.bool() {
            let size = if rng.u8(..10) == 0 {
                10
            } else {
                floor + rng.i64(0..20)
            };
            settings["dataDiskSizeGb"] = json!(size);
            *memory = json!(size.max(floor));
        }
        let mut flags = Vec::new();
        for name in OURS {
            if rng.bool() {
                flags.push(json!({"name": name, "value": rng.i64(100..110).to_string()}));
            }
        }
        if !flags.is_empty() {
            settings["databaseFlags"] = json!(flags);
        }
        if rng.u8(..3) == 0 {
            settings["backupConfiguration"] = json!({"enabled": rng.bool()});
        }
        if rng.u8(..5) == 0 {
            settings["storageAutoResize"] = json!(false);
        }
        if rng.u8(..15) == 0 {
            settings["tier"] = json!("db-bogus");
        }
        let mut wanted = json!({"settings": settings});
        if rng.u8(..10) < 7 {
            wanted["databaseVersion"] = json!("POSTGRES_15");
        }
        fields(&wanted)
    }

    fn rollout(&self, rng: &mut Rng) -> Option<RolloutSpec> {
        let mut spec = content::settings(rng, &[0, 0, 30, 300], &[0, 0, 0, 300, 900]);
        if rng.bool() {
            let field = "settings.dataDiskSizeGb".to_owned();
            spec.max_step.insert(field, rng.i64(5..=10));
        }
        (rng.u8(..10) < 7).then_some(spec)
    }

    fn meddle(&self, rng: &mut Rng, _: &Place) -> Meddle {
        let value = rng.i64(90..120).to_string();
        Meddle::Deed(match rng.u8(..12) {
            0..4 => json!({"flag": {"name": THEIRS, "value": value}}),
            4..6 => json!({"flag": {"name": pick(rng, &OURS), "value": value}}),
            6..8 => json!({"tier": pick(rng, &TIERS)}),
            8..10 => json!({"grow": rng.i64(1..15)}),
            10 => json!({"delete": true}),
            _ => json!({"create": true}),
        })
    }

    fn deed(&self, place: &Place, deed: &Value, truth: Option<&Value>) -> Option<Call> {
        if deed["create"] == true {
            return Some(make(&place.key));
        }
        let path = self.path(&place.key);
        if deed["delete"] == true {
            let (method, body) = ("DELETE", Value::Null);
            return Some(Call { method, path, body });
        }
        let live = &truth?["settings"];
        let change = if let Some(flag) = deed.get("flag") {
            let mut flags = live["databaseFlags"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            flags.retain(|old| old["name"] != flag["name"]);
            flags.push(flag.clone());
            json!({"databaseFlags": flags})
        } else if let Some(more) = deed["grow"].as_i64() {
            json!({"dataDiskSizeGb": (size(live)? + more).to_string()})
        } else {
            json!({"tier": deed["tier"]})
        };
        Some(Call {
            method: "PATCH",
            path,
            body: json!({"settings": change}),
        })
    }

    fn members(&self, body: &Value) -> Option<BTreeMap<String, Value>> {
        let flags = body["settings"]["databaseFlags"].as_array()?.iter();
        let by_name = |flag: &Value| {
            let name = flag["name"].as_str().unwrap_or_default();
            (name.to_owned(), flag.clone())
        };
        Some(flags.map(by_name).collect())
    }

    /// The disk may be larger where it grows by itself.
    fn reached(&self, declared: &Declared, truth: &Value) -> bool {
        let mut wanted = Value::Object(declared.resource.clone());
        let live = self.members(truth).unwrap_or_default();
        let flags = self.members(&wanted).unwrap_or_default();
        let fixed = settings(declared)["storageAutoResize"] == false;
        let disk = match (size(settings(declared)), size(&truth["settings"])) {
            (None, _) => true,
            (Some(wanted), Some(live)) => live == wanted || live > wanted && !fixed,
            (Some(_), None) => false,
        };
        if let Some(settings) = wanted["settings"].as_object_mut() {
            settings.remove("databaseFlags");
            settings.remove("dataDiskSizeGb");
        }
        truth["state"] == "RUNNABLE"
            && disk
            && flags
                .iter()
                .all(|(name, flag)| live.get(name) == Some(flag))
            && body::holds(truth, &wanted)
    }

    fn impossible(&self, declared: &Declared, truth: &Value) -> bool {
        let fixed = settings(declared)["storageAutoResize"] == false;
        let shrinks = matches!(
            (size(settings(declared)), size(&truth["settings"])),
            (Some(wanted), Some(live)) if wanted < live
        );
        fixed && shrinks
    }

    /// A name cannot be used again for a week.
    fn invalid(&self, declared: &Declared, truth: Option<&Value>) -> bool {
        settings(declared)["tier"] == "db-bogus" || truth.is_none()
    }

    fn incomplete(&self, declared: &Declared) -> bool {
        let version = declared.resource.contains_key("databaseVersion");
        !version || settings(declared)["tier"].is_null()
    }

    fn broken(&self, truth: &Value) -> bool {
        truth["state"] == "FAILED"
    }

    fn version(&self) -> Option<&'static [&'static str]> {
        Some(&["settings", "settingsVersion"])
    }

    fn brief(&self, truth: &Value) -> String {
        let flags: Vec<_> = self
            .members(truth)
            .unwrap_or_default()
            .into_iter()
            .map(|(name, flag)| format!("{name}={}", flag["value"]))
            .collect();
        let settings = &truth["settings"];
        format!(
            "{} {} {} GB, flags {}, version {}",
            truth["state"],
            settings["tier"],
            settings["dataDiskSizeGb"],
            flags.join(" "),
            settings["settingsVersion"],
        )
    }
}
