//! What a run would do with one resource, and what stands in the way: the engine's own plan, with
//! the gates that `core::decide` puts before a write told in advance.

use crate::api::envelope::{Approval, Drift};
use crate::api::{Declared, Reason};
use crate::cli::exit::way_out;
use crate::core::decide::procedure_plan;
use crate::core::digest;
use crate::core::error::Fault;
use crate::core::fields::{self, Fields};
use crate::core::observed::{Lifecycle, Live, Present};
use crate::core::plan::{self, Action, Plan};
use crate::core::procedure::{Next, Procedure, Scene};
use crate::core::record::Record;
use crate::core::steps;
use crate::kinds::{self, Names};
use crate::render::live::object;
use crate::render::plan_data::{ObjectPlan, Remark, Verdict, Weight};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Plans one resource.
#[must_use]
pub fn judge(
    declared: &Declared,
    names: &dyn Names,
    live: &Live,
    record: Option<&Record>,
    now: Timestamp,
) -> ObjectPlan {
    match live {
        Live::Unknown(fault) => unreadable(declared, fault.as_ref()),
        Live::Absent => planned(declared, names, None, record, now),
        Live::Present(present) => planned(declared, names, Some(present), record, now),
    }
}

fn unreadable(declared: &Declared, fault: Option<&Fault>) -> ObjectPlan {
    let (text, hint) = match fault {
        Some(fault) => (format!("cannot read it from GCP: {fault}"), way_out(fault)),
        None => (
            "GCP could not reach all of this location".to_owned(),
            "try again later".to_owned(),
        ),
    };
    ObjectPlan {
        declared: declared.clone(),
        verdict: Verdict::Unknown,
        plan: None,
        drift: false,
        remarks: vec![remark(Weight::Blocks, text, Some(hint))],
        notes: Vec::new(),
    }
}

fn planned(
    declared: &Declared,
    names: &dyn Names,
    present: Option<&Present>,
    record: Option<&Record>,
    now: Timestamp,
) -> ObjectPlan {
    let kind = kinds::of(declared.key.kind);
    let seen = present;
    let present = seen.filter(|seen| (kind.rules().exists)(seen));
    let wanted = kind.declared(declared, names);
    let content = digest::desired(declared);
    let live = present.map(|present| &present.fields);
    let procedure = procedure(declared, &wanted, seen, record, now);
    let mut plan = if let Some(procedure) = &procedure {
        by_procedure(&content, &wanted, present, procedure)
    } else {
        let rollout = declared.policy.rollout.as_ref();
        plan::plan(kind.rules(), &content, &wanted, live, rollout)
    };
    let reached = record
        .and_then(|record| record.last_good.as_ref())
        .is_some_and(|good| good.at.digest == content);
    let drift = reached && plan.action == Action::Update;
    if let (true, Some(live), None) = (drift, live, &procedure) {
        plan.steps = steps::single(&fields::diff(&wanted, live));
    }
    let facts = Facts {
        broken: procedure.as_ref().and_then(broken),
        declared,
        wanted: &wanted,
        plan: &plan,
        present,
        record,
        content: &content,
        drift,
    };
    let remarks = facts.remarks();
    ObjectPlan {
        verdict: verdict(&plan, &remarks),
        declared: declared.clone(),
        drift,
        remarks,
        notes: kind.notes(live, &wanted),
        plan: Some(plan),
    }
}

/// Whether there is a change that takes several calls on several objects.
#[must_use]
pub fn takes_a_procedure(
    declared: &Declared,
    names: &dyn Names,
    present: Option<&Present>,
    record: Option<&Record>,
    now: Timestamp,
) -> bool {
    let wanted = kinds::of(declared.key.kind).declared(declared, names);
    let procedure = procedure(declared, &wanted, present, record, now);
    procedure.is_some_and(|procedure| procedure.next != Next::Done)
}

/// Where a change by several calls on several objects stands; `None`: plain calls do.
fn procedure(
    declared: &Declared,
    wanted: &Fields,
    present: Option<&Present>,
    record: Option<&Record>,
    now: Timestamp,
) -> Option<Procedure> {
    let procedures = kinds::of(declared.key.kind).rules().procedures?;
    let since = record
        .and_then(|record| record.rollout.as_ref())
        .map_or_else(BTreeMap::new, |rollout| rollout.since.clone());
    let rollout = declared.policy.rollout.as_ref();
    let nothing = Fields::new();
    let good = record.and_then(|record| record.last_good.as_ref());
    let failed = record.map_or(0, |record| record.failures(&digest::desired(declared)));
    (procedures.change)(&Scene {
        name: &declared.key.name,
        declared: wanted,
        resource: &declared.resource,
        adopted: match record.filter(|record| record.owned) {
            Some(record) => record.adopted,
            None => declared.policy.adopt,
        },
        live: present,
        since: &since,
        adopt: declared.policy.adopt,
        attempt: record.map_or(1, Record::attempt),
        failed,
        applied: good.map_or(&nothing, |good| &good.fields),
        bake: rollout.and_then(|spec| spec.bake).unwrap_or_default().0,
        now,
    })
}

/// Why a procedure cannot go on.
fn broken(procedure: &Procedure) -> Option<&str> {
    match &procedure.next {
        Next::Broken { message, .. } => Some(message),
        _ => None,
    }
}

fn by_procedure(
    content: &str,
    wanted: &Fields,
    present: Option<&Present>,
    procedure: &Procedure,
) -> Plan {
    let mut plan = procedure_plan(content, wanted, present, procedure);
    if procedure.next == Next::Done {
        plan.action = Action::None;
        plan.changes.clear();
        plan.steps.clear();
    }
    plan
}

fn verdict(plan: &Plan, remarks: &[Remark]) -> Verdict {
    if remarks.iter().any(|remark| remark.weight == Weight::Blocks) {
        return Verdict::Blocked;
    }
    match plan.action {
        Action::None => Verdict::Unchanged,
        Action::Create => Verdict::Create,
        Action::Update => Verdict::Change,
    }
}

fn remark(weight: Weight, text: impl Into<String>, hint: Option<String>) -> Remark {
    Remark {
        weight,
        text: text.into(),
        hint,
    }
}

struct Facts<'a> {
    declared: &'a Declared,
    wanted: &'a Fields,
    plan: &'a Plan,
    present: Option<&'a Present>,
    record: Option<&'a Record>,
    content: &'a str,
    drift: bool,
    /// Why a procedure cannot go on.
    broken: Option<&'a str>,
}

impl Facts<'_> {
    fn remarks(&self) -> Vec<Remark> {
        let ownership = self.ownership();
        if self.plan.action == Action::None {
            return ownership.into_iter().collect();
        }
        let all = [
            ownership,
            self.lifecycle(),
            self.missing(),
            self.blocked(),
            self.broken.map(|why| remark(Weight::Blocks, why, None)),
            self.held(),
            self.observed_only(),
            self.suspended(),
            self.approval(),
            self.under_way(),
        ];
        let remarks: Vec<_> = all.into_iter().flatten().collect();
        let blocks = |remark: &Remark| remark.weight == Weight::Blocks;
        if remarks.iter().any(blocks) {
            // What would come after it does not matter yet.
            return remarks.into_iter().filter(blocks).collect();
        }
        remarks
    }

    fn name(&self) -> String {
        object(self.declared.key.kind, &self.declared.name)
    }

    fn ownership(&self) -> Option<Remark> {
        self.present?;
        if self.record.is_some_and(|record| record.owned) {
            return None;
        }
        if self.declared.policy.adopt {
            let text = "takes over the existing resource (adopt: true); fields that the manifest \
                        leaves out stay as they are";
            return Some(remark(Weight::Info, text, None));
        }
        Some(remark(
            Weight::Blocks,
            "the resource exists and evenkeel does not own it (AlreadyExists): nothing would be written",
            Some("set spec.adopt: true to take it over".to_owned()),
        ))
    }

    fn lifecycle(&self) -> Option<Remark> {
        let present = self.present?;
        let state = &present.state;
        match present.lifecycle {
            Lifecycle::Ready => None,
            Lifecycle::Busy | Lifecycle::Deleting => Some(remark(
                Weight::Waits,
                format!("GCP reports {state}: a run waits for it to finish, then plans anew"),
                None,
            )),
            Lifecycle::Failed => Some(remark(
                Weight::Blocks,
                format!("GCP reports {state}"),
                Some(
                    kinds::of(self.declared.key.kind)
                        .rules()
                        .when_failed
                        .to_owned(),
                ),
            )),
            Lifecycle::Unhealthy => Some(remark(
                Weight::Info,
                format!("as it is, it does not work: {state}"),
                None,
            )),
        }
    }

    fn missing(&self) -> Option<Remark> {
        if self.plan.action != Action::Create {
            return None;
        }
        let rules = kinds::of(self.declared.key.kind).rules();
        let what = (rules.missing_for_create)(self.wanted)?;
        Some(remark(
            Weight::Blocks,
            format!("the resource does not exist, and to create it the manifest lacks {what}"),
            Some("add it to spec.resource, or check project, location and name".to_owned()),
        ))
    }

    fn blocked(&self) -> Option<Remark> {
        let fields: Vec<_> = self
            .plan
            .blocked()
            .map(|(change, _)| plan::change_text(change))
            .collect();
        let (_, way_out) = self.plan.blocked().next()?;
        Some(remark(
            Weight::Blocks,
            format!(
                "GCP does not make this change: {}; nothing would be written",
                fields.join(", ")
            ),
            Some(way_out.to_owned()),
        ))
    }

    fn held(&self) -> Option<Remark> {
        let held = self.record?.held.as_ref()?;
        if held.digest != self.content {
            return None;
        }
        let aborted = if held.reason == Reason::Aborted {
            ""
        } else {
            "it failed before: "
        };
        Some(remark(
            Weight::Blocks,
            format!(
                "this content is held ({}): {aborted}{}",
                held.reason, held.message
            ),
            Some(format!(
                "commit other content, or `evenkeel rollout retry {}`",
                self.name()
            )),
        ))
    }

    fn observed_only(&self) -> Option<Remark> {
        let only = self.drift && self.declared.policy.drift == Drift::Observe;
        only.then(|| {
            let text = "drift: Observe: the difference is reported, not written";
            remark(Weight::Waits, text, None)
        })
    }

    fn suspended(&self) -> Option<Remark> {
        if self.record.is_some_and(|record| record.paused) {
            let hint = format!("`evenkeel rollout resume {}`", self.name());
            return Some(remark(Weight::Waits, "paused by a person", Some(hint)));
        }
        self.declared.policy.suspend.then(|| {
            let hint = "set it to false to let it go ahead".to_owned();
            remark(Weight::Waits, "spec.suspend is true", Some(hint))
        })
    }

    fn approval(&self) -> Option<Remark> {
        let spec = self.declared.policy.rollout.as_ref();
        let manual = spec.is_some_and(|spec| spec.approval == Approval::Manual);
        let allowed = spec.is_some_and(|spec| spec.allow_disruptive);
        let disruptive = self.plan.disruptive && !allowed;
        if !manual && !disruptive {
            return None;
        }
        let approved = self.record.and_then(|record| record.approved.as_ref());
        if approved == Some(&self.plan.digest) {
            return Some(remark(Weight::Info, "this plan is approved", None));
        }
        let why = if disruptive {
            "the change is disruptive"
        } else {
            "approval: Manual"
        };
        let allow = if disruptive {
            "; or set spec.rollout.allowDisruptive: true"
        } else {
            ""
        };
        Some(remark(
            Weight::Waits,
            format!("a person must approve it first: {why}"),
            Some(format!(
                "once a run waits for it: `evenkeel rollout approve {}`{allow}",
                self.name()
            )),
        ))
    }

    fn under_way(&self) -> Option<Remark> {
        let rollout = self.record?.rollout.as_ref()?;
        Some(remark(
            Weight::Info,
            format!(
                "a rollout is under way (step {} of {}); these are the steps still to go from here",
                (rollout.step + 1).min(rollout.steps.len()),
                rollout.steps.len()
            ),
            None,
        ))
    }
}
