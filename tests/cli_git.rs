//! Git at the command line: a commit reaches GCP, a push is taken up at once, and two revisions are
//! compared.

mod cli_support;
#[path = "git/repository.rs"]
mod repository;

use cli_support::{Desk, Process};
use hmac::{Hmac, KeyInit, Mac};
use repository::{Daemon, Repository, health_check};
use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::time::{Duration, Instant};

const SECRET: &str = "hook-secret";

/// An operator that follows a repository through `git daemon`, and where it listens.
struct Followed {
    desk: Desk,
    repository: Repository,
    operator: Process,
    address: String,
    _daemon: Daemon,
    _emulator: Process,
}

impl Followed {
    fn new() -> Option<Followed> {
        let repository = Repository::new();
        let daemon = Daemon::start(repository.folder.path())?;
        let desk = Desk::new();
        desk.write("secret", SECRET);
        let emulator = desk.start(&["emulator", "--listen", "127.0.0.1:0", "--timing", "instant"]);
        let gcp = emulator.wait_for("http://");
        let url = daemon.url("keel");
        let arguments = [
            "run",
            "--git-url",
            &url,
            "--git-path",
            "infra",
            "--git-interval",
            "1h",
            "--git-webhook-secret",
            "file:secret",
            "--listen",
            "127.0.0.1:0",
            "--gcp",
            &gcp,
        ];
        let operator = desk.start(&arguments);
        let line = operator.wait_for("serves ");
        let (_, address) = line.split_once("http://").unwrap();
        let address = address.split('/').next().unwrap().to_owned();
        operator.wait_for("1 of 1 ready");
        Some(Followed {
            desk,
            repository,
            operator,
            address,
            _daemon: daemon,
            _emulator: emulator,
        })
    }

    fn commit(&self, seconds: u32) -> String {
        self.repository
            .write("infra/a.yaml", &health_check("a", seconds));
        self.repository.commit(&format!("{seconds}"))
    }

    /// Tells the operator of a push, with a signature by this secret.
    fn push(&self, secret: &str) -> u16 {
        let body = "{}";
        let mut digest = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        digest.update(body.as_bytes());
        let mut signature = String::new();
        for byte in digest.finalize().into_bytes() {
            write!(signature, "{byte:02x}").unwrap();
        }
        self.post(
            &format!("X-Hub-Signature-256: sha256={signature}\r\n"),
            body,
        )
    }

    fn post(&self, headers: &str, body: &str) -> u16 {
        let mut stream = std::net::TcpStream::connect(&self.address).unwrap();
        let length = body.len();
        write!(
            stream,
            "POST /hooks/git HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n{body}",
            self.address
        )
        .unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        reply.split(' ').nth(1).unwrap().parse().unwrap()
    }
}

#[test]
fn a_push_is_applied_and_the_status_says_which_commit() {
    let Some(followed) = Followed::new() else {
        return;
    };
    // Only who knows the secret has the repository looked at.
    let commit = followed.commit(11);
    assert_eq!(followed.post("", "{}"), 401);
    assert_eq!(followed.push("another secret"), 401);
    assert_eq!(followed.push(SECRET), 202);
    followed.operator.wait_for("checkIntervalSec 11");
    followed.operator.wait_for("1 of 1 ready");
    let status = followed.desk.json(&["get", "-o", "json"]).to_string();
    assert!(status.contains(&format!("main@sha1:{commit}")), "{status}");

    // A commit that does not load changes nothing and is explained.
    followed.repository.write("infra/a.yaml", "kind: [");
    followed.repository.commit("broken");
    assert_eq!(followed.push(SECRET), 202);
    followed.operator.wait_for("manifests do not load");
    let Followed { operator, .. } = followed;
    let done = operator.terminate();
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.err.contains("infra/a.yaml"), "{}", done.err);
}

#[test]
fn pushes_reach_gcp_quickly() {
    let Some(followed) = Followed::new() else {
        return;
    };
    let mut times: Vec<Duration> = Vec::new();
    for number in 1..=20 {
        // One more each time: a resource that was just written is left alone for some seconds.
        let name = format!("more-{number}");
        let manifest = health_check(&name, 10);
        let path = format!("infra/{name}.yaml");
        followed.repository.write(&path, &manifest);
        followed.repository.commit(&name);
        let start = Instant::now();
        assert_eq!(followed.push(SECRET), 202);
        let line = followed.operator.wait_for("StepStarted");
        times.push(start.elapsed());
        assert!(line.contains(&format!("hc/{name} ")), "{line}");
    }
    times.sort();
    // Told, not asserted: the machine may be busy.
    println!(
        "commit to first write, {} commits: median {:?}, slowest (p99) {:?}",
        times.len(),
        times[times.len() / 2],
        times[times.len() - 1]
    );
}

#[test]
fn diff_and_plan_read_commits_of_the_clone_here() {
    let repository = Repository::new();
    repository.write("infra/b.yaml", &health_check("b", 10));
    repository.write("infra/a.yaml", &health_check("a", 20));
    repository.commit("second");
    // Not committed, so it has no part.
    repository.write("infra/a.yaml", "kind: [");
    let desk = Desk::new();
    let here = |arguments: &str| {
        desk.shell(&format!(
            "cd {} && evenkeel {arguments}",
            repository.path().display()
        ))
    };
    let same = here("diff HEAD main infra");
    assert_eq!((same.code, same.out.as_str()), (0, ""), "{}", same.err);
    let other = here("diff HEAD~1 HEAD infra");
    assert_eq!(other.code, 1, "{}", other.err);
    assert!(
        other.out.contains("~ HealthCheck a netra-staging/global\n"),
        "{}",
        other.out
    );
    assert!(
        other.out.contains("checkIntervalSec  10 -> 20\n"),
        "{}",
        other.out
    );
    assert!(
        other.out.contains("+ HealthCheck b netra-staging/global\n"),
        "{}",
        other.out
    );
    let unknown = here("diff nowhere HEAD infra");
    assert_eq!(unknown.code, 2);
    assert!(
        unknown.err.contains("`nowhere` is no revision here"),
        "{}",
        unknown.err
    );

    let plan = here("plan infra --git-ref HEAD -o markdown --gcp emulator");
    assert_eq!(plan.code, 2, "{}", plan.err);
    assert!(plan.out.contains("HEAD@sha1:"), "{}", plan.out);
    assert!(plan.out.contains("create: HealthCheck `b`"), "{}", plan.out);
    let nowhere = here("plan infra --git-ref nowhere --gcp emulator");
    assert_eq!(nowhere.code, 1);
}
