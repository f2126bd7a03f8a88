//! Probes against servers on this machine: good, slow, silent, resetting, lying ones.

#[path = "check/certificates.rs"]
mod certificates;
#[path = "check/dns.rs"]
mod dns;
#[path = "check/http.rs"]
mod http;
#[path = "check/postgres.rs"]
mod postgres;
#[path = "check/postgres_real.rs"]
mod postgres_real;
#[path = "check/servers.rs"]
mod servers;
#[path = "check/support.rs"]
mod support;
#[path = "check/tcp.rs"]
mod tcp;
#[path = "check/tls.rs"]
mod tls;
