//! Connectors: they only grow, and have neither label nor version.

use super::{Call, Content, Meddle, Place, Prop, fields};
use crate::sim::content;
use crate::sim::trace::Sent;
use evenkeel::api::envelope::{RolloutSpec, StepSpec};
use evenkeel::api::{Declared, Key, Kind};
use fastrand::Rng;
use serde_json::{Map, Value, json};

pub struct Connector;

const PAIR: [&str; 2] = ["minInstances", "maxInstances"];
const MACHINES: [&str; 3] = ["f1-micro", "e2-micro", "e2-standard-4"];

/// A connector of the fleet; `exists`: machine type, min and max instances when the run starts.
pub fn place(key: Key, range: &str, exists: Option<(&str, i64, i64)>, used: bool) -> Place {
    Place {
        key,
        lot: json!({"range": range, "exists": exists, "used": used}),
    }
}

pub fn draw(rng: &mut Rng, index: usize) -> Place {
    let key = Key {
        kind: Kind::VpcAccessConnector,
        project: ["netra-staging", "netra-other"][rng.usize(..2)].to_owned(),
        location: ["us-central1", "europe-west1"][rng.usize(..2)].to_owned(),
        name: format!("c{index}"),
    };
    let exists = (rng.u8(..10) < 7).then(|| {
        let min = rng.i64(2..5);
        (machine(rng), min, rng.i64(min + 1..8))
    });
    let range = format!("10.8.{index}.0/28");
    place(key, &range, exists, rng.u8(..5) == 0)
}

/// What exists of it from the start; `used`: another project uses it.
pub fn prop(place: &Place) -> Option<Prop> {
    let key = &place.key;
    let [machine, min, max] = place.lot["exists"].as_array()?.as_slice() else {
        return None;
    };
    let used = place.lot["used"] == true;
    let user = if used { "netra-user" } else { &key.project };
    let name = Connector.name(key);
    let record = json!({
        "name": name, "network": "default", "ipCidrRange": place.lot["range"], "subnet": null,
        "machineType": machine, "minInstances": min, "maxInstances": max,
        "state": "READY", "connectedProjects": [user], "createTime": "2025-01-01T00:00:00Z",
    });
    Some(Prop::Record(
        format!("//{}/{name}", Connector.home().0),
        record,
    ))
}

fn machine(rng: &mut Rng) -> &'static str {
    MACHINES[rng.usize(..3)]
}

/// A size that is not below `floor`, most of the time.
fn size(rng: &mut Rng, floor: (i64, i64)) -> (i64, i64) {
    let floor = if rng.u8(..10) < 8 { floor } else { (2, 3) };
    let min = rng.i64(floor.0.clamp(2, 9)..=9);
    let max = rng.i64(floor.1.max(min + 1).min(10)..=10);
    (min, max)
}

fn steps(rng: &mut Rng) -> Vec<StepSpec> {
    let mut steps = Vec::new();
    let (mut min, mut max) = (2, 3);
    for _ in 0..rng.u8(1..4) {
        min = (min + rng.i64(1..3)).min(8);
        max = (max + rng.i64(1..3)).max(min + 1).min(10);
        let set = if rng.bool() {
            json!({"maxInstances": max})
        } else {
            json!({"minInstances": min, "maxInstances": max})
        };
        steps.push(StepSpec {
            set: set.as_object().cloned(),
            traffic: None,
            pause: None,
        });
        content::push_pause(rng, &mut steps);
    }
    steps
}

fn number(declared: &Declared, field: &str) -> Option<i64> {
    declared.resource.get(field).and_then(Value::as_i64)
}

impl Content for Connector {
    fn home(&self) -> (&'static str, &'static str) {
        ("vpcaccess.googleapis.com", "/v1/")
    }

    fn name(&self, key: &Key) -> String {
        format!(
            "projects/{}/locations/{}/connectors/{}",
            key.project, key.location, key.name
        )
    }

    /// `memory` is the size that was declared last: nothing shrinks.
    fn resource(&self, rng: &mut Rng, place: &Place, memory: &mut Value) -> Map<String, Value> {
        let exists = &place.lot["exists"];
        let known = |index: usize, least: i64| {
            let live = exists[index + 1].as_i64();
            memory[index].as_i64().or(live).unwrap_or(least)
        };
        let (min, max) = size(rng, (known(0, 2), known(1, 3)));
        let mut wanted = json!({"minInstances": min, "maxInstances": max});
        match rng.u8(..20) {
            0 => wanted["maxInstances"] = json!(50),
            1 => wanted["machineType"] = json!("e2-standard-8"),
            2 => wanted["minInstances"] = json!(max),
            3..6 => wanted = json!({"maxInstances": max}),
            6..8 => wanted = json!({"minInstances": min}),
            8..14 => wanted["machineType"] = json!(machine(rng)),
            _ => {}
        }
        if exists.is_null() || rng.u8(..10) < 2 {
            wanted["network"] = json!("default");
            wanted["ipCidrRange"] = place.lot["range"].clone();
        }
        let number = |field: &str| wanted[field].as_i64().filter(|number| *number <= 10);
        if let (Some(min), Some(max)) = (number(PAIR[0]), number(PAIR[1])) {
            *memory = json!([min, max]);
        }
        fields(&wanted)
    }

    fn rollout(&self, rng: &mut Rng) -> Option<RolloutSpec> {
        let mut spec = content::settings(rng, &[0, 0, 30, 120, 600], &[0, 0, 0, 120, 600]);
        match rng.u8(..10) {
            0..3 => return None,
            3..7 => {
                spec.max_step.insert("maxInstances".into(), rng.i64(1..=3));
                if rng.bool() {
                    spec.max_step.insert("minInstances".into(), rng.i64(1..=2));
                }
            }
            _ => spec.steps = steps(rng),
        }
        Some(spec)
    }

    fn meddle(&self, rng: &mut Rng, place: &Place) -> Meddle {
        let (min, max) = size(rng, (2, 3));
        let size = json!({"minInstances": min, "maxInstances": max});
        match rng.u8(..10) {
            0..3 => Meddle::Patch(size),
            3..5 => Meddle::Patch(json!({"machineType": machine(rng)})),
            5 => Meddle::Delete,
            6 => Meddle::Break,
            7..9 => Meddle::Deed(json!({"grow": size})),
            _ => {
                let mut body = size;
                body["network"] = json!("default");
                body["ipCidrRange"] = place.lot["range"].clone();
                Meddle::Deed(json!({"create": body}))
            }
        }
    }

    fn deed(&self, place: &Place, deed: &Value, _: Option<&Value>) -> Option<Call> {
        let path = self.path(&place.key);
        if let Some(body) = deed.get("grow") {
            return Some(Call {
                method: "PATCH",
                path: format!("{path}?updateMask=minInstances,maxInstances"),
                body: body.clone(),
            });
        }
        let (scope, name) = path.rsplit_once('/')?;
        Some(Call {
            method: "POST",
            path: format!("{scope}?connectorId={name}"),
            body: deed["create"].clone(),
        })
    }

    fn reached(&self, declared: &Declared, truth: &Value) -> bool {
        let mut wanted = declared.resource.iter();
        truth["state"] == "READY" && wanted.all(|(field, value)| truth.get(field) == Some(value))
    }

    /// A field would have to shrink, or is fixed.
    fn impossible(&self, declared: &Declared, truth: &Value) -> bool {
        let shrinks = PAIR.iter().any(|field| {
            let (to, from) = (number(declared, field), truth[*field].as_i64());
            matches!((to, from), (Some(to), Some(from)) if to < from)
        });
        let fixed = ["network", "ipCidrRange"].iter().any(|field| {
            let wanted = declared.resource.get(*field);
            wanted.is_some() && truth.get(field) != wanted
        });
        shrinks || fixed
    }

    fn invalid(&self, declared: &Declared, truth: Option<&Value>) -> bool {
        let known = |field: &str, default: i64| {
            let live = truth.and_then(|truth| truth[field].as_i64());
            number(declared, field).or(live).unwrap_or(default)
        };
        let (min, max) = (known(PAIR[0], 2), known(PAIR[1], 10));
        let machine = declared.resource.get("machineType");
        min < 2 || max > 10 || min >= max || machine.is_some_and(|name| name == "e2-standard-8")
    }

    fn incomplete(&self, declared: &Declared) -> bool {
        let lacks = |field: &str| !declared.resource.contains_key(field);
        lacks(PAIR[0]) || lacks(PAIR[1]) || lacks("network")
    }

    fn broken(&self, truth: &Value) -> bool {
        truth["state"] == "ERROR"
    }

    /// The mask names the body's fields, both instance fields or none.
    fn malformed(&self, sent: &Sent) -> Option<String> {
        let has = |field: &str| sent.mask.iter().any(|masked| masked == field);
        if has(PAIR[0]) != has(PAIR[1]) {
            return Some("one instance field without the other".to_owned());
        }
        let object = sent.body.as_object().into_iter().flatten();
        let body: Vec<_> = object.map(|(field, _)| field).collect();
        let same = body.len() == sent.mask.len() && body.iter().all(|field| has(field));
        (!same).then(|| format!("the body has {body:?}"))
    }

    fn idle(&self, sent: &Sent, before: &Value) -> Option<String> {
        let moves = |field: &str| sent.body[field] != before[field];
        let mut mask = sent.mask.iter();
        let idle = mask.find(|field| {
            let pair = PAIR.contains(&field.as_str());
            !(moves(field) || pair && PAIR.iter().any(|other| moves(other)))
        });
        idle.cloned()
    }

    fn brief(&self, truth: &Value) -> String {
        let text = |field: &str| truth[field].to_string().replace('"', "");
        format!(
            "{} {}..{} {}",
            text("state"),
            text(PAIR[0]),
            text(PAIR[1]),
            text("machineType")
        )
    }
}
