//! What is live as a manifest: the inverse of comparing.
//!
//! The schema of a kind says which fields a manifest may hold, so one function keeps these and
//! nothing else; each kind says what else stays out, and why. Invariant: secrets never get in.

use super::compute;
use crate::api::{DocumentKind, Key, Kind, crd};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The label by which Cloud Functions and others mark the services that are theirs.
const MANAGED_BY: &str = "goog-managed-by";

/// `metadata.name` of each resource that has a manifest.
pub type Manifests = BTreeMap<Key, String>;

/// `spec.resource` of a live resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Export {
    pub resource: Map<String, Value>,
    /// What is live and settable, and not in `resource`, apart from Google's own "off" and "none".
    pub left_out: Vec<LeftOut>,
    /// What a reader of the manifest must know.
    pub remarks: Vec<String>,
}

/// A field that does not belong into the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Below `spec.resource`.
    pub path: String,
    pub why: Cow<'static, str>,
}

impl Export {
    /// The settable part of a body.
    #[must_use]
    pub(super) fn of(kind: Kind, body: &Value) -> Self {
        let kept = settable(body, schema(kind));
        let Some(Value::Object(resource)) = kept else {
            return Export::new(Map::new());
        };
        Export::new(resource)
    }

    pub(super) fn new(resource: Map<String, Value>) -> Self {
        Export {
            resource,
            left_out: Vec::new(),
            remarks: Vec::new(),
        }
    }

    /// Leaves out what `path` names, and the nearest thing around it where that is not there. An
    /// entry of a list goes as a whole once it says no more than which one it is.
    pub fn leave_out(&mut self, path: &str, why: impl Into<Cow<'static, str>>) {
        let parts: Vec<&str> = path.split(['.', '[']).collect();
        remove(&mut self.resource, &parts);
        self.left_out.push(LeftOut {
            path: path.to_owned(),
            why: why.into(),
        });
    }

    /// Takes a field out that says nothing: it has Google's default, and the default is "off".
    pub(super) fn drop_idle(&mut self, defaults: &[(&'static str, Value)]) {
        for (path, default) in defaults {
            if is_idle(default) && self.get(path) == Some(default) {
                self.drop(path);
            }
        }
    }

    /// Takes a field out, and what is empty without it.
    pub(super) fn drop(&mut self, path: &str) {
        if self.get(path).is_some() {
            let parts: Vec<&str> = path.split('.').collect();
            remove(&mut self.resource, &parts);
        }
    }

    pub(super) fn get(&self, path: &str) -> Option<&Value> {
        let mut parts = path.split('.');
        let first = self.resource.get(parts.next()?)?;
        parts.try_fold(first, |at, part| at.get(part))
    }

    pub(super) fn get_mut(&mut self, path: &str) -> Option<&mut Value> {
        let mut parts = path.split('.');
        let first = self.resource.get_mut(parts.next()?)?;
        parts.try_fold(first, |at, part| at.get_mut(part))
    }
}

fn schema(kind: Kind) -> &'static Value {
    static SCHEMAS: LazyLock<BTreeMap<Kind, Value>> = LazyLock::new(|| {
        let of = |kind: &Kind| {
            let mut spec = crd::spec_schema(DocumentKind::Managed(*kind));
            (*kind, spec["properties"]["resource"].take())
        };
        Kind::ALL.iter().map(of).collect()
    });
    SCHEMAS.get(&kind).unwrap_or(&Value::Null)
}

/// The part of `live` that `schema` has a place for; `None` when nothing is left. A value of
/// another type than the schema's stays as it is: whoever loads the manifest says what is wrong.
fn settable(live: &Value, schema: &Value) -> Option<Value> {
    match (live, schema["type"].as_str()) {
        (Value::Null, _) => None,
        (Value::Object(members), Some("object")) => {
            let known = &schema["properties"];
            let others = &schema["additionalProperties"];
            let of = |name: &str| {
                known
                    .get(name)
                    .or_else(|| others.is_object().then_some(others))
            };
            let kept: Map<String, Value> = members
                .iter()
                .filter_map(|(name, value)| Some((name.clone(), settable(value, of(name)?)?)))
                .collect();
            (!kept.is_empty()).then_some(Value::Object(kept))
        }
        (Value::Array(items), Some("array")) => {
            let kept = items
                .iter()
                .filter_map(|item| settable(item, &schema["items"]));
            let kept: Vec<Value> = kept.collect();
            (!kept.is_empty()).then_some(Value::Array(kept))
        }
        (Value::String(text), Some("integer")) => {
            // 64-bit numbers travel as text in Google's JSON.
            Some(
                text.parse::<i64>()
                    .map_or_else(|_| live.clone(), Value::from),
            )
        }
        (Value::Number(_), Some("integer" | "number")) => Some(compute::number(live)),
        _ => Some(live.clone()),
    }
}

/// How GKE names what its ingress, gateway and certificate controllers make.
const OF_GKE: [&str; 6] = ["k8s-", "k8s1-", "k8s2-", "gkegw1-", "gkemcg1-", "mcrt-"];

/// Who else keeps a live resource as declared elsewhere, as far as it says so: adopting it would
/// set two against each other.
#[must_use]
pub fn keeper(live: &Value) -> Option<String> {
    if let Some(keeper) = live["labels"][MANAGED_BY].as_str() {
        return Some(format!("{keeper} ({MANAGED_BY})"));
    }
    let name = live["name"].as_str().unwrap_or_default();
    let text = live["description"].as_str().unwrap_or_default();
    let of_gke = OF_GKE.iter().any(|start| name.starts_with(start))
        || text.starts_with('{') && text.contains("kubernetes.io/")
        || text.starts_with("Default kubernetes ");
    of_gke.then(|| "GKE".to_owned())
}

/// A label that Google and its tools keep: `goog-managed-by`, `goog-terraform-provisioned`.
pub(super) fn is_of_google(label: &str) -> bool {
    label.starts_with("goog-")
}

/// "Off", "none" and "nothing", as Google writes them.
fn is_idle(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(on) => !on,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(word) => matches!(word.as_str(), "" | "NONE" | "DISABLED"),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
    }
}

/// Removes the field, or what is nearest around it. True when the object around it is empty now.
fn remove(object: &mut Map<String, Value>, parts: &[&str]) -> bool {
    let Some((first, rest)) = parts.split_first() else {
        return false;
    };
    let gone = match object.get_mut(*first) {
        None => return true,
        Some(_) if rest.is_empty() => true,
        Some(Value::Object(inner)) => remove(inner, rest),
        Some(Value::Array(items)) => remove_item(items, rest),
        Some(_) => true,
    };
    if gone {
        object.remove(*first);
    }
    object.is_empty()
}

fn remove_item(items: &mut Vec<Value>, parts: &[&str]) -> bool {
    let index = parts.first().and_then(|part| part.strip_suffix(']'));
    let index = index.and_then(|digits| digits.parse::<usize>().ok());
    let Some(index) = index.filter(|index| *index < items.len()) else {
        return true;
    };
    let gone = match &mut items[index] {
        Value::Object(item) if parts.len() > 1 => {
            let before = item.len();
            remove(item, &parts[1..]) || before > item.len() && is_a_key_alone(item)
        }
        _ => true,
    };
    if gone {
        items.remove(index);
    }
    items.is_empty()
}

fn is_a_key_alone(item: &Map<String, Value>) -> bool {
    let mut values = item.values();
    item.len() == 1 && values.all(|value| !value.is_object() && !value.is_array())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn export(resource: &Value) -> Export {
        Export::new(resource.as_object().unwrap().clone())
    }

    #[test]
    fn only_what_a_manifest_may_hold_is_kept() {
        let live = json!({
            "kind": "compute#healthCheck", "id": "7", "selfLink": "x", "name": "h",
            "checkIntervalSec": 5, "description": null, "httpHealthCheck": {"port": 80, "portName": "p"},
            "logConfig": {}, "sourceRegions": [],
        });
        let kept = Export::of(Kind::HealthCheck, &live);
        let wanted = json!({"checkIntervalSec": 5, "httpHealthCheck": {"port": 80}});
        assert_eq!(Value::Object(kept.resource), wanted);
    }

    #[test]
    fn what_others_keep_says_so() {
        for (live, who) in [
            (json!({"name": "api"}), None),
            (
                json!({"name": "f", "labels": {"goog-managed-by": "cloudfunctions"}}),
                Some("cloudfunctions (goog-managed-by)"),
            ),
            (json!({"name": "k8s1-0a1b-default-web-80"}), Some("GKE")),
            (
                json!({"name": "a", "description": r#"{"kubernetes.io/service-name":"default/web"}"#}),
                Some("GKE"),
            ),
            (
                json!({"name": "a", "description": "Default kubernetes L7 Loadbalancing health check."}),
                Some("GKE"),
            ),
            (
                json!({"name": "a", "description": "for kubernetes.io/x"}),
                None,
            ),
        ] {
            assert_eq!(keeper(&live).as_deref(), who, "{live}");
        }
    }

    #[test]
    fn numbers_come_out_as_numbers() {
        let live = json!({"settings": {"dataDiskSizeGb": "50", "settingsVersion": "7"}});
        let kept = Export::of(Kind::SqlInstance, &live).resource;
        assert_eq!(
            Value::Object(kept),
            json!({"settings": {"dataDiskSizeGb": 50}})
        );
        let live = json!({"backends": [{"group": "g", "capacityScaler": 0.800_000_011_920_929}]});
        let kept = Export::of(Kind::BackendService, &live).resource;
        assert_eq!(kept["backends"][0]["capacityScaler"], json!(0.8));
    }

    #[test]
    fn what_is_left_out_takes_what_is_empty_without_it_along() {
        let all = json!({"a": {"b": {"c": 1}}, "list": [
            {"name": "x", "value": "1"}, {"name": "y", "value": "2", "deep": {"z": 1}}]});
        for (path, wanted) in [
            ("a.b.c", json!({"list": all["list"]})),
            (
                "list[0].value",
                json!({"a": all["a"], "list": [all["list"][1]]}),
            ),
            (
                "list[1].value",
                json!({"a": all["a"], "list": [
                all["list"][0], {"name": "y", "deep": {"z": 1}}]}),
            ),
            (
                "list[1].missing",
                json!({"a": all["a"], "list": [all["list"][0]]}),
            ),
            ("list", json!({"a": all["a"]})),
        ] {
            let mut export = export(&all);
            export.leave_out(path, "why");
            assert_eq!(Value::Object(export.resource), wanted, "{path}");
            assert_eq!(export.left_out[0].path, path);
        }
        let mut unnamed = export(&json!({"boxes": [{"image": "i", "env": [{"name": "A"}]}]}));
        unnamed.leave_out("boxes[0].image", "why");
        assert_eq!(
            Value::Object(unnamed.resource),
            json!({"boxes": [{"env": [{"name": "A"}]}]})
        );
    }

    #[test]
    fn defaults_go_where_they_say_nothing() {
        let mut export = export(&json!({"off": false, "pace": 5, "text": "x", "deep": {"n": 0}}));
        export.drop_idle(&[
            ("off", json!(false)),
            ("pace", json!(5)),
            ("text", json!("")),
            ("deep.n", json!(0)),
        ]);
        assert_eq!(
            Value::Object(export.resource),
            json!({"pace": 5, "text": "x"})
        );
    }
}
