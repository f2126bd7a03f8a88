//! A real Postgres server (Debian: `postgresql`), where its programs are installed.

use super::certificates::Authority;
use super::support::{PATIENT, failures, max, never, probe, prober_error};
use evenkeel::core::check::ProberFault;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio_postgres::NoTls;

/// The folder of `initdb` and `postgres`.
fn programs() -> Option<PathBuf> {
    let listed = |folder: &str| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path().join("bin")).collect()
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(listed("/usr/lib/postgresql"));
    let mut found: Vec<PathBuf> = folders
        .filter(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file())
        .collect();
    found.sort();
    found.pop()
}

/// A server that ends with the test.
struct Database {
    child: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Drop for Database {
    fn drop(&mut self) {
        // SIGINT: an orderly end, without waiting for its clients.
        let id = self.child.id().to_string();
        let _ = Command::new("kill").args(["-INT", &id]).status();
        let _ = self.child.wait();
    }
}

/// Postgres does not run as root: as somebody else then.
fn unprivileged(program: &Path) -> Command {
    let root = String::from_utf8_lossy(&output("id", &["-u"])).trim() == "0";
    if !root {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"])
        .arg(program);
    command
}

fn output(program: &str, args: &[&str]) -> Vec<u8> {
    Command::new(program).args(args).output().unwrap().stdout
}

fn give_away(path: &Path) {
    let number = |flag| {
        let text = output("id", &[flag, "nobody"]);
        String::from_utf8_lossy(&text)
            .trim()
            .parse::<u32>()
            .unwrap()
    };
    // Without the right to do so there is nobody to give it to.
    let _ = chown(path, Some(number("-u")), Some(number("-g")));
}

/// A port that nobody has.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

impl Database {
    async fn start(authority: &Authority, programs: &Path) -> Database {
        let folder = tempfile::tempdir().unwrap();
        give_away(folder.path());
        let data = folder.path().join("data");
        let made = unprivileged(&programs.join("initdb"))
            .args(["--username=admin", "--auth=trust", "--no-sync", "-D"])
            .arg(&data)
            .current_dir("/")
            .output()
            .unwrap();
        let why = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "initdb: {why}");
        let (certificate, key) = authority.pem("127.0.0.1", 40);
        for (name, text, mode) in [
            ("pg_hba.conf", HBA.to_owned(), 0o600),
            ("server.crt", certificate, 0o600),
            ("server.key", key, 0o600),
        ] {
            let path = data.join(name);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
            give_away(&path);
        }
        let port = free_port();
        let log = folder.path().join("log");
        let child = unprivileged(&programs.join("postgres"))
            .arg("-D")
            .arg(&data)
            .args(["-h", "127.0.0.1", "-p", &port.to_string(), "-k"])
            .arg(folder.path())
            .args([
                "-c",
                "ssl=on",
                "-c",
                "fsync=off",
                "-c",
                "max_connections=30",
            ])
            .current_dir("/")
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut database = Database {
            child,
            port,
            _folder: folder,
        };
        database.prepare(&log).await;
        database
    }

    async fn admin(&self) -> Option<tokio_postgres::Client> {
        let config = format!(
            "host=127.0.0.1 port={} user=admin dbname=postgres",
            self.port
        );
        let (client, driver) = tokio_postgres::connect(&config, NoTls).await.ok()?;
        tokio::spawn(driver);
        Some(client)
    }

    async fn prepare(&mut self, log: &Path) {
        let said = || std::fs::read_to_string(log).unwrap_or_default();
        for _ in 0..600 {
            assert!(self.child.try_wait().unwrap().is_none(), "{}", said());
            if let Some(admin) = self.admin().await {
                let role = "CREATE ROLE probe LOGIN PASSWORD 'secret of KNOWN'";
                for text in [
                    role,
                    "CREATE DATABASE app OWNER probe",
                    "CREATE TABLE t (a int)",
                ] {
                    admin.batch_execute(text).await.unwrap();
                }
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the database did not start: {}", said());
    }

    fn source(&self, more: &str) -> String {
        format!(
            "postgres: {{host: 127.0.0.1, port: {}, database: app, user: probe, {more}}}",
            self.port
        )
    }

    /// With the right password, in the clear.
    fn plain(&self, more: &str) -> String {
        self.source(&format!(
            "passwordRef: {{env: KNOWN}}, tls: disable, {more}"
        ))
    }
}

const HBA: &str = "host all admin 127.0.0.1/32 trust\n\
                   host all probe 127.0.0.1/32 scram-sha-256\n";

#[tokio::test]
async fn a_real_database_is_probed_in_every_way() {
    let Some(programs) = programs() else {
        eprintln!("skipped: no initdb and postgres here (Debian: apt-get install postgresql)");
        return;
    };
    let authority = Authority::new();
    let database = Database::start(&authority, &programs).await;
    tls_modes(&database, &authority).await;
    credentials(&database).await;
    queries(&database).await;
    loads(&database).await;
}

async fn tls_modes(database: &Database, authority: &Authority) {
    let password = "passwordRef: {env: KNOWN}";
    let trusted = format!("verify-full, caRef: {}", authority.reference());
    for tls in ["disable", "prefer", "require", &trusted] {
        let source = database.source(&format!("{password}, tls: {tls}"));
        let window = probe(PATIENT, &source).await;
        assert_eq!(
            window.trues("ok"),
            Some(1),
            "{tls}: {:?}",
            failures(&window)
        );
        assert!(max(&window, "connect") < 20.0 && max(&window, "query") < 20.0);
    }
    let stranger = Authority::new();
    let other = format!("verify-full, caRef: {}", stranger.reference());
    let window = probe(
        PATIENT,
        &database.source(&format!("{password}, tls: {other}")),
    )
    .await;
    assert_eq!(window.trues("ok"), Some(0));
    assert!(
        failures(&window)[0].starts_with("1 tls: the certificate"),
        "{:?}",
        failures(&window)
    );
}

async fn credentials(database: &Database) {
    for (secret, says) in [
        (
            "passwordRef: {env: KNOWN_AS_OTHER}",
            "password authentication failed",
        ),
        (
            "passwordRef: {env: MISSING}",
            "environment variable MISSING is not there",
        ),
        ("", "password missing"),
    ] {
        let error = prober_error(
            PATIENT,
            &database.source(&format!("tls: disable, {secret}")),
        )
        .await;
        assert_eq!(error.fault, ProberFault::Credentials, "{error}");
        assert!(error.message.contains(says), "{error}");
        assert!(!error.to_string().contains("secret of"), "{error}");
    }
}

async fn queries(database: &Database) {
    let slow = probe(PATIENT, &database.plain("query: SELECT pg_sleep(0.2)")).await;
    assert!(max(&slow, "query") >= 0.2);
    let stuck = probe(HASTY_LOGIN, &database.plain("query: SELECT pg_sleep(60)")).await;
    assert_eq!(failures(&stuck), ["1 query: no answer within 3s"]);
    assert!(never(&stuck, "query") && !never(&stuck, "connect"));
    let many = "query: 'SELECT repeat(''x'', 1000) FROM generate_series(1, 5000)'";
    let many = probe(PATIENT, &database.plain(many)).await;
    assert_eq!(many.trues("ok"), Some(1), "{:?}", failures(&many));
    let missing = probe(PATIENT, &database.plain("query: SELECT 1 FROM nowhere")).await;
    let says = "1 query: relation \"nowhere\" does not exist (42P01)";
    assert_eq!(failures(&missing), [says]);

    // Only reads, one statement: nothing of a check changes a database.
    for (query, says) in [
        ("CREATE TABLE made (a int)", "read-only transaction"),
        (
            "SELECT 1; COMMIT; CREATE TABLE made (a int)",
            "multiple commands",
        ),
        ("SELEC 1", "syntax error"),
    ] {
        let source = database.plain(&format!("query: '{query}'"));
        let error = prober_error(PATIENT, &source).await;
        assert_eq!(error.fault, ProberFault::Invalid, "{error}");
        assert!(error.message.contains(says), "{error}");
    }
    let made = probe(PATIENT, &database.plain("query: SELECT 1 FROM made")).await;
    assert_eq!(made.trues("ok"), Some(0));
    let elsewhere = database
        .plain("query: SELECT 1")
        .replace("database: app", "database: none");
    let elsewhere = probe(PATIENT, &elsewhere).await;
    assert_eq!(
        failures(&elsewhere),
        ["1 login: database \"none\" does not exist (3D000)"]
    );
}

async fn loads(database: &Database) {
    let window = probe(PATIENT, &database.plain("connections: 20")).await;
    assert_eq!(
        (window.samples(), window.trues("ok")),
        (20, Some(20)),
        "{:?}",
        failures(&window)
    );
    // Of 30 connections, 3 are kept for administrators; all are held until the last query.
    let window = probe(PATIENT, &database.plain("connections: 50")).await;
    let ok = window.trues("ok").unwrap();
    assert!((1..=30).contains(&ok), "{ok} of 50");
    let said = failures(&window);
    assert!(said.iter().all(|text| text.contains("(53300)")), "{said:?}");
}

/// Time for a login on a busy machine, and none for a query that never ends.
const HASTY_LOGIN: &str = "3s";
