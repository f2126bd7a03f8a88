//! `evenkeel export` as people use it: into a folder, planned, run, and what it says when it
//! cannot see everything.

mod cli_support;
mod emulator_http;

use cli_support::{Desk, Process};
use emulator_http::http;
use serde_json::{Value, json};

const PROJECT: &str = "netra-staging";

fn emulator(desk: &Desk) -> (Process, String) {
    let arguments = ["emulator", "--listen", "127.0.0.1:0", "--timing", "instant"];
    let emulator = desk.start(&arguments);
    let address = emulator.wait_for("http://");
    (emulator, address)
}

fn host(address: &str) -> &str {
    address.trim_start_matches("http://").trim_end_matches('/')
}

/// Mutating calls that the emulator has had.
fn writes(address: &str) -> Vec<Value> {
    let log = http(host(address), "GET", "/_emulator/requests", "");
    let all = log["requests"].as_array().expect("a log");
    let mut reads = all.iter().filter(|one| one["method"] == "GET");
    assert!(reads.next().is_some(), "the log holds what was read");
    let is_write = |one: &&Value| one["method"] != "GET";
    all.iter().filter(is_write).cloned().collect()
}

#[test]
fn a_project_is_exported_planned_and_adopted_without_a_write() {
    let desk = Desk::new();
    let (_emulator, address) = emulator(&desk);
    let export = |folder: &str| {
        desk.run(&[
            "export",
            "--project",
            PROJECT,
            "--gcp",
            &address,
            "--output",
            folder,
        ])
    };
    let first = export("infra");
    assert_eq!(first.code, 0, "{}", first.err);
    assert_eq!(first.out.lines().count(), 18);
    assert!(
        first
            .out
            .contains("wrote infra/runservices/netra-backend.yaml")
    );
    assert!(
        first
            .err
            .contains("left out of run/netra-backend: template.containers[].env[GIT_SHA]")
    );
    assert!(
        first
            .err
            .contains("and 7 more: template.containers[].image")
    );
    assert!(
        first
            .err
            .contains("note: 18 resources: 1 VpcAccessConnector, 1 HealthCheck, 2 BackendService")
    );

    let plan = desk.run(&["plan", "infra", "--gcp", &address]);
    assert_eq!(plan.code, 0, "{}", plan.out);
    assert!(
        plan.out
            .contains("0 to change, 0 to create, 0 blocked, 18 unchanged")
    );

    let run = desk.run(&["run", "infra", "--gcp", &address, "--once"]);
    assert_eq!(run.code, 0, "{}", run.out);
    assert_eq!(run.out.matches("Adopted").count(), 18);
    assert_eq!(writes(&address), [] as [Value; 0]);

    // Nothing has changed, and so has no manifest.
    assert_eq!(export("again").code, 0);
    assert_eq!(desk.shell("diff -r infra again").out, "");
}

#[test]
fn files_are_written_over_only_when_asked() {
    let desk = Desk::new();
    let export = |more: &[&str]| {
        let all = [
            "export",
            "--project",
            PROJECT,
            "--gcp",
            "emulator",
            "--kind",
            "sql",
        ];
        desk.run(&[&all, more].concat())
    };
    assert_eq!(export(&["--output", "infra"]).code, 0);
    desk.write("infra/sqlinstances/netra-db.yaml", "mine");
    let refused = export(&["--output", "infra"]);
    assert_eq!(refused.code, 2);
    assert!(
        refused
            .err
            .contains("error: infra/sqlinstances/netra-db.yaml exist; nothing was written")
    );
    assert_eq!(desk.read("infra/sqlinstances/netra-db.yaml"), "mine");

    desk.write("infra/sqlinstances/old.yaml", "");
    let forced = export(&["--output", "infra", "--force"]);
    assert_eq!(forced.code, 0, "{}", forced.err);
    assert!(
        desk.read("infra/sqlinstances/netra-db.yaml")
            .contains("kind: SqlInstance")
    );
    assert!(
        forced
            .err
            .contains("1 file that this export did not write, such as infra/sqlinstances/old.yaml")
    );

    let json = export(&["--output", "other", "-o", "json"]);
    assert_eq!(json.code, 0, "{}", json.err);
    assert!(
        desk.read("other/sqlinstances/netra-db.json")
            .starts_with("{\n  \"apiVersion\"")
    );
    assert_eq!(export(&["--force"]).code, 2, "--force goes with --output");
}

/// Both forms load from a pipe as they load from files.
#[test]
fn what_is_piped_is_a_set_of_manifests() {
    let desk = Desk::new();
    for form in ["yaml", "json"] {
        let both = format!(
            "evenkeel export --project {PROJECT} --gcp emulator -o {form} | evenkeel plan - --gcp emulator"
        );
        let piped = desk.shell(&both);
        assert_eq!(piped.code, 0, "{}", piped.err);
        assert!(piped.out.contains("18 unchanged"), "{}", piped.out);
    }
}

/// Nobody can read a private key back: the manifest says where one would be looked for, and stderr
/// says so too.
#[test]
fn the_key_of_a_certificate_stays_where_it_is() {
    let desk = Desk::new();
    let (_emulator, address) = emulator(&desk);
    let certificate = json!({
        "name": "own", "certificate": include_str!("wire/certificate.pem"),
        "privateKey": "-----BEGIN PRIVATE KEY-----\nQ0FOQVJZ\n-----END PRIVATE KEY-----\n",
    });
    let path = "/compute/v1/projects/netra-staging/global/sslCertificates";
    http(host(&address), "POST", path, &certificate.to_string());
    let arguments = [
        "export",
        "--project",
        PROJECT,
        "--gcp",
        &address,
        "--kind",
        "cert",
    ];
    let export = desk.run(&[&arguments[..], &["--output", "infra"]].concat());
    assert_eq!(export.code, 0, "{}", export.err);
    let place = "projects/netra-staging/secrets/own-key/versions/latest";
    let text = desk.read("infra/sslcertificates/own.yaml");
    assert!(
        text.starts_with("# nobody can read a private key back"),
        "{text}"
    );
    assert!(
        text.contains(&format!("secretManager: {place}\n")),
        "{text}"
    );
    assert!(text.contains("      certificate: |\n        -----BEGIN CERTIFICATE-----\n"));
    assert!(!text.contains("Q0FOQVJZ"));
    assert!(
        export
            .err
            .contains("note: cert/own: nobody can read a private key back")
    );
    let plan = desk.run(&["plan", "infra", "--gcp", &address]);
    assert_eq!(plan.code, 0, "{}", plan.out);
    assert!(plan.out.contains("2 unchanged"));
}

/// Nothing is exported from what could not be read in full, and each scope is named.
#[test]
fn a_scope_that_cannot_be_read_in_full_fails() {
    let desk = Desk::new();
    let (_emulator, address) = emulator(&desk);
    let export = |more: &[&str]| {
        let all = ["export", "--project", PROJECT, "--gcp", &address];
        desk.run(&[&all, more].concat())
    };
    let break_with = |faults: &str| {
        http(host(&address), "PUT", "/_emulator/faults", faults);
    };
    break_with(r#"[{"action": "unreachable-list"}]"#);
    for (kind, place) in [
        ("HealthCheck", "global"),
        ("BackendService", "global"),
        ("SslCertificate", "global"),
        ("RunService", "us-central1"),
        ("SqlInstance", "a part of the project"),
    ] {
        let failed = export(&["--kind", kind, "--output", "infra"]);
        assert_eq!(
            (failed.code, failed.out.as_str()),
            (1, ""),
            "{kind}: {}",
            failed.err
        );
        let what =
            format!("error: cannot read every {kind} of {PROJECT}: GCP could not reach {place}");
        assert!(failed.err.contains(&what), "{}", failed.err);
        assert!(failed.err.contains("note: nothing was exported"));
    }
    // One scope is enough, and the others are not written either.
    let faults = r#"[{"match": {"pathContains": "/aggregated/healthChecks"},
                     "action": {"error": {"status": 403, "reason": "forbidden", "message": "no"}}}]"#;
    break_with(faults);
    let failed = export(&["--output", "infra"]);
    assert_eq!(
        (failed.code, failed.out.as_str()),
        (1, ""),
        "{}",
        failed.err
    );
    assert!(
        failed.err.contains(
            "cannot read every HealthCheck of netra-staging: HTTP 403 PERMISSION_DENIED: no"
        ),
        "{}",
        failed.err
    );
    assert!(
        failed
            .err
            .contains("grant the permission, enable the API, or name the kinds to export")
    );
    assert!(!failed.err.contains("RunService"), "{}", failed.err);
    assert!(!desk.exists("infra"));
    // A region of connectors that does not answer is named too.
    let faults = r#"[{"match": {"pathContains": "/locations/us-east1/connectors"},
                     "action": {"error": {"status": 403, "message": "no"}}}]"#;
    break_with(faults);
    let failed = export(&["--kind", "vac"]);
    assert_eq!(failed.code, 1);
    assert!(failed.err.contains("in us-east1: no"), "{}", failed.err);
    assert_eq!(
        export(&["--kind", "vac", "--location", "us-central1"]).code,
        0
    );
}

/// A project that does not use an API has none of it, and is exported all the same.
#[test]
fn an_api_that_is_off_is_left_out_and_said() {
    let desk = Desk::new();
    let (_emulator, address) = emulator(&desk);
    let export = |more: &[&str]| {
        let all = ["export", "--project", PROJECT, "--gcp", &address];
        desk.run(&[&all, more].concat())
    };
    let off = |path: &str, api: &str, shape: &str, reason: &str| {
        let message = format!("{api} API has not been used in project 1 before or it is disabled.");
        json!({
            "match": {"pathContains": path},
            "action": {"error": {"status": 403, "shape": shape, "reason": reason, "message": message}},
        })
    };
    let break_with = |faults: &[Value]| {
        let faults = json!(faults).to_string();
        http(host(&address), "PUT", "/_emulator/faults", &faults);
    };
    let manager = off(
        "/locations/-/certificates",
        "Certificate Manager",
        "google",
        "SERVICE_DISABLED",
    );
    let compute = off(
        "/aggregated/",
        "Compute Engine",
        "compute",
        "accessNotConfigured",
    );
    break_with(&[manager.clone(), compute.clone()]);
    let spared = export(&["--output", "infra"]);
    assert_eq!(spared.code, 0, "{}", spared.err);
    for said in [
        "left out every ManagedCertificate: Certificate Manager API has not been used in project 1",
        "left out every HealthCheck, every BackendService, every SslCertificate: Compute Engine API",
        "hint: where Google names another project than netra-staging, that one lends its quota",
        "note: 14 resources: 1 VpcAccessConnector, 12 RunService, 1 SqlInstance",
    ] {
        assert!(spared.err.contains(said), "{said}: {}", spared.err);
    }
    assert_eq!(spared.out.lines().count(), 14);

    // Who asks for a kind wants to hear that it cannot be had; so does who borrows the quota.
    for more in [&["--kind", "vac,mcert"][..], &["--quota-project", "lender"]] {
        let failed = export(more);
        assert_eq!(
            (failed.code, failed.out.as_str()),
            (1, ""),
            "{}",
            failed.err
        );
        assert!(
            failed.err.contains(
                "cannot read every ManagedCertificate of netra-staging: HTTP 403 SERVICE_DISABLED"
            ),
            "{}",
            failed.err
        );
        assert!(failed.err.contains("enable the API"), "{}", failed.err);
    }
    // What else is wrong is not spared, and neither is a project without any API.
    let refused = json!({"match": {"pathContains": "/connectors"},
        "action": {"error": {"status": 403, "message": "no"}}});
    break_with(&[manager, compute, refused]);
    let failed = export(&[]);
    assert_eq!(failed.code, 1);
    assert!(
        failed.err.contains("every VpcAccessConnector"),
        "{}",
        failed.err
    );
    assert!(
        !failed.err.contains("every ManagedCertificate"),
        "{}",
        failed.err
    );
    break_with(&[off("/projects/", "Every", "google", "SERVICE_DISABLED")]);
    assert_eq!(export(&[]).code, 1);
}

/// Many certificates with DNS authorization are read at once; what is about to change is looked at closely.
#[test]
fn a_plan_over_many_managed_certificates_reads_by_list() {
    let desk = Desk::new();
    let (_emulator, address) = emulator(&desk);
    let place = format!("projects/{PROJECT}/locations/global");
    let post = |path: &str, body: Value| {
        http(
            host(&address),
            "POST",
            &format!("/v1/{place}/{path}"),
            &body.to_string(),
        );
    };
    let truth = |path: &str| http(host(&address), "GET", &format!("/v1/{place}/{path}"), "");
    let mut records = json!({});
    for number in 0..5 {
        let domain = format!("d{number}.example.com");
        post(
            &format!("dnsAuthorizations?dnsAuthorizationId=a{number}"),
            json!({"domain": domain}),
        );
        let record = truth(&format!("dnsAuthorizations/a{number}"))["dnsResourceRecord"].clone();
        records[record["name"].as_str().unwrap()] = record["data"].clone();
    }
    http(
        host(&address),
        "PUT",
        "/_emulator/dns",
        &records.to_string(),
    );
    for number in 0..5 {
        let managed = json!({"managed": {
            "domains": [format!("*.d{number}.example.com")],
            "dnsAuthorizations": [format!("{place}/dnsAuthorizations/a{number}")],
        }});
        post(&format!("certificates?certificateId=c{number}"), managed);
    }
    let export = [
        "export",
        "--project",
        PROJECT,
        "--gcp",
        &address,
        "--kind",
        "mcert",
    ];
    let export = desk.run(&[&export[..], &["--output", "infra"]].concat());
    assert_eq!(
        export.out.lines().count(),
        5,
        "{}{}",
        export.out,
        export.err
    );

    let sweeps = || {
        let log = http(host(&address), "GET", "/_emulator/requests", "");
        let all = log["requests"].as_array().unwrap().iter();
        let lists = all.filter(|one| {
            one["path"]
                .as_str()
                .unwrap()
                .ends_with("/global/certificates")
        });
        lists.filter(|one| one["method"] == "GET").count()
    };
    let plan = || {
        let before = sweeps();
        let plan = desk.run(&["plan", "infra", "--gcp", &address]);
        (plan, sweeps() - before)
    };
    let (settled, reads) = plan();
    assert_eq!((settled.code, reads), (0, 1), "{}", settled.out);
    assert!(settled.out.contains("5 unchanged"), "{}", settled.out);

    // A place that others have filled.
    post("certificateMaps?certificateMapId=front", json!({}));
    let others: Vec<String> = (1..5)
        .map(|number| format!("{place}/certificates/c{number}"))
        .collect();
    let full = json!({"hostname": "*.d0.example.com", "certificates": others});
    post(
        "certificateMaps/front/certificateMapEntries?certificateMapEntryId=full",
        full,
    );
    let file = "infra/managedcertificates/c0.yaml";
    let attach = "    attachTo: [{map: front, hostname: \"*.d0.example.com\"}]\n";
    desk.write(file, &format!("{}{attach}", desk.read(file)));
    let (blocked, reads) = plan();
    assert_eq!((blocked.code, reads), (1, 2), "{}", blocked.out);
    assert!(
        blocked.out.contains("GCP allows 4 certificates"),
        "{}",
        blocked.out
    );
    assert!(
        blocked.out.contains("1 blocked, 4 unchanged"),
        "{}",
        blocked.out
    );
}
