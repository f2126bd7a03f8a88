//! What an API is to the frame: a name, a table of methods, and the few things only the API can know.
//!
//! Adding an API is one folder with an implementation of [`Api`], and one line in `registry`.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::errors::{ApiError, Shape};
use super::messages::Message;
use super::operations::{Ending, Operation};
use super::query::Params;
use super::route::{GOOGLE, Route};
use super::scenario::Scenario;
use super::world::{View, World};

/// One Google API. Its records are JSON in a form of its own; only [`Api::show`] need tell what clients see.
pub(super) trait Api: Sync {
    /// The host name, such as `vpcaccess.googleapis.com`.
    fn service(&self) -> &'static str;

    /// The product's name, as Google writes it in messages.
    fn title(&self) -> &'static str;

    /// The envelope of its errors.
    fn shape(&self) -> Shape {
        Shape::Google
    }

    /// The HTTP code for too many requests: Compute says 403, the others 429 (compute/docs/api-rate-limits).
    fn throttled(&self) -> u16 {
        match self.shape() {
            Shape::Google => 429,
            Shape::Compute => 403,
        }
    }

    fn methods(&self) -> &'static [Method];

    /// Names of body fields that hold secrets: the request log blanks them.
    fn secrets(&self) -> &'static [&'static str] {
        &[]
    }

    /// Whether there is such a location for it: tells whom a path is for that several APIs have.
    fn serves(&self, _location: &str) -> bool {
        true
    }

    /// Whether the project and place of a request exist. Comes after access and quota, before the body.
    fn admit(&self, world: &World, route: &Route) -> Result<(), ApiError>;

    /// A record as a client sees it.
    fn show(&self, key: &str, record: &Value, eye: &Eye) -> Value;

    /// An operation as a client sees it.
    fn operation(&self, operation: &Operation, eye: &Eye) -> Value;

    /// An operation is due. Brings its target to its end state, and says how the operation ends.
    fn finish(&self, world: &mut World, operation: &Operation) -> Ending;

    /// A world begins, with what scenarios hold; there is no time in it yet.
    fn begin(&self, _world: &mut World) {}

    /// An alarm that the API set for a record (see [`World::alarm`]) goes off.
    fn wake(&self, _world: &mut World, _key: &str, _at: Timestamp) {}

    /// Domains have become visible, or no longer are.
    fn domains_changed(&self, _world: &mut World) {}

    /// Other records are published in the DNS.
    fn dns_changed(&self, _world: &mut World) {}

    /// A record after another writer set `fields` in it; no rule binds that writer but the field's type.
    fn overwrite(&self, key: &str, record: &Value, fields: &Value) -> Result<Value, String>;

    /// What a scenario holds at its start, by key.
    fn seed(&self, scenario: Scenario) -> Vec<(String, Value)>;

    /// Where its paths begin, such as `/v1` or `/compute/v1`.
    fn root(&self) -> &'static str {
        let path = self.methods().first().map_or("", |method| method.path);
        path.split("/projects").next().unwrap_or_default()
    }

    /// The key of the record with this relative name: the "full resource name" of Google's documents.
    fn key(&self, name: &str) -> String {
        format!("//{}/{name}", self.service())
    }
}

/// Through which door a client looks: it decides about versions and links.
#[derive(Debug, Clone, Copy)]
pub(super) struct Eye<'a> {
    /// What stands before `projects` in the path, such as `v1beta1` or `compute/v1`.
    pub version: &'a str,
    /// Scheme and host as the client wrote them, such as `http://127.0.0.1:8080`.
    pub base: &'a str,
}

impl Eye<'_> {
    /// Through the front door of Google.
    pub fn of(api: &dyn Api) -> Self {
        Self {
            version: api.root().trim_start_matches('/'),
            base: GOOGLE,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Read,
    List,
    Write,
}

/// What a method takes as its body.
#[derive(Clone, Copy)]
pub(super) enum Body {
    Nothing,
    /// The message and the name it goes by in messages; null means unset.
    Message(&'static Message, &'static str),
    /// The same as a JSON merge patch (RFC 7396): null is kept, for it deletes.
    Merge(&'static Message, &'static str),
}

/// Where the id of what a method creates comes from.
#[derive(Debug, Clone, Copy)]
pub(super) enum NewId {
    Query(&'static str),
    Body(&'static str),
}

pub(super) type Call = fn(&mut World, &Request) -> Result<Value, ApiError>;

/// One method of an API.
#[derive(Clone, Copy)]
pub(super) struct Method {
    pub verb: &'static str,
    /// As in the discovery document, with `{variables}`; a custom verb stands after a colon.
    pub path: &'static str,
    pub effect: Effect,
    /// Query parameters besides the standard ones, by JSON name.
    pub query: &'static [&'static str],
    pub body: Body,
    pub answer: &'static Message,
    pub permission: &'static str,
    /// As audit logs and operation metadata carry it.
    pub name: &'static str,
    pub new_id: Option<NewId>,
    pub call: Call,
}

impl Method {
    pub const fn get(path: &'static str, answer: &'static Message, call: Call) -> Self {
        Self {
            verb: "GET",
            path,
            effect: Effect::Read,
            query: &[],
            body: Body::Nothing,
            answer,
            permission: "",
            name: "",
            new_id: None,
            call,
        }
    }

    pub const fn list(path: &'static str, answer: &'static Message, call: Call) -> Self {
        let mut method = Self::get(path, answer, call);
        method.effect = Effect::List;
        method
    }

    pub const fn write(
        verb: &'static str,
        path: &'static str,
        answer: &'static Message,
        call: Call,
    ) -> Self {
        let mut method = Self::get(path, answer, call);
        method.verb = verb;
        method.effect = Effect::Write;
        method
    }

    /// A read that Google made a POST.
    pub const fn posted(mut self) -> Self {
        self.verb = "POST";
        self.effect = Effect::Read;
        self
    }

    pub const fn query(mut self, names: &'static [&'static str]) -> Self {
        self.query = names;
        self
    }

    pub const fn body(mut self, body: Body) -> Self {
        self.body = body;
        self
    }

    pub const fn creates(mut self, id: NewId) -> Self {
        self.new_id = Some(id);
        self
    }

    /// Its IAM permission and its full name.
    pub const fn called(mut self, permission: &'static str, name: &'static str) -> Self {
        self.permission = permission;
        self.name = name;
        self
    }
}

/// One request that was let in, read as far as its method allows.
pub(super) struct Request<'a> {
    pub verb: &'a http::Method,
    pub path: &'a str,
    pub route: &'a Route,
    pub params: &'a Params,
    /// JSON names, set fields only, each of its type.
    pub body: Map<String, Value>,
    pub view: View,
    /// See [`Eye::base`].
    pub base: &'a str,
}

impl Request<'_> {
    pub fn eye(&self) -> Eye<'_> {
        Eye {
            version: &self.route.version,
            base: self.base,
        }
    }
}
