//! A real run, clean in the eyes of all judges, and the tools to forge its trace.

use super::checkers;
use super::faults::Rates;
use super::kinds::{Place, Prop, connector};
use super::run::play;
use super::script::{Act, Script, Wish};
use super::trace::{Fact, What};
use evenkeel::api::envelope::{Deletion, Drift, Policy, RolloutSpec};
use evenkeel::api::{Declared, Key, Kind, Reason};
use evenkeel::core::digest;
use evenkeel::core::record::Record;
use evenkeel::core::token::Ask;
use evenkeel::emulator::Timing;
use evenkeel::engine::Settings;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// A connector of 2..3 grows to 5..10 in four steps, with a pause and a resume on the way.
pub fn honest() -> Vec<Fact> {
    static RUN: OnceLock<Vec<Fact>> = OnceLock::new();
    RUN.get_or_init(|| {
        let trace = play(1, script()).trace;
        let broken = checkers::all(&trace);
        assert!(broken.is_empty(), "{broken:#?}");
        trace
    })
    .clone()
}

pub fn place() -> Place {
    let key = Key {
        kind: Kind::VpcAccessConnector,
        project: "netra-staging".into(),
        location: "us-central1".into(),
        name: "c0".into(),
    };
    connector::place(key, "10.8.0.0/28", Some(("e2-micro", 2, 3)), false)
}

pub fn declared(resource: &Value) -> Declared {
    let rollout = RolloutSpec {
        max_step: [
            ("minInstances".to_owned(), 1),
            ("maxInstances".to_owned(), 2),
        ]
        .into(),
        ..RolloutSpec::default()
    };
    let policy = Policy {
        rollout: Some(rollout),
        drift: Drift::Enforce,
        deletion: Deletion::Orphan,
        adopt: true,
        suspend: false,
    };
    super::content::manifest(&place(), resource.as_object().cloned().unwrap(), policy)
}

pub fn script() -> Script {
    let set = vec![declared(&json!({"minInstances": 5, "maxInstances": 10}))];
    let acts = vec![
        (seconds(1), declare(&set)),
        (seconds(90), Act::Ask(0, Wish::Pause)),
        (seconds(60), Act::Ask(0, Wish::Resume)),
        (seconds(600), Act::Weather),
    ];
    let props = connector::prop(&place()).into_iter().collect();
    calm(vec![place()], props, acts, set)
}

/// A run without faults.
pub fn calm(
    fleet: Vec<Place>,
    props: Vec<Prop>,
    acts: Vec<(Duration, Act)>,
    last: Vec<Declared>,
) -> Script {
    Script {
        fleet,
        props,
        settings: Settings::default(),
        timing: Timing::fixed(seconds(60), Duration::ZERO),
        rates: Rates::default(),
        wild: 0.0,
        acts,
        last: Arc::new(last.into()),
        tempers: BTreeMap::new(),
    }
}

pub const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub fn declare(set: &[Declared]) -> Act {
    Act::Declare("declare".to_owned(), Arc::new(set.to_vec().into()))
}

/// Whether the board ever shows this reason.
pub fn says(trace: &[Fact], reason: Reason) -> bool {
    trace.iter().any(|fact| match &fact.what {
        What::Shown { status, .. } => status.conditions.iter().any(|c| c.reason == reason),
        _ => false,
    })
}

pub fn nth(trace: &[Fact], which: usize, wanted: impl Fn(&What) -> bool) -> usize {
    let mut found = trace
        .iter()
        .enumerate()
        .filter(|(_, fact)| wanted(&fact.what));
    found.nth(which).unwrap().0
}

pub fn begin(trace: &[Fact], which: usize) -> usize {
    nth(trace, which, |what| matches!(what, What::Begin { .. }))
}

pub fn sent(trace: &[Fact], which: usize) -> usize {
    nth(trace, which, |what| matches!(what, What::Sent(_)))
}

pub fn landed(trace: &[Fact], which: usize) -> usize {
    nth(trace, which, |what| matches!(what, What::Landed { .. }))
}

pub fn record(fact: &mut Fact) -> &mut Record {
    match &mut fact.what {
        What::Begin { record, .. } | What::Commit { record, .. } | What::Finish { record, .. } => {
            record
        }
        other => panic!("{other:?} has no record"),
    }
}

pub fn insert(trace: &mut Vec<Fact>, index: usize, what: What) {
    let at = trace[index].at;
    trace.insert(index, Fact { at, what });
}

/// Changes what is declared, as if it had been so from the start.
pub fn redeclare(trace: &mut [Fact], change: impl Fn(&mut Declared)) {
    let mut spec = String::new();
    for fact in trace {
        match &mut fact.what {
            What::Declare(set) => {
                let set = Arc::make_mut(set);
                set.resources.iter_mut().for_each(&change);
                spec = digest::spec(&set[0]);
            }
            What::Begin { record, .. } => record.spec_digest.clone_from(&spec),
            _ => {}
        }
    }
}

pub fn ask(trace: &mut Vec<Fact>, index: usize, id: &str, ask: Ask) {
    let (id, key) = (id.to_owned(), place().key);
    insert(trace, index, What::Asked { id, key, ask });
}
