//! Intents as requests: paths, id parameters and masks.

use super::{AUTHORIZATIONS, CERTIFICATES, ENTRIES, MAPS, short};
use crate::core::error::{Fault, FaultKind};
use crate::core::record::{Intent, Verb};
use crate::gcp::error::fault;
use crate::gcp::path::{full_name, segment};
use ::http::Method;
use serde_json::Value;

/// The request line of an intent.
pub(super) struct Request {
    pub method: Method,
    pub path: String,
    pub query: Vec<(&'static str, String)>,
}

pub(super) fn request(intent: &Intent) -> Result<Request, Fault> {
    let key = &intent.key;
    let object = intent.object.as_deref().unwrap_or_default();
    let Some((collection, id)) = object.rsplit_once('/') else {
        let text = "a certificate is changed by calls on its objects only";
        return Err(fault(FaultKind::Invalid, 0, "NO_OBJECT", text));
    };
    let scope = scope(&key.project, &key.location)?;
    let one = format!("{scope}/{}", full_name(object)?);
    Ok(match intent.verb {
        Verb::Create => Request {
            method: Method::POST,
            path: format!("{scope}/{}", full_name(collection)?),
            query: vec![(id_parameter(collection)?, id.to_owned())],
        },
        Verb::Patch => Request {
            method: Method::PATCH,
            path: one,
            query: vec![("updateMask", mask(&intent.body)?)],
        },
        Verb::Delete => Request {
            method: Method::DELETE,
            path: one,
            query: Vec::new(),
        },
    })
}

fn id_parameter(collection: &str) -> Result<&'static str, Fault> {
    match short(collection) {
        CERTIFICATES => Ok("certificateId"),
        AUTHORIZATIONS => Ok("dnsAuthorizationId"),
        MAPS => Ok("certificateMapId"),
        ENTRIES => Ok("certificateMapEntryId"),
        _ => {
            let text = "there is no such collection of certificates";
            Err(fault(FaultKind::Invalid, 0, "NO_OBJECT", text))
        }
    }
}

/// A patch sends the fields it changes, and those alone.
fn mask(body: &Value) -> Result<String, Fault> {
    let fields: Vec<&str> = body
        .as_object()
        .map(|body| body.keys().map(String::as_str).collect())
        .unwrap_or_default();
    if fields.is_empty() {
        let text = "a patch names the fields it changes";
        return Err(fault(FaultKind::Invalid, 0, "INVALID_MASK", text));
    }
    Ok(fields.join(","))
}

pub(super) fn scope(project: &str, location: &str) -> Result<String, Fault> {
    let (project, location) = (segment(project)?, segment(location)?);
    Ok(format!("v1/projects/{project}/locations/{location}"))
}
