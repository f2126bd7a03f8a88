//! Long-running operations, as google.longrunning has them.
//!
//! Invariant: an operation's end and result are settled when it starts or when it is due, never by a read;
//! operations are strongly consistent, only the connector lags.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::connectors::{Connector, State};
use super::errors::ApiError;
use super::query::{Params, page};
use super::records::Lag;
use super::route::{Route, Version};
use super::timing::later;
use super::world::{Request, View, World};

/// Finished operations beyond this many are forgotten, oldest first.
const OPERATIONS_MAX: usize = 5_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Method {
    Create,
    Update,
    Delete,
}

impl Method {
    fn full_name(self) -> &'static str {
        match self {
            Self::Create => "google.cloud.vpcaccess.v1.VpcAccessService.CreateConnector",
            Self::Update => "google.cloud.vpcaccess.v1.VpcAccessService.UpdateConnector",
            Self::Delete => "google.cloud.vpcaccess.v1.VpcAccessService.DeleteConnector",
        }
    }
}

/// What an operation does to its connector when it succeeds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Effect {
    Create,
    Update {
        machine_type: Option<String>,
        size: Option<(i32, i32)>,
    },
    Delete {
        before: State,
    },
}

/// How an operation fails, and the state its connector is left in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Failure {
    pub code: i32,
    pub message: String,
    pub leaves: State,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
enum Outcome {
    Response(Value),
    Error { code: i32, message: String },
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Operation {
    name: String,
    method: Method,
    target: String,
    created: Timestamp,
    due: Timestamp,
    lag: Lag,
    effect: Effect,
    failure: Option<Failure>,
    /// It will succeed and change nothing.
    ignored: bool,
    outcome: Option<Outcome>,
}

impl Operation {
    pub fn is_running(&self) -> bool {
        self.outcome.is_none()
    }

    pub fn body(&self) -> Value {
        let mut metadata = json!({
            "@type": "type.googleapis.com/google.cloud.vpcaccess.v1.OperationMetadata",
            "method": self.method.full_name(),
            "createTime": self.created.to_string(),
            "target": self.target,
        });
        // "done" and the end are absent, not false and null, while it runs.
        let Some(outcome) = &self.outcome else {
            return json!({"name": self.name, "metadata": metadata});
        };
        metadata["endTime"] = json!(self.due.to_string());
        let mut body = json!({"name": self.name, "metadata": metadata, "done": true});
        match outcome {
            Outcome::Response(response) => body["response"] = response.clone(),
            Outcome::Error { code, message } => {
                body["error"] = json!({"code": code, "message": message});
            }
        }
        body
    }
}

impl World {
    /// Starts an operation; its connector already shows the change running.
    pub fn start(
        &mut self,
        request: &Request,
        method: Method,
        target: &str,
        effect: Effect,
        failure: Option<Failure>,
    ) -> Value {
        let twist = self.faults.twist(request.http_method, request.path, method);
        let mut runs = self.dice.between(&self.timing.operation);
        if method == Method::Create {
            runs += *self.timing.operation.start();
        }
        let lag = self.draw_lag();
        let operation = Operation {
            name: format!("{}/operations/{}", request.route.parent(), self.dice.uuid()),
            method,
            target: target.to_owned(),
            created: self.clock,
            due: later(self.clock, runs + twist.slower),
            lag,
            effect,
            failure: twist.failure.or(failure),
            ignored: twist.ignored,
            outcome: None,
        };
        let body = operation.body();
        self.running.insert((operation.due, operation.name.clone()));
        self.operations.insert(operation.name.clone(), operation);
        self.forget_operations();
        body
    }

    /// Finishes every operation that is due, in the order they end.
    pub fn settle(&mut self) {
        while let Some((due, _)) = self.running.first()
            && *due <= self.clock
            && let Some((_, name)) = self.running.pop_first()
        {
            if let Some(operation) = self.operations.get(&name).cloned() {
                self.finish(operation);
            }
        }
    }

    pub fn get_operation(&self, route: &Route) -> Result<Value, ApiError> {
        let operation = self.operations.get(&route.operation_name());
        let operation =
            operation.ok_or_else(|| ApiError::not_found("Requested entity was not found."))?;
        Ok(operation.body())
    }

    pub fn list_operations(
        &self,
        route: &Route,
        params: &Params,
        view: View,
    ) -> Result<Value, ApiError> {
        let wanted = done_filter(params)?;
        let prefix = format!("{}/operations/", route.parent());
        let found = self
            .operations
            .range(prefix.clone()..)
            .take_while(|(name, _)| name.starts_with(&prefix) && !view.partial)
            .filter(|(_, operation)| wanted.is_none_or(|done| done != operation.is_running()))
            .map(|(name, operation)| (name.clone(), operation));
        let (page, next) = page(found, &prefix, params)?;
        let mut reply = json!({});
        if !page.is_empty() {
            reply["operations"] = page.into_iter().map(Operation::body).collect();
        }
        if let Some(next) = next {
            reply["nextPageToken"] = next.into();
        }
        if view.partial {
            reply["unreachable"] = json!([route.parent()]);
        }
        Ok(reply)
    }

    fn draw_lag(&mut self) -> Lag {
        let time = self.dice.between(&self.timing.read_lag);
        let behind = if time > Duration::ZERO && self.dice.below(2) == 0 {
            2
        } else {
            1
        };
        Lag { time, behind }
    }

    fn finish(&mut self, mut operation: Operation) {
        let connector = self.truth(&operation.target).cloned();
        let after = connector
            .clone()
            .and_then(|connector| end_state(&operation, connector));
        operation.outcome = Some(outcome(&operation, after.as_ref()));
        let record = self.records.entry(operation.target.clone()).or_default();
        if connector.is_some() {
            record.change(operation.due, operation.lag, after);
        }
        self.operations.insert(operation.name.clone(), operation);
    }

    fn forget_operations(&mut self) {
        if self.operations.len() <= OPERATIONS_MAX {
            return;
        }
        let finished = self
            .operations
            .values()
            .filter(|operation| !operation.is_running());
        let oldest = finished.min_by_key(|operation| (operation.due, operation.name.clone()));
        if let Some(name) = oldest.map(|operation| operation.name.clone()) {
            self.operations.remove(&name);
        }
    }
}

/// The connector once the operation is over; None when it is gone.
fn end_state(operation: &Operation, mut connector: Connector) -> Option<Connector> {
    if let Some(failure) = &operation.failure {
        connector.state = failure.leaves;
        return Some(connector);
    }
    connector.state = State::Ready;
    match &operation.effect {
        Effect::Create => (!operation.ignored).then_some(connector),
        Effect::Update { machine_type, size } => {
            if operation.ignored {
                return Some(connector);
            }
            if let Some(machine_type) = machine_type {
                connector.machine_type.clone_from(machine_type);
            }
            if let Some((min, max)) = *size {
                (connector.min_instances, connector.max_instances) = (min, max);
            }
            Some(connector)
        }
        Effect::Delete { before } => {
            connector.state = *before;
            operation.ignored.then_some(connector)
        }
    }
}

fn outcome(operation: &Operation, after: Option<&Connector>) -> Outcome {
    if let Some(Failure { code, message, .. }) = &operation.failure {
        return Outcome::Error {
            code: *code,
            message: message.clone(),
        };
    }
    let response = match (&operation.effect, after) {
        (Effect::Create | Effect::Update { .. }, Some(connector)) => {
            let mut body = connector.body(Version::V1);
            body["@type"] = json!("type.googleapis.com/google.cloud.vpcaccess.v1.Connector");
            body
        }
        (Effect::Create | Effect::Update { .. }, None) => json!({
            "@type": "type.googleapis.com/google.cloud.vpcaccess.v1.Connector",
            "name": operation.target,
        }),
        (Effect::Delete { .. }, _) => json!({"@type": "type.googleapis.com/google.protobuf.Empty"}),
    };
    Outcome::Response(response)
}

/// Of the filter language only `done` is served; the rest is refused rather than ignored.
fn done_filter(params: &Params) -> Result<Option<bool>, ApiError> {
    let filter = params
        .get("filter")
        .unwrap_or_default()
        .replace([' ', '"'], "");
    match filter.replace(':', "=").to_ascii_lowercase().as_str() {
        "" => Ok(None),
        "done=true" => Ok(Some(true)),
        "done=false" => Ok(Some(false)),
        _ => Err(ApiError::invalid("Invalid list filter.")),
    }
}
