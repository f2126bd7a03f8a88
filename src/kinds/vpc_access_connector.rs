//! `VpcAccessConnector`: what vpcaccess v1 accepts, and what can go back.
//!
//! Sources: Google, "Connecting to a VPC network" (Serverless VPC Access) for the limits, the
//! growth rule and the pair of instance fields; the vpcaccess v1 discovery document for the
//! fields; Google, "Scaling" of Serverless VPC Access for the throughput per instance.

mod capacity;

use super::export::Export;
use super::{ManagedKind, Names};
use crate::api::status::Mutability;
use crate::api::{Declared, Finding, Key, Kind, Severity};
use crate::core::fields::{self, Fields};
use crate::core::observed::{Lifecycle, Present};
use crate::core::rules::{FieldRule, Rules};
use crate::core::saturation::Capacity;
use serde_json::Value;

pub(super) struct VpcAccessConnector;

const LIMITS: &str = "Google, \"Connecting to a VPC network\"";
/// Machine types, and megabits per second for each instance.
const MACHINES: [(&str, i64); 3] = [("f1-micro", 50), ("e2-micro", 100), ("e2-standard-4", 1600)];
const DEFAULT_MACHINE: &str = "e2-micro";
const MIN: (i64, i64) = (2, 9);
const MAX: (i64, i64) = (3, 10);
/// Longest name the API takes; Google's page says less than 21 with hyphens counted twice.
const NAME_LIMIT: usize = 25;
const NAME_ADVICE: usize = 21;

const REPLACE: &str = "a connector only grows in place: declare a new connector beside it, move its \
     services over, then let the old one go; or put the live number back in the manifest";
const FIXED: &str = "set at creation and fixed from then on: declare a new connector beside it, \
     move its services over, then let the old one go";
const DROPS: &str = "long-running connections through the connector may drop";

static RULES: Rules = Rules {
    together: &[&["minInstances", "maxInstances"]],
    ordered: &[("minInstances", "maxInstances")],
    missing_for_create,
    when_failed: "it recommends manual deletion; delete it, and evenkeel creates it anew",
    flatten: |resource| canonical(fields::flatten(resource)),
    ..Rules::new(Kind::VpcAccessConnector, FIELDS)
};

const FIELDS: &[FieldRule] = &[
    FieldRule {
        path: "machineType",
        mutability: Mutability::Reversible,
        disruption: Some(DROPS),
        refusal: "",
        source: LIMITS,
    },
    FieldRule {
        path: "minInstances",
        mutability: Mutability::GrowOnly,
        disruption: None,
        refusal: REPLACE,
        source: LIMITS,
    },
    FieldRule {
        path: "maxInstances",
        mutability: Mutability::GrowOnly,
        disruption: None,
        refusal: REPLACE,
        source: LIMITS,
    },
    fixed("network"),
    fixed("ipCidrRange"),
    fixed("subnet.name"),
    fixed("subnet.projectId"),
];

const fn fixed(path: &'static str) -> FieldRule {
    FieldRule {
        path,
        mutability: Mutability::Immutable,
        disruption: None,
        refusal: FIXED,
        source: "vpcaccess v1; Google, \"Connecting to a VPC network\"",
    }
}

impl ManagedKind for VpcAccessConnector {
    fn rules(&self) -> &'static Rules {
        &RULES
    }

    fn declared(&self, declared: &Declared, _: &dyn Names) -> Fields {
        canonical(fields::flatten(&declared.resource))
    }

    fn live(&self, raw: Value) -> Present {
        let all = raw.as_object().map(fields::flatten).unwrap_or_default();
        let managed = all
            .into_iter()
            .filter(|(field, _)| RULES.field(field).is_some())
            .collect();
        let state = raw
            .get("state")
            .and_then(Value::as_str)
            .unwrap_or("STATE_UNSPECIFIED")
            .to_owned();
        Present {
            fields: canonical(managed),
            lifecycle: lifecycle(&state),
            state,
            users: users(&raw),
            ..Present::of(raw)
        }
    }

    /// A subnet brings its network and its range along; both forms together are refused.
    fn export(&self, live: &Present, _: &Key) -> Export {
        let mut export = Export::of(Kind::VpcAccessConnector, &live.raw);
        if export.resource.contains_key("subnet") {
            export.drop("network");
            export.drop("ipCidrRange");
        }
        export
    }

    fn capacity(&self, live: &Present) -> Option<Capacity> {
        capacity::of(&live.fields)
    }

    fn check(&self, declared: &Declared) -> Vec<Finding> {
        let mut findings = Vec::new();
        check_name(declared, &mut findings);
        check_nulls(declared, &mut findings);
        check_machine(declared, &mut findings);
        check_instances(declared, &mut findings);
        check_network(declared, &mut findings);
        check_steps(declared, &mut findings);
        findings
    }

    fn notes(&self, live: Option<&Fields>, declared: &Fields) -> Vec<String> {
        let after: Fields = live
            .into_iter()
            .flatten()
            .chain(declared)
            .map(owned)
            .collect();
        let (Some(to), from) = (throughput(&after), live.and_then(throughput)) else {
            return Vec::new();
        };
        vec![match from {
            Some(from) if from != to => {
                format!(
                    "throughput (derived): {}..{} -> {}..{} Mbps",
                    from.0, from.1, to.0, to.1
                )
            }
            _ => format!("throughput (derived): {}..{} Mbps", to.0, to.1),
        }]
    }
}

fn owned((field, value): (&String, &Value)) -> (String, Value) {
    (field.clone(), value.clone())
}

/// What a new connector needs besides a name.
fn missing_for_create(declared: &Fields) -> Option<&'static str> {
    let has = |field: &str| declared.contains_key(field);
    if !has("maxInstances") || !has("minInstances") {
        return Some(
            "minInstances and maxInstances: Google refuses to create a connector without them",
        );
    }
    if !(has("subnet.name") || has("network") && has("ipCidrRange")) {
        return Some("an address range: subnet.name, or network with ipCidrRange (a free /28)");
    }
    None
}

/// Networks and subnets are compared by short name: GCP answers with either form.
fn canonical(mut fields: Fields) -> Fields {
    for path in ["network", "subnet.name"] {
        if let Some(Value::String(text)) = fields.get_mut(path)
            && let Some(short) = text.rsplit('/').next()
        {
            *text = short.to_owned();
        }
    }
    fields
}

fn lifecycle(state: &str) -> Lifecycle {
    match state {
        "READY" => Lifecycle::Ready,
        "DELETING" => Lifecycle::Deleting,
        "ERROR" => Lifecycle::Failed,
        // CREATING, UPDATING, and whatever Google adds: never write into the unknown.
        _ => Lifecycle::Busy,
    }
}

/// Other projects that use the connector. Google lists the connector's own project from the start,
/// used or not, so that one tells nothing.
fn users(raw: &Value) -> Vec<String> {
    let own = raw
        .get("name")
        .and_then(Value::as_str)
        .and_then(|name| name.split('/').nth(1));
    let projects = raw.get("connectedProjects").and_then(Value::as_array);
    projects
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .filter(|project| Some(*project) != own)
        .map(|project| format!("project {project}"))
        .collect()
}

/// Lowest and highest throughput in Mbps, from the instances and the machine type.
fn throughput(fields: &Fields) -> Option<(i64, i64)> {
    let machine = fields
        .get("machineType")
        .and_then(Value::as_str)
        .unwrap_or(DEFAULT_MACHINE);
    let each = MACHINES.iter().find(|(name, _)| *name == machine)?.1;
    let number = |field: &str| fields.get(field).and_then(Value::as_i64);
    Some((
        number("minInstances")? * each,
        number("maxInstances")? * each,
    ))
}

fn finding(path: &str, message: String, limit: String, help: &str) -> Finding {
    Finding {
        path: format!("spec.{path}"),
        message,
        limit: Some(limit),
        help: help.to_owned(),
        severity: Severity::Error,
    }
}

fn check_name(declared: &Declared, findings: &mut Vec<Finding>) {
    let name = &declared.key.name;
    let ok = name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-')
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    let weight = name.len() + name.matches('-').count();
    let path = if *name == declared.name {
        "metadata.name"
    } else {
        "spec.resourceName"
    };
    let mut push = |message: String, limit: &str, severity| {
        findings.push(Finding {
            path: path.to_owned(),
            message,
            limit: Some(format!("{limit} ({LIMITS})")),
            help: "choose a shorter, plain name; `resourceName` may differ from metadata.name"
                .to_owned(),
            severity,
        });
    };
    if !ok {
        let text = format!("`{name}` is not a connector name");
        push(
            text,
            "lower-case letters, digits and hyphens, a letter first",
            Severity::Error,
        );
    } else if name.len() > NAME_LIMIT {
        let text = format!("`{name}` has {} characters", name.len());
        push(text, "at most 25 characters", Severity::Error);
    } else if weight >= NAME_ADVICE {
        let text = format!("`{name}` counts {weight} characters, each hyphen counted twice");
        push(
            text,
            "Google's page asks for less than 21",
            Severity::Warning,
        );
    }
}

fn check_nulls(declared: &Declared, findings: &mut Vec<Finding>) {
    for (field, value) in &declared.resource {
        if value.is_null() {
            findings.push(finding(
                &format!("resource.{field}"),
                format!("{field} is null, and a connector has no field that can be cleared"),
                "null means \"cleared\"; leaving the line out means \"not managed\"".to_owned(),
                "remove the line to leave the field alone",
            ));
        }
    }
}

fn check_machine(declared: &Declared, findings: &mut Vec<Finding>) {
    let Some(Value::String(machine)) = declared.resource.get("machineType") else {
        return;
    };
    if MACHINES.iter().any(|(name, _)| name == machine) {
        return;
    }
    findings.push(finding(
        "resource.machineType",
        format!("a connector cannot run on `{machine}`"),
        format!("f1-micro, e2-micro or e2-standard-4 ({LIMITS})"),
        "use e2-standard-4 (about 1600 Mbps an instance); past 10 of them, share the services out \
         over a second connector or use Direct VPC egress",
    ));
}

fn check_instances(declared: &Declared, findings: &mut Vec<Finding>) {
    let number = |field: &str| declared.resource.get(field).and_then(Value::as_i64);
    let (min, max) = (number("minInstances"), number("maxInstances"));
    let way_out = "at most 10 instances; past that, share the services out over a second connector \
                   or use Direct VPC egress";
    let mut range = |field: &str, value: Option<i64>, (low, high): (i64, i64), help: &str| {
        if let Some(value) = value.filter(|value| !(low..=high).contains(value)) {
            findings.push(finding(
                &format!("resource.{field}"),
                format!("{field} is {value}"),
                format!("{low} to {high} ({LIMITS})"),
                help,
            ));
        }
    };
    range(
        "minInstances",
        min,
        MIN,
        "a connector keeps 2 to 9 instances at the least",
    );
    range("maxInstances", max, MAX, way_out);
    if let (Some(min), Some(max)) = (min, max)
        && min >= max
    {
        findings.push(finding(
            "resource.minInstances",
            format!("minInstances {min} is not below maxInstances {max}"),
            format!("minInstances < maxInstances ({LIMITS})"),
            "raise maxInstances or lower minInstances",
        ));
    }
}

fn check_network(declared: &Declared, findings: &mut Vec<Finding>) {
    let resource = &declared.resource;
    let has = |field: &str| resource.contains_key(field);
    if has("subnet") && (has("network") || has("ipCidrRange")) {
        findings.push(finding(
            "resource.subnet",
            "both a subnet and a network are given".to_owned(),
            format!("subnet, or network with ipCidrRange ({LIMITS})"),
            "keep one of the two forms",
        ));
    }
    if let Some(Value::String(range)) = resource.get("ipCidrRange")
        && !is_slash_28(range)
    {
        findings.push(finding(
            "resource.ipCidrRange",
            format!("`{range}` is not a /28 range"),
            format!("one unused IPv4 /28, such as 10.8.0.0/28 ({LIMITS})"),
            "give a /28 whose first address ends in a multiple of 16",
        ));
    }
}

/// A step past the declared size could never come back to it.
fn check_steps(declared: &Declared, findings: &mut Vec<Finding>) {
    let steps = declared
        .policy
        .rollout
        .iter()
        .flat_map(|rollout| &rollout.steps);
    for (index, step) in steps.enumerate() {
        for (field, value) in step.set.iter().flatten() {
            let goal = declared.resource.get(field).and_then(Value::as_i64);
            let (Some(value), Some(goal)) = (value.as_i64(), goal) else {
                continue;
            };
            if value > goal {
                findings.push(finding(
                    &format!("rollout.steps[{index}].set.{field}"),
                    format!("{field} {value} is past the declared {goal}"),
                    format!("a connector only grows in place ({LIMITS})"),
                    "keep every step at or below the declared value",
                ));
            }
        }
    }
}

fn is_slash_28(range: &str) -> bool {
    let Some((address, "28")) = range.split_once('/') else {
        return false;
    };
    address
        .parse::<std::net::Ipv4Addr>()
        .is_ok_and(|ip| ip.octets()[3] % 16 == 0)
}
