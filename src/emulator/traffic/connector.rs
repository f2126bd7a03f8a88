//! A VPC Access connector under load.
//!
//! Throughput for each instance is Google's table ("Serverless VPC Access", scaling). The rest is a model: a queue
//! that grows without bound as utilisation nears 1, and connections that are lost beyond it. All of it falls
//! strictly with capacity.

use serde::{Deserialize, Serialize};

/// What the emulated state says of a connector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::emulator) struct Connector {
    pub machine_type: String,
    pub min: u32,
    pub max: u32,
    /// Not broken, and not on its way in or out.
    pub works: bool,
}

/// How it does at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::emulator) struct ConnectorLoad {
    pub instances: u32,
    /// What its instances can carry.
    pub capacity_mbps: f64,
    /// What its services want to send.
    pub offered_mbps: f64,
    /// 0 to 1, of all its instances together.
    pub cpu: f64,
    /// How long a connection takes to come about, in seconds.
    pub connect: f64,
    /// The share of connections that is never answered.
    pub lost: f64,
}

/// A connector adds instances until they are used no more than this.
const SCALE_OUT_AT: f64 = 0.6;

/// A connection through a connector with nothing else to do.
const CONNECT_SECONDS: f64 = 0.03;

/// Where the queue is taken to be as long as it gets without losing anything.
const FULL: f64 = 0.95;

/// For each unit of utilisation past [`FULL`]: what waits, waits for retransmissions.
const SECONDS_PAST_FULL: f64 = 15.0;

const CONNECT_SECONDS_MAX: f64 = 30.0;

/// Half of what does not fit comes through on a second try.
const LOST_OF_EXCESS: f64 = 0.5;

/// A machine that only forwards.
const CPU_IDLE: f64 = 0.05;

impl Connector {
    /// f1-micro 50, e2-micro 100, e2-standard-4 1600.
    pub fn mbps_each(&self) -> f64 {
        match self.machine_type.as_str() {
            "f1-micro" => 50.0,
            "e2-standard-4" => 1_600.0,
            _ => 100.0,
        }
    }

    /// "High packet rates can exhaust shared CPU credits ... on f1 and e2-micro instances" (Cloud Run, "VPC
    /// connectors"): their CPU is used up before their throughput is.
    fn cpu_at_full(&self) -> f64 {
        match self.machine_type.as_str() {
            "e2-standard-4" => 0.7,
            _ => 1.05,
        }
    }

    /// The instances that it grows to under this load: never fewer than there are.
    pub fn wanted(&self, offered_mbps: f64, present: u32) -> u32 {
        let needed = super::wave::whole((offered_mbps / (SCALE_OUT_AT * self.mbps_each())).ceil());
        needed.min(self.max).max(self.min).max(present)
    }

    /// `slow`, `lost` and `busy` are faults.
    pub fn load(
        &self,
        instances: u32,
        offered_mbps: f64,
        (slow, lost, busy): (f64, f64, f64),
    ) -> ConnectorLoad {
        let capacity_mbps = f64::from(instances.max(1)) * self.mbps_each();
        let used = offered_mbps / capacity_mbps;
        let cpu = CPU_IDLE + (self.cpu_at_full() - CPU_IDLE) * used.min(1.0);
        let lost_here = if self.works {
            LOST_OF_EXCESS * (1.0 - 1.0 / used.max(1.0))
        } else {
            1.0
        };
        ConnectorLoad {
            instances,
            capacity_mbps,
            offered_mbps,
            cpu: cpu.min(0.99).max(busy),
            connect: (CONNECT_SECONDS + queue(used)).min(CONNECT_SECONDS_MAX) + slow,
            lost: lost_here.max(lost),
        }
    }
}

/// Seconds in the queue: a twentieth of a second times u / (1 - u), and straight on from where that grows too
/// steep to tell apart.
fn queue(used: f64) -> f64 {
    let waits = |used: f64| 0.05 * used / (1.0 - used);
    if used <= FULL {
        waits(used)
    } else {
        waits(FULL) + (used - FULL) * SECONDS_PAST_FULL
    }
}

impl ConnectorLoad {
    pub fn carried_mbps(&self) -> f64 {
        self.offered_mbps.min(self.capacity_mbps)
    }

    /// 0 to 1.
    pub fn utilisation(&self) -> f64 {
        self.carried_mbps() / self.capacity_mbps
    }
}

#[cfg(test)]
mod tests {
    use super::Connector;

    fn connector(machine_type: &str, min: u32, max: u32) -> Connector {
        Connector {
            machine_type: machine_type.to_owned(),
            min,
            max,
            works: true,
        }
    }

    const WELL: (f64, f64, f64) = (0.0, 0.0, 0.0);

    #[test]
    fn a_larger_connector_is_strictly_better() {
        let micro = connector("e2-micro", 2, 10);
        for mbps in [40.0, 300.0, 412.0, 2_000.0] {
            for instances in 2..10 {
                let (small, large) = (
                    micro.load(instances, mbps, WELL),
                    micro.load(instances + 1, mbps, WELL),
                );
                let faster = large.connect < small.connect;
                let capped = small.connect >= super::CONNECT_SECONDS_MAX;
                assert!(faster || capped, "{mbps} {instances}");
                assert!(large.cpu <= small.cpu && large.lost <= small.lost);
                assert!(large.utilisation() <= small.utilisation());
            }
        }
        let large = connector("e2-standard-4", 2, 3).load(2, 412.0, WELL);
        assert!(large.connect < micro.load(10, 412.0, WELL).connect);
    }

    #[test]
    fn instances_follow_demand_upwards_only_and_within_bounds() {
        let micro = connector("e2-micro", 2, 10);
        assert_eq!(micro.wanted(412.0, 2), 7);
        assert_eq!(micro.wanted(4_000.0, 2), 10);
        assert_eq!(micro.wanted(0.0, 2), 2);
        assert_eq!(micro.wanted(0.0, 6), 6, "never down");
        assert_eq!(connector("e2-micro", 5, 10).wanted(0.0, 2), 5);
    }

    #[test]
    fn a_broken_connector_carries_nothing() {
        let mut broken = connector("e2-micro", 2, 3);
        broken.works = false;
        assert!((broken.load(2, 10.0, WELL).lost - 1.0).abs() < f64::EPSILON);
    }
}
