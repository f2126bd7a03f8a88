//! What a resource refers to, and whether a run would wait for it.

use crate::api::Declared;
use crate::api::Key;
use crate::core::record::Record;
use crate::kinds::{self, Names};
use crate::render::live::object;
use crate::render::plan_data::{Remark, Weight};
use std::collections::HashMap;

/// One remark for each reference that is not Ready, as far as the operator knows.
#[must_use]
pub fn waits(
    declared: &Declared,
    names: &dyn Names,
    records: &HashMap<Key, Record>,
) -> Vec<Remark> {
    let references = kinds::of(declared.key.kind).references(declared);
    let unready = references.into_iter().filter_map(|to| {
        let name = object(to.kind, &to.name);
        let Some(key) = names.key(to.kind, &to.name) else {
            return Some((
                format!(
                    "{} refers to {name}, which no manifest here declares",
                    to.path
                ),
                Some("declare it, or name the resource in GCP instead".to_owned()),
            ));
        };
        let ready = records
            .get(&key)
            .is_some_and(|record| record.status.is_ready());
        (!ready).then(|| (format!("until {name} is Ready, which it refers to"), None))
    });
    unready
        .map(|(text, hint)| Remark {
            weight: Weight::Waits,
            text,
            hint,
        })
        .collect()
}
