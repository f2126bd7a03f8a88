//! `verify`: names of checks, each a text or `{check, mode}`.

use super::diagnostic::{Fault, Faults};
use super::draft::{Draft, Link};
use super::node::{Data, Entry, Node, describe};
use super::schema::join;
use super::suggest::{did_you_mean, quote};
use crate::api::{DocumentKind, VerifyMode};

/// The checks that the list at `path` names, after reporting what is wrong with it.
pub(super) fn links(
    draft: &Draft<'_>,
    path: &str,
    modes: &[VerifyMode],
    out: &mut Faults,
) -> Vec<Link> {
    let Some(Data::List(items)) = draft.find(path).map(|node| &node.data) else {
        return Vec::new();
    };
    let mut links: Vec<Link> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let path = format!("{path}[{index}]");
        let Some((name, path)) = check_name(item, &path, modes, out) else {
            continue;
        };
        if links.iter().any(|link| link.name == name) {
            let message = format!("the check {} stands here twice", quote(&name));
            let at = draft.node.position(&path);
            out.push(Fault::new(at, message, "remove one of them").field(&path));
            continue;
        }
        links.push(draft.link(DocumentKind::Check, &name, &path, false));
    }
    links
}

/// The name of the check, and the path of it.
fn check_name(
    item: &Node,
    path: &str,
    modes: &[VerifyMode],
    out: &mut Faults,
) -> Option<(String, String)> {
    let entries = match &item.data {
        Data::Text(name) => return Some((name.clone(), path.to_owned())),
        Data::Map(entries) => entries,
        Data::Bad => return None,
        _ => {
            let message = format!("{} names no check", describe(item));
            let help = "write the name of a Check, or `{check: NAME, mode: Report}`";
            out.push(Fault::new(item.at.clone(), message, help).field(path));
            return None;
        }
    };
    for entry in entries {
        field(entry, path, modes, out);
    }
    let Some(check) = item.entry("check") else {
        let help = "add `check: NAME`";
        out.push(Fault::new(item.at.clone(), "this entry names no check", help).field(path));
        return None;
    };
    let path = join(path, "check");
    let Some(name) = check.value.text() else {
        let message = format!("check is {}, and wants a name", describe(&check.value));
        let fault = Fault::new(check.place(), message, "write the name of a Check");
        out.push(fault.field(&path));
        return None;
    };
    Some((name.to_owned(), path))
}

fn field(entry: &Entry, path: &str, modes: &[VerifyMode], out: &mut Faults) {
    let path = join(path, &entry.key);
    let words: Vec<_> = modes.iter().map(|mode| mode.as_str()).collect();
    match entry.key.as_str() {
        "check" => {}
        "mode" if entry.value.text().is_some_and(|text| words.contains(&text)) => {}
        "mode" => {
            let what = describe(&entry.value).replace("the text ", "");
            let message = format!("mode cannot be {what}");
            let help = match entry.value.text() {
                Some("Baseline") => "mode Baseline is for phases; write Gate or Report".to_owned(),
                Some(text) => did_you_mean(text, &words).replace("known here: ", "write one of "),
                None => format!("write one of {}", words.join(", ")),
            };
            let limit = format!("one of {}", words.join(", "));
            out.push(
                Fault::new(entry.place(), message, help)
                    .field(&path)
                    .limit(limit),
            );
        }
        key => {
            let message = format!("unknown field {} in an entry of verify", quote(key));
            let help = did_you_mean(key, &["check", "mode"]);
            out.push(Fault::new(entry.key_at.clone(), message, help).field(&path));
        }
    }
}
