//! Cloud SQL Admin: how an instance changes, what is refused, and in which words. Secrets, which databases need,
//! are here too.

mod wire;

use bytes::Bytes;
use evenkeel::emulator::{
    Action, Emulator, ErrorFault, FaultRule, Leaves, Options, Quota, Scenario, Timing,
};
use serde_json::{Value, json};
use wire::client::{Gcp, Reply};

const INSTANCES: &str = "/v1/projects/p1/instances";
const DB: &str = "/v1/projects/p1/instances/db";
const NETRA: &str = "/v1/projects/netra-staging/instances/netra-db";
const BETA: &str = "/sql/v1beta4/projects/netra-staging/instances/netra-db";
const PASSWORD: &str =
    "/v1/projects/netra-staging/secrets/netra-db-password/versions/latest:access";

fn instance(name: &str) -> Value {
    json!({
        "name": name, "databaseVersion": "POSTGRES_15", "region": "us-central1",
        "settings": {"tier": "db-custom-2-7680", "dataDiskSizeGb": "20"},
    })
}

fn settings(settings: &Value) -> Value {
    json!({"settings": settings})
}

fn operation(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{}", reply.text);
    format!(
        "/v1/projects/{}/operations/{}",
        reply.body["targetProject"].as_str().unwrap(),
        reply.body["name"].as_str().unwrap()
    )
}

fn db() -> Gcp {
    let mut gcp = Gcp::new(Scenario::Empty);
    gcp.post(INSTANCES, instance("db"));
    gcp.wait(120);
    assert_eq!(gcp.get(DB).body["state"], "RUNNABLE");
    gcp
}

fn refused(reply: &Reply, status: u16, reason: &str, words: &str) {
    assert_eq!(reply.status, status, "{}", reply.text);
    assert_eq!(reply.body["error"]["errors"][0]["reason"], reason);
    assert!(reply.message().contains(words), "{}", reply.message());
}

#[test]
fn an_insert_boots_an_instance() {
    let mut gcp = Gcp::new(Scenario::Empty);
    let started = gcp.post(INSTANCES, instance("db"));
    let path = operation(&started);
    assert_eq!(
        (
            &started.body["status"],
            &started.body["operationType"],
            started.body.get("startTime")
        ),
        (&json!("PENDING"), &json!("CREATE"), None)
    );
    assert_eq!(gcp.get(DB).body["state"], "PENDING_CREATE");
    gcp.wait(60);
    assert_eq!(gcp.get(&path).body["status"], "RUNNING");
    gcp.wait(60);
    let over = gcp.get(&path).body;
    assert_eq!(
        (&over["status"], &over["endTime"]),
        (&json!("DONE"), &json!("2026-11-23T10:02:00Z"))
    );
    let made = gcp.get(DB).body;
    assert_eq!(made["connectionName"], "p1:us-central1:db");
    assert_eq!(
        made["selfLink"],
        "https://sqladmin.googleapis.com/v1/projects/p1/instances/db"
    );
    let settings = &made["settings"];
    assert_eq!(
        (
            &settings["kind"],
            &settings["settingsVersion"],
            &settings["storageAutoResize"],
            &settings["dataDiskSizeGb"]
        ),
        (
            &json!("sql#settings"),
            &json!("1"),
            &json!(true),
            &json!("20")
        )
    );
    assert_eq!(made["ipAddresses"][0]["type"], "PRIMARY");
    refused(
        &gcp.post(INSTANCES, instance("db")),
        409,
        "instanceAlreadyExists",
        "already exists",
    );
}

#[test]
fn a_patch_merges_and_flags_are_replaced_whole() {
    let mut gcp = Gcp::new(Scenario::NetraStaging);
    let before = gcp.get(NETRA).body;
    assert_eq!(
        before["settings"]["databaseFlags"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let flags = json!([{"name": "log_min_duration_statement", "value": "250"}, {"name": "max_connections", "value": "200"}]);
    let path = operation(&gcp.patch(NETRA, settings(&json!({"databaseFlags": flags}))));
    assert_eq!(
        gcp.get(NETRA).body["state"],
        "RUNNABLE",
        "no flag here restarts"
    );
    gcp.wait(4);
    assert_eq!(gcp.get(&path).body["status"], "DONE");
    let after = gcp.get(NETRA).body;
    assert_eq!(
        (
            &after["settings"]["databaseFlags"],
            &after["settings"]["settingsVersion"]
        ),
        (&flags, &json!("8"))
    );
    assert_eq!(
        (&after["settings"]["tier"], &after["settings"]["userLabels"]),
        (&json!("db-custom-2-7680"), &json!({"env": "staging"}))
    );
    assert_ne!(after["etag"], before["etag"]);
    gcp.patch(
        NETRA,
        settings(&json!({"userLabels": {"env": null, "team": "a"}, "databaseFlags": null})),
    );
    assert_eq!(
        gcp.get(NETRA).body["state"],
        "MAINTENANCE",
        "max_connections is gone"
    );
    gcp.wait(60);
    let after = gcp.get(NETRA).body;
    assert_eq!(
        (
            &after["settings"]["userLabels"],
            after["settings"].get("databaseFlags")
        ),
        (&json!({"team": "a"}), None)
    );
}

#[test]
fn a_tier_change_restarts() {
    let mut gcp = Gcp::new(Scenario::NetraStaging);
    let body = json!({"kind": "sql#instance", "name": "netra-db", "project": "netra-staging",
        "settings": {"kind": "sql#settings", "tier": "db-custom-4-15360"}});
    let started = gcp.patch(BETA, body);
    assert_eq!(
        started.body["targetLink"],
        format!("https://sqladmin.googleapis.com{BETA}")
    );
    let busy = gcp.get(BETA).body;
    assert_eq!(
        (&busy["state"], &busy["settings"]["tier"]),
        (&json!("MAINTENANCE"), &json!("db-custom-2-7680"))
    );
    for reply in [gcp.patch(NETRA, settings(&json!({}))), gcp.delete(NETRA)] {
        refused(
            &reply,
            409,
            "operationInProgress",
            "Operation failed because another operation was already in progress.",
        );
    }
    gcp.wait(60);
    let after = gcp.get(NETRA).body;
    assert_eq!(
        (&after["state"], &after["settings"]["tier"]),
        (&json!("RUNNABLE"), &json!("db-custom-4-15360"))
    );
}

#[test]
fn a_settings_version_that_is_not_the_latest_is_refused() {
    let mut gcp = Gcp::new(Scenario::NetraStaging);
    let change = |version: &str| {
        settings(&json!({"settingsVersion": version, "availabilityType": "REGIONAL"}))
    };
    refused(
        &gcp.patch(NETRA, change("6")),
        412,
        "staleData",
        "Condition does not match.",
    );
    assert_eq!(gcp.patch(NETRA, change("7")).status, 200);
    gcp.wait(4);
    refused(
        &gcp.patch(NETRA, change("7")),
        412,
        "staleData",
        "Condition",
    );

    let mut whole = gcp.get(NETRA).body;
    whole["settings"]
        .as_object_mut()
        .unwrap()
        .remove("databaseFlags");
    let put = |body: &Value| {
        gcp.send_raw("PUT", NETRA, Bytes::from(body.to_string()), &[])
            .unwrap()
    };
    let mut without = whole.clone();
    without["settings"]
        .as_object_mut()
        .unwrap()
        .remove("settingsVersion");
    refused(&put(&without), 400, "invalid", "settingsVersion");
    assert_eq!(put(&whole).status, 200);
    gcp.wait(60);
    let after = gcp.get(NETRA).body;
    assert_eq!(
        (
            after["settings"].get("databaseFlags"),
            &after["settings"]["settingsVersion"]
        ),
        (None, &json!("9"))
    );
}

#[test]
fn what_cannot_be_is_refused() {
    let mut gcp = db();
    let cases = [
        (
            json!({"dataDiskSizeGb": "15"}),
            "Disk size cannot be decreased: it is 20 GB, requested 15 GB.",
        ),
        (
            json!({"tier": "db-custom-3-7680"}),
            "Invalid Tier (db-custom-3-7680) for (ENTERPRISE) Edition.",
        ),
        (json!({"tier": "db-custom-2-7000"}), "Invalid Tier"),
        (json!({"tier": "db-custom-2-1024"}), "Invalid Tier"),
        (json!({"tier": "huge"}), "Invalid Tier"),
        (
            json!({"dataDiskSizeGb": "65537"}),
            "between 10 GB and 65536 GB",
        ),
        (
            json!({"databaseFlags": [{"name": "a", "value": "1"}, {"name": "a", "value": "2"}]}),
            "Invalid flag",
        ),
    ];
    for (change, words) in cases {
        refused(&gcp.patch(DB, settings(&change)), 400, "invalid", words);
    }
    let whole = [
        (
            json!({"region": "europe-west1"}),
            "region of an instance cannot be changed",
        ),
        (
            json!({"databaseVersion": "MYSQL_8_0"}),
            "engine of an instance cannot be changed",
        ),
    ];
    for (change, words) in whole {
        refused(&gcp.patch(DB, change), 400, "invalid", words);
    }
    let mut small = instance("small");
    small["settings"]["dataDiskSizeGb"] = json!("9");
    refused(&gcp.post(INSTANCES, small), 400, "invalid", "between 10 GB");
    refused(
        &gcp.post(INSTANCES, instance("Upper")),
        400,
        "invalid",
        "Invalid instance name (Upper).",
    );
    let unknown = gcp.patch(DB, json!({"settings": {"size": 1}}));
    refused(&unknown, 400, "badRequest", "Unknown name \"size\"");
    assert_eq!(
        gcp.patch(DB, settings(&json!({"dataDiskSizeGb": "20"})))
            .status,
        200,
        "the same size is fine"
    );
    gcp.wait(4);
    let missing = gcp.get("/v1/projects/p1/instances/other");
    refused(
        &missing,
        404,
        "instanceDoesNotExist",
        "The Cloud SQL instance does not exist.",
    );
    assert_eq!(gcp.get("/v1/projects/p1/operations/other").status, 404);
}

#[test]
fn a_deleted_name_stays_taken() {
    let mut gcp = db();
    gcp.patch(DB, settings(&json!({"deletionProtectionEnabled": true})));
    gcp.wait(4);
    refused(
        &gcp.delete(DB),
        400,
        "invalid",
        "The instance is protected.",
    );
    gcp.patch(DB, settings(&json!({"deletionProtectionEnabled": false})));
    gcp.wait(4);
    let path = operation(&gcp.delete(DB));
    assert_eq!(gcp.get(DB).body["state"], "PENDING_DELETE");
    gcp.wait(60);
    assert_eq!(gcp.get(&path).body["operationType"], "DELETE");
    refused(
        &gcp.get(DB),
        403,
        "notAuthorized",
        "The client is not authorized to make this request.",
    );
    assert_eq!(
        gcp.get(INSTANCES).body,
        json!({"kind": "sql#instancesList"})
    );
    refused(
        &gcp.post(INSTANCES, instance("db")),
        409,
        "instanceAlreadyExists",
        "one week",
    );
    gcp.wait(7 * 24 * 3600);
    assert_eq!(gcp.get(DB).status, 404);
    assert_eq!(gcp.post(INSTANCES, instance("db")).status, 200);
}

#[test]
fn storage_grows_by_itself() {
    let gcp = Gcp::new(Scenario::NetraStaging);
    let grow = |gb: i64| gcp.post("/_emulator/disk", json!({"name": NETRA, "gb": gb}));
    assert_eq!(grow(40).status, 400);
    assert_eq!(grow(60).status, 200);
    let after = gcp.get(NETRA).body;
    assert_eq!(
        (
            &after["settings"]["dataDiskSizeGb"],
            &after["settings"]["settingsVersion"]
        ),
        (&json!("60"), &json!("7"))
    );
    refused(
        &gcp.patch(NETRA, settings(&json!({"dataDiskSizeGb": "50"}))),
        400,
        "invalid",
        "decreased",
    );
}

#[test]
fn lists_are_paged_and_filtered() {
    let mut gcp = Gcp::new(Scenario::Empty);
    for name in ["a", "b", "c"] {
        gcp.post(INSTANCES, instance(name));
        gcp.wait(1);
    }
    let first = gcp.get(&format!("{INSTANCES}?maxResults=2")).body;
    assert_eq!(first["items"].as_array().unwrap().len(), 2);
    let token = first["nextPageToken"].as_str().unwrap();
    let rest = gcp
        .get(&format!("{INSTANCES}?maxResults=2&pageToken={token}"))
        .body;
    assert_eq!(
        (&rest["items"][0]["name"], rest.get("nextPageToken")),
        (&json!("c"), None)
    );
    let count = |filter: &str| {
        gcp.get(&format!("{INSTANCES}?filter={filter}")).body["items"]
            .as_array()
            .map_or(0, Vec::len)
    };
    assert_eq!(
        [
            count("name:b"),
            count("name:a%20OR%20name:c"),
            count("name:a%20state:RUNNABLE"),
            count("settings.tier:db-custom-2-7680")
        ],
        [1, 2, 0, 3]
    );
    assert_eq!(gcp.get(&format!("{INSTANCES}?filter=nonsense")).status, 400);

    let operations = gcp.get("/v1/projects/p1/operations?maxResults=2").body;
    assert_eq!(
        operations["items"][0]["targetId"], "c",
        "the latest comes first"
    );
    let token = operations["nextPageToken"].as_str().unwrap();
    let rest = gcp
        .get(&format!("/v1/projects/p1/operations?pageToken={token}"))
        .body;
    assert_eq!(rest["items"][0]["targetId"], "a");
    let one = gcp.get("/v1/projects/p1/operations?instance=b").body;
    assert_eq!(one["items"].as_array().unwrap().len(), 1);
    gcp.emulator
        .set_faults(vec![FaultRule::new(Action::UnreachableList)]);
    assert_eq!(
        gcp.get(INSTANCES).body["warnings"][0]["code"],
        "REGION_UNREACHABLE"
    );
}

#[test]
fn operations_fail_in_the_dialect_of_sql() {
    let mut gcp = db();
    let fail = |leaves| Action::FailOperation {
        code: 13,
        message: "Out of capacity.".to_owned(),
        leaves,
    };
    gcp.emulator
        .set_faults(vec![FaultRule::new(fail(Leaves::Ready)).times(1)]);
    let path = operation(&gcp.patch(DB, settings(&json!({"tier": "db-custom-4-15360"}))));
    gcp.wait(60);
    let error = gcp.get(&path).body["error"].clone();
    assert_eq!(
        error,
        json!({"kind": "sql#operationErrors", "errors": [{"kind": "sql#operationError", "code": "INTERNAL_ERROR", "message": "Out of capacity."}]})
    );
    let after = gcp.get(DB).body;
    assert_eq!(
        (&after["state"], &after["settings"]["tier"]),
        (&json!("RUNNABLE"), &json!("db-custom-2-7680"))
    );
    gcp.emulator
        .set_faults(vec![FaultRule::new(fail(Leaves::Error)).times(1)]);
    gcp.post(INSTANCES, instance("broken"));
    gcp.wait(120);
    assert_eq!(
        gcp.get(&format!("{INSTANCES}/broken")).body["state"],
        "FAILED"
    );
    gcp.emulator
        .set_faults(vec![FaultRule::new(Action::IgnoreWrite)]);
    gcp.patch(DB, settings(&json!({"tier": "db-custom-4-15360"})));
    gcp.wait(60);
    assert_eq!(gcp.get(DB).body["settings"]["settingsVersion"], "1");
    gcp.emulator.set_faults(Vec::new());
    gcp.emulator.set_quota(Quota {
        reads_per_minute: 1,
        writes_per_minute: 1,
    });
    gcp.get(DB);
    refused(&gcp.get(DB), 429, "rateLimitExceeded", "Quota exceeded");
}

#[test]
fn another_writer_changes_an_instance() {
    let gcp = Gcp::new(Scenario::NetraStaging);
    let fields = settings(&json!({"databaseFlags": [], "dataDiskSizeGb": "30"}));
    gcp.emulator.foreign_patch(gcp.now, NETRA, &fields).unwrap();
    let after = gcp.get(NETRA).body;
    assert_eq!(
        (
            &after["settings"]["dataDiskSizeGb"],
            &after["settings"]["settingsVersion"]
        ),
        (&json!("30"), &json!("8"))
    );
    assert!(gcp.emulator.requests()[0].foreign);
    gcp.emulator.foreign_delete(gcp.now, NETRA).unwrap();
    assert_eq!(gcp.get(NETRA).status, 404);
}

#[test]
fn passwords_stay_out_of_the_log() {
    let gcp = Gcp::new(Scenario::Empty);
    let mut body = instance("db");
    body["rootPassword"] = json!("hunter2");
    gcp.post(INSTANCES, body);
    assert!(!gcp.emulator.snapshot().to_string().contains("hunter2"));
    assert_eq!(gcp.get(DB).body.get("rootPassword"), None);
}

#[test]
fn a_snapshot_goes_on_with_the_operation_at_hand() {
    let start = || Gcp::timed(Scenario::NetraStaging, 11, Timing::realistic());
    let script = |gcp: &mut Gcp| {
        gcp.patch(NETRA, settings(&json!({"tier": "db-custom-4-15360"})));
        gcp.wait(20);
    };
    let end = |gcp: &mut Gcp| {
        gcp.wait(300);
        (
            gcp.get(NETRA).body,
            gcp.get("/v1/projects/netra-staging/operations").body,
        )
    };
    let (mut whole, mut other) = (start(), start());
    script(&mut whole);
    script(&mut other);
    let mut copy = Gcp {
        now: other.now,
        ..Gcp::around(Emulator::new(Options::default()))
    };
    copy.emulator.restore(&other.emulator.snapshot()).unwrap();
    let ended = end(&mut whole);
    assert_eq!(ended, end(&mut copy));
    assert_eq!(ended.0["settings"]["tier"], "db-custom-4-15360");
}

#[test]
fn secrets_are_read_and_shown_nowhere_else() {
    let gcp = Gcp::new(Scenario::NetraStaging);
    let read = gcp.get(PASSWORD).body;
    assert!(
        read["name"]
            .as_str()
            .unwrap()
            .ends_with("/secrets/netra-db-password/versions/1")
    );
    assert_eq!(read["payload"]["data"], "YS1tYWRlLXVwLXBhc3N3b3Jk");
    let name = "projects/netra-staging/secrets/netra-db-password";
    let set = gcp.call(
        "PUT",
        "/_emulator/secrets",
        json!({name: "123456789", "projects/netra-staging/secrets/other": "x"}),
    );
    assert_eq!(
        set.body,
        json!([name, "projects/netra-staging/secrets/other"])
    );
    let read = gcp.get(PASSWORD).body;
    assert_eq!(
        read["payload"],
        json!({"data": "MTIzNDU2Nzg5", "dataCrc32c": "3808858755"})
    );
    assert_eq!(
        gcp.get(&PASSWORD.replace("latest", "1")).body["payload"]["data"],
        "YS1tYWRlLXVwLXBhc3N3b3Jk"
    );
    for (path, words) in [
        (PASSWORD.replace("latest", "3"), "Secret Version ["),
        (
            PASSWORD.replace("netra-db", "no"),
            "not found or has no versions.",
        ),
    ] {
        let missing = gcp.get(&path);
        assert_eq!((missing.status, missing.rpc()), (404, "NOT_FOUND"));
        assert!(missing.message().contains(words), "{}", missing.message());
    }
    gcp.emulator.set_faults(vec![
        FaultRule::new(Action::Error(ErrorFault {
            status: 403,
            ..ErrorFault::default()
        }))
        .on("GET", ":access")
        .times(1),
    ]);
    assert_eq!(gcp.get(PASSWORD).rpc(), "PERMISSION_DENIED");
    let world = gcp.get("/_emulator/world").text;
    let log = gcp.get("/_emulator/requests").text;
    for secret in ["123456789", "MTIzNDU2Nzg5", "a-made-up-password"] {
        assert!(!world.contains(secret) && !log.contains(secret));
    }
    let snapshot = gcp.emulator.snapshot();
    assert!(snapshot.to_string().contains("\"sensitive\":\"123456789\""));
    let copy = Gcp::around(Emulator::new(Options::default()));
    copy.emulator.restore(&snapshot).unwrap();
    assert_eq!(copy.get(PASSWORD).body["payload"]["data"], "MTIzNDU2Nzg5");
}
