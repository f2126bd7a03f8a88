//! TLS at the edge: which certificate a client is shown, and how long that takes.

use std::time::Duration;

use jiff::Timestamp;

use crate::emulator::timing::{earlier, later};
use crate::emulator::world::World;
use crate::emulator::{compute, run, sqladmin};

/// A certificate as clients see it. The data plane makes one that looks like it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::emulator) struct Leaf {
    pub names: Vec<String>,
    pub begins: Timestamp,
    pub expires: Timestamp,
}

/// How the next handshake goes.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::emulator) struct Handshake {
    pub seconds: f64,
    /// None: it breaks off.
    pub leaf: Option<Leaf>,
}

const DAY: Duration = Duration::from_hours(24);

impl Leaf {
    pub fn is_for(&self, host: &str) -> bool {
        self.names.iter().any(|name| covers(name, host))
    }

    /// One that Google renews by itself: it lives for `days`, and always has more than two thirds of that left.
    fn renewed(names: Vec<String>, now: Timestamp, days: u32) -> Self {
        let third = DAY.saturating_mul(days / 3);
        let seconds = i64::try_from(third.as_secs()).unwrap_or(i64::MAX).max(1);
        let turn = now.as_second().div_euclid(seconds).saturating_mul(seconds);
        let begins = Timestamp::from_second(turn).unwrap_or(now);
        Self {
            names,
            begins,
            expires: later(begins, third.saturating_mul(3)),
        }
    }
}

/// Whether a name is for a host: the same, or `*.` and the rest of it (RFC 6125).
pub(in crate::emulator) fn covers(name: &str, host: &str) -> bool {
    match name.strip_prefix("*.") {
        Some(rest) => host.split_once('.').is_some_and(|(_, tail)| tail == rest),
        None => name == host,
    }
}

impl World {
    /// The next handshake with the load balancer or Cloud Run; `name` is what the client asks for.
    pub fn handshake(&mut self, name: Option<&str>) -> Handshake {
        let name = name.map(str::to_lowercase);
        let attempt = self.traffic.attempt("tls");
        let service = self.service_behind(name.as_deref());
        let (seconds, breaks) = match self.load() {
            None => (0.0, false),
            Some(load) => {
                let (connect, _) = load.way_of(&service);
                let seconds = attempt.takes(load.edge.handshake(connect), 0.1);
                (seconds, attempt.is_hit(load.edge.tls_fails, 0.6))
            }
        };
        let leaf = self.leaf(name.as_deref()).filter(|_| !breaks);
        Handshake { seconds, leaf }
    }

    /// The certificate of a database's own server.
    pub fn database_leaf(&self, database: &str) -> Leaf {
        let mut names = sqladmin::addresses_of(self, database);
        names.extend(["127.0.0.1".to_owned(), "localhost".to_owned()]);
        // "Server certificates are valid for 10 years" (Cloud SQL, SSL/TLS certificates).
        Leaf::renewed(names, self.clock, 3_650)
    }

    fn leaf(&self, name: Option<&str>) -> Option<Leaf> {
        if let Some(name) = name.filter(|name| self.run_service(name).is_some()) {
            return Some(Leaf::renewed(vec![name.to_owned()], self.clock, 84));
        }
        let front = name.and_then(|name| self.front_of(name));
        let front = front.or_else(|| self.traffic.fronts.first())?;
        compute::leaf_for(self, &front.proxy, name)
    }

    /// The service whose way into the network a handshake waits for.
    fn service_behind(&self, name: Option<&str>) -> String {
        let run = name.and_then(|name| self.run_service(name));
        run.unwrap_or_else(|| self.traffic.vantage())
    }

    /// The service that has this host name at Cloud Run.
    pub fn run_service(&self, host: &str) -> Option<String> {
        let mut services = self.traffic.demands.iter().map(|demand| &demand.service);
        let found = services.find(|service| run::hosts(service).iter().any(|own| own == host));
        found.cloned()
    }
}

/// Google's certificates live for 90 days, and begin an hour before they are made: clocks differ.
pub(in crate::emulator) fn managed(names: Vec<String>, expires: Timestamp) -> Leaf {
    Leaf {
        names,
        begins: earlier(expires, DAY.saturating_mul(90) + Duration::from_hours(1)),
        expires,
    }
}
