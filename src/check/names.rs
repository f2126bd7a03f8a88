//! Names to addresses, without a cache: each look-up asks the servers.

use super::dial::Trouble;
use super::vantage::Tunnel;
use crate::core::check::{ProberError, ProberFault};
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{LookupIpStrategy, ResolverOpts};
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use std::net::IpAddr;
use std::sync::Arc;

/// Looks a host up as this machine does: its servers, search list and hosts file.
#[derive(Clone)]
pub(super) struct Names {
    host: String,
    /// `None` for an address, which stands for itself.
    resolver: Option<TokioResolver>,
    tunnel: Option<Arc<dyn Tunnel>>,
}

impl Names {
    /// Reads the configuration of the system anew.
    pub fn of(host: &str) -> Result<Names, ProberError> {
        let host = host.to_owned();
        let resolver = match host.parse::<IpAddr>() {
            Ok(_) => None,
            Err(_) => Some(of_system()?),
        };
        Ok(Names {
            host,
            resolver,
            tunnel: None,
        })
    }

    /// A host that is looked up at the far end of a tunnel.
    pub fn beyond(host: &str, tunnel: Arc<dyn Tunnel>) -> Names {
        Names {
            host: host.to_owned(),
            resolver: None,
            tunnel: Some(tunnel),
        }
    }

    /// The way to the host, where it is not straight.
    pub fn tunnel(&self) -> Option<(&dyn Tunnel, &str)> {
        let tunnel = self.tunnel.as_deref()?;
        Some((tunnel, &self.host))
    }

    /// True where a name must be looked up.
    pub fn looks_up(&self) -> bool {
        self.resolver.is_some()
    }

    /// The addresses, IPv4 where there are any.
    pub async fn addresses(&self) -> Result<Vec<IpAddr>, Trouble> {
        let Some(resolver) = &self.resolver else {
            return Ok(self.host.parse().into_iter().collect());
        };
        let found = resolver.lookup_ip(self.host.as_str()).await;
        let found = found.map_err(|error| match local(&error) {
            Some(error) => Trouble::Prober(error),
            None => Trouble::target("dns", reason(&error)),
        })?;
        Ok(found.iter().collect())
    }
}

fn of_system() -> Result<TokioResolver, ProberError> {
    let unusable = |error: NetError| {
        let text = format!("the system's name servers cannot be read: {error}");
        ProberError::new(ProberFault::Local, text)
    };
    let mut builder = TokioResolver::builder_tokio().map_err(unusable)?;
    uncached(builder.options_mut());
    builder.build().map_err(unusable)
}

/// Every look-up is a real one.
pub(super) fn uncached(options: &mut ResolverOpts) {
    options.cache_size = 0;
    options.try_tcp_on_error = true;
    options.ip_strategy = LookupIpStrategy::Ipv4thenIpv6;
}

/// Why a look-up failed, in few words.
pub(super) fn reason(error: &NetError) -> String {
    match error {
        NetError::Timeout => "no answer in time".to_owned(),
        error if error.is_nx_domain() => "no such name".to_owned(),
        error if error.is_no_records_found() => match code(error) {
            None | Some(ResponseCode::NoError) => "no records".to_owned(),
            Some(code) => format!("the server answers {code}"),
        },
        NetError::Dns(DnsError::ResponseCode(code)) => format!("the server answers {code}"),
        NetError::Io(error) => error.kind().to_string(),
        error => error.to_string(),
    }
}

/// The code of an answer without records.
pub(super) fn code(error: &NetError) -> Option<ResponseCode> {
    match error {
        NetError::Dns(DnsError::ResponseCode(code)) => Some(*code),
        NetError::Dns(DnsError::NoRecordsFound(none)) => Some(none.response_code),
        _ => None,
    }
}

/// A failure of this machine rather than of a server.
pub(super) fn local(error: &NetError) -> Option<ProberError> {
    match error {
        NetError::Io(error) => super::dial::local(error),
        NetError::NoConnections => Some(ProberError::new(
            ProberFault::Local,
            "this machine has no name server",
        )),
        _ => None,
    }
}
