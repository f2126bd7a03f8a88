//! The examples of docs/checks.md load, and there is one of each source.

use evenkeel::api::check::SOURCES;
use evenkeel::source::{self, NoCheck};
use std::collections::BTreeSet;

#[test]
fn every_example_of_a_check_loads() {
    let text = std::fs::read_to_string("docs/checks.md").unwrap();
    let blocks = text.split("```yaml\n").skip(1);
    let mut shown = BTreeSet::new();
    for block in blocks {
        let yaml = block.split("```").next().unwrap();
        let set = source::load_bytes("docs/checks.md", yaml.as_bytes().to_vec(), &NoCheck);
        let set = set.unwrap_or_else(|errors| panic!("{}", errors.render(false)));
        assert_eq!(set.warnings.len(), 0, "{yaml}");
        shown.extend(
            set.checks
                .iter()
                .filter_map(|check| Some(check.spec.source()?.as_str())),
        );
    }
    assert_eq!(shown, SOURCES.into_iter().collect());
}
