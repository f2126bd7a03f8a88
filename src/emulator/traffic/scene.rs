//! All that the model looks at in the emulated state, read through the APIs that own it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::connector::Connector;
use super::controls::Controls;
use super::database::Database;
use super::machine::{Check, Machine};
use super::service::{Service, Way};
use crate::emulator::world::World;
use crate::emulator::{compute, run, sqladmin, vpcaccess};

/// One state of affairs. The same scene gives the same load at the same time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::emulator) struct Scene {
    /// By name, from `projects` on; so are the others.
    pub connectors: BTreeMap<String, Connector>,
    pub databases: BTreeMap<String, Database>,
    /// In the order of the scenario.
    pub services: Vec<Service>,
    pub backends: BTreeMap<String, Backend>,
    pub controls: Controls,
}

/// What stands behind a backend service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::emulator) enum Backend {
    /// A Cloud Run service, from `projects` on.
    Run(String),
    Machines {
        machines: Vec<Machine>,
        check: Option<Check>,
        /// Where requests go.
        port: u16,
    },
    /// No backend takes anything.
    Nothing,
}

pub(super) fn of(world: &World) -> Scene {
    let traffic = &world.traffic;
    let mut scene = Scene {
        controls: traffic.controls.clone(),
        ..Scene::default()
    };
    for demand in &traffic.demands {
        let shares = run::shares(world, &demand.service);
        for share in &shares {
            if let Way::Connector(name) = &share.way
                && let Some(connector) = vpcaccess::connector_of(world, name)
            {
                scene.connectors.insert(name.clone(), connector);
            }
        }
        if let Some(name) = &demand.database
            && let Some(database) = sqladmin::database_of(world, name)
        {
            scene.databases.insert(name.clone(), database);
        }
        let demand = demand.clone();
        scene.services.push(Service { demand, shares });
    }
    for front in &traffic.fronts {
        if let Some(backend) = compute::backend_of(world, &front.backend_service) {
            scene
                .backends
                .insert(front.backend_service.clone(), backend);
        }
    }
    scene
}
