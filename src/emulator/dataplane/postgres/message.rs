//! Messages: their frames, and those that a server sends.

use std::collections::BTreeMap;
use std::io;

use tokio::io::AsyncReadExt;

use crate::emulator::dataplane::serve::Stream;

/// No message of a probe is longer.
const LENGTH_MAX: u32 = 64 * 1024;

const PROTOCOL: u32 = 3 << 16;
const CANCEL: u32 = 80_877_102;
const TLS: u32 = 80_877_103;
const GSS: u32 = 80_877_104;

/// How a connection begins.
#[derive(Debug)]
pub(super) enum Startup {
    Session(BTreeMap<String, String>),
    Tls,
    Gss,
    Cancel,
}

pub(super) async fn read_startup(stream: &mut (impl Stream + ?Sized)) -> io::Result<Startup> {
    let length = stream.read_u32().await?;
    let content = content(stream, length).await?;
    let (code, rest) = content
        .split_at_checked(4)
        .ok_or(io::ErrorKind::InvalidData)?;
    let code = u32::from_be_bytes(code.try_into().map_err(|_| io::ErrorKind::InvalidData)?);
    match code {
        CANCEL => Ok(Startup::Cancel),
        TLS => Ok(Startup::Tls),
        GSS => Ok(Startup::Gss),
        // Minor versions of 3 may be offered; they are the same here.
        version if version >> 16 == PROTOCOL >> 16 => Ok(Startup::Session(parameters(rest))),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// What follows a length, which counts itself.
pub(super) async fn content(
    stream: &mut (impl Stream + ?Sized),
    length: u32,
) -> io::Result<Vec<u8>> {
    if !(4..=LENGTH_MAX).contains(&length) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut content = vec![0; length as usize - 4];
    stream.read_exact(&mut content).await?;
    Ok(content)
}

/// Names and values in turn, each ended by a zero.
fn parameters(bytes: &[u8]) -> BTreeMap<String, String> {
    let texts = bytes.split(|byte| *byte == 0).map(String::from_utf8_lossy);
    let texts: Vec<_> = texts.collect();
    let pairs = texts.chunks_exact(2).take_while(|pair| !pair[0].is_empty());
    pairs
        .map(|pair| (pair[0].to_string(), pair[1].to_string()))
        .collect()
}

/// The text up to a zero, and what follows it.
pub(super) fn text(bytes: &[u8]) -> Option<(String, &[u8])> {
    let end = bytes.iter().position(|byte| *byte == 0)?;
    let text = String::from_utf8_lossy(bytes.get(..end)?).into_owned();
    Some((text, bytes.get(end + 1..)?))
}

/// Messages to send, one after the other.
#[derive(Debug, Default)]
pub(super) struct Out {
    pub bytes: Vec<u8>,
}

impl Out {
    pub fn message(&mut self, kind: u8, content: &[u8]) {
        self.bytes.push(kind);
        let length = u32::try_from(content.len() + 4).unwrap_or(u32::MAX);
        self.bytes.extend(length.to_be_bytes());
        self.bytes.extend(content);
    }

    pub fn parameter(&mut self, name: &str, value: &str) {
        self.message(b'S', format!("{name}\0{value}\0").as_bytes());
    }

    /// Idle: queries are welcome.
    pub fn ready(&mut self) {
        self.message(b'Z', b"I");
    }

    /// An error by its SQLSTATE; `severity` is ERROR or FATAL.
    pub fn error(&mut self, severity: &str, code: &str, message: &str) {
        let fields = format!("S{severity}\0V{severity}\0C{code}\0M{message}\0\0");
        self.message(b'E', fields.as_bytes());
    }
}
