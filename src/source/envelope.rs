//! `apiVersion` and `kind`: whose document it is, and of which kind.

use super::diagnostic::{Fault, Faults};
use super::node::{Node, describe};
use super::suggest::{did_you_mean, nearest, quote};
use crate::api::{API_VERSION, DocumentKind, GROUP};

/// What `kubectl get -o yaml` adds to `metadata`: the server's, not the author's.
const SERVER_METADATA: &[&str] = &[
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "managedFields",
    "selfLink",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "finalizers",
    "ownerReferences",
];

/// Leaves out what the API server wrote.
pub(super) fn strip_server_fields(node: &mut Node) {
    node.retain(|key| key != "status");
    if let Some(metadata) = node.get_mut("metadata") {
        metadata.retain(|key| !SERVER_METADATA.contains(&key));
    }
}

/// `apiVersion` and `kind`: without a known kind nothing else can be judged.
pub(super) fn kind(node: &Node, faults: &mut Faults) -> Option<DocumentKind> {
    let kinds: Vec<_> = DocumentKind::all().map(DocumentKind::as_str).collect();
    if let Some(fault) = foreign(node, &kinds) {
        faults.push(fault);
        return None;
    }
    word(node, "apiVersion", &[API_VERSION], faults);
    word(node, "kind", &kinds, faults).and_then(DocumentKind::named)
}

/// A manifest of somebody else: one finding, not one for each word.
fn foreign(node: &Node, kinds: &[&str]) -> Option<Fault> {
    let version = node.get("apiVersion")?.text()?;
    let kind = node.get("kind")?;
    let name = kind.text()?;
    let ours = version.starts_with(GROUP) || kinds.contains(&name);
    if ours || nearest(version, &[API_VERSION]).is_some() {
        return None;
    }
    let message = format!(
        "evenkeel does not know {} of {}",
        quote(name),
        quote(version)
    );
    let help = "keep evenkeel's manifests in a directory of their own";
    let limit = format!("only {}, of {API_VERSION}", kinds.join(", "));
    Some(
        Fault::new(kind.at.clone(), message, help)
            .field("kind")
            .limit(limit),
    )
}

/// A field that must hold one of a few words.
fn word<'n>(node: &'n Node, name: &str, known: &[&str], faults: &mut Faults) -> Option<&'n str> {
    let one_of = || known.join(", ");
    let Some(entry) = node.entry(name) else {
        let start = node.at.start;
        let help = format!("add `{name}: {}`", known.first().unwrap_or(&""));
        let message = format!("the manifest has no `{name}`");
        faults.push(Fault::new(start..start, message, help).field(name));
        return None;
    };
    let text = entry.value.text();
    if !text.is_some_and(|text| known.contains(&text)) {
        let what = describe(&entry.value).replace("the text ", "");
        let message = format!("{name} is {what}, which evenkeel does not know");
        let help = match text {
            Some(text) => did_you_mean(text, known).replace("known here: ", "write one of "),
            None => format!("write `{name}: {}`", known.first().unwrap_or(&"")),
        };
        let fault = Fault::new(entry.place(), message, help).field(name);
        faults.push(fault.limit(format!("one of {}", one_of())));
    }
    text
}
