//! The real binary: an operator in one process, an emulator in another, and people at the command
//! line beside them. Everything waits on output or on state, never on a guess of time.

mod cli_support;

use cli_support::{Desk, ESCAPE, Process};

/// A connector that is one quick step away from its manifest.
const GROW: &str = "\
apiVersion: evenkeel.dev/v1alpha1
kind: VpcAccessConnector
metadata: {name: staging-connector}
spec:
  project: netra-staging
  location: us-central1
  adopt: true
  resource: {machineType: e2-standard-4, minInstances: 3, maxInstances: 5}
  rollout:
    maxStep: {minInstances: 1, maxInstances: 2}
    allowDisruptive: true
";

/// An emulator, an operator that is done with [`GROW`], and the emulator's address.
fn settled(desk: &Desk) -> (Process, Process, String) {
    desk.write("m/connector.yaml", GROW);
    let emulator = desk.start(&["emulator", "--listen", "127.0.0.1:0", "--timing", "instant"]);
    let address = emulator.wait_for("http://");
    let operator = desk.start(&["run", "m", "--gcp", &address, "--interval", "1s"]);
    operator.wait_for("1 of 1 ready; watching for changes (Ctrl-C stops)");
    (emulator, operator, address)
}

#[test]
fn one_state_has_one_operator() {
    let desk = Desk::new();
    let (_emulator, operator, address) = settled(&desk);
    // A second operator on the same state is refused, and says whose it is.
    let second = desk.run(&["run", "m", "--gcp", &address]);
    assert_eq!(second.code, 1);
    assert!(
        second
            .err
            .contains("in use by another evenkeel operator (process")
    );
    assert!(
        second
            .err
            .contains("hint: stop that one, or give this one its own --state")
    );

    // The one that holds it goes on, and stops when told.
    assert_eq!(operator.terminate().code, 0);
}

#[test]
fn what_is_piped_carries_no_escapes() {
    let desk = Desk::new();
    let (_emulator, _operator, address) = settled(&desk);
    for arguments in [
        &["get"][..],
        &["get", "-o", "wide"],
        &["describe", "vac/staging-connector"],
        &["rollout", "status", "vac/staging-connector"],
        &["rollout", "history", "vac/staging-connector"],
        &["plan", "m", "--gcp", &address],
    ] {
        let shown = desk.run(arguments);
        assert_eq!(shown.code, 0, "{arguments:?}: {}", shown.err);
        assert!(!shown.out.is_empty());
        assert!(!shown.out.contains(ESCAPE) && !shown.err.contains(ESCAPE));
    }
    let colored = desk.run(&["get", "--color", "always"]);
    assert!(colored.out.contains(ESCAPE));

    let obeyed = desk.shell("NO_COLOR=1 evenkeel get");
    assert!(!obeyed.out.contains(ESCAPE));
}

#[test]
fn undo_goes_back_as_far_as_fields_go_back() {
    let desk = Desk::new();
    let (_emulator, operator, address) = settled(&desk);
    // Going back: what can, does; what cannot is named, with the reason.
    let undo = desk.run(&["rollout", "undo", "vac/staging-connector", "--yes"]);
    assert_eq!(undo.code, 0, "{}", undo.err);
    assert!(
        undo.out
            .contains("goes back  machineType e2-standard-4 -> e2-micro")
    );
    assert!(undo.out.contains("stays      maxInstances 5 (was 3)"));
    assert!(
        undo.out
            .contains("minInstances cannot go back: a connector only grows in place")
    );
    operator.wait_for("RolledBack");
    let stalled = desk.run(&["rollout", "status", "vac/staging-connector", "--watch"]);
    assert_eq!(stalled.code, 1, "{}", stalled.out);
    assert!(
        stalled.out.contains("Stalled (RolledBack)"),
        "{}",
        stalled.out
    );
    let live = desk.json(&["get", "vac/staging-connector", "-o", "json"]);
    assert_eq!(live["status"]["observed"]["machineType"], "e2-micro");
    assert_eq!(live["status"]["observed"]["maxInstances"], 5);

    // Held content is what `plan` reports, and `retry` releases it.
    let plan = desk.run(&["plan", "m", "--gcp", &address]);
    assert_eq!(plan.code, 1);
    assert!(
        plan.out.contains("this content is held (RolledBack)"),
        "{}",
        plan.out
    );
    let retry = desk.run(&["rollout", "retry", "vac/staging-connector"]);
    assert_eq!(retry.code, 0, "{}", retry.err);
    assert!(
        retry.out.contains("a person asked to try again"),
        "{}",
        retry.out
    );
    let ready = desk.run(&["rollout", "status", "vac/staging-connector", "-w"]);
    assert_eq!(ready.code, 0, "{}", ready.out);
}

#[test]
fn manifests_that_change_are_taken_up_and_a_stop_drains() {
    let desk = Desk::new();
    let (_emulator, operator, address) = settled(&desk);
    // Bad content keeps the last set; good content is taken up.
    desk.write(
        "m/connector.yaml",
        &GROW.replace("maxInstances: 5", "maxInstances: 50"),
    );
    operator.wait_for("manifests do not load: the last set that did stays in force");
    desk.write(
        "m/connector.yaml",
        &GROW.replace("maxInstances: 5", "maxInstances: 6"),
    );
    operator.wait_for("maxInstances 5 -> 6");
    operator.wait_for("1 of 1 ready; watching");

    // What grew does not shrink in place: blocked before anything is sent, with the way out.
    desk.write("small.yaml", GROW);
    let shrink = desk.run(&["plan", "small.yaml", "--gcp", &address]);
    assert_eq!(shrink.code, 1);
    assert!(
        shrink
            .out
            .contains("GCP does not make this change: maxInstances 6 -> 5")
    );
    assert!(
        shrink.out.contains("hint: a connector only grows in place"),
        "{}",
        shrink.out
    );

    let stopped = operator.terminate();
    assert_eq!(stopped.code, 0, "{}", stopped.err);
    assert!(
        stopped
            .out
            .ends_with("stopped; the next run goes on from here\n")
    );
    assert!(
        stopped.err.contains("maxInstances is 50"),
        "the diagnostics went to stderr"
    );

    // Without an operator, requests are written down and said to be waiting.
    let paused = desk.run(&["rollout", "pause", "vac/staging-connector"]);
    assert_eq!(paused.code, 0);
    assert!(paused.err.contains("it acts on this when it starts"));
    let once = desk.run(&["run", "m", "--gcp", &address, "--once"]);
    assert_eq!(once.code, 1, "{}", once.out);
    assert!(once.out.contains("Suspended"), "{}", once.out);
}

#[test]
fn disruption_waits_for_an_approval_of_this_very_plan() {
    let desk = Desk::new();
    desk.write(
        "m/connector.yaml",
        &GROW.replace("    allowDisruptive: true\n", ""),
    );
    let emulator = desk.start(&["emulator", "--listen", "127.0.0.1:0", "--timing", "instant"]);
    let address = emulator.wait_for("http://");
    let plan = desk.json(&["plan", "m", "--gcp", &address, "-o", "json"]);
    let digest = plan["resources"][0]["digest"].as_str().unwrap().to_owned();
    let operator = desk.start(&["run", "m", "--gcp", &address, "--interval", "1s"]);
    operator.wait_for("0 of 1 ready");

    let object = "vac/staging-connector";
    let wrong = desk.run(&[
        "rollout",
        "approve",
        object,
        "--plan",
        "sha256:000000000000",
    ]);
    assert_eq!(wrong.code, 1);
    assert!(
        wrong.err.contains("not sha256:000000000000"),
        "{}",
        wrong.err
    );
    let approved = desk.run(&["rollout", "approve", object, "--plan", &digest]);
    assert_eq!(approved.code, 0, "{}", approved.err);
    operator.wait_for("1 of 1 ready");
    let again = desk.run(&["rollout", "approve", object]);
    assert_eq!(again.code, 1);
    assert!(
        again
            .err
            .contains("no plan that waits for approval (UpToDate)")
    );
    assert_eq!(operator.terminate().code, 0);
    emulator.terminate();
}

#[test]
fn the_embedded_emulator_goes_on_after_a_kill() {
    let desk = Desk::new();
    desk.write("m/connector.yaml", GROW);
    let first = desk.start(&["run", "m", "--gcp", "emulator", "--log-format", "json"]);
    let line = first.wait_for("StepLanded");
    let event: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(event["name"], "staging-connector");
    first.kill();
    let world: serde_json::Value =
        serde_json::from_str(&desk.read(".evenkeel/emulator-netra-staging.json")).unwrap();
    assert!(world.is_object(), "the world outlives the process");
    let once = desk.run(&["run", "m", "--gcp", "emulator", "--once"]);
    assert_eq!(once.code, 0, "{}{}", once.out, once.err);
    assert!(once.out.contains("UpToDate"));
    assert!(
        !once.out.contains("Adopted"),
        "it went on, it did not start over"
    );
    let plan = desk.run(&["plan", "m", "--gcp", "emulator"]);
    assert_eq!(plan.code, 0, "{}", plan.out);
    let other = desk.run(&["run", "m", "--gcp", "emulator:empty", "--once"]);
    assert_eq!(other.code, 1);
    assert!(
        other.err.contains("belongs to emulator:netra-staging"),
        "{}",
        other.err
    );
}

#[test]
fn bad_input_opens_and_sends_nothing() {
    let desk = Desk::new();
    desk.write(
        "bad.yaml",
        &GROW.replace("maxInstances: 5", "maxInstances: 50"),
    );
    let run = desk.run(&["run", "bad.yaml", "--gcp", "emulator"]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("limit: 3 to 10"), "{}", run.err);
    assert!(!desk.exists(".evenkeel"), "no state was made");
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let desk = Desk::new();
    let quiet = desk.shell("evenkeel completions bash | head -1; echo ${PIPESTATUS[0]}");
    assert!(quiet.out.ends_with("0\n"), "{}", quiet.out);
    assert_eq!(quiet.err, "");
}
