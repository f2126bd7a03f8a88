//! Secrets come by reference: where one is, and where one was written down by mistake.

use super::node::Node;
use super::plain::Rules;

/// Parts of field names that tell of a secret.
const WORDS: &[&str] = &[
    "password",
    "passwd",
    "secret",
    "token",
    "apikey",
    "api-key",
    "api_key",
    "authorization",
    "cookie",
    "credential",
    "routingkey",
    "privatekey",
];

/// True for the name of a field or header that holds a secret.
pub(super) fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    WORDS.iter().any(|word| name.contains(word))
}

/// The fields that take a reference to a secret, and how one is written.
const REFERENCES: [(&str, &str); 3] = [
    ("passwordRef", "passwordRef: {env: NAME}"),
    ("secretRef", "secretRef: {env: NAME}"),
    ("headerRefs", "headerRefs: {authorization: {env: NAME}}"),
];

/// The way out for a secret written down where `known` fields are.
pub(super) fn way_out(known: &[&str]) -> Option<String> {
    let (_, example) = REFERENCES.iter().find(|(name, _)| known.contains(name))?;
    Some(format!(
        "a secret is named, never written: `{example}` reads it from the operator's environment"
    ))
}

/// Checks the reference at `path`, if there is one: `name` with `key`, `env`, or `file`.
pub(super) fn reference(rules: &mut Rules<'_>, path: &str) {
    let Some(node) = rules.draft.find(path) else {
        return;
    };
    let has = |field: &str| node.entry(field).is_some();
    let ways = ["name", "env", "file"];
    let help = "write one of {name: SECRET, key: ENTRY}, {env: NAME} and {file: PATH}";
    match ways.iter().filter(|way| has(way)).count() {
        0 if node.entries().is_empty() => rules.fault(path, "no secret is named here", help),
        0 => rules.fault(path, "it is not said where the secret stands", help),
        1 if has("name") != has("key") => {
            let help = "write both: {name: SECRET, key: ENTRY}";
            rules.fault(path, "name and key of a secret go together", help);
        }
        1 => {}
        _ => rules.fault(path, "the secret stands in several places", help),
    }
}

/// Refuses a user name or a password in the address at `path`.
pub(super) fn address(rules: &mut Rules<'_>, path: &str, help: &str) {
    let Some(text) = rules.draft.find(path).and_then(Node::text) else {
        return;
    };
    let authority = text.split_once("://").map_or("", |(_, rest)| rest);
    let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        rules.secret(path, "an address with a user name or password in it", help);
    }
}
