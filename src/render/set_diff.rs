//! How two sets of manifests differ, object by object and field by field.

use super::style::{BAD, GOOD, NAME, paint};
use crate::core::fields::Fields;
use crate::core::steps::plain;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// What a set declares: fields by object, such as `HealthCheck edge p/global`.
pub type Objects = BTreeMap<String, Fields>;

/// Every difference; empty where there is none.
#[must_use]
pub fn set_diff(old: &Objects, new: &Objects) -> String {
    let mut out = String::new();
    for name in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
        match (old.get(name), new.get(name)) {
            (Some(old), Some(new)) if old == new => {}
            (Some(old), Some(new)) => {
                object(&mut out, '~', name);
                fields(&mut out, old, new);
            }
            (Some(_), None) => object(&mut out, '-', name),
            (None, Some(new)) => {
                object(&mut out, '+', name);
                fields(&mut out, &Fields::new(), new);
            }
            (None, None) => {}
        }
    }
    out
}

fn object(out: &mut String, sign: char, name: &str) {
    // Writing to a String cannot fail, here and below.
    let _ = writeln!(out, "{sign} {}", paint(NAME, name));
}

fn fields(out: &mut String, old: &Fields, new: &Fields) {
    let text = |value: Option<&serde_json::Value>| value.map_or_else(|| "-".to_owned(), plain);
    for field in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
        let (before, after) = (old.get(field), new.get(field));
        if before != after {
            let (before, after) = (text(before), text(after));
            let _ = writeln!(
                out,
                "    {field}  {} -> {}",
                paint(BAD, &before),
                paint(GOOD, &after)
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn objects(of: &[(&str, &[(&str, i64)])]) -> Objects {
        let fields = |fields: &[(&str, i64)]| {
            let fields = fields.iter();
            fields
                .map(|(name, value)| ((*name).to_owned(), json!(value)))
                .collect()
        };
        of.iter()
            .map(|(name, of)| ((*name).to_owned(), fields(of)))
            .collect()
    }

    #[test]
    fn objects_come_go_and_change() {
        let old = objects(&[("a", &[("x", 1), ("y", 2)]), ("b", &[("x", 1)]), ("c", &[])]);
        let new = objects(&[("a", &[("x", 1), ("z", 3)]), ("c", &[]), ("d", &[("x", 4)])]);
        let text = anstream::adapter::strip_str(&set_diff(&old, &new)).to_string();
        let wanted = "~ a\n    y  2 -> -\n    z  - -> 3\n- b\n+ d\n    x  - -> 4\n";
        assert_eq!(text, wanted);
        assert_eq!(set_diff(&new, &new), "");
    }
}
