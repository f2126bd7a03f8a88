//! A repository with a work tree, as a developer has it, and servers of it on loopback.
#![allow(dead_code, reason = "each test file uses a part of it")]

use evenkeel::source::git::{Reference, Settings};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub struct Repository {
    pub folder: TempDir,
}

/// Says why a test that needs a program ends here, where it is not installed.
pub fn is_there(program: &str, arguments: &[&str]) -> bool {
    let run = Command::new(program).args(arguments).output();
    let there = run.is_ok_and(|output| output.status.success());
    if !there {
        eprintln!("skipped: no {program} {arguments:?} on this machine");
    }
    there
}

impl Repository {
    /// With one commit on `main`: `infra/a.yaml` holds a health check.
    pub fn new() -> Repository {
        let repository = Repository {
            folder: TempDir::new().unwrap(),
        };
        std::fs::create_dir_all(repository.path()).unwrap();
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository.write("infra/a.yaml", &health_check("a", 10));
        repository.commit("first");
        repository
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("keel")
    }

    pub fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .arg("-C")
            .arg(self.path())
            .args(arguments)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .env("GNUPGHOME", self.folder.path().join("gpg"))
            .envs([
                ("GIT_AUTHOR_NAME", "Dev"),
                ("GIT_AUTHOR_EMAIL", "dev@example.com"),
                ("GIT_COMMITTER_NAME", "Dev"),
                ("GIT_COMMITTER_EMAIL", "dev@example.com"),
            ])
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments:?}: {error}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Commits all there is, and says under which hash.
    pub fn commit(&self, message: &str) -> String {
        self.commit_with(message, &[])
    }

    pub fn commit_with(&self, message: &str, more: &[&str]) -> String {
        self.git(&["add", "--all"]);
        let mut arguments = vec!["commit", "--quiet", "--allow-empty", "-m", message];
        arguments.extend(more);
        self.git(&arguments);
        self.head()
    }

    pub fn head(&self) -> String {
        self.git(&["rev-parse", "HEAD"])
    }

    pub fn file_url(&self) -> String {
        format!("file://{}", self.path().display())
    }

    /// What to follow, with a clone of its own.
    pub fn settings(&self, url: &str) -> Settings {
        Settings {
            address: url.parse().unwrap(),
            reference: Reference::Name("main".to_owned()),
            path: "infra".to_owned(),
            // Looks come from rings, never from time.
            interval: Duration::from_hours(1),
            deadline: Duration::from_mins(1),
            username: "keel".to_owned(),
            token: None,
            ca: None,
            require_fast_forward: true,
            verify: None,
            cache: self.folder.path().join("cache"),
        }
    }
}

/// A manifest, whose `checkIntervalSec` tells versions apart.
pub fn health_check(name: &str, seconds: u32) -> String {
    format!(
        "apiVersion: evenkeel.dev/v1alpha1\nkind: HealthCheck\nmetadata: {{name: {name}}}\n\
         spec:\n  project: netra-staging\n  location: global\n  resource:\n    type: HTTPS\n    \
         checkIntervalSec: {seconds}\n    timeoutSec: 5\n    httpsHealthCheck: {{port: 443}}\n"
    )
}

/// `git daemon`.
pub struct Daemon {
    child: Child,
    port: u16,
    base: PathBuf,
}

impl Daemon {
    /// Serves every repository in a folder. `None` where there is no git daemon.
    pub fn start(base: &Path) -> Option<Daemon> {
        // It has no `--version`; an unknown option is answered with its usage.
        let known = Command::new("git")
            .args(["daemon", "--no"])
            .output()
            .unwrap();
        if !String::from_utf8_lossy(&known.stderr).contains("--base-path") {
            eprintln!("skipped: no git daemon on this machine");
            return None;
        }
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        Some(Daemon::at(base, port))
    }

    fn at(base: &Path, port: u16) -> Daemon {
        // Not through `git`, which would not pass its end on to it.
        let exec = Command::new("git").arg("--exec-path").output().unwrap();
        let exec = String::from_utf8(exec.stdout).unwrap();
        let child = Command::new(Path::new(exec.trim()).join("git-daemon"))
            .args(["--reuseaddr", "--export-all", "--informative-errors"])
            .args(["--listen=127.0.0.1", &format!("--port={port}")])
            .arg(format!("--base-path={}", base.display()))
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let deadline = Instant::now() + Duration::from_mins(1);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "git daemon does not listen");
            std::thread::yield_now();
        }
        Daemon {
            child,
            port,
            base: base.to_owned(),
        }
    }

    pub fn url(&self, name: &str) -> String {
        format!("git://127.0.0.1:{}/{name}", self.port)
    }

    pub fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// On the same port.
    pub fn start_again(&mut self) {
        *self = Daemon::at(&self.base.clone(), self.port);
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.stop();
    }
}
