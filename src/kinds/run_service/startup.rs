//! How long a container has until it must have started.

use super::check::{FAILURES, PERIOD};
use crate::core::fields::Fields;
use serde_json::Value;
use std::collections::BTreeSet;

const PROBE: &str = ".startupProbe.";

/// `startup.budget`: the seconds of the container that has the most, by its startup probe. Nothing
/// where no container has one.
pub(super) fn derived(fields: &Fields) -> Fields {
    let probed: BTreeSet<&str> = fields
        .keys()
        .filter_map(|path| path.split_once(PROBE).map(|(container, _)| container))
        .collect();
    let budget = probed.iter().map(|container| budget(fields, container));
    let budget = budget.max().map(|seconds| ("startup.budget", seconds));
    budget
        .map(|(field, seconds)| (field.to_owned(), Value::from(seconds)))
        .into_iter()
        .collect()
}

fn budget(fields: &Fields, container: &str) -> i64 {
    let number = |name: &str, default: i64| {
        let field = fields.get(&format!("{container}{PROBE}{name}"));
        field.and_then(Value::as_i64).unwrap_or(default)
    };
    let probes =
        number("periodSeconds", PERIOD).saturating_mul(number("failureThreshold", FAILURES));
    number("initialDelaySeconds", 0).saturating_add(probes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn derived_of(fields: &[(&str, i64)]) -> Fields {
        let fields = fields
            .iter()
            .map(|(path, number)| ((*path).to_owned(), (*number).into()));
        derived(&fields.collect())
    }

    #[test]
    fn the_container_with_the_most_time_counts() {
        let budget = derived_of(&[
            (
                "template.containers[app].startupProbe.initialDelaySeconds",
                30,
            ),
            ("template.containers[app].startupProbe.failureThreshold", 10),
            ("template.containers[proxy].startupProbe.periodSeconds", 5),
        ]);
        assert_eq!(
            budget["startup.budget"], 130,
            "30 s, and 10 probes each 10 s"
        );
        assert_eq!(derived_of(&[("template.timeout", 600)]), Fields::new());
    }
}
