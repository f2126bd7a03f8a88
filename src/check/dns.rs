//! Look-ups, one at each server: UDP, and TCP where the answer does not fit.

use super::deadline::Deadline;
use super::dial::Trouble;
use super::fleet::{failed, unreached};
use super::names::{code, local, reason, uncached};
use super::vantage::Stand;
use crate::api::probe::{DnsProbe, DnsRecord};
use crate::core::check::{ProberError, ProberFault, Sample, Window};
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{Name, RecordType};
use hickory_resolver::system_conf::read_system_conf;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

pub(super) async fn probe(
    dns: &DnsProbe,
    timeout: Duration,
    stand: Stand<'_>,
) -> Result<Window, ProberError> {
    let mut name = Name::from_utf8(&dns.name).map_err(|error| {
        let text = format!("{} cannot be looked up: {error}", dns.name);
        ProberError::new(ProberFault::Invalid, text)
    })?;
    // In full: no search list.
    name.set_fqdn(true);
    let record = record_type(dns.record);
    let mut tasks = JoinSet::new();
    for server in servers(&dns.servers, stand)? {
        let name = name.clone();
        tasks.spawn(async move { (server.ip, one(server, name, record, timeout).await) });
    }
    let mut answers = Vec::new();
    while let Some(done) = tasks.join_next().await {
        let (server, sample) = done.map_err(|_| super::fleet::broken())?;
        answers.push((server, sample?));
    }
    answers.sort_by_key(|(server, _)| *server);
    let mut window = Window::new();
    for (_, sample) in answers {
        window.push(sample);
    }
    Ok(window)
}

/// The servers of the check, or those of the vantage.
fn servers(written: &[String], stand: Stand<'_>) -> Result<Vec<NameServerConfig>, ProberError> {
    let others = &stand.vantage.name_servers;
    if written.is_empty() && !others.is_empty() {
        return Ok(others.iter().copied().map(server).collect());
    }
    if written.is_empty() {
        let (config, _) = read_system_conf().map_err(|error| {
            let text = format!("the system's name servers cannot be read: {error}");
            ProberError::new(ProberFault::Local, text)
        })?;
        return Ok(config.into_parts().2);
    }
    let one = |text: &String| {
        let address = text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 53));
        let address = address.or_else(|_| text.parse::<SocketAddr>());
        address.map(server).map_err(|_| {
            let text = format!("{text} is no address of a server");
            ProberError::new(ProberFault::Invalid, text)
        })
    };
    written.iter().map(one).collect()
}

fn server(address: SocketAddr) -> NameServerConfig {
    let mut server = NameServerConfig::udp_and_tcp(address.ip());
    let ports = server
        .connections
        .iter_mut()
        .map(|c: &mut ConnectionConfig| &mut c.port);
    ports.for_each(|port| *port = address.port());
    server
}

fn record_type(record: DnsRecord) -> RecordType {
    match record {
        DnsRecord::A => RecordType::A,
        DnsRecord::Aaaa => RecordType::AAAA,
        DnsRecord::Cname => RecordType::CNAME,
        DnsRecord::Mx => RecordType::MX,
        DnsRecord::Ns => RecordType::NS,
        DnsRecord::Srv => RecordType::SRV,
        DnsRecord::Txt => RecordType::TXT,
    }
}

async fn one(
    server: NameServerConfig,
    name: Name,
    record: RecordType,
    timeout: Duration,
) -> Result<Sample, ProberError> {
    let address = server.ip;
    let resolver = resolver(server, timeout)?;
    let sample = unreached(&["rtt"]).with("answers", 0.0);
    let deadline = Deadline::after(timeout);
    let began = Instant::now();
    let outcome = deadline.phase("dns", resolver.lookup(name, record)).await;
    let rtt = began.elapsed();
    match outcome {
        Ok(Ok(found)) => {
            let matching = |r: &&hickory_resolver::proto::rr::Record| r.record_type() == record;
            let count = found.answers().iter().filter(matching).count();
            let answers = f64::from(u32::try_from(count).unwrap_or(u32::MAX));
            let sample = sample.with("rtt", rtt).with("answers", answers);
            if count == 0 {
                return failed(
                    sample,
                    Trouble::target("dns", format!("{address}: no records")),
                );
            }
            Ok(sample.with("ok", true))
        }
        Ok(Err(error)) => match local(&error) {
            Some(error) => Err(error),
            None => failed(answered(sample, &error, rtt), trouble(address, &error)),
        },
        Err(failure) => {
            let reason = format!("{address}: {}", failure.reason);
            failed(sample, Trouble::target("dns", reason))
        }
    }
}

/// A refusal is an answer, and took its time.
fn answered(sample: Sample, error: &NetError, rtt: Duration) -> Sample {
    if code(error).is_some() {
        sample.with("rtt", rtt)
    } else {
        sample
    }
}

fn trouble(address: IpAddr, error: &NetError) -> Trouble {
    Trouble::target("dns", format!("{address}: {}", reason(error)))
}

fn resolver(server: NameServerConfig, timeout: Duration) -> Result<TokioResolver, ProberError> {
    let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
    let provider = TokioRuntimeProvider::default();
    let mut builder = TokioResolver::builder_with_config(config, provider);
    let options = builder.options_mut();
    uncached(options);
    options.use_hosts_file = ResolveHosts::Never;
    options.timeout = timeout;
    options.attempts = 1;
    builder.build().map_err(|error| {
        let text = format!("no resolver: {error}");
        ProberError::new(ProberFault::Local, text)
    })
}
