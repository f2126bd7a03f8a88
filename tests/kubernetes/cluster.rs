//! An API server in the process: as much of one as an operator needs, with no socket, so that time
//! can stand still.
#![allow(dead_code, reason = "each test file uses a part of it")]

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{Method, Response, StatusCode};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::watch;

const GROUP: &str = "evenkeel.dev";

/// Plural, namespace and name.
pub type Place = (String, String, String);

type Intruder = Box<dyn FnOnce(&mut Inner) + Send>;

#[derive(Default)]
pub struct Inner {
    objects: BTreeMap<Place, Value>,
    version: u64,
    /// What watches tell: version, type, place, object.
    history: Vec<(u64, &'static str, Place, Value)>,
    /// Verb and place of every write.
    writes: Vec<String>,
    down: bool,
    /// Acts right before the next write of a status.
    intruder: Option<Intruder>,
}

/// The server. Cheap to clone.
#[derive(Clone)]
pub struct Cluster {
    inner: Arc<Mutex<Inner>>,
    moved: watch::Sender<u64>,
}

impl Inner {
    fn tell(&mut self, what: &'static str, place: &Place, mut object: Value) -> Value {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        if what == "DELETED" {
            self.objects.remove(place);
        } else {
            self.objects.insert(place.clone(), object.clone());
        }
        self.history
            .push((self.version, what, place.clone(), object.clone()));
        object
    }

    pub fn change(&mut self, place: &Place, change: impl FnOnce(&mut Value)) {
        let mut object = self.objects[place].clone();
        change(&mut object);
        self.tell("MODIFIED", place, object);
    }

    fn create(&mut self, place: &Place, mut object: Value) -> Result<Value, Refusal> {
        if self.objects.contains_key(place) {
            return Err(Refusal(409, "AlreadyExists"));
        }
        let seconds = self.version + 1;
        object["metadata"]["namespace"] = json!(place.1);
        object["metadata"]["uid"] = json!(format!("uid-{seconds}"));
        object["metadata"]["generation"] = json!(1);
        object["metadata"]["creationTimestamp"] = json!(format!(
            "2026-11-23T{:02}:{:02}:{:02}Z",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        ));
        if object["apiVersion"]
            .as_str()
            .is_some_and(|version| version.starts_with(GROUP))
        {
            object.as_object_mut().unwrap().remove("status");
        }
        Ok(self.tell("ADDED", place, object))
    }

    fn replace(&mut self, place: &Place, status: bool, sent: &Value) -> Result<Value, Refusal> {
        let old = self
            .objects
            .get(place)
            .cloned()
            .ok_or(Refusal(404, "NotFound"))?;
        let wanted = &sent["metadata"]["resourceVersion"];
        if !wanted.is_null() && *wanted != old["metadata"]["resourceVersion"] {
            return Err(Refusal(409, "Conflict"));
        }
        let mut next = old.clone();
        if status {
            next["status"] = sent["status"].clone();
        } else {
            for field in ["labels", "annotations", "finalizers"] {
                next["metadata"][field] = sent["metadata"][field].clone();
            }
            next["spec"] = sent["spec"].clone();
            if next["spec"] != old["spec"] {
                let generation = old["metadata"]["generation"].as_i64().unwrap() + 1;
                next["metadata"]["generation"] = json!(generation);
            }
        }
        if next == old {
            return Ok(old);
        }
        if !next["metadata"]["deletionTimestamp"].is_null() && is_free(&next) {
            return Ok(self.remove(place, next));
        }
        Ok(self.tell("MODIFIED", place, next))
    }

    fn delete(&mut self, place: &Place) -> Result<Value, Refusal> {
        let old = self
            .objects
            .get(place)
            .cloned()
            .ok_or(Refusal(404, "NotFound"))?;
        if is_free(&old) {
            return Ok(self.remove(place, old));
        }
        let mut next = old;
        next["metadata"]["deletionTimestamp"] = json!("2026-11-23T23:00:00Z");
        Ok(self.tell("MODIFIED", place, next))
    }

    /// With what it owns.
    fn remove(&mut self, place: &Place, object: Value) -> Value {
        let uid = object["metadata"]["uid"].clone();
        let gone = self.tell("DELETED", place, object);
        let owned = |object: &Value| {
            let owners = object["metadata"]["ownerReferences"].as_array();
            owners
                .into_iter()
                .flatten()
                .any(|owner| owner["uid"] == uid)
        };
        let owned: Vec<_> = self
            .objects
            .iter()
            .filter(|(_, object)| owned(object))
            .collect();
        let owned: Vec<_> = owned
            .into_iter()
            .map(|(p, o)| (p.clone(), o.clone()))
            .collect();
        for (place, object) in owned {
            self.tell("DELETED", &place, object);
        }
        gone
    }
}

fn is_free(object: &Value) -> bool {
    object["metadata"]["finalizers"]
        .as_array()
        .is_none_or(Vec::is_empty)
}

struct Refusal(u16, &'static str);

impl Cluster {
    pub fn new() -> Self {
        Cluster {
            inner: Arc::default(),
            moved: watch::channel(0).0,
        }
    }

    pub fn client(&self) -> kube::Client {
        let router = Router::new().fallback(answer).with_state(self.clone());
        kube::Client::new(router, "default")
    }

    /// The same over HTTP, for other processes; until the runtime ends. The address.
    pub async fn listen(&self) -> String {
        let router = Router::new().fallback(answer).with_state(self.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        format!("http://{address}")
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    fn work<T>(&self, work: impl FnOnce(&mut Inner) -> T) -> T {
        let (result, version) = {
            let mut inner = self.inner();
            (work(&mut inner), inner.version)
        };
        self.moved.send_replace(version);
        result
    }

    /// `kubectl apply` of a whole object.
    pub fn apply(&self, plural: &str, namespace: &str, object: Value) {
        let name = object["metadata"]["name"].as_str().unwrap();
        let place = place(plural, namespace, name);
        self.work(|inner| {
            if let Some(there) = inner.objects.get(&place) {
                let mut object = object.clone();
                object["metadata"]["finalizers"] = there["metadata"]["finalizers"].clone();
                assert!(inner.replace(&place, false, &object).is_ok());
            } else {
                assert!(inner.create(&place, object).is_ok());
            }
        });
    }

    pub fn annotate(&self, at: &Place, name: &str, value: &str) {
        self.work(|inner| {
            inner.change(at, |object| {
                object["metadata"]["annotations"][name] = json!(value);
            });
        });
    }

    pub fn delete(&self, at: &Place) {
        self.work(|inner| assert!(inner.delete(at).is_ok()));
    }

    pub fn object(&self, at: &Place) -> Option<Value> {
        self.inner().objects.get(at).cloned()
    }

    pub fn status(&self, at: &Place) -> Value {
        self.object(at)
            .map_or(Value::Null, |object| object["status"].clone())
    }

    /// Objects of a kind in a namespace.
    pub fn list(&self, plural: &str, namespace: &str) -> Vec<Value> {
        let inner = self.inner();
        let those = inner
            .objects
            .iter()
            .filter(|((p, n, _), _)| p == plural && n == namespace);
        those.map(|(_, object)| object.clone()).collect()
    }

    /// Writes so far, events left out.
    pub fn writes(&self) -> Vec<String> {
        let inner = self.inner();
        let telling = inner
            .writes
            .iter()
            .filter(|write| !write.contains(" events/"));
        telling.cloned().collect()
    }

    /// Nobody answers, and watches end.
    pub fn set_down(&self, down: bool) {
        self.work(|inner| {
            inner.down = down;
            inner.version += 1;
        });
    }

    /// Somebody acts right before the next status is written.
    pub fn intrude(&self, act: impl FnOnce(&mut Inner) + Send + 'static) {
        self.inner().intruder = Some(Box::new(act));
    }
}

pub fn place(plural: &str, namespace: &str, name: &str) -> Place {
    (plural.to_owned(), namespace.to_owned(), name.to_owned())
}

/// `/apis/GROUP/VERSION[/namespaces/NS]/PLURAL[/NAME[/status]]`.
struct Path {
    plural: String,
    namespace: Option<String>,
    name: Option<String>,
    status: bool,
}

impl Path {
    fn read(path: &str) -> Path {
        let mut parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        parts.drain(..if parts[0] == "api" { 2 } else { 3 });
        let namespace = (parts[0] == "namespaces" && parts.len() > 2).then(|| parts[1].to_owned());
        if namespace.is_some() {
            parts.drain(..2);
        }
        Path {
            plural: parts[0].to_owned(),
            namespace,
            name: parts.get(1).map(|name| (*name).to_owned()),
            status: parts.get(2) == Some(&"status"),
        }
    }

    fn place(&self) -> Place {
        let namespace = self.namespace.clone().unwrap_or_default();
        (
            self.plural.clone(),
            namespace,
            self.name.clone().unwrap_or_default(),
        )
    }

    fn holds(&self, (plural, namespace, _): &Place) -> bool {
        *plural == self.plural
            && self
                .namespace
                .as_ref()
                .is_none_or(|wanted| wanted == namespace)
    }
}

async fn answer(State(cluster): State<Cluster>, request: Request) -> Response<Body> {
    let path = Path::read(request.uri().path());
    let query: HashMap<String, String> = request
        .uri()
        .query()
        .map(|query| {
            url::form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect()
        })
        .unwrap_or_default();
    let method = request.method().clone();
    let body = axum::body::to_bytes(request.into_body(), usize::MAX)
        .await
        .unwrap();
    if cluster.inner().down {
        return refused(&Refusal(503, "ServiceUnavailable"));
    }
    if method == Method::GET && query.get("watch").is_some_and(|watch| watch == "true") {
        return stream(cluster, path, &query);
    }
    let sent: Value = serde_json::from_slice(&body).unwrap_or_default();
    let reply = cluster.work(|inner| reply(inner, &method, &path, &query, sent));
    match reply {
        Ok(value) => Response::new(Body::from(value.to_string())),
        Err(refusal) => refused(&refusal),
    }
}

fn reply(
    inner: &mut Inner,
    method: &Method,
    path: &Path,
    query: &HashMap<String, String>,
    sent: Value,
) -> Result<Value, Refusal> {
    let mut place = path.place();
    if *method != Method::GET {
        if place.2.is_empty() {
            let name = sent["metadata"]["name"].as_str();
            name.unwrap_or_default().clone_into(&mut place.2);
        }
        let tail = if path.status { "/status" } else { "" };
        inner
            .writes
            .push(format!("{method} {}/{}{tail}", place.0, place.2));
    }
    if path.status
        && let Some(intruder) = inner.intruder.take()
    {
        intruder(inner);
    }
    match method.as_str() {
        "GET" if path.name.is_none() => Ok(list(inner, path, query)),
        "GET" => inner
            .objects
            .get(&place)
            .cloned()
            .ok_or(Refusal(404, "NotFound")),
        "POST" => inner.create(&place, sent),
        "PUT" => inner.replace(&place, path.status, &sent),
        "PATCH" => {
            let mut next = inner
                .objects
                .get(&place)
                .cloned()
                .ok_or(Refusal(404, "NotFound"))?;
            merge(&mut next, &sent);
            inner.replace(&place, path.status, &next)
        }
        _ => inner.delete(&place),
    }
}

fn list(inner: &Inner, path: &Path, query: &HashMap<String, String>) -> Value {
    let wanted = query.get("labelSelector").filter(|text| !text.is_empty());
    let has = |object: &Value| {
        wanted.is_none_or(|wanted| {
            let (name, value) = wanted
                .split_once('=')
                .map_or((wanted.as_str(), None), |(n, v)| (n, Some(v)));
            let label = object["metadata"]["labels"][name].as_str();
            label.is_some() && (value.is_none() || value == label)
        })
    };
    let items = inner
        .objects
        .iter()
        .filter(|(place, object)| path.holds(place) && has(object));
    let items: Vec<_> = items.map(|(_, object)| object.clone()).collect();
    json!({"apiVersion": "v1", "kind": "List",
           "metadata": {"resourceVersion": inner.version.to_string()}, "items": items})
}

/// RFC 7396.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (name, value) in patch {
        if value.is_null() {
            target.as_object_mut().unwrap().remove(name);
        } else {
            merge(&mut target[name], value);
        }
    }
}

fn stream(cluster: Cluster, path: Path, query: &HashMap<String, String>) -> Response<Body> {
    let from = query
        .get("resourceVersion")
        .and_then(|text| text.parse().ok())
        .unwrap_or(0u64);
    let limit = query
        .get("timeoutSeconds")
        .and_then(|text| text.parse().ok())
        .unwrap_or(290);
    let deadline = tokio::time::Instant::now() + Duration::from_secs(limit);
    let moved = cluster.moved.subscribe();
    let state = (cluster, path, from, moved);
    let events =
        futures::stream::unfold(state, move |(cluster, path, from, mut moved)| async move {
            loop {
                moved.borrow_and_update();
                let (lines, down, newest) = {
                    let inner = cluster.inner();
                    let fresh = inner.history.iter().filter(|(version, ..)| *version > from);
                    let mut lines = String::new();
                    for (_, what, place, object) in fresh {
                        if path.holds(place) {
                            lines += &json!({"type": what, "object": object}).to_string();
                            lines.push('\n');
                        }
                    }
                    (lines, inner.down, inner.version)
                };
                if down {
                    return None;
                }
                if !lines.is_empty() {
                    let next = (cluster, path, newest, moved);
                    return Some((Ok::<_, Infallible>(Bytes::from(lines)), next));
                }
                match tokio::time::timeout_at(deadline, moved.changed()).await {
                    Ok(Ok(())) => {}
                    _ => return None,
                }
            }
        });
    Response::new(Body::from_stream(events))
}

fn refused(refusal: &Refusal) -> Response<Body> {
    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure",
                        "message": refusal.1, "reason": refusal.1, "code": refusal.0});
    let mut response = Response::new(Body::from(status.to_string()));
    *response.status_mut() = StatusCode::from_u16(refusal.0).unwrap();
    response
}
