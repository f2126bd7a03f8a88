//! Google's own Python clients on the real emulator: they create, read, list, change and delete every kind, and meet
//! what is refused. Every exchange is also held against Google's description of the API.
//!
//! Installs what it needs from `PyPI` into the target folder, once. Where that cannot be, it says so and passes, unless
//! `EVENKEEL_REQUIRE_CONFORMANCE` is set.

mod cli_support;
#[path = "conformance/python.rs"]
mod python;
#[path = "conformance/recorder.rs"]
mod recorder;
mod wire;

use std::io::Write;
use std::path::Path;
use std::process::Command;

use cli_support::Desk;
use recorder::Recorder;
use wire::Surface;

const REQUIRED: &str = "EVENKEEL_REQUIRE_CONFORMANCE";

/// Runs these files against an emulator of their own. Every method of `surface` must be met.
fn conforms(modules: &[&str], timing: &str, surface: &Surface) {
    let python = match python::prepared(include_str!("conformance/requirements.txt")) {
        Ok(python) => python,
        Err(reason) => {
            assert!(std::env::var_os(REQUIRED).is_none(), "{reason}");
            // Not through print!, which hides what a test that passes has to say.
            let _ = writeln!(std::io::stderr(), "skipped: {modules:?}: {reason}");
            return;
        }
    };
    let desk = Desk::new();
    let emulator = desk.start(&["emulator", "--listen", "127.0.0.1:0", "--timing", timing]);
    let address = emulator.wait_for("http://").trim().to_owned();
    let recorder = Recorder::start(address);
    let output = Command::new(&python.interpreter)
        .args(["-m", "unittest", "-v"])
        .args(modules)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance"))
        .env("EVENKEEL_EMULATOR", &recorder.address)
        .env("PYTHONPYCACHEPREFIX", &python.cache)
        // Nothing of the caller's, and a dead end for whatever is not meant for the emulator.
        .env_remove("GOOGLE_APPLICATION_CREDENTIALS")
        .env_remove("GOOGLE_CLOUD_PROJECT")
        .env("http_proxy", &recorder.address)
        .env("https_proxy", "http://127.0.0.1:1")
        .env("no_proxy", "127.0.0.1")
        .output()
        .expect("Python runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{modules:?}\n{said}");
    let tally = recorder.stop();
    let methods = surface.method_ids();
    assert!(!methods.is_empty(), "an API has methods");
    tally.assert(methods);
    println!("{said}\n{}", tally.report());
}

#[test]
fn vpcaccess() {
    conforms(&["vpcaccess"], "demo", &Surface::vpcaccess());
}

#[test]
fn compute() {
    let modules = ["compute_backends", "compute_certificates"];
    conforms(&modules, "instant", Surface::compute());
}

#[test]
fn run() {
    conforms(&["run"], "demo", &Surface::run());
}

#[test]
fn sqladmin() {
    conforms(&["sqladmin"], "demo", &Surface::sqladmin());
}

#[test]
fn certificatemanager() {
    let surface = Surface::certificatemanager();
    conforms(&["certificatemanager"], "instant", &surface);
}
