//! Loading checks, phases and alerts beside managed resources.

use evenkeel::api::check::Source;
use evenkeel::api::probe::PostgresTls;
use evenkeel::api::{
    AlertSeverity, DocumentKind, HumanDuration, NoData, OnFailure, Severity, VerifyMode,
};
use evenkeel::source::{self, Errors, NoCheck, Set};

fn load(text: &str) -> Result<Set, Errors> {
    source::load_bytes("a.yaml", text.as_bytes().to_vec(), &NoCheck)
}

fn document(kind: &str, name: &str, spec: &str) -> String {
    format!(
        "---\napiVersion: evenkeel.dev/v1alpha1\nkind: {kind}\nmetadata: {{name: {name}}}\n\
         spec: {spec}\n"
    )
}

fn check(name: &str) -> String {
    let spec = "{tcp: {host: 10.20.0.3, port: 5432}, expect: [ok.ratio >= 1]}";
    document("Check", name, spec)
}

fn duration(text: &str) -> HumanDuration {
    text.parse().unwrap()
}

#[test]
fn a_set_holds_all_kinds_of_documents() {
    let text = std::fs::read_to_string("manifests/examples/checks.yaml").unwrap();
    let set = load(&text).unwrap();
    let names = |kind: DocumentKind| match kind {
        DocumentKind::Managed(_) => set.declared.iter().map(|d| d.name.clone()).collect(),
        DocumentKind::Check => set.checks.iter().map(|d| d.name.clone()).collect(),
        DocumentKind::Phase => set.phases.iter().map(|d| d.name.clone()).collect(),
        DocumentKind::Alert => set
            .alerts
            .iter()
            .map(|d| d.name.clone())
            .collect::<Vec<_>>(),
    };
    assert_eq!(
        names(DocumentKind::Check),
        ["connector-load", "connector-cpu", "no-503"]
    );
    assert_eq!(names(DocumentKind::Phase), ["0-observe", "1-connector"]);
    assert_eq!(names(DocumentKind::Alert), ["infra"]);
    assert_eq!(set.origins().count(), 7);
    assert_eq!(set.checks[0].origin.file, "a.yaml");
    assert_eq!(set.checks[0].origin.revision, set.revision);

    let rollout = set.declared[0].policy.rollout.as_ref().unwrap();
    let verify: Vec<_> = rollout.verify.iter().map(|v| (&*v.check, v.mode)).collect();
    assert_eq!(
        verify,
        [
            ("connector-load", VerifyMode::Gate),
            ("no-503", VerifyMode::Report)
        ]
    );
    let phase = &set.phases[1].spec;
    assert!(
        phase
            .select
            .as_ref()
            .unwrap()
            .matches(&set.declared[0].labels)
    );
    assert_eq!(phase.depends_on[0].name, "0-observe");
    assert_eq!(set.phases[0].spec.verify[0].mode, VerifyMode::Baseline);
    assert!(set.alerts[0].spec.select[0].matches("Check", "no-503"));
}

#[test]
fn what_is_left_out_has_its_default() {
    let text = check("load")
        + &document(
            "Check",
            "db",
            "{postgres: {host: db, database: app, user: probe}, expect: [ok.ratio >= 1]}",
        )
        + &document("Phase", "one", "{verify: [load]}")
        + &document(
            "Alert",
            "all",
            "{provider: {type: webhook, url: 'https://a.example/x'}, select: [{kind: Phase, name: one}]}",
        );
    let set = load(&text).unwrap();
    let spec = &set.checks[0].spec;
    assert_eq!(
        (spec.interval, spec.timeout),
        (duration("30s"), duration("10s"))
    );
    assert_eq!((spec.passes, spec.failures), (3, 3));
    assert_eq!(spec.no_data, NoData::Inconclusive);
    let Some(Source::Tcp(tcp)) = spec.source() else {
        panic!("{spec:?}");
    };
    assert_eq!(tcp.connections, 1);
    let Some(Source::Postgres(postgres)) = set.checks[1].spec.source() else {
        panic!("{:?}", set.checks[1].spec);
    };
    assert_eq!(
        (postgres.port, postgres.tls),
        (5432, PostgresTls::VerifyFull)
    );
    let phase = &set.phases[0].spec;
    assert_eq!((phase.on_failure, phase.max_parallel), (OnFailure::Hold, 1));
    let alert = &set.alerts[0].spec;
    assert_eq!(alert.min_severity, AlertSeverity::Warning);
    assert_eq!((alert.repeat, alert.digest), (duration("4h"), None));
}

#[test]
fn names_are_unique_within_a_kind_only() {
    let text = check("one") + &document("Phase", "one", "{verify: [one]}");
    assert_eq!(load(&text).unwrap().origins().count(), 2);
    let errors = load(&(check("one") + &check("one"))).unwrap_err();
    assert_eq!(errors.problems[0].message, "two Check are named `one`");
}

#[test]
fn a_choice_that_finds_nothing_is_a_warning() {
    let connector = "apiVersion: evenkeel.dev/v1alpha1\nkind: VpcAccessConnector\n\
                     metadata: {name: a, labels: {phase: \"1\"}}\nspec: {project: netra-staging, \
                     location: us-central1, resource: {maxInstances: 10}}\n";
    let text = connector.to_owned()
        + &document("Phase", "two", "{select: {matchLabels: {phase: \"2\"}}}")
        + &document("Phase", "idle", "{}")
        + &document(
            "Alert",
            "all",
            "{provider: {type: webhook, url: 'https://a.example/x'}, select: [{kind: Check, name: \"x-*\"}]}",
        );
    let set = load(&text).unwrap();
    let said: Vec<_> = set
        .warnings
        .iter()
        .map(|w| (w.line, w.message.as_str(), w.help.as_str()))
        .collect();
    assert_eq!(
        said,
        [
            (
                14,
                "this phase has no resources and no exit criteria: it is Ready at once",
                "add `select` for the resources it changes, or `verify` for what must hold"
            ),
            (
                9,
                "no resource of this set has the labels `phase=2`",
                "`phase` is one of 1 in this set"
            ),
            (
                19,
                "no Check of this set is named `x-*`",
                "add one, or write name: \"*\" for every Check"
            ),
        ]
    );
    assert!(set.warnings.iter().all(|w| w.severity == Severity::Warning));
}

#[test]
fn a_check_of_a_resource_may_gate_that_resource() {
    let text = "apiVersion: evenkeel.dev/v1alpha1\nkind: VpcAccessConnector\nmetadata: {name: a}\n\
                spec: {project: netra-staging, location: us-central1, resource: {maxInstances: 10}, \
                rollout: {verify: [ready]}}\n"
        .to_owned()
        + &document(
            "Check",
            "ready",
            "{resource: {kind: VpcAccessConnector, name: a}, expect: [state == READY]}",
        );
    assert!(load(&text).is_ok(), "a gate does not wait for its check");
}

#[test]
fn a_secret_is_not_repeated_by_what_reports_it() {
    let text = document(
        "Check",
        "db",
        "{postgres: {host: db, database: app, user: a, password: canary-1}, nonsense: 1, expect: []}",
    ) + &document(
        "Check",
        "web",
        "{http: {url: 'https://u:canary-2@a.example', headers: {cookie: canary-3}}, expect: []}",
    );
    let errors = load(&text).unwrap_err();
    assert!(errors.problems.len() >= 5, "{}", errors.render(false));
    for rendered in [
        errors.render(false),
        serde_json::to_string(&errors).unwrap(),
    ] {
        assert!(!rendered.contains("canary"), "{rendered}");
    }
}
