//! What a managed resource that is not well adds to the report.

use super::symptom::of_component;
use super::{State, Symptom};
use crate::api::{AlertSeverity, Condition, DocumentKind, Kind};
use crate::core::alert::{Context, Object, judge};

/// The worst that the conditions of a resource say, in the words and weights of alerts. `None`: it
/// is well, or nothing that people would be told.
#[must_use]
pub fn resource(kind: Kind, name: &str, conditions: &[Condition]) -> Option<Symptom> {
    let context = Context::managed(kind, name, "");
    let troubles = judge(&context, conditions).troubles;
    let worst = troubles
        .into_iter()
        .max_by_key(|trouble| trouble.topic.severity)?;
    let state = match worst.topic.severity {
        AlertSeverity::Critical => State::Unhealthy,
        AlertSeverity::Warning => State::Warning,
        AlertSeverity::Info => return None,
    };
    Some(Symptom {
        object: Object::new(DocumentKind::Managed(kind), name).to_string(),
        side: of_component(&context.component),
        component: context.component,
        state,
        because: worst.topic.reason,
        numbers: worst.message,
    })
}
