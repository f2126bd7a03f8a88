//! What one check speaks for: the infrastructure, the application, or either.
//!
//! What was measured comes before what the check is called. A connection that does not come about
//! is never the application's fault, whatever the check is about; a 503 may come from the platform
//! as well as from the code, so it is a symptom only.

use super::State;
use crate::api::{CheckSpec, Source};
use crate::core::alert::Context;
use crate::core::check::{Evaluation, Expression, Failed};
use serde::{Deserialize, Serialize};

/// Components below the application.
const BELOW: [&str; 6] = [
    "vpc_connector",
    "network",
    "database",
    "ssl",
    "load_balancer",
    "dns",
];

/// Replies that the platform in front of an application sends as well as the application: refused
/// by IAM, no such route, no instance free, no backend, no instance started, no answer in time.
const PLATFORM_TOO: [&str; 6] = ["403", "404", "429", "502", "503", "504"];

/// Which side something speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Side {
    Infrastructure,
    Application,
    /// Seen at the application; the cause may be below it.
    Either,
}

/// What one check, or one managed resource, adds to the diagnosis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Symptom {
    /// `Check/connector-load`.
    pub object: String,
    pub component: String,
    pub state: State,
    /// What it speaks for while it is not healthy. For what is healthy: where it looks.
    pub side: Side,
    /// Why it speaks for that side; empty where nothing but its name says so.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub because: String,
    /// The numbers that matter.
    pub numbers: String,
}

/// The part of the system that a check is about: what it says itself, else what it measures.
#[must_use]
pub fn component(spec: &CheckSpec) -> String {
    if let Some(component) = &spec.component {
        return component.clone();
    }
    let known = match spec.source() {
        Some(Source::Http(_)) => "application",
        Some(Source::Tls(_)) => "ssl",
        Some(Source::Dns(_)) => "dns",
        Some(Source::Tcp(_)) => "network",
        Some(Source::Postgres(_)) => "database",
        Some(Source::BackendHealth(_)) => "load_balancer",
        Some(Source::Resource(of)) => return Context::managed(of.kind, &of.name, "").component,
        Some(Source::Metric(_) | Source::Log(_)) | None => "other",
    };
    known.to_owned()
}

/// Which side a component is on, by its name alone.
#[must_use]
pub(super) fn of_component(component: &str) -> Side {
    if BELOW.contains(&component) {
        Side::Infrastructure
    } else {
        Side::Either
    }
}

/// What a check speaks for, and why. `last`: its newest probe.
#[must_use]
pub(super) fn side(spec: &CheckSpec, last: Option<&Evaluation>) -> (Side, String) {
    let component = component(spec);
    let by_name = of_component(&component);
    match spec.source() {
        Some(Source::Http(_)) => {
            let (side, because) = last.map_or((Side::Either, String::new()), of_http);
            let side = if side == Side::Either { by_name } else { side };
            (side, because)
        }
        Some(Source::Tcp(_)) if component == "application" => {
            let text =
                "the application's port takes no connection: it may be down, or out of reach";
            (Side::Either, text.to_owned())
        }
        Some(Source::Tcp(_)) => below("no application takes part in a TCP connection"),
        Some(Source::Tls(_)) => below("no application takes part in a TLS handshake"),
        Some(Source::Dns(_)) => below("no application takes part in a look-up"),
        Some(Source::Postgres(_)) => below("the database was asked without the application"),
        _ if by_name == Side::Infrastructure => below(&format!("measured at {component}")),
        _ => {
            let text = format!("seen at {component}, and the cause may lie below it");
            (Side::Either, text)
        }
    }
}

fn below(because: &str) -> (Side, String) {
    (Side::Infrastructure, because.to_owned())
}

/// How far the requests came.
fn of_http(last: &Evaluation) -> (Side, String) {
    if let Some(failed) = last.failures.first() {
        return of_failure(failed);
    }
    let mut missed = last.missed().chain(last.warned());
    let field = missed.find_map(|m| Some(m.expression.parse::<Expression>().ok()?.field));
    match field.as_deref() {
        Some(phase @ ("dns" | "connect" | "tls")) => below(&format!(
            "the time goes into {phase}, before a request reaches the application"
        )),
        Some("ttfb" | "total") => {
            let text = "the connection stands in time, and the reply is slow";
            (Side::Either, text.to_owned())
        }
        Some(field) if field == "status" || field.starts_with("json.") => {
            let text = format!("the application replies, and its {field} is not what is expected");
            (Side::Application, text)
        }
        _ => (Side::Either, String::new()),
    }
}

fn of_failure(failed: &Failed) -> (Side, String) {
    let Failed { phase, reason, .. } = failed;
    match phase.as_str() {
        "dns" | "connect" | "tls" => below(&format!(
            "requests end in {phase} ({reason}), before they reach the application"
        )),
        "status" if PLATFORM_TOO.iter().any(|code| reason.starts_with(code)) => {
            let text = format!("the reply is {reason}, which platform and application both send");
            (Side::Either, text)
        }
        "status" => {
            let text = format!("the application itself replies {reason}");
            (Side::Application, text)
        }
        _ => {
            let text = format!("the connection stands, and then: {reason}");
            (Side::Either, text)
        }
    }
}
