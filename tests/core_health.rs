//! Whose fault it is: one table for what a single check speaks for, one for all of them together,
//! and what must hold whatever the checks say.

use evenkeel::api::{CheckSpec, NoData};
use evenkeel::core::check::{
    Criteria, Evaluation, ProberError, ProberFault, Sample, Verdict, Window,
};
use evenkeel::core::health::{
    Classification, Health, Look, Side, State, Symptom, diagnose, report,
};
use evenkeel::source::{self, NoCheck};
use jiff::Timestamp;
use proptest::prelude::*;

/// A check through the loader.
fn check(component: &str, source: &str, expect: &str) -> CheckSpec {
    let component = match component {
        "" => String::new(),
        name => format!("\n  component: {name}"),
    };
    let text = format!(
        "apiVersion: evenkeel.dev/v1alpha1\nkind: Check\nmetadata: {{name: a}}\nspec:\n  timeout: \
         20s{component}\n  {source}\n  expect: [{expect}]\n"
    );
    let set = source::load_bytes("a.yaml", text.into_bytes(), &NoCheck);
    let set = set.unwrap_or_else(|errors| panic!("{}", errors.render(false)));
    set.checks.into_iter().next().unwrap().spec
}

fn probed(spec: &CheckSpec, samples: Vec<Sample>) -> Evaluation {
    let mut window = Window::new();
    for sample in samples {
        window.push(sample);
    }
    evaluated(spec, &Ok(window))
}

fn evaluated(spec: &CheckSpec, outcome: &Result<Window, ProberError>) -> Evaluation {
    Criteria::of(spec)
        .unwrap()
        .evaluate(Timestamp::UNIX_EPOCH, outcome)
}

/// The report of checks by name, each judged by one probe.
fn health(checks: &[(&str, &CheckSpec, &Evaluation)]) -> Health {
    let looks: Vec<_> = checks
        .iter()
        .map(|(name, spec, evaluation)| Look {
            name,
            spec,
            verdict: evaluation.verdict,
            warning: evaluation.warning,
            last: Some(evaluation),
        })
        .collect();
    report(&looks, Vec::new(), Timestamp::UNIX_EPOCH)
}

fn failed(phase: &'static str, reason: &str) -> Sample {
    Sample::new().with("ok", false).failed(phase, reason)
}

const HTTP: &str = "http: {url: 'http://app.example/health', json: {wait: /wait}}";

/// What one failing check speaks for.
fn side(component: &str, source: &str, expect: &str, samples: Vec<Sample>) -> Side {
    let spec = check(component, source, expect);
    let evaluation = probed(&spec, samples);
    assert_eq!(evaluation.verdict, Verdict::Failing, "{source} {expect}");
    let health = health(&[("one", &spec, &evaluation)]);
    let mut evidence = health.diagnosis.unwrap().evidence;
    assert_eq!(evidence.len(), 1);
    evidence.remove(0).side
}

#[test]
fn a_request_speaks_for_the_side_that_it_ends_on() {
    use Side::{Application, Either, Infrastructure};
    for (phase, reason, component, want) in [
        ("dns", "no such name", "application", Infrastructure),
        ("connect", "refused", "application", Infrastructure),
        (
            "tls",
            "the certificate has expired",
            "application",
            Infrastructure,
        ),
        ("ttfb", "no answer within 15s", "application", Either),
        ("body", "closed by the other side", "application", Either),
        ("status", "503 Service Unavailable", "application", Either),
        ("status", "504 Gateway Timeout", "", Either),
        ("status", "429 Too Many Requests", "application", Either),
        (
            "status",
            "500 Internal Server Error",
            "application",
            Application,
        ),
        (
            "status",
            "500 Internal Server Error",
            "load_balancer",
            Application,
        ),
        ("status", "401 Unauthorized", "application", Application),
        // What is open is what the check is about.
        (
            "status",
            "503 Service Unavailable",
            "load_balancer",
            Infrastructure,
        ),
    ] {
        let samples = vec![failed(phase, reason)];
        let got = side(component, HTTP, "ok.ratio >= 1", samples);
        assert_eq!(got, want, "{phase} {reason} {component}");
    }
}

#[test]
fn a_slow_request_speaks_for_the_phase_that_takes_the_time() {
    use Side::{Application, Either, Infrastructure};
    for (field, expect, want) in [
        ("connect", "connect.max < 5s", Infrastructure),
        ("ttfb", "ttfb.max < 5s", Either),
        ("total", "total.max < 5s", Either),
        ("json.wait", "json.wait < 5", Application),
    ] {
        let samples = vec![Sample::new().with("ok", true).with(field, 9.0)];
        assert_eq!(side("application", HTTP, expect, samples), want, "{field}");
    }
}

#[test]
fn what_is_measured_without_the_application_speaks_for_the_infrastructure() {
    use Side::{Either, Infrastructure};
    let refused = || vec![failed("connect", "refused").with("connect", f64::INFINITY)];
    let ok = "ok.ratio >= 1";
    let tcp = "tcp: {host: 10.0.0.3, port: 5432}";
    assert_eq!(side("payments", tcp, ok, refused()), Infrastructure);
    assert_eq!(side("application", tcp, ok, refused()), Either);
    assert_eq!(
        side("application", "tls: {host: a.example}", ok, refused()),
        Infrastructure
    );
    assert_eq!(
        side("application", "dns: {name: a.example}", ok, refused()),
        Infrastructure
    );
    let postgres = "postgres: {host: 10.0.0.3, database: d, user: u}";
    assert_eq!(side("application", postgres, ok, refused()), Infrastructure);
}

#[test]
fn what_is_counted_speaks_for_what_it_is_about() {
    let log = "log: {project: p-staging, filter: 'httpRequest.status = 503'}";
    let some = || vec![Sample::new().with("count", 12.0)];
    assert_eq!(side("application", log, "count == 0", some()), Side::Either);
    assert_eq!(side("", log, "count == 0", some()), Side::Either);
    let below = side("vpc_connector", log, "count == 0", some());
    assert_eq!(below, Side::Infrastructure);
}

#[test]
fn the_incident_of_a_full_connector_is_the_infrastructure() {
    let tcp = check(
        "vpc_connector",
        "tcp: {host: 10.20.0.3, port: 5432}",
        "connect.max < 5s",
    );
    let log = check(
        "application",
        "log: {project: p-staging, filter: 'httpRequest.status = 503'}",
        "count == 0",
    );
    let slow = probed(
        &tcp,
        vec![Sample::new().with("ok", true).with("connect", 7.2)],
    );
    let fast = probed(
        &tcp,
        vec![Sample::new().with("ok", true).with("connect", 0.2)],
    );
    let seen = probed(&log, vec![Sample::new().with("count", 14.0)]);

    let incident = health(&[("connector", &tcp, &slow), ("no-503", &log, &seen)]);
    assert_eq!(incident.state, State::Unhealthy);
    let diagnosis = incident.diagnosis.unwrap();
    assert_eq!(diagnosis.classification, Classification::Infrastructure);
    assert_eq!(
        diagnosis.because,
        "it starts at vpc_connector; what Check/no-503 shows can follow from that"
    );
    assert_eq!(diagnosis.evidence[0].numbers, "connect.max 7.2s, want < 5s");

    // The same 503s, and the way to the database is well.
    let other = health(&[("connector", &tcp, &fast), ("no-503", &log, &seen)]);
    let diagnosis = other.diagnosis.unwrap();
    assert_eq!(diagnosis.classification, Classification::Application);
    assert_eq!(
        diagnosis.because,
        "what is below it holds: 1 of 1 checks, of vpc_connector"
    );

    // A request that ends on its way says that much.
    let http = check("application", HTTP, "ok.ratio >= 1");
    let lost = probed(&http, vec![failed("connect", "refused")]);
    let alone = health(&[("path", &http, &lost)]).diagnosis.unwrap();
    assert_eq!(alone.because, "it starts at the way to the application");

    // Nobody looked at the way.
    let alone = health(&[("no-503", &log, &seen)]).diagnosis.unwrap();
    assert_eq!(alone.classification, Classification::Unknown);

    // Somebody did, and could not.
    let error = ProberError::new(ProberFault::Local, "no route");
    let blind = evaluated(&tcp, &Err(error));
    let blind = health(&[("connector", &tcp, &blind), ("no-503", &log, &seen)]);
    let diagnosis = blind.diagnosis.unwrap();
    assert_eq!(diagnosis.classification, Classification::Unknown);
    assert!(
        diagnosis
            .because
            .contains("Check/connector gives no verdict")
    );
}

#[test]
fn both_at_once_is_mixed() {
    let tcp = check(
        "database",
        "tcp: {host: 10.20.0.3, port: 5432}",
        "ok.ratio >= 1",
    );
    let http = check("application", HTTP, "ok.ratio >= 1");
    let down = probed(&tcp, vec![failed("connect", "refused")]);
    let broken = probed(&http, vec![failed("status", "500 Internal Server Error")]);
    let both = health(&[("db", &tcp, &down), ("path", &http, &broken)]);
    let diagnosis = both.diagnosis.unwrap();
    assert_eq!(diagnosis.classification, Classification::Mixed);
    assert_eq!(diagnosis.evidence.len(), 2);
}

#[test]
fn silence_is_what_the_check_makes_of_it() {
    for (no_data, want) in [
        (NoData::Inconclusive, State::Unknown),
        (NoData::Fail, State::Unhealthy),
        (NoData::Pass, State::Healthy),
    ] {
        let log = "log: {project: p-staging, filter: severity=ERROR, extract: 'took ([0-9]+)'}";
        let mut spec = check("database", log, "value < 40");
        spec.no_data = no_data;
        let silent = evaluated(&spec, &Ok(Window::new()));
        assert_eq!(health(&[("a", &spec, &silent)]).state, want);
        // A probe that could not be made is no silence.
        let error = ProberError::new(ProberFault::Credentials, "no password");
        let blind = evaluated(&spec, &Err(error));
        assert_eq!(health(&[("a", &spec, &blind)]).state, State::Unknown);
    }
}

#[test]
fn the_worst_check_decides_for_its_component_and_the_worst_component_for_all() {
    let mut tcp = check(
        "database",
        "tcp: {host: 10.0.0.3, port: 5432}",
        "connect.max < 5s",
    );
    tcp.warn = vec!["connect.max < 3s".into()];
    let sample = |seconds: f64| vec![Sample::new().with("ok", true).with("connect", seconds)];
    let (good, near) = (probed(&tcp, sample(1.0)), probed(&tcp, sample(4.0)));
    let all = health(&[("a", &tcp, &good), ("b", &tcp, &near)]);
    assert_eq!((all.state, all.components.len()), (State::Warning, 1));
    assert!(all.state.is_good(), "a warning is no failure");
    assert_eq!(
        all.components[0].checks[1].message,
        "connect.max 4s, want < 3s"
    );
    let diagnosis = all.diagnosis.unwrap();
    assert_eq!(diagnosis.classification, Classification::Infrastructure);

    let well = health(&[("a", &tcp, &good)]);
    assert_eq!((well.state, well.diagnosis), (State::Healthy, None));
}

fn symptoms() -> impl Strategy<Value = Vec<Symptom>> {
    let state = prop::sample::select(vec![
        State::Healthy,
        State::Warning,
        State::Unknown,
        State::Unhealthy,
    ]);
    let side = prop::sample::select(vec![Side::Infrastructure, Side::Application, Side::Either]);
    let one = (state, side, 0..6u8).prop_map(|(state, side, number)| Symptom {
        object: format!("Check/c{number}"),
        component: format!("part{}", number / 2),
        state,
        side,
        because: String::new(),
        numbers: String::new(),
    });
    prop::collection::vec(one, 0..8)
}

proptest! {
    #[test]
    fn a_classification_rests_on_its_evidence(symptoms in symptoms()) {
        let wrong = symptoms.iter().any(|symptom| symptom.state != State::Healthy);
        let diagnosis = diagnose(&symptoms);
        prop_assert_eq!(diagnosis.is_some(), wrong);
        let Some(diagnosis) = diagnosis else { return Ok(()) };
        prop_assert!(!diagnosis.because.is_empty());
        let worst = diagnosis.evidence[0].state;
        let all_worst = symptoms.iter().filter(|symptom| symptom.state == worst).count();
        prop_assert_eq!(diagnosis.evidence.len(), all_worst);
        let has = |side| diagnosis.evidence.iter().any(|symptom| symptom.side == side);
        let (below, above) = (has(Side::Infrastructure), has(Side::Application));
        match diagnosis.classification {
            Classification::Infrastructure => prop_assert!(below && !above),
            Classification::Mixed => prop_assert!(below && above),
            Classification::Application => {
                prop_assert!(!below);
                // By exclusion only where everything below has a verdict.
                let silent = symptoms.iter().any(|symptom| {
                    symptom.side == Side::Infrastructure && symptom.state == State::Unknown
                });
                prop_assert!(above || !silent);
            }
            Classification::Unknown => prop_assert!(!below && !above || worst == State::Unknown),
        }
    }

    #[test]
    fn order_does_not_matter(symptoms in symptoms(), turn in 0..8usize) {
        let mut turned = symptoms.clone();
        if !turned.is_empty() {
            let by = turn % turned.len();
            turned.rotate_left(by);
        }
        let both = [diagnose(&symptoms), diagnose(&turned)];
        let said = both.map(|one| one.map(|one| (one.classification, one.because)));
        prop_assert_eq!(&said[0], &said[1]);
    }

    #[test]
    fn one_more_failure_never_makes_it_well(symptoms in symptoms(), more in symptoms()) {
        let before = symptoms.iter().map(|symptom| symptom.state).max();
        let mut all = symptoms;
        all.extend(more);
        let after = diagnose(&all).and_then(|one| one.evidence.first().map(|first| first.state));
        if let Some(before) = before.filter(|state| *state == State::Unhealthy) {
            prop_assert_eq!(after, Some(before));
        }
    }
}
