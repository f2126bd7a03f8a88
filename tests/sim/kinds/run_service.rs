//! Cloud Run services: env by name, revisions, traffic.

use super::{Call, Content, Meddle, Place, fields, pick, short};
use crate::sim::trace::Sent;
use crate::sim::{body, content};
use evenkeel::api::envelope::{RolloutSpec, StepSpec};
use evenkeel::api::{Declared, Key, Kind};
use fastrand::Rng;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

pub struct RunService;

/// A literal secret, which nobody may ever see again.
pub const SECRET: &str = "correct-horse-battery";
const OURS: [&str; 3] = ["DB_TIMEOUT", "POOL_SIZE", "MODE"];
/// Variables that only others write.
const THEIRS: [&str; 2] = ["CI_BUILD", "FEATURE_X"];
const IMAGES: [&str; 3] = ["img:1", "img:2", "img:3"];
const LATEST: &str = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST";
const REVISION: &str = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION";

fn scope(key: &Key) -> String {
    format!("projects/{}/locations/{}", key.project, key.location)
}

/// The request that makes one, with a variable of a stranger.
pub fn make(key: &Key) -> Call {
    let env = json!([{"name": THEIRS[0], "value": "0"}, {"name": OURS[2], "value": "slow"}]);
    Call {
        method: "POST",
        path: format!("/v2/{}/services?serviceId={}", scope(key), key.name),
        body: json!({"template": {"containers": [{"image": IMAGES[0], "env": env}]}}),
    }
}

fn env(rng: &mut Rng) -> Vec<Value> {
    let mut env = Vec::new();
    for name in OURS {
        if rng.u8(..10) < 6 {
            env.push(json!({"name": name, "value": rng.u8(1..5).to_string()}));
        }
    }
    if rng.u8(..8) == 0 {
        let value = format!("{SECRET}-{}", rng.u8(..2));
        env.push(json!({"name": "DB_PASSWORD", "value": value}));
    }
    env
}

fn variables(template: &Value) -> Option<&Vec<Value>> {
    template["containers"][0]["env"].as_array()
}

/// Percent by revision, as the service is told; `latest` for whatever is latest.
pub fn shares(targets: &Value) -> BTreeMap<String, i64> {
    let mut shares = BTreeMap::new();
    for target in targets.as_array().into_iter().flatten() {
        let percent = target["percent"].as_i64().unwrap_or(0);
        let who = match target["type"].as_str() {
            Some(LATEST) => "latest",
            _ => short(target["revision"].as_str().unwrap_or_default()),
        };
        if percent > 0 {
            *shares.entry(who.to_owned()).or_insert(0) += percent;
        }
    }
    shares
}

/// Whether the traffic of a service is moved in steps.
pub fn moves_traffic(declared: &Declared) -> bool {
    let steps = declared.policy.rollout.iter().flat_map(|spec| &spec.steps);
    steps.into_iter().any(|step| step.traffic.is_some())
}

/// The declared shares of the new revision, as they follow each other.
pub fn ladder(declared: &Declared) -> Vec<i64> {
    let steps = declared.policy.rollout.iter().flat_map(|spec| &spec.steps);
    steps.filter_map(|step| step.traffic).chain([100]).collect()
}

fn traffic_steps(rng: &mut Rng) -> Vec<StepSpec> {
    let mut steps = Vec::new();
    let mut share = 0;
    while share < 100 && steps.len() < 6 {
        share = (share + rng.i64(5..=60)).min(100);
        steps.push(StepSpec {
            set: None,
            traffic: Some(share),
            pause: None,
        });
        content::push_pause(rng, &mut steps);
    }
    steps
}

impl Content for RunService {
    fn home(&self) -> (&'static str, &'static str) {
        ("run.googleapis.com", "/v2/")
    }

    fn name(&self, key: &Key) -> String {
        format!("{}/services/{}", scope(key), key.name)
    }

    fn resource(&self, rng: &mut Rng, place: &Place, _: &mut Value) -> Map<String, Value> {
        let mut container = json!({});
        if rng.u8(..10) < 8 {
            container["image"] = json!(pick(rng, &IMAGES));
        }
        let env = env(rng);
        if !env.is_empty() {
            container["env"] = json!(env);
        }
        let mut template = json!({"containers": [container]});
        if rng.bool() {
            let timeout = pick(rng, &["60s", "300s", "600s"]);
            template["timeout"] = json!(timeout);
        }
        if rng.u8(..3) == 0 {
            template["scaling"] = json!({"maxInstanceCount": rng.i64(1..=20)});
        }
        let connector = place.lot["connector"].as_str().filter(|_| rng.u8(..10) < 6);
        if let Some(name) = connector {
            let egress = pick(rng, &["ALL_TRAFFIC", "PRIVATE_RANGES_ONLY"]);
            template["vpcAccess"] = json!({"connectorRef": {"name": name}, "egress": egress});
        }
        match rng.u8(..20) {
            0 => template["timeout"] = json!("4000s"),
            1 => template["maxInstanceRequestConcurrency"] = json!(1001),
            _ => {}
        }
        let mut wanted = json!({"template": template});
        if rng.u8(..4) == 0 {
            wanted["labels"] = json!({"team": pick(rng, &["a", "b"])});
        }
        if rng.u8(..4) == 0 {
            let all = ["INGRESS_TRAFFIC_ALL", "INGRESS_TRAFFIC_INTERNAL_ONLY"];
            wanted["ingress"] = json!(pick(rng, &all));
        }
        fields(&wanted)
    }

    fn rollout(&self, rng: &mut Rng) -> Option<RolloutSpec> {
        let mut spec = content::settings(rng, &[0, 0, 30, 300], &[0, 0, 0, 300, 900]);
        match rng.u8(..10) {
            0..3 => return None,
            3..8 => spec.steps = traffic_steps(rng),
            _ => {}
        }
        Some(spec)
    }

    fn meddle(&self, rng: &mut Rng, _: &Place) -> Meddle {
        let value = rng.u8(..9).to_string();
        Meddle::Deed(match rng.u8(..16) {
            0..5 => json!({"env": {"name": pick(rng, &THEIRS), "value": value}}),
            5..7 => json!({"env": {"name": pick(rng, &OURS), "value": value}}),
            7..9 => json!({"image": "img:ci"}),
            9..11 => json!({"traffic": "latest"}),
            11..13 => json!({"traffic": "ready"}),
            13 => json!({"labels": {"ci": value}}),
            14 => json!({"delete": true}),
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
        let truth = truth?;
        let (part, value) = if let Some(to) = deed["traffic"].as_str() {
            let ready = short(truth["latestReadyRevision"].as_str()?);
            let target = match to {
                "latest" => json!({"type": LATEST, "percent": 100}),
                _ => json!({"type": REVISION, "revision": ready, "percent": 100}),
            };
            ("traffic", json!([target]))
        } else if let Some(more) = deed["labels"].as_object() {
            let mut labels = fields(&truth["labels"]);
            labels.extend(more.clone());
            ("labels", json!(labels))
        } else {
            let mut template = truth["template"].clone();
            template.as_object_mut()?.remove("revision");
            if let Some(image) = deed.get("image") {
                template["containers"][0]["image"] = image.clone();
            } else {
                let wanted = &deed["env"];
                let mut env = variables(&template).cloned().unwrap_or_default();
                env.retain(|variable| variable["name"] != wanted["name"]);
                env.push(wanted.clone());
                template["containers"][0]["env"] = json!(env);
            }
            ("template", template)
        };
        Some(Call {
            method: "PATCH",
            path: format!("{path}?updateMask={part}"),
            body: json!({part: value}),
        })
    }

    fn needs(&self, declared: &Declared) -> Vec<(Kind, String)> {
        let template = declared.resource.get("template").unwrap_or(&Value::Null);
        let name = template["vpcAccess"]["connectorRef"]["name"].as_str();
        let named = name.map(|name| (Kind::VpcAccessConnector, name.to_owned()));
        named.into_iter().collect()
    }

    fn members(&self, body: &Value) -> Option<BTreeMap<String, Value>> {
        let by_name = |variable: &Value| {
            let name = variable["name"].as_str().unwrap_or_default();
            (name.to_owned(), variable.clone())
        };
        body.get("template")?;
        let env = variables(&body["template"]).into_iter().flatten();
        Some(env.map(by_name).collect())
    }

    fn reached(&self, declared: &Declared, truth: &Value) -> bool {
        let mut wanted = Value::Object(declared.resource.clone());
        let live = self.members(truth).unwrap_or_default();
        let env = self.members(&wanted).unwrap_or_default();
        let named = wanted["template"]["vpcAccess"]["connectorRef"]["name"].as_str();
        let connector = named.map(|name| format!("{}/connectors/{name}", scope(&declared.key)));
        if let Some(container) = wanted["template"]["containers"][0].as_object_mut() {
            container.remove("env");
        }
        if let Some(name) = connector {
            let egress = wanted["template"]["vpcAccess"]["egress"].clone();
            wanted["template"]["vpcAccess"] = json!({"connector": name, "egress": egress});
        }
        let all_latest = shares(&truth["traffic"]).get("latest") == Some(&100);
        truth["terminalCondition"]["state"] == "CONDITION_SUCCEEDED"
            && env
                .iter()
                .all(|(name, variable)| live.get(name) == Some(variable))
            && (all_latest || !moves_traffic(declared))
            && body::holds(truth, &wanted)
    }

    fn invalid(&self, declared: &Declared, _: Option<&Value>) -> bool {
        let template = declared.resource.get("template").unwrap_or(&Value::Null);
        template["timeout"] == "4000s" || template["maxInstanceRequestConcurrency"] == 1001
    }

    fn incomplete(&self, declared: &Declared) -> bool {
        let template = declared.resource.get("template").unwrap_or(&Value::Null);
        template["containers"][0]["image"].is_null()
    }

    fn broken(&self, truth: &Value) -> bool {
        truth["terminalCondition"]["state"] == "CONDITION_FAILED"
    }

    /// The mask names the parts of the body, which is whole in each.
    fn malformed(&self, sent: &Sent) -> Option<String> {
        let content = body::content(&sent.body);
        let mut parts: Vec<_> = fields(&content).into_iter().map(|(part, _)| part).collect();
        let mut mask = sent.mask.clone();
        parts.sort();
        mask.sort();
        (parts != mask).then(|| format!("the body has {parts:?}"))
    }

    fn idle(&self, sent: &Sent, before: &Value) -> Option<String> {
        let same = |part: &&String| body::same(&before[part.as_str()], &sent.body[part.as_str()]);
        sent.mask.iter().find(same).cloned()
    }

    fn version(&self) -> Option<&'static [&'static str]> {
        Some(&["etag"])
    }

    fn brief(&self, truth: &Value) -> String {
        let env: Vec<_> = self
            .members(truth)
            .unwrap_or_default()
            .into_iter()
            .map(|(name, variable)| format!("{name}={}", variable["value"]))
            .collect();
        format!(
            "{} {} {} env {} traffic {:?} ready {}",
            truth["terminalCondition"]["state"],
            truth["template"]["containers"][0]["image"],
            truth["template"]["timeout"],
            env.join(" "),
            shares(&truth["traffic"]),
            short(truth["latestReadyRevision"].as_str().unwrap_or_default()),
        )
    }
}
