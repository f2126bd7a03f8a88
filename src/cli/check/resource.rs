//! Checks of managed resources: each is read once, and what an operator made of it is in the state
//! file, where one has run.

use crate::api::probe::ResourceProbe;
use crate::api::{CheckSpec, Declared, Key};
use crate::check::Reading;
use crate::cli::args::Globals;
use crate::cli::world::{self, World};
use crate::cli::{CliError, plan};
use crate::core::check::{ProberError, ProberFault};
use crate::core::record::Record;
use crate::engine::resource_window;
use jiff::Timestamp;
use std::collections::HashMap;

/// The declared resources, in their world.
pub struct Managed {
    world: World,
    declared: Vec<Declared>,
    records: HashMap<Key, Record>,
}

impl Managed {
    pub fn new(globals: &Globals, world: World, declared: &[Declared]) -> Result<Self, CliError> {
        let gcp = world::wanted(&globals.gcp)?;
        Ok(Managed {
            world,
            declared: declared.to_vec(),
            records: plan::records(&globals.state_path(), &gcp)?,
        })
    }

    pub async fn read(&self, spec: &CheckSpec, of: &ResourceProbe, now: Timestamp) -> Reading {
        let unread = |why: String| ProberError::new(ProberFault::Unavailable, why);
        let mut declared = self.declared.iter();
        let outcome = match declared.find(|one| one.key.kind == of.kind && one.name == of.name) {
            None => Err(unread("no manifest declares it".to_owned())),
            Some(declared) => {
                let live = plan::get(&self.world, &declared.key).await;
                let record = self.records.get(&declared.key);
                let status = record.map(|record| &record.status);
                resource_window(spec, &live, status, now).map_err(unread)
            }
        };
        Reading {
            since: now,
            outcome,
        }
    }
}
