//! The connectors that scenarios hold.

use jiff::Timestamp;

use super::connector::{Connector, State};
use crate::emulator::scenario::Scenario;

/// Full name of the connector of `netra-staging`, which its services share.
pub(in crate::emulator) const STAGING_CONNECTOR: &str =
    "projects/netra-staging/locations/us-central1/connectors/staging-connector";

pub(super) fn connectors(scenario: Scenario) -> Vec<Connector> {
    match scenario {
        Scenario::NetraStaging => vec![Connector {
            name: STAGING_CONNECTOR.to_owned(),
            network: "default".to_owned(),
            ip_cidr_range: "10.8.0.0/28".to_owned(),
            subnet: None,
            machine_type: "e2-micro".to_owned(),
            min_instances: 2,
            max_instances: 3,
            state: State::Ready,
            connected_projects: vec!["netra-staging".to_owned()],
            create_time: Timestamp::constant(1_741_600_800, 0),
        }],
        Scenario::Empty | Scenario::Many => Vec::new(),
    }
}
