//! The seat of the leader: of several operators on one cluster, one works and the others wait.

use super::signals::Signals;
use super::voice::Voice;
use crate::cli::config::LeaderElection;
use crate::cli::world::World;
use crate::cli::{CliError, Exit};
use crate::kubernetes::election::{Candidate, Election, Leadership};
use crate::kubernetes::lease::Terms;
use std::sync::Arc;
use std::time::Duration;

/// Of the Lease, where nothing else is said.
const NAME: &str = "evenkeel";
/// Whoever waits longer than this is told that another leads.
const SILENCE: Duration = Duration::from_secs(3);

/// Who this process is in an election. `namespace`: that of the client.
pub fn candidate(config: &LeaderElection, namespace: &str) -> Candidate {
    let of = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let host = of("POD_NAME").or_else(|| of("HOSTNAME"));
    let host = host.unwrap_or_else(|| "evenkeel".to_owned());
    let given = config.namespace.clone().or_else(|| of("POD_NAMESPACE"));
    Candidate {
        namespace: given.unwrap_or_else(|| namespace.to_owned()),
        name: config.lease.clone().unwrap_or_else(|| NAME.to_owned()),
        // A process that starts anew is another: what it did not finish, it has to find out.
        identity: format!("{host}_{:016x}", fastrand::u64(..)),
        terms: config
            .duration
            .map_or_else(Terms::default, |lasts| Terms::of(lasts.0)),
    }
}

/// A process that leads.
pub struct Seat {
    election: Election,
    pub leadership: Leadership,
}

impl Seat {
    /// Waits until this process leads. `None` where a signal came first.
    ///
    /// # Errors
    /// Where it took longer than `patience`.
    pub async fn take(
        client: kube::Client,
        candidate: &Candidate,
        world: &World,
        voice: &Voice,
        signals: &mut Signals,
        patience: Option<Duration>,
    ) -> Result<Option<Self>, CliError> {
        let entropy = Arc::clone(&world.entropy);
        let mut election = Election::start(client, candidate, entropy);
        let lease = format!("Lease {}/{}", candidate.namespace, candidate.name);
        let limit = async {
            match patience {
                Some(limit) => tokio::time::sleep(limit).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(limit);
        let mut told = false;
        loop {
            tokio::select! {
                leadership = election.won() => return Ok(Some(Seat { election, leadership })),
                () = signals.next() => {
                    election.resign().await;
                    return Ok(None);
                }
                () = &mut limit => {
                    election.resign().await;
                    return Err(CliError::new(format!("another operator holds the {lease}"))
                        .hint("stop it, or give this one a Lease of its own: leaderElection.lease in the configuration")
                        .exit(Exit::Failure));
                }
                () = tokio::time::sleep(SILENCE), if !told => {
                    told = true;
                    let text = format!("waiting for the {lease}");
                    voice.note(world.clock.now(), "Standby", &text)?;
                }
            }
        }
    }

    /// Lets another lead at once.
    pub async fn leave(self) {
        self.election.resign().await;
    }
}

/// What a process says that may not lead any more.
pub fn lost() -> CliError {
    CliError::new("this operator does not lead any more: it writes nothing, and ends")
        .hint("the API server could not be reached, or this process stood still; another operator goes on from the objects")
        .exit(Exit::Failure)
}
