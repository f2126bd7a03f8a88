//! Postgres connections at the same time, and a query on each.

mod stream;

use super::deadline::Deadline;
use super::dial::{Trouble, dial};
use super::fleet::{self, Made, failed, unreached};
use super::names::Names;
use super::tls::server_name;
use super::trust::{Shown, Trust, handshake_words};
use super::vantage::Stand;
use crate::api::probe::{PostgresProbe, PostgresTls};
use crate::core::check::{Failure, ProberError, ProberFault, Sample, Window};
use crate::secrets::Secret;
use futures::TryStreamExt;
use rustls::pki_types::ServerName;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use stream::{Capped, Secured};
use tokio::time::Instant;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::TlsConnect;
use tokio_postgres::{Client, Config};
use tokio_rustls::client::TlsStream;
use tokio_util::task::AbortOnDropHandle;

/// The secrets of a check, as they were read.
#[derive(Default)]
pub(super) struct PostgresSecrets {
    pub password: Option<Secret>,
    pub ca: Option<Secret>,
}

/// Everything that one connection needs.
#[derive(Clone)]
struct Target {
    names: Names,
    port: u16,
    config: Config,
    tls: Option<(Trust, ServerName<'static>)>,
    mode: PostgresTls,
    query: String,
    timeout: Duration,
}

pub(super) async fn probe(
    postgres: &PostgresProbe,
    secrets: PostgresSecrets,
    timeout: Duration,
    stand: Stand<'_>,
) -> Result<Window, ProberError> {
    let verify = postgres.tls == PostgresTls::VerifyFull;
    let tls = match postgres.tls {
        PostgresTls::Disable => None,
        _ => Some((
            stand.trust(secrets.ca.as_ref().filter(|_| verify)).await?,
            server_name(&postgres.host)?,
        )),
    };
    let query = postgres.query.as_deref().unwrap_or("SELECT 1");
    let target = Target {
        names: stand.names(&postgres.host)?,
        port: postgres.port,
        config: config(postgres, secrets.password.as_ref()),
        tls,
        mode: postgres.tls,
        query: query.to_owned(),
        timeout,
    };
    fleet::all(postgres.connections, || one(target.clone())).await
}

fn config(postgres: &PostgresProbe, password: Option<&Secret>) -> Config {
    let mut config = Config::new();
    config
        .user(&postgres.user)
        .dbname(&postgres.database)
        .application_name("evenkeel")
        .ssl_mode(match postgres.tls {
            PostgresTls::Disable => SslMode::Disable,
            PostgresTls::Prefer => SslMode::Prefer,
            PostgresTls::Require | PostgresTls::VerifyFull => SslMode::Require,
        });
    if let Some(password) = password {
        config.password(password.expose());
    }
    config
}

/// An open session, which ends when it is dropped.
struct Session {
    client: Client,
    _driver: AbortOnDropHandle<()>,
}

async fn one(target: Target) -> Result<Made<Session>, ProberError> {
    let mut sample = unreached(&["connect", "query"]);
    let deadline = Deadline::after(target.timeout);
    match target.session(&mut sample, &deadline).await {
        Ok(session) => Ok(Made {
            sample: sample.with("ok", true),
            held: Some(session),
        }),
        Err(trouble) => Ok(Made {
            sample: failed(sample, trouble)?,
            held: None,
        }),
    }
}

impl Target {
    async fn session(&self, sample: &mut Sample, deadline: &Deadline) -> Result<Session, Trouble> {
        let began = Instant::now();
        let dialed = dial(&self.names, self.port, deadline).await?;
        let stage = Arc::new(Stage::of(self.mode));
        let wrap = Wrap {
            tls: self.tls.clone(),
            verify: self.mode == PostgresTls::VerifyFull,
            stage: Arc::clone(&stage),
        };
        let stream = Capped::new(dialed.stream);
        let connect = self.config.connect_raw(stream, wrap);
        // The name of the phase is known only when the time is up.
        let outcome = deadline.phase("", connect).await;
        let outcome = outcome.map_err(|_: Failure| deadline.overdue(stage.phase()))?;
        let (client, driver) = outcome.map_err(|error| stage.trouble(&error))?;
        sample.set("connect", began.elapsed());
        let driver = tokio::spawn(async move {
            // What goes wrong here reaches the query.
            let _ = driver.await;
        });
        let session = Session {
            client,
            _driver: AbortOnDropHandle::new(driver),
        };
        let took = deadline.phase("query", self.ask(&session.client)).await?;
        sample.set("query", took.map_err(|error| trouble("query", &error))?);
        Ok(session)
    }

    /// The query, as one statement in a transaction that may only read.
    async fn ask(&self, client: &Client) -> Result<Duration, tokio_postgres::Error> {
        client.batch_execute("BEGIN READ ONLY").await?;
        let began = Instant::now();
        let rows = client.query_typed_raw(&self.query, Vec::<(bool, _)>::new());
        let rows = rows.await?;
        // Rows are counted and dropped: nobody reads them.
        rows.try_for_each(|_| std::future::ready(Ok(()))).await?;
        let took = began.elapsed();
        client.batch_execute("ROLLBACK").await?;
        Ok(took)
    }
}

/// How far a connection has come.
#[derive(Debug)]
struct Stage {
    in_tls: AtomicBool,
    /// Why TLS failed.
    refused: Mutex<Option<String>>,
}

impl Stage {
    /// With TLS the conversation starts with the question for it.
    fn of(mode: PostgresTls) -> Self {
        let tls = matches!(mode, PostgresTls::Require | PostgresTls::VerifyFull);
        Stage {
            in_tls: AtomicBool::new(tls),
            refused: Mutex::new(None),
        }
    }

    fn enter_tls(&self, inside: bool) {
        self.in_tls.store(inside, Ordering::Relaxed);
    }

    fn phase(&self) -> &'static str {
        if self.in_tls.load(Ordering::Relaxed) {
            "tls"
        } else {
            "login"
        }
    }

    fn trouble(&self, error: &tokio_postgres::Error) -> Trouble {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        match refused.as_ref() {
            Some(why) => Trouble::target("tls", why.clone()),
            None => trouble(self.phase(), error),
        }
    }
}

/// An error of the protocol, the connection or the database.
fn trouble(phase: &'static str, error: &tokio_postgres::Error) -> Trouble {
    if let Some(database) = error.as_db_error() {
        let text = format!("{} ({})", database.message(), database.code().code());
        return match ours(database.code()) {
            Some(fault) => Trouble::Prober(ProberError::new(fault, text)),
            None => Trouble::target(phase, text),
        };
    }
    let source = std::error::Error::source(error);
    // The client's word for a password that it was asked for and does not have.
    if error.to_string() == "invalid configuration" {
        let text = source.map_or_else(String::new, ToString::to_string);
        return Trouble::Prober(ProberError::new(ProberFault::Credentials, text));
    }
    let io = source.and_then(|source| source.downcast_ref::<io::Error>());
    match (io, source) {
        (Some(io), _) => Trouble::io(phase, io),
        (None, _) if error.is_closed() => Trouble::target(phase, "closed by the other side"),
        (None, Some(source)) => Trouble::target(phase, source.to_string()),
        (None, None) => Trouble::target(phase, error.to_string()),
    }
}

/// What the database refuses because of the check: whom it does not know, it did not serve badly.
fn ours(code: &SqlState) -> Option<ProberFault> {
    let credentials = [
        SqlState::INVALID_PASSWORD,
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
        SqlState::INSUFFICIENT_PRIVILEGE,
    ];
    let query = [SqlState::SYNTAX_ERROR, SqlState::READ_ONLY_SQL_TRANSACTION];
    if credentials.contains(code) {
        Some(ProberFault::Credentials)
    } else {
        query.contains(code).then_some(ProberFault::Invalid)
    }
}

/// TLS in the middle of the conversation, where the server agrees to it.
struct Wrap {
    tls: Option<(Trust, ServerName<'static>)>,
    verify: bool,
    stage: Arc<Stage>,
}

type Handshake = Pin<Box<dyn Future<Output = io::Result<Secured>> + Send>>;

impl TlsConnect<Capped> for Wrap {
    type Stream = Secured;
    type Error = io::Error;
    type Future = Handshake;

    fn connect(self, stream: Capped) -> Handshake {
        Box::pin(async move {
            let Some((trust, name)) = self.tls else {
                return Err(io::Error::other("no TLS"));
            };
            self.stage.enter_tls(true);
            let (outcome, shown) = trust.handshake(name, &[], stream).await;
            let outcome = outcome.map_err(|error| (handshake_words(&error), error));
            let outcome = outcome.and_then(|stream| accept(stream, &shown, self.verify));
            match outcome {
                Ok(stream) => {
                    self.stage.enter_tls(false);
                    Ok(stream)
                }
                Err((why, error)) => {
                    let refused = self.stage.refused.lock();
                    *refused.unwrap_or_else(PoisonError::into_inner) = Some(why);
                    Err(error)
                }
            }
        })
    }
}

/// No password goes to a server that is not the one it is for, where that matters.
fn accept(
    stream: TlsStream<Capped>,
    shown: &Shown,
    verify: bool,
) -> Result<Secured, (String, io::Error)> {
    match &shown.refused {
        Some(why) if verify => Err((why.clone(), io::Error::other("refused"))),
        _ => Ok(Secured::new(stream)),
    }
}
