//! Links between resources. Records keep relative names (`projects/p/global/healthChecks/h`); clients see and
//! send URLs, each under the base it talks to.

use serde_json::{Map, Value};

use super::errors::invalid;
use crate::emulator::errors::ApiError;
use crate::emulator::messages::{Kind, Message};

const ROOT: &str = "/compute/v1/";

pub(super) fn url(base: &str, name: &str) -> String {
    format!("{base}{ROOT}{name}")
}

/// Turns the links of a record into URLs.
pub(super) fn render(message: &Message, record: &mut Map<String, Value>, base: &str) {
    let mut render = |_: &str, link: &mut Value| -> Result<(), ApiError> {
        if let Some(name) = link.as_str().filter(|name| name.starts_with("projects/")) {
            *link = url(base, name).into();
        }
        Ok(())
    };
    // This visitor refuses nothing.
    visit(message, record, "", &mut render).ok();
}

/// Turns the links of a body into relative names.
pub(super) fn read(
    message: &Message,
    body: &mut Map<String, Value>,
    project: &str,
) -> Result<(), ApiError> {
    let mut read = |field: &str, link: &mut Value| {
        let Some(text) = link.as_str().filter(|text| !text.is_empty()) else {
            return Ok(());
        };
        let name =
            relative(text, project).ok_or_else(|| invalid(field, link, "The URL is malformed."))?;
        *link = name.into();
        Ok(())
    };
    visit(message, body, "resource", &mut read)
}

/// The relative name in any form of a link that compute takes. Links to other services stay as they are.
fn relative(link: &str, project: &str) -> Option<String> {
    if link.starts_with("https://") || link.starts_with("http://") {
        let path = link.splitn(4, '/').nth(3)?;
        let name = ["compute/v1/", "compute/beta/", "compute/alpha/"]
            .iter()
            .find_map(|root| path.strip_prefix(root));
        return Some(name.unwrap_or(link).to_owned());
    }
    if let Some(full) = link.strip_prefix("//") {
        let own = full.strip_prefix("compute.googleapis.com/");
        return Some(own.unwrap_or(link).to_owned());
    }
    let link = link.trim_start_matches('/');
    match link.split('/').next()? {
        "projects" => Some(link.to_owned()),
        "global" | "regions" | "zones" => Some(format!("projects/{project}/{link}")),
        _ => None,
    }
}

type Visitor<'a> = &'a mut dyn FnMut(&str, &mut Value) -> Result<(), ApiError>;

fn visit(
    message: &Message,
    object: &mut Map<String, Value>,
    place: &str,
    visitor: Visitor,
) -> Result<(), ApiError> {
    for field in message.fields {
        let Some(value) = object.get_mut(field.json) else {
            continue;
        };
        let at = format!("{place}.{}", field.json);
        match value {
            Value::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    visit_value(&field.kind, item, &format!("{at}[{index}]"), visitor)?;
                }
            }
            value => visit_value(&field.kind, value, &at, visitor)?,
        }
    }
    Ok(())
}

fn visit_value(
    kind: &Kind,
    value: &mut Value,
    place: &str,
    visitor: Visitor,
) -> Result<(), ApiError> {
    match (kind, value) {
        (Kind::Link, value) => visitor(place, value),
        (Kind::Message(message), Value::Object(object)) => visit(message, object, place, visitor),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::relative;

    #[test]
    fn every_form_of_a_link_names_the_same_resource() {
        for link in [
            "https://www.googleapis.com/compute/v1/projects/p/global/healthChecks/h",
            "https://compute.googleapis.com/compute/beta/projects/p/global/healthChecks/h",
            "http://127.0.0.1:8080/compute/v1/projects/p/global/healthChecks/h",
            "//compute.googleapis.com/projects/p/global/healthChecks/h",
            "projects/p/global/healthChecks/h",
            "/projects/p/global/healthChecks/h",
            "global/healthChecks/h",
        ] {
            let name = relative(link, "p");
            assert_eq!(name.as_deref(), Some("projects/p/global/healthChecks/h"));
        }
        let elsewhere =
            "//certificatemanager.googleapis.com/projects/p/locations/global/certificates/c";
        assert_eq!(relative(elsewhere, "p").as_deref(), Some(elsewhere));
        assert_eq!(relative("healthy", "p"), None);
        assert_eq!(
            relative("https://nowhere", "p"),
            None,
            "a URL without a path"
        );
    }
}
