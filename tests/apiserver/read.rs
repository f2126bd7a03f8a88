//! GET and WATCH, and the shapes in which objects are shown.

use super::answer::{Refusal, Reply};
use super::log::Incoming;
use super::resource::Resource;
use super::route::Target;
use super::select::Selector;
use super::store::{Change, Store};
use super::{World, events, list, table};
use axum::body::Body;
use bytes::Bytes;
use futures::stream;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// Time between two bookmarks.
const BOOKMARK: Duration = Duration::from_secs(60);
/// A watch ends by itself after this long where it does not say.
const LONGEST: Duration = Duration::from_mins(30);

/// How objects go out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Shape {
    Whole,
    Metadata,
    /// Columns, with as much of the object as was asked for.
    Table {
        whole: bool,
    },
}

/// What a request accepts.
pub(crate) fn shape(request: &Incoming) -> Shape {
    for accepted in request.header("accept").split(',') {
        let has = |part: &str| accepted.split(';').any(|have| have.trim() == part);
        if has("as=Table") && has("g=meta.k8s.io") && has("v=v1") {
            let whole = request.asked("includeObject") == "Object";
            return Shape::Table { whole };
        }
        if has("as=PartialObjectMetadata") || has("as=PartialObjectMetadataList") {
            return Shape::Metadata;
        }
    }
    Shape::Whole
}

impl Shape {
    pub fn is_metadata(self) -> bool {
        self == Shape::Metadata
    }

    pub fn table(self, resource: &Resource, items: &[Value]) -> Option<Value> {
        let Shape::Table { whole } = self else {
            return None;
        };
        Some(table::table(resource, items, whole))
    }

    /// One object that is no table.
    pub fn one(self, object: Value) -> Value {
        match self {
            Shape::Metadata => json!({
                "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
                "metadata": object["metadata"],
            }),
            _ => object,
        }
    }

    /// One object, in whatever shape.
    pub fn of(self, resource: &Resource, object: Value) -> Value {
        let object = events::shown(resource, object);
        match self.table(resource, std::slice::from_ref(&object)) {
            Some(mut table) => {
                let version = object["metadata"]["resourceVersion"].clone();
                table["metadata"] = json!({"resourceVersion": version});
                table
            }
            None => self.one(object),
        }
    }
}

/// Answers a GET.
pub(crate) fn get(
    store: &Store,
    target: &Target,
    name: &str,
    request: &Incoming,
) -> Result<Reply, Refusal> {
    let resource = &target.resource;
    let place = (resource.shelf(), target.namespace.clone(), name.to_owned());
    let found = store
        .get(&place)
        .ok_or_else(|| Refusal::not_found(resource, name))?;
    let shown = shape(request).of(resource, (*found).clone());
    Ok(Reply::json(200, &shown))
}

struct Watcher {
    world: Arc<World>,
    resource: Arc<Resource>,
    namespace: String,
    selector: Selector,
    shape: Shape,
    /// Sent up to here.
    version: u64,
    pending: VecDeque<Value>,
    news: watch::Receiver<u64>,
    line: CancellationToken,
    end: Instant,
    bookmark: Option<Instant>,
    over: bool,
}

/// Answers a WATCH of one object.
pub(crate) fn watch_one(
    world: &Arc<World>,
    target: &Target,
    name: &str,
    request: &Incoming,
) -> Result<Reply, Refusal> {
    let selector = Selector::of(request)?.named(name);
    start(world, target, selector, request)
}

/// Answers a WATCH of a collection.
pub(crate) fn watch(
    world: &Arc<World>,
    target: &Target,
    request: &Incoming,
) -> Result<Reply, Refusal> {
    start(world, target, Selector::of(request)?, request)
}

fn start(
    world: &Arc<World>,
    target: &Target,
    selector: Selector,
    request: &Incoming,
) -> Result<Reply, Refusal> {
    let line = world.line().unwrap_or_else(|| {
        let cut = CancellationToken::new();
        cut.cancel();
        cut
    });
    let seconds = request.asked("timeoutSeconds").parse();
    let length = seconds.map_or(LONGEST, Duration::from_secs);
    let now = Instant::now();
    let asked = request.asked("resourceVersion");
    let from = match asked {
        "" => 0,
        text => text
            .parse()
            .map_err(|_| Refusal::bad("invalid resource version"))?,
    };
    let initial = match request.asked("sendInitialEvents") {
        "" => from == 0,
        text => text == "true",
    };
    let bookmarks = request.is_asked("allowWatchBookmarks");
    let store = world.store();
    let mut watcher = Watcher {
        world: Arc::clone(world),
        resource: Arc::clone(&target.resource),
        namespace: target.namespace.clone(),
        selector,
        shape: shape(request),
        version: if from == 0 || initial {
            store.version()
        } else {
            from
        },
        pending: VecDeque::new(),
        news: store.news(),
        line,
        end: now + length,
        bookmark: bookmarks.then_some(now + BOOKMARK),
        over: false,
    };
    if initial {
        for (_, object) in list::selected(&store, target, &watcher.selector) {
            let event = watcher.event("ADDED", (*object).clone());
            watcher.pending.push_back(event);
        }
        if request.asked("sendInitialEvents") == "true" && bookmarks {
            let mut end = watcher.mark();
            let annotation = json!({"k8s.io/initial-events-end": "true"});
            end["object"]["metadata"]["annotations"] = annotation;
            watcher.pending.push_back(end);
        }
    }
    drop(store);
    let lines = stream::unfold(watcher, |mut watcher| async move {
        let line = watcher.next().await?;
        Some((line, watcher))
    });
    Ok(Reply::stream(200, Body::from_stream(lines)))
}

impl Watcher {
    fn event(&self, kind: &str, object: Value) -> Value {
        json!({"type": kind, "object": self.shape.of(&self.resource, object)})
    }

    fn mark(&self) -> Value {
        json!({"type": "BOOKMARK", "object": {
            "kind": self.resource.kind, "apiVersion": self.resource.api_version(),
            "metadata": {"resourceVersion": self.version.to_string(), "creationTimestamp": null},
        }})
    }

    /// The next line of the stream.
    async fn next(&mut self) -> Option<Result<Bytes, io::Error>> {
        loop {
            if self.line.is_cancelled() {
                let broken = io::Error::from(io::ErrorKind::ConnectionReset);
                return (!std::mem::replace(&mut self.over, true)).then_some(Err(broken));
            }
            if let Some(event) = self.pending.pop_front() {
                return Some(Ok(Bytes::from(format!("{event}\n"))));
            }
            if self.over {
                return None;
            }
            self.take_news();
            if !self.pending.is_empty() {
                continue;
            }
            let bookmark = self.bookmark.unwrap_or(self.end);
            tokio::select! {
                biased;
                () = self.line.cancelled() => {}
                changed = self.news.changed() => self.over |= changed.is_err(),
                () = sleep_until(self.end) => self.over = true,
                () = sleep_until(bookmark) => {
                    self.bookmark = Some(Instant::now() + BOOKMARK);
                    self.pending.push_back(self.mark());
                }
            }
        }
    }

    fn take_news(&mut self) {
        self.news.mark_unchanged();
        let world = Arc::clone(&self.world);
        let store = world.store();
        let changes = match store.since(self.version) {
            Ok(changes) => changes,
            Err(gone) => {
                let error = json!({"type": "ERROR", "object": gone.status()});
                self.pending.push_back(error);
                self.over = true;
                return;
            }
        };
        for change in changes {
            self.version = change.version;
            if let Some(event) = self.told(change) {
                self.pending.push_back(event);
            }
        }
    }

    /// What a change is to those who see only what they selected.
    fn told(&self, change: &Change) -> Option<Value> {
        let (shelf, namespace, _) = &change.place;
        let here = self.namespace.is_empty() || *namespace == self.namespace;
        if *shelf != self.resource.shelf() || !here {
            return None;
        }
        let takes = |object: &Option<Arc<Value>>| {
            object
                .as_deref()
                .is_some_and(|object| self.selector.takes(object))
        };
        let kind = match (takes(&change.before), takes(&change.after)) {
            (false, false) => return None,
            (false, true) => "ADDED",
            (true, true) => "MODIFIED",
            (true, false) => "DELETED",
        };
        Some(self.event(kind, (*change.last).clone()))
    }
}
