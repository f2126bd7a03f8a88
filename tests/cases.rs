//! Golden transcripts: what people type, and all that they see. `TRYCMD=overwrite cargo test --test
//! cases` writes them anew; read the difference before it is committed.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

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
