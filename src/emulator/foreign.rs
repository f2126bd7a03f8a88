//! Another writer: a person at a console, another tool. It changes a resource at once, and no rule binds it.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::api::Api;
use super::log::{LogEntry, LogStatus};
use super::registry::{self, APIS, relative};
use super::route::Route;
use super::world::World;

/// A foreign change that cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ForeignError {
    #[error(
        "there is no resource \"{0}\"; name one by its path, such as \
         /v1/projects/*/locations/*/connectors/* or /compute/v1/projects/*/global/healthChecks/*"
    )]
    NotFound(String),
    #[error("{0}")]
    Fields(String),
}

impl World {
    /// The key of a resource that exists, by its REST path or by the part of it from `projects` on.
    pub fn find(&self, path: &str) -> Option<String> {
        let by_path = Route::all(&http::Method::GET, path);
        let by_path = by_path.iter().map(Route::key);
        let by_name = APIS.iter().map(|api| api.key(path));
        by_path
            .chain(by_name)
            .find(|key| self.records.truth(key).is_some())
    }

    /// The true state of a resource, see [`World::find`].
    pub fn truth_at(&self, path: &str) -> Option<Value> {
        self.truth_body(&self.find(path)?)
    }

    pub fn foreign_patch(
        &mut self,
        now: Timestamp,
        path: &str,
        fields: &Value,
    ) -> Result<(), ForeignError> {
        self.advance(now);
        let (api, key, record) = self.existing(path)?;
        let changed = api.overwrite(&key, record, fields);
        let changed = changed.map_err(ForeignError::Fields)?;
        self.foreign_change(&key, Some(changed), fields.clone());
        Ok(())
    }

    pub fn foreign_delete(&mut self, now: Timestamp, path: &str) -> Result<(), ForeignError> {
        self.advance(now);
        let (_, key, _) = self.existing(path)?;
        self.foreign_change(&key, None, json!(null));
        Ok(())
    }

    fn existing(&self, path: &str) -> Result<(&'static dyn Api, String, &Value), ForeignError> {
        let found = || {
            let key = self.find(path)?;
            let record = self.records.truth(&key)?;
            Some((registry::owner(&key)?, key, record))
        };
        found().ok_or_else(|| ForeignError::NotFound(path.to_owned()))
    }

    fn foreign_change(&mut self, key: &str, after: Option<Value>, fields: Value) {
        let root = registry::owner(key).map_or("", |api| api.root());
        let before = self.truth_body(key);
        let state = before.as_ref().and_then(|body| body["state"].as_str());
        let entry = LogEntry {
            seq: 0,
            at: self.clock,
            method: if after.is_some() { "PATCH" } else { "DELETE" }.to_owned(),
            path: format!("{root}/{}", relative(key)),
            query: String::new(),
            update_mask: None,
            body: Some(fields),
            status: LogStatus::Code(200),
            landed: true,
            state: state.map(str::to_owned),
            before,
            faults: Vec::new(),
            foreign: true,
        };
        self.log.push(entry);
        self.show(key, after);
    }
}
