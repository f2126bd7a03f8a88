//! What happened, as Events of the cluster: best effort, and nothing waits for them.

use super::words::MANAGER;
use crate::api::Event;
use crate::api::event::Severity;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::runtime::events::{self, EventType, Recorder, Reporter};
use std::time::Duration;
use tokio::sync::mpsc;

/// Events that may wait; beyond them the newest are left out.
const BACKLOG: usize = 512;
/// How long one may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where events are dropped. Cheap to clone.
#[derive(Clone)]
pub struct Herald {
    queue: mpsc::Sender<(ObjectReference, Event)>,
}

impl Herald {
    /// Starts the task that publishes. Call inside the runtime; it ends with the last clone.
    #[must_use]
    pub fn start(client: Client) -> Self {
        let (queue, mut waiting) = mpsc::channel::<(ObjectReference, Event)>(BACKLOG);
        tokio::spawn(async move {
            let reporter = Reporter {
                controller: MANAGER.to_owned(),
                instance: None,
            };
            let recorder = Recorder::new(client, reporter);
            while let Some((about, event)) = waiting.recv().await {
                let wanted = published(&event);
                let call = recorder.publish(&wanted, &about);
                match tokio::time::timeout(PATIENCE, call).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => tracing::debug!(%error, "an event was not published"),
                    Err(_) => tracing::debug!("an event was not published in time"),
                }
            }
        });
        Herald { queue }
    }

    /// Publishes an event about an object, some time.
    pub fn tell(&self, about: ObjectReference, event: &Event) {
        if self.queue.try_send((about, event.clone())).is_err() {
            tracing::debug!(reason = event.reason, "too many events; one is left out");
        }
    }
}

fn published(event: &Event) -> events::Event {
    events::Event {
        type_: match event.severity {
            Severity::Normal => EventType::Normal,
            Severity::Warning => EventType::Warning,
        },
        reason: event.reason.clone(),
        note: Some(event.message.clone()),
        action: "Reconcile".to_owned(),
        secondary: None,
    }
}
