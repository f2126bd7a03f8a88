//! A check from text, probed once, and what may be asked of the reading.

use evenkeel::api::CheckSpec;
use evenkeel::check::{Ask, Prober, Probers, Reading};
use evenkeel::core::check::{Criteria, Evaluation, ProberError, ProberFault, Stat, Value, Window};
use evenkeel::secrets::LocalSecrets;
use evenkeel::source::{self, NoCheck};
use jiff::Timestamp;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Long enough for a busy machine; nothing good waits for it.
pub const PATIENT: &str = "20s";
/// For targets that never answer.
pub const HASTY: &str = "300ms";
/// A hasty probe is over long before this.
const SOON: Duration = Duration::from_secs(8);

/// The spec of a check, through the loader.
pub fn check(timeout: &str, source: &str) -> CheckSpec {
    let expect = if source.trim_start().starts_with("backendHealth") {
        "healthy.ratio >= 0"
    } else if source.trim_start().starts_with("metric") {
        "value > -1000000"
    } else if source.trim_start().starts_with("log") {
        "count >= 0"
    } else {
        "ok.ratio >= 0"
    };
    let text = format!(
        "apiVersion: evenkeel.dev/v1alpha1\nkind: Check\nmetadata: {{name: a}}\nspec:\n  timeout: \
         {timeout}\n  {source}\n  expect: [{expect}]\n"
    );
    let set = source::load_bytes("a.yaml", text.into_bytes(), &NoCheck);
    let set = set.unwrap_or_else(|errors| panic!("{}", errors.render(false)));
    set.checks.into_iter().next().unwrap().spec
}

pub fn probers() -> Probers {
    Probers::new(Arc::new(secrets()), 500)
}

/// `env: NAME` gives the secret `secret of NAME`; the real environment is not read.
fn secrets() -> LocalSecrets {
    let environment = |name: &str| {
        let known = name.starts_with("KNOWN");
        known.then(|| format!("secret of {name}"))
    };
    LocalSecrets::with_environment(None, Box::new(environment))
}

pub fn now() -> Ask {
    Ask {
        now: Timestamp::now(),
        not_before: None,
    }
}

pub async fn read(check: &CheckSpec) -> Reading {
    probers().probe(check, now()).await
}

/// Probes once; the prober itself must not fail.
pub async fn probe(timeout: &str, source: &str) -> Window {
    let check = check(timeout, source);
    let began = Instant::now();
    let reading = read(&check).await;
    if timeout == HASTY {
        assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    }
    reading.outcome.unwrap_or_else(|error| panic!("{error}"))
}

/// Probes once; the prober must fail.
pub async fn prober_error(timeout: &str, source: &str) -> ProberError {
    match read(&check(timeout, source)).await.outcome {
        Ok(window) => panic!("{window:?}"),
        Err(error) => error,
    }
}

/// That a prober fails in this way, with this in its message.
pub async fn cannot_probe(source: &str, fault: ProberFault, says: &str) {
    let error = prober_error(HASTY, source).await;
    assert_eq!(error.fault, fault, "{error}");
    assert!(error.message.contains(says), "{error}");
}

/// Each failure with its count, the most frequent first.
pub fn failures(window: &Window) -> Vec<String> {
    let text = |(failure, count)| format!("{count} {failure}");
    window.failures().into_iter().map(text).collect()
}

/// The largest value of a field, in seconds or whatever it counts.
pub fn max(window: &Window, field: &str) -> f64 {
    match window.stat(field, Stat::Max) {
        Some(Value::Number(number)) => number,
        other => panic!("{field}.max is {other:?}: {:?}", failures(window)),
    }
}

/// True where samples of the field are there and one of them never came.
pub fn never(window: &Window, field: &str) -> bool {
    window.stat(field, Stat::Max) == Some(Value::Never)
}

pub fn fields(window: &Window) -> Vec<&str> {
    window.fields().collect()
}

/// What expectations say to a window.
pub fn evaluate(expect: &[&str], window: Window) -> Evaluation {
    let mut spec = check(PATIENT, "tcp: {host: h, port: 1}");
    spec.expect = expect.iter().map(|text| (*text).to_owned()).collect();
    let criteria = Criteria::of(&spec).unwrap();
    criteria.evaluate(Timestamp::UNIX_EPOCH, &Ok(window))
}
