//! Checks an HTTP exchange against Google's own description of an API (see `tests/surface/make.py`).
//!
//! Both sides are checked: the request may send only what the API takes, the reply only what it gives.

#![allow(dead_code)] // each test that says `mod wire;` uses its own part

pub mod client;
pub mod compute;
pub mod plan;

use std::sync::LazyLock;

use serde_json::{Map, Value};

/// One request and its reply. Bodies are JSON; `Value::Null` means there was none.
#[derive(Debug, Clone)]
pub struct Exchange<'a> {
    pub method: &'a str,
    pub path: &'a str,
    /// As in the URL, still percent-encoded.
    pub query: &'a str,
    pub body: Value,
    pub status: u16,
    pub reply: Value,
}

/// What an API takes and gives.
pub struct Surface {
    document: Value,
}

/// The APIs that share a port. What two of them have (locations, their operations) is the same in both.
static SURFACES: LazyLock<[Surface; 7]> = LazyLock::new(|| {
    [
        Surface::vpcaccess(),
        Surface::parse(include_str!("../surface/compute-v1.json")),
        Surface::run(),
        Surface::sqladmin(),
        Surface::parse(include_str!("../surface/secretmanager-v1.json")),
        Surface::monitoring(),
        Surface::logging(),
    ]
});

impl Surface {
    pub fn vpcaccess() -> Self {
        Self::parse(include_str!("../surface/vpcaccess-v1.json"))
    }

    /// Read once: it is large, and property tests make hundreds of clients.
    pub fn compute() -> &'static Self {
        static COMPUTE: LazyLock<Surface> =
            LazyLock::new(|| Surface::parse(include_str!("../surface/compute-v1.json")));
        &COMPUTE
    }

    pub fn run() -> Self {
        Self::parse(include_str!("../surface/run-v2.json"))
    }

    pub fn sqladmin() -> Self {
        Self::parse(include_str!("../surface/sqladmin-v1.json"))
    }

    pub fn monitoring() -> Self {
        Self::parse(include_str!("../surface/monitoring-v3.json"))
    }

    pub fn logging() -> Self {
        Self::parse(include_str!("../surface/logging-v2.json"))
    }

    /// The API that a request is for, by its verb and path; None when no API has such a method.
    pub fn of_request(verb: &str, path: &str) -> Option<&'static Self> {
        SURFACES
            .iter()
            .find(|surface| surface.method(verb, path).is_some())
    }

    pub fn parse(text: &str) -> Self {
        Self {
            document: serde_json::from_str(text).expect("a surface file is JSON"),
        }
    }

    /// Everything wrong with the exchange, each problem with its place. Empty: all is well.
    pub fn problems(&self, exchange: &Exchange) -> Vec<String> {
        let mut problems = Vec::new();
        let Some(method) = self.method(exchange.method, exchange.path) else {
            return vec![format!("no method {} {}", exchange.method, exchange.path)];
        };
        // A request that was refused may well be wrong: that is what it was refused for.
        if exchange.status < 400 {
            self.check_query(method, exchange.query, &mut problems);
            self.check_request(method, &exchange.body, &mut problems);
        }
        if exchange.status < 400 {
            match method["response"].as_str() {
                Some(message) => {
                    self.check_message(message, "reply", &exchange.reply, false, &mut problems);
                }
                None => problems.push("the method has no reply".to_owned()),
            }
        } else {
            check_error(exchange.status, &exchange.reply, &mut problems);
        }
        problems
    }

    /// What a client sends, whatever the reply: the path, the parameters and the body.
    pub fn request_problems(
        &self,
        method: &str,
        path: &str,
        query: &str,
        body: &Value,
    ) -> Vec<String> {
        let mut problems = Vec::new();
        match self.method(method, path) {
            Some(method) => {
                self.check_query(method, query, &mut problems);
                self.check_request(method, body, &mut problems);
            }
            None => problems.push(format!("no method {method} {path}")),
        }
        problems
    }

    pub fn assert(&self, exchange: &Exchange) {
        let problems = self.problems(exchange);
        assert!(problems.is_empty(), "{problems:#?}\nin {exchange:#?}");
    }

    /// The ids of all methods, to tell which ones a walk has met.
    pub fn method_ids(&self) -> Vec<&str> {
        self.section("methods").keys().map(String::as_str).collect()
    }

    pub fn method_id(&self, verb: &str, path: &str) -> Option<&str> {
        let mut methods = self.section("methods").iter();
        methods
            .find(|(_, method)| is_method(method, verb, path))
            .map(|(id, _)| id.as_str())
    }

    fn method(&self, verb: &str, path: &str) -> Option<&Value> {
        self.section("methods")
            .values()
            .find(|method| is_method(method, verb, path))
    }

    fn section(&self, name: &str) -> &Map<String, Value> {
        self.document[name]
            .as_object()
            .expect("a section of a surface file is an object")
    }

    fn check_query(&self, method: &Value, query: &str, problems: &mut Vec<String>) {
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let Some(kind) = method["query"]
                .get(&*name)
                .or_else(|| self.section("standard").get(&*name))
            else {
                problems.push(format!("query.{name}: unknown parameter"));
                continue;
            };
            let good = match kind["type"].as_str() {
                Some("int32") => value.parse::<i32>().is_ok(),
                Some("uint32") => value.parse::<u32>().is_ok(),
                Some("boolean") => matches!(&*value, "true" | "false"),
                _ => kind["enum"]
                    .as_array()
                    .is_none_or(|names| names.iter().any(|n| *n == *value)),
            };
            if !good {
                problems.push(format!("query.{name}: \"{value}\" is not {kind}"));
            }
        }
    }

    fn check_request(&self, method: &Value, body: &Value, problems: &mut Vec<String>) {
        match (method["request"].as_str(), body) {
            (_, Value::Null) => {}
            (Some(message), body) => self.check_message(message, "body", body, true, problems),
            (None, _) => problems.push("body: the method takes none".to_owned()),
        }
    }

    fn check_message(
        &self,
        message: &str,
        place: &str,
        value: &Value,
        sent: bool,
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
                Some(kind) if sent && kind["readOnly"] == true => {
                    problems.push(format!("{place}: is read-only"));
                }
                // Unset, or deleted in a merge patch.
                Some(_) if sent && value.is_null() => {}
                Some(kind) => self.check_field(kind, &place, value, sent, problems),
            }
        }
        match message {
            _ if sent => {}
            "Operation" if fields.get("operationType").is_some() => {
                check_status_operation(place, object, problems);
            }
            _ if fields.get("done").is_some() => self.check_operation(place, object, problems),
            _ => {}
        }
    }

    fn check_field(
        &self,
        kind: &Value,
        place: &str,
        value: &Value,
        sent: bool,
        problems: &mut Vec<String>,
    ) {
        // Null means unset, or deletes in a merge patch.
        if sent && value.is_null() {
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
                            sent,
                            problems,
                        );
                    }
                }
                None => problems.push(format!("{place}: expected a list, got {value}")),
            },
            (false, true) => match value.as_object() {
                Some(entries) => {
                    for (name, entry) in entries {
                        if sent && entry.is_null() {
                            continue;
                        }
                        self.check_scalar(kind, &format!("{place}.{name}"), entry, sent, problems);
                    }
                }
                None => problems.push(format!("{place}: expected an object, got {value}")),
            },
            (false, false) => self.check_scalar(kind, place, value, sent, problems),
        }
    }

    fn check_scalar(
        &self,
        kind: &Value,
        place: &str,
        value: &Value,
        sent: bool,
        problems: &mut Vec<String>,
    ) {
        let name = kind["type"].as_str().unwrap_or_default();
        let good = match name {
            "any" | "object" => true,
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
            message => return self.check_message(message, place, value, sent, problems),
        };
        if !good {
            problems.push(format!("{place}: expected {name}, got {value}"));
        } else if kind["enum"]
            .as_array()
            .is_some_and(|names| !names.contains(value))
        {
            problems.push(format!("{place}: {value} is not in the enum"));
        } else if kind["format"] == "google-datetime" && !is_time(value) {
            problems.push(format!("{place}: {value} is not a time"));
        }
    }

    /// An operation's metadata is the resource itself, or tells when the operation began and ended.
    fn check_metadata(
        &self,
        place: &str,
        metadata: &Value,
        done: bool,
        problems: &mut Vec<String>,
    ) {
        let kind = self.message_of(metadata["@type"].as_str().unwrap_or_default());
        if self.section("messages").contains_key(&kind) {
            let mut resource = metadata.clone();
            resource
                .as_object_mut()
                .map(|fields| fields.remove("@type"));
            let place = format!("{place}.metadata");
            return self.check_message(&kind, &place, &resource, false, problems);
        }
        for name in ["createTime", "endTime"] {
            if metadata.get(name).is_some_and(|time| !is_time(time)) {
                problems.push(format!("{place}.metadata.{name}: not a time"));
            }
        }
        if done != metadata.get("endTime").is_some() {
            problems.push(format!(
                "{place}.metadata.endTime: must be there exactly when it is done"
            ));
        }
    }

    /// What the description leaves open: an operation is done with a result or running without one, and the
    /// `Any` inside it has a type that is known here.
    fn check_operation(
        &self,
        place: &str,
        operation: &Map<String, Value>,
        problems: &mut Vec<String>,
    ) {
        let has = |name: &str| operation.contains_key(name);
        // A partial response may have cut any of it.
        if !has("name") || !has("metadata") {
            return;
        }
        let results = usize::from(has("response")) + usize::from(has("error"));
        match operation.get("done") {
            Some(Value::Bool(true)) if results == 1 => {}
            None if results == 0 => {}
            done => problems.push(format!("{place}: done is {done:?} with {results} results")),
        }
        self.check_metadata(place, &operation["metadata"], has("done"), problems);
        let Some(response) = operation.get("response").and_then(Value::as_object) else {
            return;
        };
        let kind = response
            .get("@type")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let message = &self.message_of(kind);
        let mut inner = response.clone();
        inner.remove("@type");
        let place = format!("{place}.response");
        match message.as_str() {
            "Empty" if inner.is_empty() => {}
            known if self.section("messages").contains_key(known) => {
                self.check_message(known, &place, &Value::Object(inner), false, problems);
            }
            _ => problems.push(format!("{place}.@type: unknown type \"{kind}\"")),
        }
    }
}

impl Surface {
    /// The message of a type URL: its last name, or all of its names where the API spells them out.
    fn message_of(&self, kind: &str) -> String {
        let full = kind.rsplit('/').next().unwrap_or_default();
        let spelled: String = full.split('.').map(capitalized).collect();
        if self.section("messages").contains_key(&spelled) {
            return spelled;
        }
        full.rsplit('.').next().unwrap_or_default().to_owned()
    }
}

fn capitalized(word: &str) -> String {
    let (first, rest) = word.split_at(usize::from(!word.is_empty()));
    first.to_uppercase() + rest
}

fn is_method(method: &Value, verb: &str, path: &str) -> bool {
    let template = method["path"].as_str().unwrap_or_default();
    let (theirs, ours) = (template.split('/'), path.split('/'));
    method["verb"] == verb
        && theirs.clone().count() == ours.clone().count()
        && theirs.zip(ours).all(|(theirs, ours)| {
            if let Some((_, custom)) = theirs.split_once('}') {
                ours.strip_suffix(custom).is_some_and(|id| !id.is_empty())
            } else {
                theirs == ours
            }
        })
}

/// What the descriptions of compute and of Cloud SQL leave open: an operation runs without an end, or is DONE with
/// one; compute's errors come with an HTTP code.
fn check_status_operation(place: &str, operation: &Map<String, Value>, problems: &mut Vec<String>) {
    let has = |name: &str| operation.contains_key(name);
    // A partial response may have cut any of it.
    if !has("name") || !has("status") {
        return;
    }
    let mut demand = |good: bool, problem: &str| {
        if !good {
            problems.push(format!("{place}: {problem}"));
        }
    };
    let done = operation["status"] == "DONE";
    let is_sql = operation.get("kind") == Some(&"sql#operation".into());
    demand(
        is_sql || operation.get("kind") == Some(&"compute#operation".into()),
        "kind is not that of an operation",
    );
    demand(
        done == has("endTime"),
        "endTime must be there exactly when it is DONE",
    );
    demand(done || !has("error"), "an error before it is DONE");
    for name in ["insertTime", "startTime", "endTime"] {
        let good = operation.get(name).is_none_or(is_time);
        demand(good, &format!("{name} is not a time"));
    }
    let root = if is_sql {
        "/projects/"
    } else {
        "/compute/v1/projects/"
    };
    for name in ["selfLink", "targetLink"] {
        let link = operation.get(name).and_then(Value::as_str);
        demand(
            link.is_none_or(|link| link.contains(root)),
            &format!("{name} is not a link"),
        );
    }
    if let Some(error) = operation.get("error") {
        let texts = |error: &Value| error["code"].is_string() && error["message"].is_string();
        let errors = error["errors"].as_array();
        let good = errors.is_some_and(|errors| !errors.is_empty() && errors.iter().all(texts));
        demand(good, "error.errors must have codes and messages");
        demand(
            is_sql || (has("httpErrorStatusCode") && has("httpErrorMessage")),
            "an error without an HTTP code",
        );
    }
}

fn is_time(value: &Value) -> bool {
    value
        .as_str()
        .is_some_and(|text| text.parse::<jiff::Timestamp>().is_ok())
}

const RPC: [(&str, u16); 14] = [
    ("INVALID_ARGUMENT", 400),
    ("FAILED_PRECONDITION", 400),
    ("OUT_OF_RANGE", 400),
    ("UNAUTHENTICATED", 401),
    ("PERMISSION_DENIED", 403),
    ("NOT_FOUND", 404),
    ("ABORTED", 409),
    ("ALREADY_EXISTS", 409),
    ("RESOURCE_EXHAUSTED", 429),
    ("CANCELLED", 499),
    ("INTERNAL", 500),
    ("UNIMPLEMENTED", 501),
    ("UNAVAILABLE", 503),
    ("DEADLINE_EXCEEDED", 504),
];

/// The two envelopes: `google.rpc` (status) and Compute (errors[]).
fn check_error(status: u16, reply: &Value, problems: &mut Vec<String>) {
    let error = &reply["error"];
    if error["code"] != status {
        problems.push(format!(
            "error.code: {} in a reply with status {status}",
            error["code"]
        ));
    }
    if error["message"].as_str().is_none_or(str::is_empty) {
        problems.push("error.message: missing".to_owned());
    }
    for name in error.as_object().into_iter().flat_map(Map::keys) {
        if !matches!(
            name.as_str(),
            "code" | "message" | "status" | "errors" | "details"
        ) {
            problems.push(format!("error.{name}: in neither envelope"));
        }
    }
    if let Some(errors) = error.get("errors") {
        let texts = |item: &Value| {
            ["message", "domain", "reason"]
                .iter()
                .all(|n| item[n].is_string())
        };
        if !errors
            .as_array()
            .is_some_and(|items| !items.is_empty() && items.iter().all(texts))
        {
            problems.push(format!("error.errors: {errors}"));
        }
    } else if !RPC
        .iter()
        .any(|(name, code)| error["status"] == *name && *code == status)
    {
        problems.push(format!(
            "error.status: {} for HTTP {status}",
            error["status"]
        ));
    }
    for (index, detail) in error["details"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
    {
        let kind = detail["@type"].as_str().unwrap_or_default();
        if !kind.starts_with("type.googleapis.com/google.rpc.") {
            problems.push(format!("error.details[{index}].@type: \"{kind}\""));
        }
        if kind.ends_with(".ErrorInfo")
            && !(detail["reason"].is_string() && detail["domain"].is_string())
        {
            problems.push(format!(
                "error.details[{index}]: ErrorInfo without reason and domain"
            ));
        }
    }
}
