//! Checks, phases and alerts: a typed spec, and rules of its own for each kind.

use super::diagnostic::{Fault, Faults};
use super::document::{Item, Outcome};
use super::draft::{Claim, Draft, Select};
use super::{alerts, checks, phases};
use crate::api::{Document, DocumentKind, Severity};
use serde::de::DeserializeOwned;

/// What the rules of a kind look at, and where they say what they find.
pub(super) struct Rules<'a> {
    pub draft: &'a Draft<'a>,
    pub claim: Option<&'a mut Claim>,
    pub faults: &'a mut Faults,
}

impl Rules<'_> {
    /// Reports a fault about the field at `path`.
    pub fn fault(&mut self, path: &str, message: impl Into<String>, help: impl Into<String>) {
        self.finding(path, message, help, Severity::Error);
    }

    pub fn finding(
        &mut self,
        path: &str,
        message: impl Into<String>,
        help: impl Into<String>,
        severity: Severity,
    ) {
        let at = self.draft.node.position(path);
        let mut fault = Fault::new(at, message, help).field(path);
        fault.severity = severity;
        self.faults.take_in(fault);
    }

    /// As [`Rules::fault`], with the limit.
    pub fn limited(&mut self, path: &str, message: String, limit: &str, help: impl Into<String>) {
        let at = self.draft.node.position(path);
        let fault = Fault::new(at, message, help).field(path).limit(limit);
        self.faults.take_in(fault);
    }

    /// As [`Rules::fault`], for a value that the report must not repeat.
    pub fn secret(&mut self, path: &str, message: &str, help: &str) {
        let at = self.draft.node.key_position(path);
        let fault = Fault::new(at, message, help).field(path).secret();
        self.faults.take_in(fault);
    }

    /// Names another document of the set.
    pub fn link(&mut self, to: DocumentKind, name: &str, path: &str, waits: bool) {
        let link = self.draft.link(to, name, path, waits);
        if let Some(claim) = self.claim.as_mut() {
            claim.links.push(link);
        }
    }

    /// Chooses among the documents of the set.
    pub fn select(&mut self, select: Select, path: &str) {
        let place = self.draft.place(path);
        if let Some(claim) = self.claim.as_mut() {
            claim.selects.push((select, place));
        }
    }
}

/// Reads a Check that was held against the schema already.
pub(super) fn check(draft: &Draft<'_>, faults: &mut Faults) -> Outcome {
    of(
        DocumentKind::Check,
        draft,
        faults,
        checks::rules,
        Item::Check,
    )
}

/// As [`check`], for a Phase.
pub(super) fn phase(draft: &Draft<'_>, faults: &mut Faults) -> Outcome {
    of(
        DocumentKind::Phase,
        draft,
        faults,
        phases::rules,
        Item::Phase,
    )
}

/// As [`check`], for an Alert.
pub(super) fn alert(draft: &Draft<'_>, faults: &mut Faults) -> Outcome {
    of(
        DocumentKind::Alert,
        draft,
        faults,
        alerts::rules,
        Item::Alert,
    )
}

/// `rules` see the spec as soon as it can be read, so that they speak in the same run as the
/// schema wherever that is possible.
fn of<S: DeserializeOwned>(
    kind: DocumentKind,
    draft: &Draft<'_>,
    faults: &mut Faults,
    rules: fn(Option<&S>, &mut Rules<'_>),
    item: fn(Box<Document<S>>) -> Item,
) -> Outcome {
    let mut claim = draft.claim(kind);
    let json = draft.spec().map(super::node::Node::to_json);
    let spec = json.map(serde_json::from_value::<S>);
    let readable = spec.as_ref().and_then(|spec| spec.as_ref().ok());
    rules(
        readable,
        &mut Rules {
            draft,
            claim: claim.as_mut(),
            faults,
        },
    );
    let spec = match spec {
        Some(Err(error)) if faults.errors() == 0 => {
            // The last word: the typed form must read what the schema let through.
            let message = format!("spec cannot be read: {error}");
            let help = "correct the value named above";
            let at = draft.node.position("spec");
            faults.push(Fault::new(at, message, help).field("spec"));
            None
        }
        Some(Ok(spec)) if faults.errors() == 0 => Some(spec),
        _ => None,
    };
    Outcome {
        item: spec.map(|spec| item(Box::new(draft.document(spec)))),
        claim,
    }
}
