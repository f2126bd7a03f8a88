//! Which method of which API a verb and a path mean.

use http::{HeaderMap, Method as Verb, Uri};

use super::api::{Api, Effect, Method, NewId};
use super::registry::APIS;

#[derive(Clone)]
pub(super) struct Route {
    pub api: &'static dyn Api,
    pub method: &'static Method,
    /// What stands before `projects`, such as `v1` or `compute/v1`.
    pub version: String,
    /// The path from `projects` on, without a custom verb.
    pub name: String,
    vars: Vec<(&'static str, String)>,
}

impl Route {
    /// Every reading of a path: APIs that have hosts of their own at Google may share one.
    pub fn all(verb: &Verb, path: &str) -> Vec<Self> {
        let matching = |api: &'static dyn Api| {
            let methods = api.methods().iter();
            methods.filter_map(move |method| Self::of(api, method, verb, path))
        };
        APIS.iter().copied().flat_map(matching).collect()
    }

    fn of(api: &'static dyn Api, method: &'static Method, verb: &Verb, path: &str) -> Option<Self> {
        if verb.as_str() != method.verb {
            return None;
        }
        let vars = bind(method.path, path)?;
        let (version, name) = match path.find("/projects/") {
            Some(at) => (path.get(1..at)?, path.get(at + 1..)?),
            None => ("", path.trim_start_matches('/')),
        };
        let name = match custom_verb(method.path) {
            Some(custom) => name.strip_suffix(custom)?,
            None => name,
        };
        Some(Self {
            api,
            method,
            version: version.to_owned(),
            name: name.to_owned(),
            vars,
        })
    }

    /// A part of the path by its name in the method's template; empty when it has none.
    pub fn var(&self, name: &str) -> &str {
        let found = self.vars.iter().find(|(known, _)| *known == name);
        found.map_or("", |(_, value)| value)
    }

    pub fn project(&self) -> &str {
        self.var("project")
    }

    pub fn is_write(&self) -> bool {
        self.method.effect == Effect::Write
    }

    pub fn is_list(&self) -> bool {
        self.method.effect == Effect::List
    }

    /// What the request is about, for messages: the item, or the parent of a collection.
    pub fn resource(&self) -> &str {
        let template: Vec<&str> = self.method.path.split('/').collect();
        let plain = |segment: &&&str| !segment.starts_with('{');
        let tail = template.iter().rev().take_while(plain).count();
        let mut name = self.name.as_str();
        for _ in 0..tail {
            name = name.rsplit_once('/').map_or(name, |(head, _)| head);
        }
        name
    }

    /// The key of the record that the request is about; None for collections. What is to be created is named
    /// by a query parameter or a field of the body.
    pub fn target(
        &self,
        query: impl Fn(&str) -> Option<String>,
        body: impl Fn(&str) -> Option<String>,
    ) -> Option<String> {
        let name = match self.method.new_id {
            Some(NewId::Query(name)) => format!("{}/{}", self.name, query(name)?),
            Some(NewId::Body(name)) => format!("{}/{}", self.name, body(name)?),
            None if self.is_list() => return None,
            None => self.resource().to_owned(),
        };
        Some(self.api.key(&name))
    }

    pub fn key(&self) -> String {
        self.api.key(self.resource())
    }
}

/// `:wait`, where a template ends in `{operation}:wait`.
fn custom_verb(template: &str) -> Option<&str> {
    template
        .rfind("}:")
        .and_then(|at| template.get(at + 1..))
        .filter(|verb| !verb.contains('/'))
}

fn bind(template: &'static str, path: &str) -> Option<Vec<(&'static str, String)>> {
    let mut vars = Vec::new();
    let (mut wanted, mut given) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(vars),
            (Some(wanted), Some(given)) => {
                let Some(open) = wanted.strip_prefix('{') else {
                    if wanted == given {
                        continue;
                    }
                    return None;
                };
                let (name, suffix) = open.split_once('}')?;
                let value = given.strip_suffix(suffix)?;
                // Ids hold no colon (only a project may): one at the end of a path is a custom verb.
                let custom = suffix.is_empty() && template.ends_with(wanted) && value.contains(':');
                if value.is_empty() || custom {
                    return None;
                }
                vars.push((name, value.to_owned()));
            }
            _ => return None,
        }
    }
}

/// Scheme and host as the client wrote them. What was sent to a Google host, or to none, gets the base that
/// Google itself puts into links.
pub(super) fn base(uri: &Uri, headers: &HeaderMap) -> String {
    let host = host(uri, headers);
    let scheme = uri.scheme_str().unwrap_or("http");
    match host {
        Some(host) if !host.ends_with("googleapis.com") => format!("{scheme}://{host}"),
        _ => GOOGLE.to_owned(),
    }
}

pub(super) const GOOGLE: &str = "https://www.googleapis.com";

pub(super) fn host(uri: &Uri, headers: &HeaderMap) -> Option<String> {
    let authority = uri
        .authority()
        .map(|authority| authority.as_str().to_owned());
    let header = || {
        let value = headers.get(http::header::HOST)?.to_str().ok()?;
        Some(value.to_owned())
    };
    authority.or_else(header).filter(|host| !host.is_empty())
}
