//! A session: let in or not, then queries until the client goes.

use std::collections::BTreeMap;
use std::io;

use tokio::io::AsyncWriteExt;

use super::message::{Out, text};
use super::query::{Known, known};
use super::read;
use crate::emulator::dataplane::serve::Stream;
use crate::emulator::dataplane::{Plane, pass};
use crate::emulator::traffic::session::{Admission, needs_password};

const FULL: &str =
    "remaining connection slots are reserved for non-replication superuser connections";

/// Gives the slot back, however the session ends.
struct Slot<'a> {
    plane: &'a Plane,
    database: &'a str,
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.plane.ask(|world| world.end_session(self.database));
    }
}

pub(super) async fn serve(
    plane: &Plane,
    mut stream: impl Stream,
    database: &str,
    parameters: &BTreeMap<String, String>,
) -> io::Result<()> {
    let role = parameters.get("user").map_or("", String::as_str);
    let password = if needs_password(role) {
        ask_password(&mut stream).await?
    } else {
        String::new()
    };
    let admission = plane.ask(|world| world.begin_session(database, role, &password));
    let mut out = Out::default();
    match admission {
        Admission::Admitted => {}
        Admission::Full => out.error("FATAL", "53300", FULL),
        Admission::Down => out.error("FATAL", "57P03", "the database system is starting up"),
        Admission::WrongPassword => {
            let text = format!("password authentication failed for user \"{role}\"");
            out.error("FATAL", "28P01", &text);
        }
    }
    if admission != Admission::Admitted {
        return send(&mut stream, &out).await;
    }
    let _slot = Slot { plane, database };
    out.message(b'R', &0_u32.to_be_bytes());
    for (name, value) in [
        ("server_version", "15.8"),
        ("server_encoding", "UTF8"),
        ("client_encoding", "UTF8"),
        ("DateStyle", "ISO, MDY"),
        ("integer_datetimes", "on"),
        ("standard_conforming_strings", "on"),
        ("TimeZone", "UTC"),
    ] {
        out.parameter(name, value);
    }
    // A process and a secret to cancel with: there is nothing to cancel.
    out.message(b'K', &[0, 0, 0, 1, 0, 0, 0, 0]);
    out.ready();
    send(&mut stream, &out).await?;
    Queries {
        plane,
        database,
        prepared: BTreeMap::new(),
        bound: BTreeMap::new(),
        failed: false,
    }
    .serve(&mut stream)
    .await
}

async fn send(stream: &mut impl Stream, out: &Out) -> io::Result<()> {
    stream.write_all(&out.bytes).await?;
    stream.flush().await
}

async fn ask_password(stream: &mut impl Stream) -> io::Result<String> {
    let mut out = Out::default();
    // AuthenticationCleartextPassword
    out.message(b'R', &3_u32.to_be_bytes());
    send(stream, &out).await?;
    match read(stream).await? {
        (b'p', content) => Ok(text(&content)
            .map(|(password, _)| password)
            .unwrap_or_default()),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

struct Queries<'a> {
    plane: &'a Plane,
    database: &'a str,
    /// Statements by name; the unnamed one too.
    prepared: BTreeMap<String, String>,
    /// Portals by name: the query, and whether its result is wanted in binary.
    bound: BTreeMap<String, (String, bool)>,
    /// Everything up to the next Sync is skipped.
    failed: bool,
}

/// Prepared statements and portals that one session may hold.
const NAMES_MAX: usize = 100;

impl Queries<'_> {
    async fn serve(&mut self, stream: &mut impl Stream) -> io::Result<()> {
        loop {
            let (kind, content) = read(stream).await?;
            let mut out = Out::default();
            match kind {
                b'X' => return Ok(()),
                b'Q' => {
                    let query = text(&content).map(|(query, _)| query).unwrap_or_default();
                    if !self
                        .run(&query, &mut out, |known, out| {
                            if matches!(known, Known::Row(_)) {
                                known.describe(out);
                            }
                            known.execute(false, out);
                        })
                        .await
                    {
                        return send(stream, &out).await;
                    }
                    out.ready();
                }
                b'S' => {
                    self.failed = false;
                    out.ready();
                }
                _ if self.failed => {}
                b'E' => {
                    let portal = text(&content).map(|(name, _)| name).unwrap_or_default();
                    let (query, binary) = self.bound.get(&portal).cloned().unwrap_or_default();
                    if !self
                        .run(&query, &mut out, |known, out| known.execute(binary, out))
                        .await
                    {
                        return send(stream, &out).await;
                    }
                }
                _ => self.extended(kind, &content, &mut out)?,
            }
            send(stream, &out).await?;
        }
    }

    /// Runs a query in its time. False when the server went down under it.
    async fn run(
        &mut self,
        query: &str,
        out: &mut Out,
        show: impl FnOnce(&Known, &mut Out),
    ) -> bool {
        let (seconds, connections) = self
            .plane
            .ask(|world| (world.query(self.database), world.connections(self.database)));
        let Some(seconds) = seconds else {
            let text = "terminating connection due to administrator command";
            out.error("FATAL", "57P01", text);
            return false;
        };
        pass(seconds).await;
        let known = known(query, connections);
        self.failed = known == Known::Unknown;
        show(&known, out);
        true
    }

    /// Parse, Bind, Describe, Close and Flush.
    fn extended(&mut self, kind: u8, content: &[u8], out: &mut Out) -> io::Result<()> {
        let invalid = || io::Error::from(io::ErrorKind::InvalidData);
        match kind {
            b'P' => {
                let (name, rest) = text(content).ok_or_else(invalid)?;
                let (query, _types) = text(rest).ok_or_else(invalid)?;
                bounded(&mut self.prepared)?;
                self.prepared.insert(name, query);
                out.message(b'1', &[]);
            }
            b'B' => {
                let (portal, rest) = text(content).ok_or_else(invalid)?;
                let (statement, rest) = text(rest).ok_or_else(invalid)?;
                let binary = wants_binary(rest).ok_or_else(invalid)?;
                let query = self.prepared.get(&statement).cloned().unwrap_or_default();
                bounded(&mut self.bound)?;
                self.bound.insert(portal, (query, binary));
                out.message(b'2', &[]);
            }
            b'D' => {
                let (what, rest) = content.split_first().ok_or_else(invalid)?;
                let (name, _) = text(rest).ok_or_else(invalid)?;
                let query = match what {
                    b'S' => self.prepared.get(&name).cloned(),
                    _ => self.bound.get(&name).map(|(query, _)| query.clone()),
                };
                let known = known(&query.unwrap_or_default(), (0, 0));
                if known == Known::Unknown {
                    self.failed = true;
                    known.execute(false, out);
                    return Ok(());
                }
                if *what == b'S' {
                    // No parameters.
                    out.message(b't', &0_u16.to_be_bytes());
                }
                known.describe(out);
            }
            b'C' => {
                let (what, rest) = content.split_first().ok_or_else(invalid)?;
                let (name, _) = text(rest).ok_or_else(invalid)?;
                match what {
                    b'S' => drop(self.prepared.remove(&name)),
                    _ => drop(self.bound.remove(&name)),
                }
                out.message(b'3', &[]);
            }
            b'H' => {}
            _ => return Err(invalid()),
        }
        Ok(())
    }
}

fn bounded<T>(names: &mut BTreeMap<String, T>) -> io::Result<()> {
    if names.len() < NAMES_MAX {
        return Ok(());
    }
    Err(io::Error::from(io::ErrorKind::OutOfMemory))
}

/// Whether a Bind asks for results in binary: after the parameters and their formats, of which probes send none.
fn wants_binary(rest: &[u8]) -> Option<bool> {
    let number = |bytes: &[u8], at: usize| -> Option<u16> {
        Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
    };
    let formats = usize::from(number(rest, 0)?);
    let mut at = 2 + 2 * formats;
    let parameters = number(rest, at)?;
    at += 2;
    for _ in 0..parameters {
        let length = i32::from_be_bytes(rest.get(at..at + 4)?.try_into().ok()?);
        at += 4 + usize::try_from(length).unwrap_or_default();
    }
    match number(rest, at)? {
        0 => Some(false),
        _ => Some(number(rest, at + 2)? == 1),
    }
}
