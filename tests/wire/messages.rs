//! Messages against their description: known fields, each of its type.

use serde_json::Value;

use super::operations::check_status_operation;
use super::{Surface, is_time};

/// How a message is to be read.
#[derive(Debug, Clone, Copy)]
pub struct How {
    /// By the API: nothing read-only, and null means unset, or deletes in a merge patch.
    pub sent: bool,
    /// Enums may be numbers, as REST clients send them and ask for them.
    pub enum_numbers: bool,
}

impl Surface {
    pub(super) fn check_message(
        &self,
        message: &str,
        place: &str,
        value: &Value,
        how: How,
        problems: &mut Vec<String>,
    ) {
        let fields = &self.section("messages")[message];
        let Some(object) = value.as_object() else {
            problems.push(format!("{place}: expected a {message}, got {value}"));
            return;
        };
        for (name, value) in object {
            let place = format!("{place}.{name}");
            match fields.get(name) {
                None => problems.push(format!("{place}: {message} has no such field")),
                Some(kind) if how.sent && kind["readOnly"] == true => {
                    problems.push(format!("{place}: is read-only"));
                }
                // Unset, or deleted in a merge patch.
                Some(_) if how.sent && value.is_null() => {}
                Some(kind) => self.check_field(kind, &place, value, how, problems),
            }
        }
        match message {
            _ if how.sent => {}
            "Operation" if fields.get("operationType").is_some() => {
                check_status_operation(place, object, problems);
            }
            _ if fields.get("done").is_some() => self.check_operation(place, object, how, problems),
            _ => {}
        }
    }

    fn check_field(
        &self,
        kind: &Value,
        place: &str,
        value: &Value,
        how: How,
        problems: &mut Vec<String>,
    ) {
        // Null means unset, or deletes in a merge patch.
        if how.sent && value.is_null() {
            return;
        }
        match (kind["list"] == true, kind["map"] == true) {
            (true, _) => match value.as_array() {
                Some(items) => {
                    let mut item_kind = kind.clone();
                    item_kind["list"] = false.into();
                    for (index, item) in items.iter().enumerate() {
                        self.check_field(
                            &item_kind,
                            &format!("{place}[{index}]"),
                            item,
                            how,
                            problems,
                        );
                    }
                }
                None => problems.push(format!("{place}: expected a list, got {value}")),
            },
            (false, true) => match value.as_object() {
                Some(entries) => {
                    for (name, entry) in entries {
                        if how.sent && entry.is_null() {
                            continue;
                        }
                        self.check_scalar(kind, &format!("{place}.{name}"), entry, how, problems);
                    }
                }
                None => problems.push(format!("{place}: expected an object, got {value}")),
            },
            (false, false) => self.check_scalar(kind, place, value, how, problems),
        }
    }

    fn check_scalar(
        &self,
        kind: &Value,
        place: &str,
        value: &Value,
        how: How,
        problems: &mut Vec<String>,
    ) {
        let name = kind["type"].as_str().unwrap_or_default();
        let good = match name {
            "any" | "object" => true,
            "string" if kind["enum"].is_array() && how.enum_numbers => {
                value.is_string() || value.is_u64()
            }
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "uint32" => value
                .as_u64()
                .is_some_and(|number| u32::try_from(number).is_ok()),
            "int32" => value
                .as_i64()
                .is_some_and(|number| i32::try_from(number).is_ok()),
            // 64-bit numbers travel as strings, because JSON numbers are doubles.
            "int64" => value
                .as_str()
                .is_some_and(|text| text.parse::<i64>().is_ok()),
            "uint64" => value
                .as_str()
                .is_some_and(|text| text.parse::<u64>().is_ok()),
            "double" | "float" | "number" => value.is_number(),
            message => return self.check_message(message, place, value, how, problems),
        };
        if !good {
            problems.push(format!("{place}: expected {name}, got {value}"));
        } else if kind["enum"]
            .as_array()
            .is_some_and(|names| !is_enum(names, value, how))
        {
            problems.push(format!("{place}: {value} is not in the enum"));
        } else if let Some(wanted) = misformed(kind, value) {
            problems.push(format!("{place}: {value} is not {wanted}"));
        }
    }
}

/// Numbers are as good as names where they may be; which number is which, the description does not say.
fn is_enum(names: &[Value], value: &Value, how: How) -> bool {
    names.contains(value) || how.enum_numbers && value.as_u64().is_some_and(|number| number < 100)
}

/// What a text should be and is not.
fn misformed(kind: &Value, value: &Value) -> Option<&'static str> {
    let text = value.as_str()?;
    match kind["format"].as_str()? {
        "google-datetime" => (!is_time(value)).then_some("a time"),
        "google-duration" => (!is_duration(text)).then_some("a duration"),
        "byte" => (!is_base64(text)).then_some("base64"),
        _ => None,
    }
}

/// Seconds with at most nine places, such as `3.5s`.
fn is_duration(text: &str) -> bool {
    let Some(number) = text.strip_suffix('s') else {
        return false;
    };
    let (whole, parts) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole.strip_prefix('-').unwrap_or(whole)) && digits(parts) && parts.len() <= 9
}

fn is_base64(text: &str) -> bool {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD
        .decode(text)
        .is_ok()
}
