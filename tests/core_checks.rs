//! Verdicts of checks: hysteresis, the table of judgements cell by cell, and what holds for every
//! expression.

#![allow(
    clippy::unnecessary_wraps,
    reason = "a probe is a Result, whatever it brings"
)]

use evenkeel::api::{CheckStatus, Condition, NoData};
use evenkeel::core::check::{
    Baseline, Criteria, Evaluation, Expression, HoldReason, Judgement, Moment, NoVerdict,
    ProberError, ProberFault, RECENT, Sample, Standing, Stat, Unit, Value, Verdict, Window,
    implies, is_stricter, judge, last_probe, status,
};
use jiff::Timestamp;
use proptest::prelude::*;

fn criteria(expect: &[&str]) -> Criteria {
    Criteria {
        expect: expect.iter().map(|text| text.parse().unwrap()).collect(),
        warn: Vec::new(),
        passes: 3,
        failures: 2,
        no_data: NoData::Inconclusive,
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// A probe of one connection: its time, or none in time.
fn connection(seconds: Option<f64>) -> Result<Window, ProberError> {
    let mut window = Window::new();
    let sample = Sample::new().with("ok", seconds.is_some());
    window.push(sample.with("connect", seconds.unwrap_or(f64::INFINITY)));
    Ok(window)
}

fn broken() -> Result<Window, ProberError> {
    Err(ProberError::new(ProberFault::Local, "no sockets left"))
}

fn standing(criteria: &Criteria, outcomes: &[Result<Window, ProberError>]) -> Standing {
    let mut standing = Standing::new();
    for (second, outcome) in (0..).zip(outcomes) {
        standing.add(criteria.evaluate(at(second), outcome), criteria);
    }
    standing
}

/// A check that stands at this verdict, with these times.
fn with_times(criteria: &Criteria, times: &[Option<f64>]) -> Standing {
    let outcomes: Vec<_> = times.iter().map(|time| connection(*time)).collect();
    standing(criteria, &outcomes)
}

// Hysteresis.

#[test]
fn a_verdict_takes_several_probes_in_a_row() {
    let criteria = criteria(&["connect.max < 5s"]);
    let verdicts = |times: &[Option<f64>]| with_times(&criteria, times).verdict;
    assert_eq!(verdicts(&[]), Verdict::Unknown);
    assert_eq!(verdicts(&[Some(1.0); 2]), Verdict::Unknown);
    assert_eq!(verdicts(&[Some(1.0); 3]), Verdict::Passing);
    assert_eq!(verdicts(&[Some(9.0)]), Verdict::Unknown);
    assert_eq!(verdicts(&[Some(9.0); 2]), Verdict::Failing);
    assert_eq!(verdicts(&[None; 2]), Verdict::Failing);
    let one_slip = [Some(1.0), Some(1.0), Some(1.0), Some(9.0), Some(1.0)];
    assert_eq!(verdicts(&one_slip), Verdict::Passing);
    let flapping: Vec<_> = [Some(1.0), Some(9.0)].repeat(20);
    assert_eq!(verdicts(&flapping), Verdict::Unknown);
}

#[test]
fn a_probe_without_a_verdict_breaks_no_row_and_many_end_it() {
    let criteria = criteria(&["connect.max < 5s"]);
    let good = || connection(Some(1.0));
    let said = |outcomes: &[Result<Window, ProberError>]| standing(&criteria, outcomes).verdict;
    assert_eq!(said(&[good(), broken(), good(), good()]), Verdict::Passing);
    assert_eq!(said(&[good(), good(), good(), broken()]), Verdict::Passing);
    let silent = [good(), good(), good(), broken(), broken()];
    assert_eq!(said(&silent), Verdict::Unknown);
    assert_eq!(standing(&criteria, &silent).since, Some(at(4)));
    let bad = || connection(None);
    assert_eq!(said(&[bad(), broken(), bad()]), Verdict::Failing);
    assert_eq!(said(&vec![broken(); 20]), Verdict::Unknown);
    assert_eq!(said(&vec![Ok(Window::new()); 20]), Verdict::Unknown);
}

#[test]
fn warnings_come_before_failures_and_do_not_flap() {
    let mut criteria = criteria(&["connect.max < 5s"]);
    criteria.warn = vec!["connect.max < 3s".parse().unwrap()];
    let says = |times: &[f64]| {
        let times: Vec<_> = times.iter().map(|time| Some(*time)).collect();
        let standing = with_times(&criteria, &times);
        (standing.verdict, standing.warning)
    };
    assert_eq!(says(&[4.0]), (Verdict::Unknown, false));
    assert_eq!(says(&[4.0, 4.0, 4.0]), (Verdict::Passing, true));
    assert_eq!(says(&[4.0, 4.0, 4.0, 1.0]), (Verdict::Passing, true));
    assert_eq!(
        says(&[4.0, 4.0, 4.0, 1.0, 1.0, 1.0]),
        (Verdict::Passing, false)
    );
}

#[test]
fn a_standing_survives_a_restart_and_stays_small() {
    let criteria = criteria(&["connect.max < 5s", "ok.ratio >= 1"]);
    let standing = with_times(&criteria, &vec![None; 1000]);
    assert_eq!(standing.recent().count(), RECENT);
    let text = serde_json::to_string(&standing).unwrap();
    assert!(text.len() < 8 * 1024, "{} bytes", text.len());
    assert_eq!(serde_json::from_str::<Standing>(&text).unwrap(), standing);
    let baseline = standing.baseline();
    let text = serde_json::to_string(&baseline).unwrap();
    assert_eq!(serde_json::from_str::<Baseline>(&text).unwrap(), baseline);
    assert_eq!(baseline.values["connect.max < 5s"], Value::Never);
}

// Status.

#[test]
fn status_says_the_numbers_and_flips_only_with_the_verdict() {
    let mut criteria = criteria(&["ok.ratio >= 1", "connect.max < 5s"]);
    criteria.warn = vec!["connect.max < 500ms".parse().unwrap()];
    let said = |status: &CheckStatus| -> Vec<String> {
        let text = |c: &Condition| {
            let since = c.last_transition_time.as_second();
            format!(
                "{:?}={:?} {} @{since}: {}",
                c.kind, c.status, c.reason, c.message
            )
        };
        status.conditions.iter().map(text).collect()
    };
    let after = |old: &CheckStatus, probes: &[Result<Window, ProberError>], now| {
        status(old, &standing(&criteria, probes), 7, at(now))
    };
    let first = after(&CheckStatus::default(), &[connection(Some(1.0))], 10);
    assert_eq!(
        said(&first),
        [
            "Passing=Unknown NoData @10: no verdict yet: ok.ratio 1, want >= 1; connect.max 1s, \
          want < 5s"
        ]
    );
    let passing = after(&first, &vec![connection(Some(1.0)); 3], 20);
    assert_eq!(
        said(&passing),
        [
            "Passing=True ExpectationsMet @20: ok.ratio 1, want >= 1; connect.max 1s, want < 5s",
            "Warning=True NearLimit @20: connect.max 1s, want < 500ms"
        ]
    );
    assert_eq!(
        after(&passing, &vec![connection(Some(1.0)); 9], 30),
        passing
    );
    let failing = after(&passing, &vec![connection(None); 2], 40);
    assert_eq!(
        said(&failing)[0],
        "Passing=False ExpectationsMissed @40: ok.ratio 0, want >= 1; connect.max never, want < 5s"
    );
    let silent = after(&failing, &vec![broken(); 2], 50);
    assert_eq!(
        said(&silent),
        ["Passing=Unknown ProberError @50: local: no sockets left"]
    );
}

#[test]
fn the_last_probe_is_a_few_numbers() {
    let mut window = Window::new();
    for n in 1..=20 {
        let sample = Sample::new().with("ok", n > 1).with("state", "READY");
        window.push(sample.with("connect", f64::from(n) / 30.0));
    }
    let last = serde_json::to_value(last_probe(at(0), &Ok(window))).unwrap();
    let expected = serde_json::json!({
        "at": "1970-01-01T00:00:00Z", "samples": 20, "ok": 19, "state": "READY",
        "connect": {"p50": 0.3333, "p99": 0.6667, "max": 0.6667},
    });
    assert_eq!(last, expected);
    let none = serde_json::to_value(last_probe(at(0), &broken())).unwrap();
    assert_eq!(
        none,
        serde_json::json!({"at": "1970-01-01T00:00:00Z", "samples": 0})
    );
}

// The table of judgements.

const EARLIER: Moment = Moment {
    last_step: false,
    timed_out: false,
};
const LAST: Moment = Moment {
    last_step: true,
    ..EARLIER
};

fn late(moment: Moment) -> Moment {
    Moment {
        timed_out: true,
        ..moment
    }
}

/// `before` and `after` in seconds; an empty list is unknown.
fn judged(before: &[f64], after: &[f64], moment: Moment) -> Judgement {
    let criteria = criteria(&["connect.max < 5s"]);
    let standing = |times: &[f64]| {
        let times: Vec<_> = times.iter().map(|time| Some(*time)).collect();
        with_times(&criteria, &times)
    };
    judge(
        &standing(before).baseline(),
        &standing(after),
        &criteria,
        moment,
    )
}

const GOOD: &[f64] = &[1.0, 1.0, 1.0];
const BAD: &[f64] = &[6.0, 6.0];
const UNKNOWN: &[f64] = &[];

#[test]
fn passing_before() {
    for moment in [EARLIER, LAST, late(EARLIER), late(LAST)] {
        assert_eq!(judged(GOOD, GOOD, moment), Judgement::GoOn);
        assert_eq!(judged(GOOD, BAD, moment), Judgement::Regression);
    }
    for moment in [EARLIER, LAST] {
        assert_eq!(judged(GOOD, UNKNOWN, moment), Judgement::Wait);
        let hold = Judgement::Hold(HoldReason::Inconclusive);
        assert_eq!(judged(GOOD, UNKNOWN, late(moment)), hold);
    }
}

#[test]
fn failing_before() {
    for moment in [EARLIER, LAST, late(EARLIER), late(LAST)] {
        assert_eq!(judged(BAD, GOOD, moment), Judgement::Fixed);
    }
    assert_eq!(judged(BAD, BAD, EARLIER), Judgement::GoOn);
    assert_eq!(
        judged(BAD, BAD, LAST),
        Judgement::Hold(HoldReason::NotFixed)
    );
    for moment in [EARLIER, LAST] {
        assert_eq!(judged(BAD, &[9.0, 9.0], moment), Judgement::Regression);
        assert_eq!(judged(BAD, UNKNOWN, moment), Judgement::Wait);
        let hold = Judgement::Hold(HoldReason::Inconclusive);
        assert_eq!(judged(BAD, UNKNOWN, late(moment)), hold);
    }
}

#[test]
fn unknown_before() {
    for moment in [EARLIER, LAST, late(EARLIER), late(LAST)] {
        assert_eq!(judged(UNKNOWN, GOOD, moment), Judgement::GoOn);
        assert_eq!(judged(UNKNOWN, BAD, moment), Judgement::Regression);
    }
    for moment in [EARLIER, LAST] {
        assert_eq!(judged(UNKNOWN, UNKNOWN, moment), Judgement::Wait);
        let hold = Judgement::Hold(HoldReason::Inconclusive);
        assert_eq!(judged(UNKNOWN, UNKNOWN, late(moment)), hold);
    }
}

/// Both fail. `before` and `after` are what `connect` was.
fn worse(expect: &str, before: &Value, after: &Value) -> bool {
    let criteria = criteria(&[expect, "never == 1"]);
    let standing = |value: &Value| {
        let mut window = Window::new();
        let sample = Sample::new().with("v", value.clone()).with("ok", false);
        window.push(sample.with("never", 0.0));
        standing(&criteria, &vec![Ok(window); 3])
    };
    let baseline = standing(before).baseline();
    assert_eq!(baseline.verdict, Verdict::Failing);
    judge(&baseline, &standing(after), &criteria, EARLIER) == Judgement::Regression
}

#[test]
fn worse_is_more_than_a_fifth_of_the_baseline() {
    let number = Value::Number;
    for (expect, before, after, is_worse) in [
        ("v < 5s", number(10.0), number(12.0), false),
        ("v < 5s", number(10.0), number(12.1), true),
        ("v < 5s", number(10.0), number(6.0), false),
        ("v < 5s", number(4.9), number(5.1), false),
        ("v < 5s", number(4.0), number(5.1), true),
        ("v < 5s", number(10.0), Value::Never, true),
        ("v < 5s", Value::Never, Value::Never, false),
        ("v < 5s", Value::Never, number(1000.0), false),
        ("v > 14d", number(-86_400.0), number(-2.0 * 86_400.0), true),
        ("v > 14d", number(-86_400.0), number(-0.9 * 86_400.0), false),
        ("v > 14d", number(86_400.0), Value::Never, true),
        ("v >= 90%", number(0.5), number(0.41), false),
        ("v >= 90%", number(0.5), number(0.39), true),
        ("v == 0", number(0.0), number(1.0), true),
        ("v == 0", number(10.0), number(11.0), false),
        ("v == 0", number(10.0), number(13.0), true),
        (
            "v == READY",
            Value::from("READY"),
            Value::from("FAILED"),
            true,
        ),
        (
            "v == READY",
            Value::from("BUSY"),
            Value::from("FAILED"),
            false,
        ),
    ] {
        let text = format!("{expect}: {before:?} -> {after:?}");
        assert_eq!(worse(expect, &before, &after), is_worse, "{text}");
    }
}

#[test]
fn one_probe_decides_nothing_about_worse() {
    let once = [6.0, 6.0, 6.0, 60.0, 6.0];
    assert_eq!(judged(BAD, &once, EARLIER), Judgement::GoOn);
}

#[test]
fn silence_is_what_no_data_says_once_time_is_up() {
    let mut criteria = criteria(&["value < 80%"]);
    let baseline = Baseline {
        verdict: Verdict::Passing,
        ..Baseline::default()
    };
    let silent = || vec![Ok(Window::new()); 3];
    let hold = Judgement::Hold(HoldReason::Inconclusive);
    for (no_data, at_timeout) in [
        (NoData::Inconclusive, hold),
        (NoData::Fail, Judgement::Regression),
        (NoData::Pass, Judgement::GoOn),
    ] {
        criteria.no_data = no_data;
        let after = standing(&criteria, &silent());
        assert_eq!(judge(&baseline, &after, &criteria, LAST), Judgement::Wait);
        let judgement = judge(&baseline, &after, &criteria, late(LAST));
        assert_eq!(judgement, at_timeout, "{no_data:?}");
        let mut mixed = silent();
        mixed.push(broken());
        let after = standing(&criteria, &mixed);
        let judgement = judge(&baseline, &after, &criteria, late(LAST));
        assert_eq!(
            judgement, hold,
            "{no_data:?}: a broken prober is no silence"
        );
        let none = Standing::new();
        assert_eq!(judge(&baseline, &none, &criteria, late(LAST)), hold);
    }
}

// Expressions.

#[test]
fn what_is_no_expression_says_why() {
    for (text, message, help) in [
        ("", "nothing is compared here", "compare with one of"),
        (
            "connect.max",
            "nothing is compared here",
            "compare with one of",
        ),
        ("< 5s", "no field stands before", "field[.stat] op value"),
        (
            "connect.max <",
            "nothing stands after",
            "field[.stat] op value",
        ),
        (
            "connect.max = 5s",
            "`=` compares nothing",
            "write one of < <=",
        ),
        (
            "connect.max ! 5s",
            "`!` compares nothing",
            "write one of < <=",
        ),
        ("connect.max < 5h", "`h` is no unit", "minutes are `m`"),
        ("connect.max < 5sec", "`sec` is no unit", "ms, s, m, d"),
        ("connect.max < 5 000ms", "`000ms` is no unit", "ms, s"),
        ("connect.max < .5s", "`.5s` is no number", "0.5"),
        ("connect.max < 1e3", "`e3` is no unit", ""),
        ("connect.max < --5s", "is no number", ""),
        ("connect.max < 5s and ok", "`s and ok` is no unit", ""),
        ("connect..max < 5s", "`connect..max` is no field", ""),
        ("9a < 5s", "`9a` is no field", ""),
        (
            "state > READY",
            "is not larger or smaller",
            "state == READY",
        ),
        ("state.max == READY", "the max of words", "state == READY"),
        ("state == RE ADY", "is no word", "one word"),
        ("connect.max < é", "is no number", ""),
        ("café < 5", "is no field", ""),
    ] {
        let error = text.parse::<Expression>().unwrap_err();
        assert!(error.message.contains(message), "{text}: {error:?}");
        assert!(error.help.contains(help), "{text}: {error:?}");
    }
    let long = format!("{} < 5", "a".repeat(500));
    assert!(long.parse::<Expression>().is_err());
}

#[test]
fn fields_keep_their_dots_and_statistics_are_told_apart() {
    let read = |text: &str| {
        let expression: Expression = text.parse().unwrap();
        (expression.field, expression.stat)
    };
    assert_eq!(read("connect.max<5s"), ("connect".into(), Some(Stat::Max)));
    assert_eq!(read("json.wait > 1"), ("json.wait".into(), None));
    assert_eq!(
        read("json.wait.p95 > 1"),
        ("json.wait".into(), Some(Stat::P95))
    );
    assert_eq!(read("count == 0"), ("count".into(), None));
    assert_eq!(
        read("startup.budget >= 40s"),
        ("startup.budget".into(), None)
    );
}

#[test]
fn values_compare_with_what_they_can_be() {
    let holds = |text: &str, value: Value| text.parse::<Expression>().unwrap().holds(&value);
    assert!(holds("v < 5s", Value::Number(4.999)));
    assert!(!holds("v < 5s", Value::Number(5.0)));
    assert!(holds("v <= 500ms", Value::Number(0.5)));
    assert!(holds("v == 0.3", Value::Number(0.1 + 0.2)));
    assert!(holds("v < 80%", Value::Number(0.79)));
    assert!(holds("ok == true", Value::Flag(true)));
    assert!(holds("ok != false", Value::Flag(true)));
    assert!(holds("ok == 1", Value::Flag(true)));
    assert!(holds("v != READY", Value::from("BUSY")));
    assert!(!holds("v == READY", Value::Number(1.0)));
    for text in ["v < 5", "v > 5", "v != 5", "v == 5", "v != READY"] {
        assert!(!holds(text, Value::Never), "{text}");
    }
}

fn expression() -> impl Strategy<Value = Expression> {
    let field = proptest::sample::select(vec!["connect", "ok", "json.wait", "value"]);
    let stat = proptest::option::of(proptest::sample::select(Stat::ALL.to_vec()));
    let op = proptest::sample::select(vec!["<", "<=", ">", ">=", "==", "!="]);
    let unit = proptest::option::of(proptest::sample::select(Unit::ALL.to_vec()));
    // Few numbers, so that thresholds meet.
    let number = prop_oneof![(-2..6i32).prop_map(f64::from), -1e6..1e6];
    (field, stat, op, number, unit).prop_map(|(field, stat, op, number, unit)| {
        let stat = stat.map_or(String::new(), |stat| format!(".{stat}"));
        let unit = unit.map_or("", Unit::as_str);
        format!("{field}{stat} {op} {number}{unit}")
            .parse()
            .unwrap()
    })
}

fn window() -> impl Strategy<Value = Window> {
    let value = prop_oneof![
        4 => (-3..7i32).prop_map(|n| Value::Number(f64::from(n))),
        1 => Just(Value::Never),
    ];
    proptest::collection::vec(value, 1..12).prop_map(|values| {
        let mut window = Window::new();
        for value in values {
            let sample = ["connect", "ok", "json.wait", "value"].iter().fold(
                Sample::new(),
                |sample, field| {
                    let mut sample = sample;
                    sample.values.insert((*field).to_owned(), value.clone());
                    sample
                },
            );
            window.push(sample);
        }
        window
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn what_is_printed_is_read_again(expression in expression()) {
        let text = expression.to_string();
        let again: Expression = text.parse().unwrap();
        prop_assert_eq!(&again, &expression);
        prop_assert_eq!(again.to_string(), text);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[ -~é]{0,40}") {
        if let Ok(expression) = text.parse::<Expression>() {
            let again: Expression = expression.to_string().parse().unwrap();
            prop_assert_eq!(again, expression);
        }
    }

    #[test]
    fn stricter_is_a_partial_order(a in expression(), b in expression(), c in expression()) {
        prop_assert!(implies(&a, &a));
        prop_assert!(!is_stricter(&a, &a));
        prop_assert!(!(is_stricter(&a, &b) && is_stricter(&b, &a)));
        if implies(&a, &b) && implies(&b, &c) {
            prop_assert!(implies(&a, &c), "{} => {} => {}", a, b, c);
        }
        if is_stricter(&a, &b) && is_stricter(&b, &c) {
            prop_assert!(is_stricter(&a, &c), "{} > {} > {}", a, b, c);
        }
    }

    #[test]
    fn what_implies_holds_no_more_often(a in expression(), b in expression(), window in window()) {
        let holds = |e: &Expression| window.measure(e).map(|value| e.holds(&value));
        if implies(&a, &b) && holds(&a) == Some(true) {
            prop_assert_eq!(holds(&b), Some(true), "{} => {}", a, b);
        }
    }

    #[test]
    fn verdicts_are_earned(outcomes in proptest::collection::vec(0..4u8, 0..40)) {
        let criteria = criteria(&["connect.max < 5s"]);
        let probe = |kind: &u8| match kind {
            0 => connection(Some(1.0)),
            1 => connection(Some(9.0)),
            2 => broken(),
            _ => Ok(Window::new()),
        };
        let probes: Vec<_> = outcomes.iter().map(probe).collect();
        let standing = standing(&criteria, &probes);
        let known: Vec<u8> = outcomes.iter().copied().filter(|kind| *kind < 2).collect();
        match standing.verdict {
            Verdict::Passing => {
                let held = known.windows(3).any(|three| three == [0, 0, 0]);
                prop_assert!(held);
            }
            Verdict::Failing => prop_assert!(known.windows(2).any(|two| two == [1, 1])),
            Verdict::Unknown => {}
        }
        let last: Option<&Evaluation> = standing.last();
        if let Some(NoVerdict::Prober(_)) = last.and_then(|last| last.unknown.as_ref()) {
            prop_assert_eq!(outcomes.last(), Some(&2));
        }
    }
}
