//! HTTP/1.1 requests, with the time of each phase, each on a connection of its own.

mod exchange;
mod load;
mod reply;

use super::dial::Trouble;
use super::fleet;
use super::progress::Progress;
use super::tls::server_name;
use super::trust::Trust;
use super::vantage::Stand;
use crate::api::probe::{HttpMethod, HttpProbe};
use crate::core::check::{ProberError, ProberFault, Window};
use crate::secrets::Secret;
use ::http::header::{ACCEPT, HOST, HeaderName, HeaderValue, USER_AGENT};
use ::http::{HeaderMap, Method, Uri};
use exchange::Target;
use rustls::pki_types::ServerName;
use std::sync::Arc;
use std::time::Duration;
use url::{Host, Url};

/// The secrets of a check, as they were read.
#[derive(Default)]
pub(super) struct HttpSecrets {
    pub ca: Option<Secret>,
    /// By the name of the header.
    pub headers: Vec<(String, Secret)>,
}

pub(super) async fn probe(
    http: &HttpProbe,
    secrets: HttpSecrets,
    (timeout, interval): (Duration, Duration),
    stand: Stand<'_>,
    progress: Option<&Arc<Progress>>,
) -> Result<Window, ProberError> {
    let target = Arc::new(target(http, &secrets, timeout, stand).await?);
    load::run(&target, http.load.as_ref(), interval.max(timeout), progress).await
}

fn invalid(text: impl Into<String>) -> ProberError {
    ProberError::new(ProberFault::Invalid, text)
}

async fn target(
    http: &HttpProbe,
    secrets: &HttpSecrets,
    timeout: Duration,
    stand: Stand<'_>,
) -> Result<Target, ProberError> {
    let url = Url::parse(&http.url).map_err(|error| invalid(format!("url: {error}")))?;
    let host = url.host().ok_or_else(|| invalid("the url has no host"))?;
    let host = match host {
        Host::Domain(name) => name.to_owned(),
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    };
    let port = url.port_or_known_default().unwrap_or(80);
    let (connect, port) = match &http.connect_to {
        Some(other) => elsewhere(other, port)?,
        None => (host.clone(), port),
    };
    let tls = match url.scheme() {
        "https" => Some(secure(&host, secrets.ca.as_ref(), stand).await?),
        _ => None,
    };
    let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let pointers = http.json.iter();
    Ok(Target {
        names: stand.names(&connect)?,
        port,
        tls,
        method: match http.method {
            HttpMethod::Get => Method::GET,
            HttpMethod::Head => Method::HEAD,
        },
        uri: path
            .parse::<Uri>()
            .map_err(|error| invalid(format!("url: {error}")))?,
        headers: headers(&url, http, secrets)?,
        json: pointers
            .map(|(name, pointer)| (format!("json.{name}"), pointer.clone()))
            .collect(),
        keep_alive: http.keep_alive,
        timeout,
    })
}

async fn secure(
    host: &str,
    ca: Option<&Secret>,
    stand: Stand<'_>,
) -> Result<(Trust, ServerName<'static>), ProberError> {
    Ok((stand.trust(ca).await?, server_name(host)?))
}

/// `HOST[:PORT]`, and by default the port of the url.
fn elsewhere(text: &str, port: u16) -> Result<(String, u16), ProberError> {
    let (host, written) = match text.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let port = match written {
        Some(text) => text
            .parse()
            .map_err(|_| invalid(format!("connectTo: {text} is no port")))?,
        None => port,
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    Ok((host.to_owned(), port))
}

fn headers(url: &Url, http: &HttpProbe, secrets: &HttpSecrets) -> Result<HeaderMap, ProberError> {
    let mut headers = HeaderMap::new();
    let agent = concat!("evenkeel/", env!("CARGO_PKG_VERSION"));
    headers.insert(USER_AGENT, HeaderValue::from_static(agent));
    headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    let authority = &url[url::Position::BeforeHost..url::Position::AfterPort];
    let host = HeaderValue::from_str(authority).map_err(|_| invalid("url: no such host"))?;
    headers.insert(HOST, host);
    for (name, value) in &http.headers {
        let value = HeaderValue::from_str(value)
            .map_err(|_| invalid(format!("the header {name} cannot hold its value")))?;
        headers.insert(header_name(name)?, value);
    }
    for (name, secret) in &secrets.headers {
        let mut value = HeaderValue::from_str(secret.expose()).map_err(|_| {
            let text = format!("the secret of the header {name} is no text for a header");
            ProberError::new(ProberFault::Credentials, text)
        })?;
        value.set_sensitive(true);
        headers.insert(header_name(name)?, value);
    }
    Ok(headers)
}

fn header_name(name: &str) -> Result<HeaderName, ProberError> {
    HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| invalid(format!("{name} is no name of a header")))
}
