//! Golden transcripts: what people type, and all that they see. `TRYCMD=overwrite cargo test --test
//! cases` writes them anew; read the difference before it is committed.

use bytes::Bytes;
use evenkeel::emulator::{Emulator, Options, Outcome, Scenario, Timing};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;

#[test]
fn transcripts() {
    // A state file of the repository must not show in them.
    let empty = tempfile::TempDir::new().unwrap();
    let state = empty.path().join("state.db");
    let receiver = receiver();
    trycmd::TestCases::new()
        .env("EVENKEEL_STATE", state.to_string_lossy())
        .env("EVENKEEL_GCP", "emulator")
        .env("CASES_HOOK", format!("{receiver}/services/T0/B0/x1"))
        .env("CASES_REVOKED_HOOK", format!("{receiver}/revoked"))
        .env("COLUMNS", "100")
        .case("tests/cases/*.md");
}

/// In a world where people have been at work: a connector has grown, and a wildcard serves. Transcripts run side by
/// side, so each has a world of its own.
#[test]
fn transcripts_of_a_world_that_lives() {
    for transcript in std::fs::read_dir("tests/cases/live").unwrap() {
        let folder = tempfile::TempDir::new().unwrap();
        let state = folder.path().join("state.db");
        people_at_work(&state);
        trycmd::TestCases::new()
            .env("EVENKEEL_STATE", state.to_string_lossy())
            .env("EVENKEEL_GCP", "emulator")
            .env("COLUMNS", "100")
            .case(transcript.unwrap().path());
    }
}

fn people_at_work(state: &Path) {
    let options = Options {
        scenario: Scenario::NetraStaging,
        seed: 0,
        timing: Timing::instant(),
    };
    let emulator =
        Emulator::open(options, state.with_file_name("emulator-netra-staging.json")).unwrap();
    let connector = "projects/netra-staging/locations/us-central1/connectors/staging-connector";
    let grown = json!({"minInstances": 3, "maxInstances": 6});
    emulator
        .foreign_patch(Timestamp::now(), connector, &grown)
        .unwrap();

    let place = "projects/netra-staging/locations/global";
    let call = |method: &str, path: &str, body: &Value| -> Value {
        let request = http::Request::builder()
            .method(method)
            .uri(format!("http://127.0.0.1/v1/{place}/{path}"))
            .body(match body {
                Value::Null => Bytes::new(),
                body => Bytes::from(body.to_string()),
            })
            .unwrap();
        let Outcome::Reply(reply) = emulator.handle(Timestamp::now(), &request).outcome else {
            panic!("{path}: no reply");
        };
        assert!(reply.status().is_success(), "{path}: {:?}", reply.body());
        serde_json::from_slice(reply.body()).unwrap()
    };
    let authorization = json!({"domain": "shop.example.com"});
    call(
        "POST",
        "dnsAuthorizations?dnsAuthorizationId=shop",
        &authorization,
    );
    let made = call("GET", "dnsAuthorizations/shop", &Value::Null);
    let text = |field: &str| {
        made["dnsResourceRecord"][field]
            .as_str()
            .unwrap()
            .to_owned()
    };
    emulator.set_dns(BTreeMap::from([(text("name"), text("data"))]));
    let certificate = json!({"managed": {
        "domains": ["*.shop.example.com"],
        "dnsAuthorizations": [format!("{place}/dnsAuthorizations/shop")],
    }});
    call("POST", "certificates?certificateId=shop", &certificate);
    call("POST", "certificateMaps?certificateMapId=front", &json!({}));
    let entry = json!({"hostname": "*.shop.example.com", "certificates": [format!("{place}/certificates/shop")]});
    call(
        "POST",
        "certificateMaps/front/certificateMapEntries?certificateMapEntryId=by-hand",
        &entry,
    );
}

/// Somebody who takes messages, and says no at `/revoked`.
fn receiver() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            answer(stream.unwrap());
        }
    });
    address
}

fn answer(mut stream: TcpStream) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first).unwrap();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    reader.read_exact(&mut vec![0; length]).unwrap();
    let (status, body) = if first.contains("/revoked") {
        ("404 Not Found", "no_service")
    } else {
        ("200 OK", "ok")
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
    .unwrap();
}
