//! `evenkeel.yaml`: how the operator behaves. Not reconciled; flags override it.

use super::args::{Mode, RunArgs};
use super::{CliError, Exit};
use crate::api::HumanDuration;
use crate::check::Socks;
use crate::core::freeze::{Freeze, When};
use jiff::tz::TimeZone;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Below, the time between two renewals is that of a busy API server's answer.
const SHORTEST_LEASE: Duration = Duration::from_secs(2);

/// The file as written.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Config {
    /// `Apply` writes, `Observe` only looks.
    pub mode: Option<ModeName>,
    /// Time between two looks at GCP.
    pub interval: Option<HumanDuration>,
    /// Where to serve the operator's own state; left out: nowhere.
    pub listen: Option<SocketAddr>,
    /// Names that requests to it may use, besides addresses and localhost.
    pub listen_hosts: Vec<String>,
    pub budgets: Budgets,
    pub freeze_windows: Vec<FreezeWindow>,
    /// Where checks are made from. Default: this machine.
    pub probes: Option<Probes>,
    /// Which of several operators on one cluster works.
    pub leader_election: LeaderElection,
    /// Where manifests come from, where no PATH is given.
    #[cfg(feature = "git")]
    pub source: Option<super::git::SourceConfig>,
}

/// The Lease that operators on one cluster share, with `--source kubernetes`.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct LeaderElection {
    /// Its name; `evenkeel` where left out. Operators that share no objects need one each.
    pub lease: Option<String>,
    /// Where left out: that of the Pod, or of the kubeconfig's context.
    pub namespace: Option<String>,
    /// Without a sign of life for so long, another takes over; 15 s where left out, 2 s at least. A
    /// leader stops after two thirds of it.
    pub duration: Option<HumanDuration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum ModeName {
    Apply,
    Observe,
}

/// What the operator may do at most.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Budgets {
    /// Deletes that one revision of the manifests may do. Default: 0.
    pub deletes_per_sync: Option<u32>,
    /// Rollouts that may run at the same time, 1 or more. Default: no limit.
    pub concurrent_rollouts: Option<u32>,
}

/// Where checks are made from, where that is not this machine as it is.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Probes {
    /// `socks5://HOST:PORT`, such as `ssh -D` opens; names are looked up at its far end.
    pub proxy: Option<String>,
    /// Servers for checks of DNS that name none.
    pub name_servers: Vec<SocketAddr>,
    /// Certificates (PEM) that checks without a `caRef` trust instead of the system's.
    pub ca: Option<PathBuf>,
}

/// A time in which no step starts. `from` and `to`: `22:00`, `Fri 16:00` or
/// `2026-12-24T00:00:00Z`, both in the same form.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FreezeWindow {
    pub name: String,
    pub from: String,
    pub to: String,
    /// IANA name, such as Europe/Berlin. Default: UTC.
    pub time_zone: Option<String>,
}

impl Config {
    /// The file that was named; nothing named is all defaults.
    ///
    /// # Errors
    /// Exit 2, naming the file, and the line where it cannot be read.
    pub fn load(path: Option<&Path>) -> Result<Config, CliError> {
        let Some(path) = path else {
            return Ok(Config::default());
        };
        let wrong = |what: String| {
            CliError::new(format!("{}: {what}", path.display())).exit(Exit::BadInput)
        };
        let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        if text.trim().is_empty() {
            return Ok(Config::default());
        }
        let config: Config =
            serde_saphyr::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        config.freezes().map_err(wrong)?;
        if let Some(proxy) = config
            .probes
            .as_ref()
            .and_then(|probes| probes.proxy.as_ref())
        {
            let read = proxy.parse::<Socks>();
            read.map_err(|error| wrong(format!("probes.proxy: {error}")))?;
        }
        let lasts = config.leader_election.duration;
        if lasts.is_some_and(|lasts| lasts.0 < SHORTEST_LEASE) {
            let why =
                "leaderElection.duration is below 2s, and every pause would change the leader";
            return Err(wrong(why.to_owned()));
        }
        if config.budgets.concurrent_rollouts == Some(0) {
            let why = "budgets.concurrentRollouts is 0, and nothing would ever start; \
                       leave it out for no limit, or set mode: Observe to write nothing";
            return Err(wrong(why.to_owned()));
        }
        Ok(config)
    }

    /// Whether to write: the flag first.
    #[must_use]
    pub fn mode(&self, args: &RunArgs) -> Mode {
        args.mode.unwrap_or(match self.mode {
            Some(ModeName::Observe) => Mode::Observe,
            Some(ModeName::Apply) | None => Mode::Apply,
        })
    }

    /// The windows, read.
    ///
    /// # Errors
    /// Which window is wrong, and why.
    pub fn freezes(&self) -> Result<Vec<Freeze>, String> {
        let read = |window: &FreezeWindow| {
            let zone = match &window.time_zone {
                None => TimeZone::UTC,
                Some(name) => TimeZone::get(name)
                    .map_err(|_| format!("`{name}` is no time zone; write it as Europe/Berlin"))?,
            };
            let when = When::parse(&window.from, &window.to, zone)?;
            Ok(Freeze {
                name: window.name.clone(),
                when,
            })
        };
        let named = |window: &FreezeWindow| {
            read(window).map_err(|why: String| format!("freeze window {}: {why}", window.name))
        };
        self.freeze_windows.iter().map(named).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Config, CliError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("evenkeel.yaml");
        std::fs::write(&path, text).unwrap();
        Config::load(Some(&path))
    }

    #[test]
    fn the_configurations_of_the_deployments_load() {
        let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests/deploy/kustomize");
        let mode = |path: &str| Config::load(Some(&deploy.join(path))).unwrap().mode;
        assert_eq!(mode("base/evenkeel.yaml"), Some(ModeName::Apply));
        let observe = mode("overlays/observe/evenkeel.yaml");
        assert_eq!(observe, Some(ModeName::Observe));
    }

    #[test]
    fn a_whole_file() {
        let config = load(
            "mode: Observe\ninterval: 30s\nlisten: 127.0.0.1:8086\nlistenHosts: [keel]\nbudgets: {deletesPerSync: 2, concurrentRollouts: 1}\n\
             freezeWindows:\n- {name: weekend, from: Fri 16:00, to: Mon 08:00, timeZone: Europe/Berlin}\n\
             - {name: launch, from: 2026-12-01T00:00:00Z, to: 2026-12-02T00:00:00Z}\n",
        )
        .unwrap();
        assert_eq!(config.mode, Some(ModeName::Observe));
        assert_eq!(config.budgets.concurrent_rollouts, Some(1));
        assert_eq!(config.listen.map(|listen| listen.port()), Some(8086));
        assert_eq!(config.listen_hosts, ["keel"]);
        assert_eq!(config.freezes().unwrap().len(), 2);
        assert_eq!(load("").unwrap(), Config::default());
        let probes =
            "probes: {proxy: 'socks5://127.0.0.1:1080', nameServers: ['10.0.0.2:53'], ca: ca.pem}";
        let probes = load(probes).unwrap().probes.unwrap();
        assert_eq!(probes.name_servers[0].port(), 53);
    }

    #[cfg(feature = "git")]
    #[test]
    fn a_repository_with_all_there_is_to_say() {
        let config = load(
            "source:\n  git: {url: 'https://github.com/acme/infra', ref: main, path: prod, interval: 1m, timeout: 2m, \
             tokenRef: {env: T}, username: u, ca: ca.pem, requireFastForward: false, \
             verify: {mode: Ssh, keys: signers}, webhook: {secretRef: {file: s}}, cache: c}\n",
        );
        let git = config.unwrap().source.unwrap().git;
        assert_eq!(git.reference.as_deref(), Some("main"));
        assert_eq!(git.require_fast_forward, Some(false));
        assert!(load("source: {git: {branch: main}}").is_err());
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (text, words) in [
            ("mdoe: Apply", "mdoe"),
            ("leaderElection: {duration: 1s}", "below 2s"),
            ("interval: 30", "30"),
            ("probes: {proxy: 'http://a:1'}", "socks5://HOST:PORT"),
            ("probes: {nameServers: [dns]}", "nameServers"),
            (
                "budgets: {concurrentRollouts: 0}",
                "concurrentRollouts is 0",
            ),
            (
                "freezeWindows: [{name: w, from: '9', to: '10:00'}]",
                "freeze window w",
            ),
            (
                "freezeWindows: [{name: w, from: '9:00', to: '10:00', timeZone: Mars/Base}]",
                "Mars/Base",
            ),
        ] {
            let error = format!("{:?}", load(text).unwrap_err());
            assert!(
                error.contains("evenkeel.yaml") && error.contains(words),
                "{error}"
            );
        }
    }
}
