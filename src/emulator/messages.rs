//! What the API's messages look like, and how Google reads JSON into them.
//!
//! The reader behaves like Google's JSON transcoder: JSON and proto names are both accepted, null means
//! unset, an int32 may come as a string, and each unknown name or wrong type is reported with its place.

use serde_json::{Map, Value};

use super::errors::{ApiError, Violation};

pub(super) struct Message {
    pub type_name: &'static str,
    pub fields: &'static [Field],
}

pub(super) struct Field {
    pub json: &'static str,
    proto: &'static str,
    repeated: bool,
    pub kind: Kind,
}

pub(super) enum Kind {
    Text,
    Int32,
    Bool,
    Enum(&'static str, &'static [&'static str]),
    Message(&'static Message),
    /// `Any` and maps: every name is allowed inside.
    Open,
}

const fn field(json: &'static str, proto: &'static str, kind: Kind) -> Field {
    Field {
        json,
        proto,
        repeated: false,
        kind,
    }
}

const fn many(json: &'static str, proto: &'static str, kind: Kind) -> Field {
    Field {
        json,
        proto,
        repeated: true,
        kind,
    }
}

const STATES: &[&str] = &[
    "STATE_UNSPECIFIED",
    "READY",
    "CREATING",
    "DELETING",
    "ERROR",
    "UPDATING",
];

/// v1beta1 has the fields of v1 and more.
macro_rules! connector_fields {
    ($($more:expr),*) => {
        &[
            field("name", "name", Kind::Text),
            field("network", "network", Kind::Text),
            field("ipCidrRange", "ip_cidr_range", Kind::Text),
            field("subnet", "subnet", Kind::Message(&SUBNET)),
            field("machineType", "machine_type", Kind::Text),
            field("minInstances", "min_instances", Kind::Int32),
            field("maxInstances", "max_instances", Kind::Int32),
            field("minThroughput", "min_throughput", Kind::Int32),
            field("maxThroughput", "max_throughput", Kind::Int32),
            field("state", "state", Kind::Enum("google.cloud.vpcaccess.v1.Connector.State", STATES)),
            many("connectedProjects", "connected_projects", Kind::Text),
            $($more),*
        ]
    };
}

pub(super) static CONNECTOR: Message = Message {
    type_name: "google.cloud.vpcaccess.v1.Connector",
    fields: connector_fields!(),
};

pub(super) static CONNECTOR_BETA: Message = Message {
    type_name: "google.cloud.vpcaccess.v1beta1.Connector",
    fields: connector_fields!(
        field("createTime", "create_time", Kind::Text),
        field("lastRestartTime", "last_restart_time", Kind::Text)
    ),
};

static SUBNET: Message = Message {
    type_name: "google.cloud.vpcaccess.v1.Connector.Subnet",
    fields: &[
        field("name", "name", Kind::Text),
        field("projectId", "project_id", Kind::Text),
    ],
};

pub(super) static LIST_CONNECTORS: Message = Message {
    type_name: "google.cloud.vpcaccess.v1.ListConnectorsResponse",
    fields: &[
        many("connectors", "connectors", Kind::Message(&CONNECTOR)),
        field("nextPageToken", "next_page_token", Kind::Text),
    ],
};

pub(super) static LIST_CONNECTORS_BETA: Message = Message {
    type_name: "google.cloud.vpcaccess.v1beta1.ListConnectorsResponse",
    fields: &[
        many("connectors", "connectors", Kind::Message(&CONNECTOR_BETA)),
        field("nextPageToken", "next_page_token", Kind::Text),
    ],
};

pub(super) static OPERATION: Message = Message {
    type_name: "google.longrunning.Operation",
    fields: &[
        field("name", "name", Kind::Text),
        field("metadata", "metadata", Kind::Open),
        field("done", "done", Kind::Bool),
        field("error", "error", Kind::Message(&STATUS)),
        field("response", "response", Kind::Open),
    ],
};

static STATUS: Message = Message {
    type_name: "google.rpc.Status",
    fields: &[
        field("code", "code", Kind::Int32),
        field("message", "message", Kind::Text),
        many("details", "details", Kind::Open),
    ],
};

pub(super) static LIST_OPERATIONS: Message = Message {
    type_name: "google.longrunning.ListOperationsResponse",
    fields: &[
        many("operations", "operations", Kind::Message(&OPERATION)),
        field("nextPageToken", "next_page_token", Kind::Text),
        many("unreachable", "unreachable", Kind::Text),
    ],
};

static LOCATION: Message = Message {
    type_name: "google.cloud.location.Location",
    fields: &[
        field("name", "name", Kind::Text),
        field("locationId", "location_id", Kind::Text),
        field("displayName", "display_name", Kind::Text),
        field("labels", "labels", Kind::Open),
        field("metadata", "metadata", Kind::Open),
    ],
};

pub(super) static LIST_LOCATIONS: Message = Message {
    type_name: "google.cloud.location.ListLocationsResponse",
    fields: &[
        many("locations", "locations", Kind::Message(&LOCATION)),
        field("nextPageToken", "next_page_token", Kind::Text),
    ],
};

impl Message {
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields
            .iter()
            .find(|field| field.json == name || field.proto == name)
    }
}

/// Reads a request body; the result has JSON names, set fields only and numbers for int32.
pub(super) fn read(
    message: &Message,
    place: &str,
    body: &[u8],
) -> Result<Map<String, Value>, ApiError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        return Err(unreadable(
            "Invalid JSON payload received. Unexpected token.",
            "",
        ));
    };
    let Value::Object(object) = value else {
        let description =
            "Invalid JSON payload received. Unknown name \"\": Root element must be a message.";
        return Err(unreadable(description, ""));
    };
    let mut violations = Vec::new();
    let read = read_object(message, place, object, &mut violations);
    if violations.is_empty() {
        Ok(read)
    } else {
        Err(ApiError::unreadable(violations))
    }
}

/// A method without a body field refuses every name in one.
pub(super) fn read_nothing(body: &[u8]) -> Result<(), ApiError> {
    static EMPTY: Message = Message {
        type_name: "google.protobuf.Empty",
        fields: &[],
    };
    read(&EMPTY, "", body).map(|_| ())
}

pub(super) fn unreadable(description: &str, field: &str) -> ApiError {
    let violation = Violation {
        field: field.to_owned(),
        description: description.to_owned(),
    };
    ApiError::unreadable(vec![violation])
}

fn read_object(
    message: &Message,
    place: &str,
    object: Map<String, Value>,
    violations: &mut Vec<Violation>,
) -> Map<String, Value> {
    let mut read = Map::new();
    for (name, value) in object {
        let Some(field) = message.field(&name) else {
            violations.push(unknown_name(&name, place));
            continue;
        };
        if value.is_null() {
            continue;
        }
        let at = if place.is_empty() {
            field.proto.to_owned()
        } else {
            format!("{place}.{}", field.proto)
        };
        if let Some(value) = read_field(field, &at, value, violations) {
            read.insert(field.json.to_owned(), value);
        }
    }
    read
}

fn unknown_name(name: &str, place: &str) -> Violation {
    let at = if place.is_empty() {
        String::new()
    } else {
        format!(" at '{place}'")
    };
    Violation {
        field: place.to_owned(),
        description: format!(
            "Invalid JSON payload received. Unknown name \"{name}\"{at}: Cannot find field."
        ),
    }
}

fn read_field(
    field: &Field,
    at: &str,
    value: Value,
    violations: &mut Vec<Violation>,
) -> Option<Value> {
    if !field.repeated {
        return read_value(&field.kind, at, value, violations);
    }
    let Value::Array(items) = value else {
        violations.push(Violation {
            field: at.to_owned(),
            description: format!(
                "Invalid JSON payload received. Unknown name \"{}\" at '{at}': Proto field is repeating, \
                 cannot start from a single value.",
                field.json
            ),
        });
        return None;
    };
    let read: Option<Vec<Value>> = items
        .into_iter()
        .enumerate()
        .map(|(index, item)| read_value(&field.kind, &format!("{at}[{index}]"), item, violations))
        .collect();
    read.map(Value::Array)
}

fn read_value(
    kind: &Kind,
    at: &str,
    value: Value,
    violations: &mut Vec<Violation>,
) -> Option<Value> {
    let type_name = match kind {
        Kind::Text if value.is_string() => return Some(value),
        Kind::Bool if value.is_boolean() => return Some(value),
        Kind::Open => return Some(value),
        Kind::Message(message) => match value {
            Value::Object(object) => {
                return Some(Value::Object(read_object(message, at, object, violations)));
            }
            _ => format!("type.googleapis.com/{}", message.type_name),
        },
        Kind::Int32 => match int32(&value) {
            Some(number) => return Some(number.into()),
            None => "TYPE_INT32".to_owned(),
        },
        Kind::Enum(_, names) if value.as_str().is_some_and(|name| names.contains(&name)) => {
            return Some(value);
        }
        Kind::Enum(type_name, _) => format!("type.googleapis.com/{type_name}"),
        Kind::Text => "TYPE_STRING".to_owned(),
        Kind::Bool => "TYPE_BOOL".to_owned(),
    };
    violations.push(Violation {
        field: at.to_owned(),
        description: format!("Invalid value at '{at}' ({type_name}), {value}"),
    });
    None
}

/// Proto3 JSON takes 3, 3.0 and "3" for an int32, and nothing out of its range.
pub(super) fn int32(value: &Value) -> Option<i32> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => i32::try_from(whole).ok(),
            None => number
                .as_f64()
                .filter(|f| f.fract() == 0.0)
                .and_then(whole_float),
        },
        _ => None,
    }
}

fn whole_float(float: f64) -> Option<i32> {
    format!("{float:.0}").parse().ok()
}
