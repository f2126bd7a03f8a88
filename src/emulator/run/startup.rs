//! Whether the containers of a new revision come up, where a scenario knows what they need for it.
//!
//! The words are Google's, from public reports.

use jiff::Timestamp;

use super::revision::Revision;
use super::service::Service;
use super::traffic::of_template;
use crate::emulator::operations::Failure;
use crate::emulator::world::World;

pub(super) fn failure(
    world: &World,
    at: Timestamp,
    service: &Service,
    revision: &Revision,
) -> Option<Failure> {
    let share = of_template(revision.id(), 1.0, &revision.template);
    let start = world.start_at(at, &service.name, &share)?;
    if start.works && start.seconds <= share.startup_window {
        return None;
    }
    let container = &revision.template["containers"][0];
    let text = if container["startupProbe"]["tcpSocket"].is_object() {
        let port = container["ports"][0]["containerPort"].as_i64();
        let port = port.unwrap_or(super::defaults::PORT);
        format!(
            "The user-provided container failed to start and listen on the port defined provided by the \
             PORT={port} environment variable within the allocated timeout. This can happen when the container \
             port is misconfigured or if the timeout is too short. The health check timeout can be extended. Logs \
             for this revision might contain more information."
        )
    } else {
        "The user-provided container failed the configured startup probe checks. Logs for this revision might \
         contain more information."
            .to_owned()
    };
    Some(Failure::new(9, text))
}
