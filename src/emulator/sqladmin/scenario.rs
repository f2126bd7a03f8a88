//! The instances that scenarios hold.

use jiff::Timestamp;
use serde_json::json;

use super::defaults;
use super::instance::{Instance, State};
use crate::emulator::scenario::Scenario;

pub(super) fn instances(scenario: Scenario) -> Vec<Instance> {
    let staging = scenario == Scenario::NetraStaging;
    staging.then(netra_db).into_iter().collect()
}

/// The database behind the services of `netra-staging`.
fn netra_db() -> Instance {
    let mut spec = json!({
        "databaseVersion": "POSTGRES_15",
        "region": "us-central1",
        "settings": {
            "tier": "db-custom-2-7680",
            "dataDiskSizeGb": "50",
            "databaseFlags": [
                {"name": "max_connections", "value": "200"},
                {"name": "log_min_duration_statement", "value": "500"},
            ],
            "backupConfiguration": {"enabled": true, "startTime": "03:00", "pointInTimeRecoveryEnabled": true},
            "ipConfiguration": {
                "ipv4Enabled": false,
                "privateNetwork": "projects/netra-staging/global/networks/default",
            },
            "userLabels": {"env": "staging"},
        },
    });
    defaults::fill(&mut spec);
    Instance {
        project: "netra-staging".to_owned(),
        name: "netra-db".to_owned(),
        state: State::Runnable,
        created: Timestamp::constant(1_741_600_800, 0),
        settings_version: 7,
        spec,
        private_address: Some("10.20.0.3".to_owned()),
    }
}
