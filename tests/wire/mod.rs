//! Checks an HTTP exchange against Google's own description of an API (see `tests/surface/make.py`).
//!
//! Both sides are checked: the request may send only what the API takes, the reply only what it gives.

#![allow(dead_code)] // each test that says `mod wire;` uses its own part

pub mod client;
pub mod compute;
mod errors;
pub mod manager;
mod messages;
mod operations;
pub mod plan;
pub mod tally;

use std::sync::LazyLock;

use serde_json::{Map, Value};

use errors::check_error;
use messages::How;

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
static SURFACES: LazyLock<[Surface; 8]> = LazyLock::new(|| {
    [
        Surface::vpcaccess(),
        Surface::parse(include_str!("../surface/compute-v1.json")),
        Surface::run(),
        Surface::sqladmin(),
        Surface::parse(include_str!("../surface/secretmanager-v1.json")),
        Surface::monitoring(),
        Surface::logging(),
        Surface::certificatemanager(),
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

    pub fn certificatemanager() -> Self {
        Self::parse(include_str!("../surface/certificatemanager-v1.json"))
    }

    /// The API that a request is for, by its verb and path; None when no API has such a method.
    pub fn of_request(verb: &str, path: &str) -> Option<&'static Self> {
        Self::all_of_request(verb, path).first().copied()
    }

    /// Every API that has such a method: they share the paths of locations and operations.
    pub fn all_of_request(verb: &str, path: &str) -> Vec<&'static Self> {
        let has = |surface: &&Self| surface.method(verb, path).is_some();
        SURFACES.iter().filter(has).collect()
    }

    /// The exchange is in order for one of these APIs.
    pub fn assert_one(surfaces: &[&Self], exchange: &Exchange) {
        if !surfaces
            .iter()
            .any(|surface| surface.problems(exchange).is_empty())
        {
            surfaces.first().expect("an API").assert(exchange);
        }
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
            self.check_sent(method, exchange.query, &exchange.body, &mut problems);
            let how = How {
                sent: false,
                enum_numbers: asks_for_enum_numbers(exchange.query),
            };
            match method["response"].as_str() {
                Some(message) => {
                    self.check_message(message, "reply", &exchange.reply, how, &mut problems);
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
            Some(method) => self.check_sent(method, query, body, &mut problems),
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

    fn check_sent(&self, method: &Value, query: &str, body: &Value, problems: &mut Vec<String>) {
        self.check_query(method, query, problems);
        let how = How {
            sent: true,
            enum_numbers: asks_for_enum_numbers(query),
        };
        match (method["request"].as_str(), body) {
            (_, Value::Null) => {}
            (Some(message), body) => self.check_message(message, "body", body, how, problems),
            (None, _) => problems.push("body: the method takes none".to_owned()),
        }
    }

    fn check_query(&self, method: &Value, query: &str, problems: &mut Vec<String>) {
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let standard = self
                .section("standard")
                .get(name.strip_prefix('$').unwrap_or(&name));
            let Some(kind) = method["query"].get(&*name).or(standard) else {
                problems.push(format!("query.{name}: unknown parameter"));
                continue;
            };
            let good = match kind["type"].as_str() {
                Some("int32") => value.parse::<i32>().is_ok(),
                Some("uint32") => value.parse::<u32>().is_ok(),
                Some("boolean") => matches!(&*value, "true" | "false"),
                _ if kind["format"] == "google-fieldmask" => self.is_mask(method, &value),
                _ => kind["enum"].as_array().is_none_or(|names| {
                    let word = value.strip_suffix(ENUM_NUMBERS).unwrap_or(&value);
                    names.iter().any(|name| *name == word)
                }),
            };
            if !good {
                problems.push(format!("query.{name}: \"{value}\" is not {kind}"));
            }
        }
    }

    /// Whether each path of a mask leads to a field that the request's message lets a client set. An empty mask and
    /// a star stand for all of them.
    fn is_mask(&self, method: &Value, mask: &str) -> bool {
        let root = method["request"].as_str().unwrap_or_default();
        let leads = |path: &str| {
            let mut fields = self.section("messages").get(root);
            let mut settable = true;
            for name in path.split('.') {
                let Some(field) = fields.and_then(|fields| fields.get(camel(name))) else {
                    return false;
                };
                settable &= field["readOnly"] != true;
                let inner = field["type"].as_str().unwrap_or_default();
                fields = self.section("messages").get(inner);
            }
            settable
        };
        matches!(mask, "" | "*") || mask.split(',').all(leads)
    }

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

/// What `alt` says besides `json`.
const ENUM_NUMBERS: &str = ";enum-encoding=int";

fn asks_for_enum_numbers(query: &str) -> bool {
    url::form_urlencoded::parse(query.as_bytes())
        .any(|(name, value)| name.ends_with("alt") && value.ends_with(ENUM_NUMBERS))
}

/// The JSON name of a field, by which masks may name it as well as by its own.
fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| name + &capitalized(word))
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

fn is_time(value: &Value) -> bool {
    value
        .as_str()
        .is_some_and(|text| text.parse::<jiff::Timestamp>().is_ok())
}
