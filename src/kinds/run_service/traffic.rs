//! Who gets the traffic of a service, and how it moves to a new revision.
//!
//! Steps name the old revision and call the new one `latest`, so evenkeel gives no names to
//! revisions: a name sent along makes Google refuse a template that it has seen under that name
//! before. The name of the old revision is in the steps, and the steps are in the journal: going
//! back needs no memory besides.

use crate::api::envelope::{RolloutSpec, StepSpec};
use crate::core::fields::{Difference, Fields};
use crate::core::record::Step;
use crate::core::rules::Staging;
use crate::core::steps::{pause_step, without_idle_pauses};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The field that says who gets the traffic.
pub(super) const FIELD: &str = "traffic";
/// The live field with the revision that `latest` stands for.
pub(super) const READY: &str = "latestReadyRevision";
/// Everything to the latest revision.
pub(super) const ALL_LATEST: &str = "100 % latest";

const LATEST: &str = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST";
const REVISION: &str = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION";

pub(super) static STAGING: Staging = Staging { steps, back };

/// Percent by revision; `""` is whatever is latest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Split(BTreeMap<String, i64>);

impl Split {
    /// From `traffic` or `trafficStatuses`; none at all means everything to the latest.
    pub fn of(targets: &Value) -> Split {
        let mut split = BTreeMap::new();
        for target in targets.as_array().into_iter().flatten() {
            let percent = target["percent"].as_i64().unwrap_or(0);
            if percent > 0 {
                *split.entry(key(target)).or_insert(0) += percent;
            }
        }
        if split.is_empty() {
            split.insert(String::new(), 100);
        }
        Split(split)
    }

    /// From the text of the field.
    fn parse(text: &str) -> Split {
        let one = |part: &str| {
            let (percent, who) = part.split_once(" % ")?;
            let who = if who == "latest" { "" } else { who };
            Some((who.to_owned(), percent.parse().ok()?))
        };
        Split(text.split(", ").filter_map(one).collect())
    }

    fn two(latest: i64, old: &str) -> Split {
        let shares = [(String::new(), latest), (old.to_owned(), 100 - latest)];
        Split(shares.into_iter().filter(|(_, p)| *p > 0).collect())
    }

    /// `10 % latest, 90 % api-00007-abc`.
    pub fn text(&self) -> String {
        let part = |(who, percent): (&String, &i64)| {
            let who = if who.is_empty() { "latest" } else { who };
            format!("{percent} % {who}")
        };
        self.0.iter().map(part).collect::<Vec<_>>().join(", ")
    }

    fn latest(&self) -> i64 {
        self.0.get("").copied().unwrap_or(0)
    }

    /// The same with the latest revision by its name.
    fn resolved(&self, ready: &str) -> Split {
        let mut split = BTreeMap::new();
        for (who, percent) in &self.0 {
            let who = if who.is_empty() { ready } else { who };
            *split.entry(who.to_owned()).or_insert(0) += percent;
        }
        Split(split)
    }

    /// Who has the most; of two with the same share the named one, which is the proved one.
    fn largest(&self) -> Option<&str> {
        let most = self.0.iter().max_by_key(|(who, p)| (**p, !who.is_empty()));
        most.map(|(who, _)| who.as_str())
    }

    /// As GCP takes it; tags of the live targets stay.
    pub fn targets(&self, live: &Value) -> Value {
        let mut targets: Vec<Value> = self.0.iter().map(|(who, p)| target(who, *p)).collect();
        for old in live.as_array().into_iter().flatten() {
            if old["tag"].as_str().is_some_and(|tag| !tag.is_empty()) {
                let mut tagged = target(&key(old), 0);
                tagged["tag"] = old["tag"].clone();
                targets.push(tagged);
            }
        }
        Value::Array(targets)
    }
}

fn key(target: &Value) -> String {
    let revision = target["revision"].as_str().unwrap_or_default();
    if target["type"].as_str() == Some(LATEST) {
        return String::new();
    }
    super::live::short(revision).to_owned()
}

fn target(who: &str, percent: i64) -> Value {
    let mut target = if who.is_empty() {
        json!({"type": LATEST})
    } else {
        json!({"type": REVISION, "revision": who})
    };
    if percent > 0 {
        target["percent"] = percent.into();
    }
    target
}

/// The targets that a value of the field stands for.
pub(super) fn targets(field: &Value, live: &Value) -> Value {
    Split::parse(field.as_str().unwrap_or(ALL_LATEST)).targets(live)
}

/// Whether a rollout moves traffic in steps.
pub(super) fn moves(rollout: Option<&RolloutSpec>) -> bool {
    rollout.is_some_and(|spec| spec.steps.iter().any(|step| step.traffic.is_some()))
}

fn split_of(fields: &Fields) -> Option<Split> {
    fields.get(FIELD).and_then(Value::as_str).map(Split::parse)
}

/// First the new revision with no traffic, and the old one pinned, in one call; then the declared
/// shares; at last everything to the latest.
fn steps(live: &Fields, changes: &[Difference], spec: &RolloutSpec) -> Option<Vec<Step>> {
    if !moves(Some(spec)) {
        return None;
    }
    let now = split_of(live)?;
    let ready = live.get(READY).and_then(Value::as_str)?;
    let deploys = changes.iter().any(|c| c.field.starts_with("template."));
    let old = if deploys {
        now.largest()
            .map(|who| if who.is_empty() { ready } else { who })?
    } else {
        // What is latest has no name in the split: the others are old.
        now.0.keys().rev().find(|who| !who.is_empty())?.as_str()
    };
    let mut deploy: Fields = changes
        .iter()
        .filter(|change| change.field != FIELD)
        .map(|change| (change.field.clone(), change.to.clone()))
        .collect();
    let mut at = now.latest();
    if deploys {
        let pinned = Split::two(0, old);
        if pinned != now {
            deploy.insert(FIELD.to_owned(), pinned.text().into());
        }
        at = 0;
    }
    let mut steps = Vec::new();
    if !deploy.is_empty() {
        steps.push(Step::Set(deploy));
    }
    moving(&mut steps, at, old, &spec.steps);
    Some(without_idle_pauses(steps))
}

fn moving(steps: &mut Vec<Step>, mut at: i64, old: &str, specs: &[StepSpec]) {
    let mut to = |share: i64, steps: &mut Vec<Step>| {
        if share > at {
            at = share;
            let text = Split::two(share, old).text();
            steps.push(Step::Set([(FIELD.to_owned(), text.into())].into()));
        }
    };
    for spec in specs {
        if let Some(share) = spec.traffic {
            to(share.clamp(0, 100), steps);
        } else if let Some(pause) = &spec.pause {
            steps.push(pause_step(pause));
        }
    }
    to(100, steps);
}

/// All traffic on the old revision: one call, and no new revision that would have to start first.
fn back(steps: &[Step], prior: &Fields, live: &Fields) -> Option<Fields> {
    let of = |step: &Step| match step {
        Step::Set(fields) => split_of(fields),
        _ => None,
    };
    // A rollout that changes the template without moving traffic goes back by its fields.
    steps.iter().find_map(of)?;
    let old = steps
        .iter()
        .filter_map(of)
        .chain(split_of(prior))
        .find_map(|split| split.0.keys().rev().find(|who| !who.is_empty()).cloned())?;
    let wanted = Split::two(0, &old);
    let ready = live.get(READY).and_then(Value::as_str).unwrap_or_default();
    if split_of(live).is_some_and(|now| now.resolved(ready) == wanted) {
        return Some(Fields::new());
    }
    Some([(FIELD.to_owned(), wanted.text().into())].into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(shares: &[i64]) -> RolloutSpec {
        let step = |share: &i64| StepSpec {
            set: None,
            traffic: Some(*share),
            pause: None,
        };
        RolloutSpec {
            steps: shares.iter().map(step).collect(),
            ..RolloutSpec::default()
        }
    }

    fn live(traffic: &str) -> Fields {
        [
            (FIELD.to_owned(), json!(traffic)),
            (READY.to_owned(), json!("api-1")),
        ]
        .into()
    }

    fn change(field: &str, to: Value) -> Difference {
        Difference {
            field: field.to_owned(),
            from: None,
            to,
        }
    }

    fn shares(steps: &[Step]) -> Vec<String> {
        let of = |step: &Step| match step {
            Step::Set(fields) => fields[FIELD].as_str().unwrap().to_owned(),
            other => format!("{other:?}"),
        };
        steps.iter().map(of).collect()
    }

    #[test]
    fn a_new_revision_starts_with_nothing_and_ends_with_everything() {
        let changes = [change("template.timeout", json!("60s"))];
        let made = steps(&live(ALL_LATEST), &changes, &spec(&[10, 50])).unwrap();
        assert_eq!(
            shares(&made),
            [
                "100 % api-1",
                "10 % latest, 90 % api-1",
                "50 % latest, 50 % api-1",
                "100 % latest"
            ]
        );
        let Step::Set(first) = &made[0] else {
            panic!("{made:?}")
        };
        assert_eq!(first["template.timeout"], "60s");
        let start = live(ALL_LATEST);
        let later = |traffic: &str| {
            let mut fields = live(traffic);
            fields.insert(READY.to_owned(), json!("api-2"));
            back(&made, &start, &fields).unwrap()
        };
        assert_eq!(later("10 % latest, 90 % api-1")[FIELD], "100 % api-1");
        assert_eq!(later(ALL_LATEST)[FIELD], "100 % api-1");
        assert!(later("100 % api-1").is_empty());
        assert!(
            back(&made, &start, &start).unwrap().is_empty(),
            "never deployed"
        );
    }

    #[test]
    fn a_move_that_was_left_half_way_goes_on() {
        let changes = [change(FIELD, json!(ALL_LATEST))];
        let now = live("50 % latest, 50 % api-0");
        let made = steps(&now, &changes, &spec(&[10, 50, 100])).unwrap();
        assert_eq!(shares(&made), ["100 % latest"]);
        let back_to = back(&made, &now, &live(ALL_LATEST)).unwrap();
        assert_eq!(back_to[FIELD], "100 % api-0");
        let made = steps(&live("100 % api-0"), &changes, &spec(&[10, 100])).unwrap();
        assert_eq!(shares(&made), ["10 % latest, 90 % api-0", "100 % latest"]);
    }

    #[test]
    fn tags_stay() {
        let old = json!([{"type": LATEST, "percent": 100, "tag": "green"}]);
        let new = targets(&json!("100 % api-1"), &old);
        let wanted = json!([
            {"type": REVISION, "revision": "api-1", "percent": 100},
            {"type": LATEST, "tag": "green"},
        ]);
        assert_eq!(new, wanted);
        assert_eq!(Split::of(&new).text(), "100 % api-1");
        assert_eq!(Split::of(&Value::Null).text(), ALL_LATEST);
    }
}
