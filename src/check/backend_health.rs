//! The health of backends: one sample for each endpoint that a load balancer probes.

use super::google::refused;
use crate::api::probe::BackendHealthProbe;
use crate::core::check::{ProberError, Sample, Window};
use crate::gcp::backend_health::BackendHealth;

pub(super) async fn probe(
    backends: &BackendHealth,
    health: &BackendHealthProbe,
) -> Result<Window, ProberError> {
    let service = &health.backend_service;
    let endpoints = backends.endpoints(&health.project, &health.location, service);
    let endpoints = endpoints.await.map_err(|fault| refused(&fault))?;
    let mut window = Window::new();
    for endpoint in endpoints {
        let sample = Sample::new().with("healthy", endpoint.is_healthy());
        window.push(if endpoint.is_healthy() {
            sample
        } else {
            sample.failed("health", format!("{} is {}", endpoint.name, endpoint.state))
        });
    }
    Ok(window)
}
