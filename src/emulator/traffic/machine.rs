//! Machines behind a load balancer, and what a health check makes of them.
//!
//! A machine answers on its ports, each path in its own time. A check finds it well when it asks on such a port,
//! for such a path, and waits long enough. The state that the load balancer goes by follows after as many checks
//! in a row as the check's thresholds say.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::controls::{Controls, Fault};

/// What the emulated state says of a machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::emulator) struct Machine {
    /// From `projects` on.
    pub name: String,
    pub ports: Vec<u16>,
    /// Seconds to an answer, by path.
    pub answers: BTreeMap<String, f64>,
    /// Somebody said how it does, whatever a check finds.
    pub forced: Option<bool>,
}

/// A health check, as far as machines feel it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::emulator) struct Check {
    /// As in the API: `HTTP`, `TCP`, ...
    pub kind: String,
    /// None: the port that the backend service sends requests to.
    pub port: Option<u16>,
    pub path: String,
    pub interval: u32,
    pub timeout: u32,
    pub healthy: u32,
    pub unhealthy: u32,
}

impl Check {
    /// What one check of a machine comes to.
    pub fn finds_well(&self, machine: &Machine, serving: u16, controls: &Controls) -> bool {
        let port = self.port.unwrap_or(serving);
        if !machine.ports.contains(&port) {
            return false;
        }
        let slow = controls.amount(Fault::AppSlow);
        match self.kind.as_str() {
            "TCP" => true,
            "HTTP" => {
                let seconds = machine.answers.get(&self.path);
                seconds.is_some_and(|seconds| seconds + slow <= f64::from(self.timeout))
            }
            // The machines of scenarios speak neither TLS nor gRPC.
            _ => false,
        }
    }

    /// How long it takes to see that a machine is well, or no longer is.
    pub fn notices_after(&self, well: bool) -> Duration {
        let threshold = if well { self.healthy } else { self.unhealthy };
        Duration::from_secs(u64::from(self.interval) * u64::from(threshold))
    }
}

#[cfg(test)]
mod tests {
    use super::{Check, Machine};
    use crate::emulator::traffic::controls::Controls;
    use std::time::Duration;

    fn check() -> Check {
        Check {
            kind: "HTTP".to_owned(),
            port: Some(8000),
            path: "/health/basic".to_owned(),
            interval: 10,
            timeout: 5,
            healthy: 2,
            unhealthy: 3,
        }
    }

    #[test]
    fn a_check_must_ask_in_the_right_place_and_wait_long_enough() {
        let machine = Machine {
            name: "vm".to_owned(),
            ports: vec![8000],
            answers: [
                ("/health/basic".to_owned(), 0.02),
                ("/health".to_owned(), 4.6),
            ]
            .into(),
            forced: None,
        };
        let finds = |check: &Check| check.finds_well(&machine, 8080, &Controls::default());
        assert!(finds(&check()));
        for (what, wrong) in [
            (
                "port",
                Check {
                    port: Some(80),
                    ..check()
                },
            ),
            (
                "serving port",
                Check {
                    port: None,
                    ..check()
                },
            ),
            (
                "path",
                Check {
                    path: "/healthz".to_owned(),
                    ..check()
                },
            ),
            (
                "timeout",
                Check {
                    path: "/health".to_owned(),
                    timeout: 4,
                    ..check()
                },
            ),
            (
                "kind",
                Check {
                    kind: "HTTPS".to_owned(),
                    ..check()
                },
            ),
        ] {
            assert!(!finds(&wrong), "{what}");
        }
        assert!(finds(&Check {
            path: "/health".to_owned(),
            ..check()
        }));
        assert_eq!(check().notices_after(true), Duration::from_secs(20));
        assert_eq!(check().notices_after(false), Duration::from_secs(30));
    }
}
