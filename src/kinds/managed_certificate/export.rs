//! A live certificate as a manifest.

use super::content::PRIMARY;
use super::live::{Entry, Seen};
use crate::kinds::export::Export;
use serde_json::{Map, Value, json};

/// What Google makes where nothing is said.
const USUAL_RECORD: &str = "FIXED_RECORD";

pub(super) fn export(seen: &Seen) -> Export {
    let mut export = Export::new(Map::new());
    let Some(member) = seen.serving() else {
        export.refusal = Some("it has no certificate".to_owned());
        return export;
    };
    if let Some(why) = member.foreign {
        export.refusal = Some(format!("{}: {why}", member.name));
        return export;
    }
    let content = json!({"domains": member.domains});
    export.resource.insert("managed".to_owned(), content);
    let kind = seen.record_type(member);
    if let Some(kind) = kind.filter(|kind| kind != USUAL_RECORD) {
        let kind = json!({"type": kind});
        export.resource.insert("dnsAuthorization".to_owned(), kind);
    }
    let entries: Vec<Value> = seen.entries_with(&member.name).map(place).collect();
    if !entries.is_empty() {
        let entries = Value::Array(entries);
        export.resource.insert("attachTo".to_owned(), entries);
    }
    export
}

fn place(entry: &Entry) -> Value {
    let field = match entry.slot.host.as_str() {
        PRIMARY => "matcher",
        _ => "hostname",
    };
    json!({"map": entry.slot.map, field: entry.slot.host})
}
