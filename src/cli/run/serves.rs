//! The listener of a run: opened before anything is sent, so that a port that is taken ends the run.

use super::operator::Operator;
use crate::cli::args::RunArgs;
use crate::cli::config::Config;
#[cfg(feature = "kubernetes")]
use crate::cli::world::World;
use crate::cli::{CliError, Exit};
#[cfg(feature = "kubernetes")]
use crate::kubernetes::Fleet;
use crate::serve::{Hook, Hosts, Place, Shown, Site, serve};
use std::net::SocketAddr;
use std::sync::Arc;
#[cfg(feature = "kubernetes")]
use std::sync::OnceLock;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// What is shown of a fleet.
#[cfg(feature = "kubernetes")]
pub struct Watched {
    view: Box<dyn Fn() -> crate::kubernetes::fleet::Shown + Send + Sync>,
    pulse: tokio::task::AbortHandle,
}

#[cfg(feature = "kubernetes")]
impl Watched {
    pub fn new(fleet: &Fleet) -> Self {
        Watched {
            view: Box::new(fleet.view()),
            pulse: fleet.pulse(),
        }
    }
}

/// A port that is ours, with nobody behind it yet.
pub struct Door {
    pub address: SocketAddr,
    listener: TcpListener,
    hosts: Hosts,
}

impl Door {
    /// `None`: nothing is to be served.
    pub async fn open(args: &RunArgs, config: &Config) -> Result<Option<Self>, CliError> {
        let Some(wanted) = args.listen.or(config.listen) else {
            return Ok(None);
        };
        let failed = |error: std::io::Error| {
            CliError::new(format!("cannot listen on {wanted}: {error}"))
                .hint("--listen 127.0.0.1:0 takes any free port")
                .exit(Exit::BadInput)
        };
        let listener = TcpListener::bind(wanted).await.map_err(failed)?;
        let names = args.listen_host.iter().chain(&config.listen_hosts);
        Ok(Some(Door {
            address: listener.local_addr().map_err(failed)?,
            listener,
            hosts: Hosts::new(names.cloned()),
        }))
    }

    /// Lets requests in, of an operator of several loops. As long as there is no fleet it waits for
    /// its turn to lead: it is alive, and ready to take over.
    #[cfg(feature = "kubernetes")]
    pub fn serve_fleet(self, fleet: &Arc<OnceLock<Watched>>, world: &World) -> Serving {
        let clock = Arc::clone(&world.clock);
        let (watched, beats) = (Arc::clone(fleet), Arc::clone(fleet));
        let shown = move || {
            let Some(fleet) = watched.get() else {
                return Shown {
                    places: Vec::new(),
                    awaits: None,
                };
            };
            let shown = (fleet.view)();
            let awaits = (!shown.started).then(|| "the cluster was not read yet".to_owned());
            let place = |(namespace, board)| Place {
                namespace: Some(namespace),
                board,
            };
            Shown {
                places: shown.boards.into_iter().map(place).collect(),
                awaits,
            }
        };
        let site = Site {
            shown: Box::new(shown),
            client: Arc::clone(&world.client),
            hosts: self.hosts,
            now: Box::new(move || clock.now()),
            alive: Box::new(move || beats.get().is_none_or(|fleet| !fleet.pulse.is_finished())),
            hook: None,
        };
        Serving::start(|stopped| serve(site, self.listener, stopped))
    }

    /// Lets requests in.
    pub fn serve(self, operator: &Operator, hook: Option<Hook>) -> Serving {
        let (clock, pulse) = (Arc::clone(&operator.clock), operator.pulse());
        let board = operator.board.clone();
        let shown = move || Shown {
            awaits: (board.resources().is_empty() && board.checks().is_empty())
                .then(|| "nothing is declared yet".to_owned()),
            places: vec![Place {
                namespace: None,
                board: board.clone(),
            }],
        };
        let site = Site {
            shown: Box::new(shown),
            client: Arc::clone(&operator.client),
            hosts: self.hosts,
            now: Box::new(move || clock.now()),
            alive: Box::new(move || !pulse.is_finished()),
            hook,
        };
        Serving::start(|stopped| serve(site, self.listener, stopped))
    }
}

/// A server in a task of its own.
pub struct Serving {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Serving {
    pub fn start<F>(server: impl FnOnce(WaitForCancellationFutureOwned) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let stop = CancellationToken::new();
        Serving {
            task: tokio::spawn(server(stop.clone().cancelled_owned())),
            stop,
        }
    }

    pub async fn stop(self) {
        self.stop.cancel();
        // Connections that stay open must not hold up the end.
        let patience = Duration::from_millis(500);
        let _ = tokio::time::timeout(patience, self.task).await;
    }
}
