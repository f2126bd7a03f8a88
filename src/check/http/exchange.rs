//! One request and its reply.

use super::Trouble;
use super::fleet::{failed, unreached};
use super::reply::{BODY_LIMIT, values};
use crate::check::deadline::Deadline;
use crate::check::dial::{dial, local, words};
use crate::check::names::Names;
use crate::check::trust::{Trust, handshake_words};
use crate::core::check::{ProberError, Sample, Value};
use ::http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

/// Everything that a request needs.
pub(super) struct Target {
    pub names: Names,
    pub port: u16,
    pub tls: Option<(Trust, ServerName<'static>)>,
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    /// Field and JSON pointer.
    pub json: Vec<(String, String)>,
    pub keep_alive: bool,
    pub timeout: Duration,
}

/// An open connection. Dropping it closes it.
pub(super) struct Connection {
    sender: SendRequest<Empty<Bytes>>,
    _driver: AbortOnDropHandle<()>,
}

/// The clocks of one request.
struct Attempt {
    deadline: Deadline,
    began: Instant,
}

impl Target {
    /// One request, on the connection that is open or on a new one. After a failure none is open.
    pub async fn sample(&self, open: &mut Option<Connection>) -> Result<Sample, ProberError> {
        let mut sample = self.nothing();
        let attempt = Attempt {
            deadline: Deadline::after(self.timeout),
            began: Instant::now(),
        };
        match self.exchange(&mut sample, open, &attempt).await {
            Ok(()) => Ok(sample.with("ok", true)),
            Err(trouble) => failed(sample, trouble),
        }
    }

    /// A sample in which nothing has come yet.
    pub fn nothing(&self) -> Sample {
        let mut sample = unreached(&["status", "ttfb", "total"]);
        for phase in self.opening() {
            sample.set(phase, Value::Never);
        }
        for (field, _) in &self.json {
            sample.set(field, Value::Never);
        }
        sample
    }

    /// The phases of a new connection.
    fn opening(&self) -> impl Iterator<Item = &'static str> {
        let dns = self.names.looks_up().then_some("dns");
        let tls = self.tls.is_some().then_some("tls");
        dns.into_iter().chain(["connect"]).chain(tls)
    }

    async fn exchange(
        &self,
        sample: &mut Sample,
        open: &mut Option<Connection>,
        attempt: &Attempt,
    ) -> Result<(), Trouble> {
        if let Some(mut connection) = open.take() {
            // Nothing is connected, so nothing takes time.
            for phase in self.opening() {
                sample.values.remove(phase);
            }
            let ready = connection.sender.ready();
            let ready = attempt.deadline.phase("ttfb", ready).await?;
            // One that the other side closed meanwhile is no failure: a new one is opened.
            if ready.is_ok() && self.ask(&mut connection, sample, attempt).await? {
                *open = Some(connection);
                return Ok(());
            }
            for phase in self.opening() {
                sample.set(phase, Value::Never);
            }
        }
        let mut connection = self.open(sample, &attempt.deadline).await?;
        if !self.ask(&mut connection, sample, attempt).await? {
            return Err(Trouble::target("ttfb", "closed by the other side"));
        }
        if self.keep_alive {
            *open = Some(connection);
        }
        Ok(())
    }

    async fn open(&self, sample: &mut Sample, deadline: &Deadline) -> Result<Connection, Trouble> {
        let dialed = dial(&self.names, self.port, deadline).await?;
        if let Some(dns) = dialed.dns {
            sample.set("dns", dns);
        }
        sample.set("connect", dialed.connect);
        let Some((trust, name)) = &self.tls else {
            return start(dialed.stream).await;
        };
        let began = Instant::now();
        let handshake = trust.handshake(name.clone(), &[b"http/1.1"], dialed.stream);
        let (outcome, shown) = deadline.phase("tls", handshake).await?;
        let stream = outcome.map_err(|error| match local(&error) {
            Some(error) => Trouble::Prober(error),
            None => Trouble::target("tls", handshake_words(&error)),
        })?;
        sample.set("tls", began.elapsed());
        // Nothing is sent to somebody else: a header may hold a secret.
        match shown.refused {
            Some(why) => Err(Trouble::target("tls", why)),
            None => start(stream).await,
        }
    }

    /// False where the connection took no request.
    async fn ask(
        &self,
        connection: &mut Connection,
        sample: &mut Sample,
        attempt: &Attempt,
    ) -> Result<bool, Trouble> {
        let deadline = &attempt.deadline;
        let mut request = Request::new(Empty::new());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        let began = Instant::now();
        let reply = deadline.phase("ttfb", connection.sender.try_send_request(request));
        let reply = match reply.await? {
            Ok(reply) => reply,
            Err(mut unsent) => match unsent.take_message() {
                Some(_) => return Ok(false),
                None => return Err(trouble("ttfb", &unsent.into_error())),
            },
        };
        sample.set("ttfb", began.elapsed());
        let status = reply.status();
        sample.set("status", f64::from(status.as_u16()));
        sample.set("unavailable", status == StatusCode::SERVICE_UNAVAILABLE);
        let body = deadline.phase("body", body(reply)).await??;
        sample.set("total", attempt.began.elapsed());
        if status.as_u16() >= 400 {
            return Err(Trouble::target("status", status.to_string()));
        }
        for (field, value) in values(&self.json, &body) {
            match value {
                Some(value) => sample.set(&field, value),
                // The reply is there and has no such value: no data.
                None => {
                    sample.values.remove(&field);
                }
            }
        }
        Ok(true)
    }
}

async fn start<S>(stream: S) -> Result<Connection, Trouble>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, driver) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| trouble("ttfb", &error))?;
    let driver = tokio::spawn(async move {
        // What goes wrong here reaches the request.
        let _ = driver.await;
    });
    Ok(Connection {
        sender,
        _driver: AbortOnDropHandle::new(driver),
    })
}

async fn body(reply: Response<Incoming>) -> Result<Bytes, Trouble> {
    let limited = Limited::new(reply.into_body(), BODY_LIMIT);
    let whole = limited.collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() {
            let text = format!("longer than {BODY_LIMIT} bytes");
            return Trouble::target("body", text);
        }
        match error.downcast_ref::<hyper::Error>() {
            Some(error) => trouble("body", error),
            None => Trouble::target("body", "cannot be read"),
        }
    })?;
    Ok(whole.to_bytes())
}

/// An error of HTTP, or the one of the connection below it.
fn trouble(phase: &'static str, error: &hyper::Error) -> Trouble {
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        if let Some(io) = inner.downcast_ref::<std::io::Error>() {
            return match local(io) {
                Some(error) => Trouble::Prober(error),
                None => Trouble::target(phase, words(io)),
            };
        }
        source = inner.source();
    }
    let reason = if error.is_parse() || error.is_parse_too_large() {
        "the other side does not speak HTTP/1.1".to_owned()
    } else if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
        "closed by the other side".to_owned()
    } else {
        error.to_string()
    };
    Trouble::target(phase, reason)
}
