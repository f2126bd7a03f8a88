//! A Cloud SQL instance under load: connections against its limit, processors against its queries.

use serde::{Deserialize, Serialize};

/// What the emulated state says of an instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::emulator) struct Database {
    /// The flag `max_connections`, or what its memory gives.
    pub max_connections: u32,
    pub vcpus: f64,
    /// It runs, and nothing is restarting it.
    pub works: bool,
}

/// How it does at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::emulator) struct DatabaseLoad {
    pub works: bool,
    /// What its users want to hold open.
    pub wanted: u32,
    /// What they can: `max_connections` less those reserved for superusers.
    pub limit: u32,
    /// 0 to 1.
    pub cpu: f64,
    /// How long a query takes, in seconds.
    pub query: f64,
}

/// `superuser_reserved_connections`, whose default is 3 (Postgres, "Connections and Authentication").
const RESERVED: u32 = 3;

/// Queries a second that use up one processor.
const QUERIES_EACH: f64 = 190.0;

const CPU_IDLE: f64 = 0.08;

/// A query on a server with nothing else to do.
const QUERY_SECONDS: f64 = 0.01;

/// Past this the queue is taken to be as long as it gets.
const FULL: f64 = 0.97;

impl Database {
    pub fn load(&self, wanted: u32, queries: f64, slow: f64, down: bool) -> DatabaseLoad {
        let used = CPU_IDLE + queries / (self.vcpus.max(0.1) * QUERIES_EACH);
        let busy = used.min(FULL);
        DatabaseLoad {
            works: self.works && !down,
            wanted,
            limit: self.max_connections.saturating_sub(RESERVED),
            cpu: used.min(0.99),
            query: QUERY_SECONDS + 0.04 * busy / (1.0 - busy) + slow,
        }
    }
}

impl DatabaseLoad {
    pub fn open(&self) -> u32 {
        if self.works {
            self.wanted.min(self.limit)
        } else {
            0
        }
    }

    /// The share of connections that is refused.
    pub fn refused(&self) -> f64 {
        if !self.works {
            return 1.0;
        }
        let (wanted, limit) = (f64::from(self.wanted), f64::from(self.limit));
        1.0 - limit / wanted.max(limit).max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Database;

    fn database(max_connections: u32, vcpus: f64) -> Database {
        Database {
            max_connections,
            vcpus,
            works: true,
        }
    }

    #[test]
    fn a_larger_instance_is_better() {
        let small = database(200, 2.0).load(226, 300.0, 0.0, false);
        assert!(small.refused() > 0.1 && small.open() == 197);
        for (max, vcpus) in [(201, 2.0), (400, 2.0), (200, 4.0), (400, 4.0)] {
            let large = database(max, vcpus).load(226, 300.0, 0.0, false);
            assert!(large.refused() <= small.refused() && large.query <= small.query);
        }
        assert!(database(400, 2.0).load(226, 300.0, 0.0, false).refused() < 1e-9);
    }

    #[test]
    fn one_that_is_down_takes_nobody() {
        let down = database(400, 4.0).load(10, 1.0, 0.0, true);
        assert!(down.open() == 0 && (down.refused() - 1.0).abs() < 1e-9);
    }
}
