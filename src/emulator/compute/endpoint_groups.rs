//! Network endpoint groups, as far as backend services must know them.

use serde_json::{Value, json};

use super::collection::{Proposal, Record, default, text};
use super::errors::{invalid, required};
use super::place::Scope;
use crate::emulator::errors::ApiError;

pub(super) fn complete(group: &mut Record, proposal: &Proposal) {
    default(group, "size", 0);
    if let Scope::Zone(_) = proposal.place.scope {
        default(group, "networkEndpointType", "GCE_VM_IP_PORT");
    }
}

/// Which types live where: the API reference, `NetworkEndpointGroup`.
pub(super) fn check(group: &Record, proposal: &Proposal) -> Result<(), ApiError> {
    let kind = text(group, "networkEndpointType");
    if kind.is_empty() {
        return Err(required("resource.networkEndpointType"));
    }
    let scope = match &proposal.place.scope {
        Scope::Global => "global",
        Scope::Region(_) => "regional",
        Scope::Zone(_) => "zonal",
    };
    let allowed = scopes_of(kind);
    if !allowed.contains(&scope) {
        // The sentence is Google's, for SERVERLESS in a zone.
        let words = format!(
            "Network endpoint of type {kind} is only allowed in {} scope.",
            allowed.join(" or ")
        );
        return Err(invalid(
            "resource.networkEndpointType",
            &json!(kind),
            &words,
        ));
    }
    let platforms = ["cloudRun", "appEngine", "cloudFunction", "pscTargetService"];
    if kind == "SERVERLESS" && !platforms.iter().any(|name| group.contains_key(*name)) {
        let words = "A serverless network endpoint group must name a service.";
        return Err(invalid("resource.cloudRun", &Value::Null, words));
    }
    Ok(())
}

fn scopes_of(kind: &str) -> &'static [&'static str] {
    match kind {
        "INTERNET_FQDN_PORT" | "INTERNET_IP_PORT" => &["global", "regional"],
        "GCE_VM_IP" | "GCE_VM_IP_PORT" | "NON_GCP_PRIVATE_IP_PORT" => &["zonal"],
        _ => &["regional"],
    }
}
