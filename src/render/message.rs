//! Short messages: errors, hints, the emulator's greeting.

use super::style::{BAD, NAME, TITLE, paint};
use std::net::SocketAddr;

/// `error: what`, and `hint: way out` below.
#[must_use]
pub fn error(what: &str, hint: Option<&str>) -> String {
    let mut text = format!("{} {what}\n", paint(BAD.bold(), "error:"));
    if let Some(hint) = hint {
        text.push_str(&self::hint(hint));
    }
    text
}

/// `hint: way out`.
#[must_use]
pub fn hint(text: &str) -> String {
    format!("{} {text}\n", paint(NAME.bold(), "hint:"))
}

/// A line that is no error and no result.
#[must_use]
pub fn note(text: &str) -> String {
    format!("{} {text}\n", paint(TITLE, "note:"))
}

/// What the emulator says first: its address alone, then how to use it.
#[must_use]
pub fn emulator(address: &str, scenario: &str, project: &str) -> String {
    format!(
        "http://{address}\n\
         # scenario {scenario}; Ctrl-C stops. For evenkeel and gcloud in another terminal:\n\
         export EVENKEEL_GCP=http://{address}\n\
         export CLOUDSDK_API_ENDPOINT_OVERRIDES_VPCACCESS=http://{address}/\n\
         export CLOUDSDK_AUTH_ACCESS_TOKEN=emulated CLOUDSDK_CORE_PROJECT={project}\n\
         # faults, the request log and another writer: curl http://{address}/_emulator/health\n"
    )
}

/// How to reach the emulated services themselves.
#[must_use]
pub fn dataplane(address: &SocketAddr, gateway: &SocketAddr, dns: &SocketAddr) -> String {
    format!(
        "# the emulated services: ports at http://{address}/_emulator/dataplane, DNS on {dns}, and by their own names:\n\
         # curl --socks5-hostname {gateway} --cacert <(curl -s http://{address}/_emulator/dataplane/ca.pem) \
         https://staging.netra.example.com/health\n"
    )
}
