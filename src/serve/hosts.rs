//! Which names a request may use for this process.

use std::net::IpAddr;

/// Names besides addresses and `localhost`.
#[derive(Debug, Clone, Default)]
pub struct Hosts {
    names: Vec<String>,
}

impl Hosts {
    #[must_use]
    pub fn new(names: impl IntoIterator<Item = String>) -> Self {
        Hosts {
            names: names.into_iter().collect(),
        }
    }

    /// Whether a request with this `Host` header is meant for us. An address cannot be made to
    /// point elsewhere, so every address is.
    #[must_use]
    pub fn allow(&self, host: &str) -> bool {
        let name = without_port(host);
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        let known = ["localhost"]
            .into_iter()
            .chain(self.names.iter().map(String::as_str));
        bare.parse::<IpAddr>().is_ok()
            || known.into_iter().any(|one| one.eq_ignore_ascii_case(name))
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port))
            if port.bytes().all(|byte| byte.is_ascii_digit())
                && (!name.contains(':') || name.ends_with(']')) =>
        {
            name
        }
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_localhost_and_allowed_names_are_served() {
        let hosts = Hosts::new(["evenkeel.tools.svc".to_owned()]);
        for host in [
            "127.0.0.1",
            "127.0.0.1:8086",
            "10.8.0.2:80",
            "[::1]:8086",
            "[::1]",
            "localhost",
            "LocalHost:1",
            "evenkeel.tools.svc:8086",
        ] {
            assert!(hosts.allow(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "evil.example:8086",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "evenkeel.tools.svc.evil.example",
        ] {
            assert!(!hosts.allow(host), "{host}");
        }
    }
}
