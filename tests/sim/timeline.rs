//! The trace for people: time, who, what.

use super::kinds;
use super::set::Set;
use super::trace::{Fact, Reading, What};
use evenkeel::api::phase::PhaseStatus;
use evenkeel::api::{ConditionType, Key, Kind};
use evenkeel::core::phase::PhaseRecord;
use evenkeel::core::record::Record;
use evenkeel::core::steps;
use evenkeel::emulator::LogEntry;
use jiff::Timestamp;
use serde_json::Value;

/// The whole trace, or its last `tail` lines.
pub fn render(trace: &[Fact], tail: Option<usize>) -> String {
    let skip = tail.map_or(0, |tail| trace.len().saturating_sub(tail));
    let lines: Vec<_> = trace
        .iter()
        .enumerate()
        .skip(skip)
        .map(|(index, fact)| format!("{index:>5} {}", line(fact)))
        .collect();
    lines.join("\n")
}

pub fn line(fact: &Fact) -> String {
    let (who, what) = words(&fact.what);
    let time = fact.at.strftime("%H:%M:%S%.3f").to_string();
    format!("{time}  {who:<9} {what}")
}

fn words(what: &What) -> (&'static str, String) {
    match what {
        What::Start { skew, .. } => ("operator", format!("starts, clock {skew:+} s")),
        What::Crash(point) => ("operator", format!("killed {point}")),
        What::Stop => ("operator", "stopped".to_owned()),
        What::Declare(set) => ("source", declared(set)),
        What::SourceFailed => ("source", "cannot be read".to_owned()),
        What::Asked { id, key, ask } => ("person", format!("{} #{id} {ask:?}", key.name)),
        What::Begin {
            record, handled, ..
        } => ("journal", format!("intent {} {handled:?}", memory(record))),
        What::Finish { record, refused } => {
            let how = if *refused { "refused" } else { "answered" };
            ("journal", format!("{how} {}", memory(record)))
        }
        What::Commit { record, handled } => {
            ("journal", format!("commit {} {handled:?}", memory(record)))
        }
        What::Forget(key) => ("journal", format!("forget {}", key.name)),
        What::Phase { record, handled } => ("journal", phase(record, handled)),
        What::AskedPhase { id, name, ask } => ("person", format!("{name} #{id} {ask:?}")),
        What::Probed {
            check,
            began,
            since,
            reading,
        } => ("prober", probed(check, *began, *since, reading)),
        What::PhaseEnd { name, report, .. } => {
            let line = report.as_ref().map(|report| conditions(&report.status));
            ("end", format!("{name} {}", line.unwrap_or_default()))
        }
        What::JournalFault(what) => ("journal", format!("{what} FAILS")),
        What::Sent(sent) => (
            "operator",
            format!(
                "call {} {} {:?} {} {}",
                sent.call,
                sent.key.name,
                sent.verb,
                kinds::short(&sent.object),
                sent.body
            ),
        ),
        What::Landed {
            call, key, entry, ..
        } => (
            "gcp",
            format!("call {call} {} {}", key.name, arrived(key, entry)),
        ),
        What::Foreign { key, entry } => {
            ("stranger", format!("{} {}", key.name, arrived(key, entry)))
        }
        What::Became { name, body } => {
            let short = name.rsplit('/').next().unwrap_or(name);
            let body = body.as_ref().map_or_else(|| "gone".to_owned(), became);
            ("gcp", format!("{short} is now {body}"))
        }
        What::Read {
            path,
            status,
            faults,
        } => {
            let short = path.rsplit("/locations/").next().unwrap_or(path);
            (
                "operator",
                format!("reads {short}: {status} {}", faults.join(", ")),
            )
        }
        What::Reply { call, text } => ("operator", format!("call {call} came back: {text}")),
        What::Shown { key, status, .. } => {
            let ready = status.condition(ConditionType::Ready);
            let text = ready.map_or_else(String::new, |c| format!("{}: {}", c.reason, c.message));
            ("board", format!("{} {text}", key.name))
        }
        What::Note(text) => ("world", text.clone()),
        What::Calm => ("world", "the faults stop".to_owned()),
        What::Quiet { helped } => ("world", format!("nothing may move now (helped: {helped})")),
        What::Verdict {
            key, truth, status, ..
        } => {
            let ready = status
                .as_ref()
                .and_then(|s| s.condition(ConditionType::Ready).cloned());
            let reason = ready.map_or("nothing", |c| c.reason.as_str());
            let truth = truth
                .as_ref()
                .map_or_else(|| "absent".to_owned(), |t| brief(key, t));
            ("end", format!("{} {reason}; {truth}", key.name))
        }
    }
}

fn probed(check: &str, began: Timestamp, since: Timestamp, reading: &Reading) -> String {
    let old = if since < began {
        format!(", as of {}", since.strftime("%H:%M:%S%.3f"))
    } else {
        String::new()
    };
    match reading {
        Reading::Seconds(seconds) => format!("{check} {seconds} s{old}"),
        other => format!("{check} {other:?}"),
    }
}

fn phase(record: &PhaseRecord, handled: &[String]) -> String {
    let attempt = record.attempt.as_ref().map_or_else(String::new, |attempt| {
        let gates: Vec<_> = attempt
            .gates
            .iter()
            .map(|gate| format!("{} {:?}", gate.check, gate.verdict))
            .collect();
        let landed = attempt.landed_at.map(|at| format!(" landed {at:.0}"));
        format!(" [{}{}]", gates.join(", "), landed.unwrap_or_default())
    });
    let status = conditions(&record.status);
    format!("{}{attempt} {status} {handled:?}", record.name)
}

fn conditions(status: &PhaseStatus) -> String {
    let ready = status
        .conditions
        .iter()
        .find(|c| c.kind == ConditionType::Ready);
    ready.map_or_else(String::new, |c| format!("{}: {}", c.reason, c.message))
}

fn declared(set: &Set) -> String {
    let proofs = set.checks.iter().map(|check| {
        let spec = evenkeel::core::digest::to_value(&check.spec);
        format!("\n{:>26}{} {spec}", "", check.name)
    });
    let phases = set.phases.iter().map(|phase| {
        let spec = evenkeel::core::digest::to_value(&phase.spec);
        format!("\n{:>26}{} {spec}", "", phase.name)
    });
    let proofs: Vec<_> = proofs.chain(phases).collect();
    let parts: Vec<_> = set
        .iter()
        .map(|d| {
            let policy = evenkeel::core::digest::to_value(&d.policy);
            let fields = Value::Object(d.resource.clone());
            let phase = d.labels.get("phase").map(|phase| format!("in {phase}"));
            let phase = phase.unwrap_or_default();
            format!("\n{:>26}{} {phase}{fields} {policy}", "", d.key.name)
        })
        .collect();
    let proofs = proofs.concat();
    format!("declares {} resources{}{proofs}", set.len(), parts.concat())
}

/// What the journal remembers, in short.
fn memory(record: &Record) -> String {
    let mut text = vec![record.key.name.clone()];
    if let Some(rollout) = &record.rollout {
        let step = rollout
            .steps
            .get(rollout.step)
            .map(steps::describe)
            .unwrap_or_default();
        let bake = if rollout.bake_until.is_some() {
            " baking"
        } else {
            ""
        };
        let gates = rollout.gates.iter().map(|gate| {
            format!(
                " {} {:?}>{:?}",
                gate.check, gate.baseline.verdict, gate.verdict
            )
        });
        let gates: String = gates.collect();
        text.push(format!(
            " [{:?} {}/{} {step}{bake}{gates}{}]",
            rollout.purpose,
            rollout.step + 1,
            rollout.steps.len(),
            rollout
                .failure
                .as_ref()
                .map(|f| format!(" FAILED {}", f.reason))
                .unwrap_or_default(),
        ));
    }
    if let Some(write) = &record.write {
        let stage = format!("{:?}", write.stage);
        text.push(format!(
            " {:?} {}",
            write.intent.verb,
            stage.split([' ', '{']).next().unwrap_or_default()
        ));
    }
    if let Some(held) = &record.held {
        text.push(format!(" held {}", held.reason));
    }
    if let Some(retry) = &record.retry {
        text.push(format!(" retry {} at {:.0}", retry.count, retry.not_before));
    }
    if let Some(again) = &record.repeated {
        text.push(format!(" same x{}", again.count));
    }
    if let Some(ready) = record.status.condition(ConditionType::Ready) {
        text.push(format!(" ({})", ready.reason));
    }
    text.concat()
}

fn arrived(key: &Key, entry: &LogEntry) -> String {
    let was = entry
        .before
        .as_ref()
        .map_or_else(|| "absent".to_owned(), |before| brief(key, before));
    let body = entry
        .body
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    let taken = if entry.landed { "taken" } else { "not taken" };
    format!(
        "{} {body} {taken} {:?} {}; was {was}",
        entry.method,
        entry.status,
        entry.faults.join(", ")
    )
}

fn brief(key: &Key, truth: &Value) -> String {
    kinds::of(key.kind).brief(truth)
}

/// An object of any kind.
fn became(body: &Value) -> String {
    let kind = match body["kind"].as_str() {
        Some("sql#instance") => Kind::SqlInstance,
        None if body.get("latestCreatedRevision").is_some() => Kind::RunService,
        Some("compute#sslCertificate" | "compute#targetHttpsProxy") => Kind::SslCertificate,
        Some("compute#healthCheck") => Kind::HealthCheck,
        Some("compute#backendService") => Kind::BackendService,
        None if body["name"].as_str().is_some_and(is_managed) => Kind::ManagedCertificate,
        _ => return "another".to_owned(),
    };
    kinds::of(kind).brief(body)
}

fn is_managed(name: &str) -> bool {
    name.starts_with(super::kinds::managed_certificate::PLACE)
}
