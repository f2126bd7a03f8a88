//! Properties of loading that hold for every input.

use evenkeel::api::{API_VERSION, Declared, HumanDuration};
use evenkeel::source::{self, NoCheck};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Pieces that a random text is likely to trip over.
const PIECES: &[&str] = &[
    "apiVersion: ",
    "evenkeel.dev/v1alpha1\n",
    "kind: ",
    "VpcAccessConnector\n",
    "List\n",
    "metadata:\n",
    "  name: a\n",
    "spec:\n",
    "  resource: ",
    "  rollout:\n",
    "    steps:\n",
    "      - set: ",
    "maxStep: ",
    "{",
    "}",
    "[",
    "]",
    "&a ",
    "*a",
    "<<: ",
    "---\n",
    "...\n",
    "\t",
    "\r\n",
    "\u{feff}",
    "null",
    "010",
    "no",
    "\"",
    "'",
    "|\n",
    ">-\n",
    "!!str ",
    "!x ",
    "? ",
    ": ",
    "- ",
    "#",
    "\n",
    "  ",
    "%YAML 1.2\n",
    "é",
    "\0",
];

fn loads_or_says_why(bytes: Vec<u8>) {
    if let Err(errors) = source::load_bytes("a.yaml", bytes, &NoCheck) {
        assert!(!errors.problems.is_empty());
        assert!(!errors.render(true).is_empty());
        assert!(!errors.render(false).contains('\u{1b}'));
        for problem in errors.problems {
            assert!(!problem.message.is_empty() && !problem.help.is_empty());
        }
    }
}

fn name() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9]{0,10}(-[a-z0-9]{1,5})?"
}

fn resource() -> impl Strategy<Value = Map<String, Value>> {
    let machine = proptest::sample::select(vec!["f1-micro", "e2-micro", "e2-standard-4"]);
    (
        proptest::option::of(machine),
        proptest::option::of(2..=9),
        proptest::option::of(3..=10),
        proptest::option::of("[ -~]{1,12}"),
    )
        .prop_map(|(machine, min, max, network)| {
            let fields = [
                ("machineType", machine.map(|m| json!(m))),
                ("minInstances", min.map(|n| json!(n))),
                ("maxInstances", max.map(|n| json!(n))),
                ("network", network.map(|n| json!(n))),
            ];
            let set = fields
                .into_iter()
                .filter_map(|(k, v)| Some((k.to_owned(), v?)));
            set.collect()
        })
}

fn document(name: &str, labels: &Value, resource: &Map<String, Value>, seconds: u64) -> Value {
    let bake = HumanDuration(std::time::Duration::from_secs(seconds)).to_string();
    json!({
        "apiVersion": API_VERSION,
        "kind": "VpcAccessConnector",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "project": "netra-staging", "location": "us-central1", "resource": resource,
            "rollout": {"bake": bake, "onFailure": "Hold"}, "adopt": true,
        },
    })
}

fn loaded(text: String) -> Declared {
    let set = source::load_bytes("a.yaml", text.into_bytes(), &NoCheck)
        .unwrap_or_else(|errors| panic!("{}", errors.render(false)));
    let mut declared = set.declared.into_iter().next().unwrap();
    declared.origin = evenkeel::api::Origin::default();
    declared
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        loads_or_says_why(bytes);
    }

    #[test]
    fn any_pieces(pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..60)) {
        loads_or_says_why(pieces.concat().into_bytes());
    }

    #[test]
    fn a_good_manifest_with_one_byte_changed(at in 0usize..300, byte in any::<u8>()) {
        let resource = json!({"minInstances": 2, "maxInstances": 10});
        let document = document("a", &json!({"a": "b"}), resource.as_object().unwrap(), 60);
        let mut bytes = serde_saphyr::to_string(&document).unwrap().into_bytes();
        let at = at % bytes.len();
        bytes[at] = byte;
        loads_or_says_why(bytes);
    }

    #[test]
    fn what_is_written_is_what_loads(
        name in name(),
        labels in proptest::collection::btree_map("[a-z]{1,8}", "[ -~é]{0,20}", 0..4),
        resource in resource(),
        seconds in 0u64..100_000,
    ) {
        let document = document(&name, &json!(labels), &resource, seconds);
        let from_yaml = loaded(serde_saphyr::to_string(&document).unwrap());
        let from_json = loaded(serde_json::to_string_pretty(&document).unwrap());
        prop_assert_eq!(&from_yaml.resource, &resource);
        prop_assert_eq!(&from_yaml.labels, &labels);
        prop_assert_eq!(&from_yaml.name, &name);
        prop_assert_eq!(from_yaml, from_json);
    }
}
