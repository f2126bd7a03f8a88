//! The control calls of an emulator in another process.

use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;

/// One exchange with the emulator at `address`, `127.0.0.1:PORT`.
pub fn http(address: &str, method: &str, path: &str, body: &str) -> Value {
    let mut stream = TcpStream::connect(address).expect("the emulator listens");
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .expect("sent");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).expect("a reply");
    let json = reply.find("\r\n\r\n").map_or("", |at| &reply[at + 4..]);
    let start = json.find(['{', '[']).unwrap_or(0);
    let end = json.rfind(['}', ']']).map_or(json.len(), |at| at + 1);
    serde_json::from_str(&json[start..end]).unwrap_or(Value::Null)
}
