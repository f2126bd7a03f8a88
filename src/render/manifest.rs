//! Manifests as people would write them: fields in the order of the documentation, notes above.

use crate::api::backend_service::BackendServiceResource;
use crate::api::health_check::HealthCheckResource;
use crate::api::run_service::RunServiceResource;
use crate::api::sql_instance::SqlInstanceResource;
use crate::api::ssl_certificate::SslCertificateResource;
use crate::api::vpc_access_connector::VpcAccessConnectorResource;
use crate::api::{API_VERSION, Declared, Kind};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Longest line of a note.
const WIDTH: usize = 98;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'d, R> {
    api_version: &'d str,
    kind: &'d str,
    metadata: Metadata<'d>,
    spec: Spec<'d, R>,
}

#[derive(Serialize)]
struct Metadata<'d> {
    name: &'d str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Spec<'d, R> {
    project: &'d str,
    location: &'d str,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_name: Option<&'d str>,
    adopt: bool,
    resource: R,
}

/// One YAML document, its notes as comments above it.
///
/// # Errors
/// When `spec.resource` is not what its kind may hold.
pub fn yaml(declared: &Declared, notes: &[String]) -> Result<String, String> {
    let comments: String = notes.iter().map(|note| comment(note)).collect();
    Ok(comments + &text(declared, Form::Yaml)?)
}

/// One JSON document.
///
/// # Errors
/// As [`yaml`].
pub fn json(declared: &Declared) -> Result<String, String> {
    text(declared, Form::Json)
}

/// Several YAML documents in one text.
#[must_use]
pub fn yaml_stream(documents: &[String]) -> String {
    documents.join("---\n")
}

/// Several JSON documents as a List, which loads as one file.
#[must_use]
pub fn json_list(documents: &[String]) -> String {
    let items: Vec<String> = documents
        .iter()
        .map(|document| indented(document.trim_end()))
        .collect();
    format!(
        "{{\n  \"apiVersion\": \"v1\",\n  \"kind\": \"List\",\n  \"items\": [\n{}\n  ]\n}}\n",
        items.join(",\n")
    )
}

fn indented(document: &str) -> String {
    let lines: Vec<String> = document.lines().map(|line| format!("    {line}")).collect();
    lines.join("\n")
}

#[derive(Clone, Copy)]
enum Form {
    Yaml,
    Json,
}

fn text(declared: &Declared, form: Form) -> Result<String, String> {
    match declared.key.kind {
        Kind::VpcAccessConnector => typed::<VpcAccessConnectorResource>(declared, form),
        Kind::HealthCheck => typed::<HealthCheckResource>(declared, form),
        Kind::BackendService => typed::<BackendServiceResource>(declared, form),
        Kind::SslCertificate => typed::<SslCertificateResource>(declared, form),
        Kind::RunService => typed::<RunServiceResource>(declared, form),
        Kind::SqlInstance => typed::<SqlInstanceResource>(declared, form),
    }
}

/// The type brings the order of the fields.
fn typed<R: Serialize + DeserializeOwned>(
    declared: &Declared,
    form: Form,
) -> Result<String, String> {
    let resource = Value::Object(declared.resource.clone());
    let resource: R = serde_json::from_value(resource).map_err(|error| error.to_string())?;
    let key = &declared.key;
    let document = Document {
        api_version: API_VERSION,
        kind: key.kind.as_str(),
        metadata: Metadata {
            name: &declared.name,
        },
        spec: Spec {
            project: &key.project,
            location: &key.location,
            resource_name: (key.name != declared.name).then_some(&key.name),
            adopt: declared.policy.adopt,
            resource,
        },
    };
    match form {
        Form::Yaml => yaml_text(&document),
        Form::Json => {
            let text =
                serde_json::to_string_pretty(&document).map_err(|error| error.to_string())?;
            Ok(readable(&text) + "\n")
        }
    }
}

/// Texts of several lines, such as certificates, stand as they are; long lines are not folded.
fn yaml_text(document: &impl Serialize) -> Result<String, String> {
    let options = serde_saphyr::ser_options! { folded_wrap_chars: usize::MAX };
    let mut out = String::new();
    serde_saphyr::to_fmt_writer_with_options(&mut out, document, options)
        .map_err(|error| error.to_string())?;
    Ok(out)
}

/// JSON that is YAML too: what no YAML text may hold as it is, and what some readers take for the
/// end of a line. In JSON these stand in texts only.
fn readable(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '\u{7f}'..='\u{9f}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{feff}'
            | '\u{fffe}'
            | '\u{ffff}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            _ => out.push(c),
        }
    }
    out
}

fn comment(note: &str) -> String {
    let mut out = String::new();
    let mut line = "#".to_owned();
    for word in note.split_whitespace() {
        if line.len() > 1 && line.len() + 1 + word.len() > WIDTH {
            out.push_str(&line);
            out.push('\n');
            "#".clone_into(&mut line);
        }
        line.push(' ');
        line.push_str(word);
    }
    out + &line + "\n"
}
