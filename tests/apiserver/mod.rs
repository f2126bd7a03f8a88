//! A Kubernetes API server for tests: small, in this process, over HTTP on loopback or without a
//! socket at all.
//!
//! It is written from the documents of Kubernetes and shares nothing with `src/`: what it refuses is
//! what `crds/` say. Two doors lead to the same handler: [`ApiServer::start`] listens, for the built
//! binary and kubectl; [`ApiServer::client`] is a `kube::Client` without a socket, for paused time.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::format_push_string, reason = "short texts read better whole")]
#![allow(
    clippy::needless_pass_by_value,
    reason = "json! literals read better by value"
)]

mod answer;
mod apply;
mod crd;
mod delete;
mod discovery;
mod events;
mod fields;
mod list;
mod log;
mod meta;
mod openapi;
mod patch;
mod read;
mod resource;
mod route;
mod rules;
mod schema;
mod select;
mod serve;
mod store;
mod table;
mod write;

pub use log::Logged;

use axum::body::Body;
use http::{Request, Response};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::Store;
use tokio_util::sync::CancellationToken;

/// What both doors lead to.
pub(crate) struct World {
    store: Mutex<Store>,
    log: log::Log,
    outage: Mutex<Outage>,
}

struct Outage {
    down: bool,
    /// Cancelled when an outage begins: connections and watches end with it.
    cut: CancellationToken,
}

impl World {
    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A token that ends with the next outage; `None` while there is one.
    pub(crate) fn line(&self) -> Option<CancellationToken> {
        let outage = self.outage.lock().unwrap();
        (!outage.down).then(|| outage.cut.clone())
    }
}

/// A running API server. Dropping it ends it.
pub struct ApiServer {
    world: Arc<World>,
    address: SocketAddr,
    folder: tempfile::TempDir,
    stop: CancellationToken,
}

impl ApiServer {
    /// Starts it on a free port of loopback, with the namespaces `default` and `kube-system` and no
    /// custom resources.
    pub async fn start() -> Self {
        let world = Arc::new(World {
            store: Mutex::new(Store::new()),
            log: log::Log::default(),
            outage: Mutex::new(Outage {
                down: false,
                cut: CancellationToken::new(),
            }),
        });
        let stop = CancellationToken::new();
        let address = serve::listen(Arc::clone(&world), stop.clone()).await;
        let folder = tempfile::tempdir().unwrap();
        let server = ApiServer {
            world,
            address,
            folder,
            stop,
        };
        server.write_kubeconfig();
        server
    }

    /// [`ApiServer::start`], with everything in `crds/`.
    pub async fn with_crds() -> Self {
        let server = Self::start().await;
        server.install_crds();
        server
    }

    /// Installs everything in `crds/`.
    pub fn install_crds(&self) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("crds");
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|end| end == "yaml") {
                let text = std::fs::read_to_string(&path).unwrap();
                let object: Value = serde_saphyr::from_str(&text).unwrap();
                self.create(object);
            }
        }
    }

    /// Makes a namespace.
    pub fn namespace(&self, name: &str) {
        self.create(json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name},
        }));
    }

    /// Creates an object, as a client would.
    pub fn create(&self, object: Value) -> Value {
        let mut store = self.world.store();
        let resource = store.resource_of(&object).expect("a served kind");
        let namespace = object["metadata"]["namespace"].as_str();
        let namespace = namespace.unwrap_or("default").to_owned();
        let options = write::Options::by("test");
        write::create(&mut store, &resource, &namespace, object, &options)
            .expect("created")
            .object
    }

    /// An object as it is stored, by the plural name of its kind.
    pub fn object(&self, plural: &str, namespace: &str, name: &str) -> Option<Value> {
        self.world.store().find(plural, namespace, name)
    }

    /// Every object of a kind, by the plural name.
    pub fn objects(&self, plural: &str) -> Vec<Value> {
        self.world.store().all(plural)
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A kubeconfig whose current context is this server.
    pub fn kubeconfig_path(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    /// A client without a socket: nothing waits for the network, so paused time stands still while
    /// the server answers. An outage is a refused connection.
    pub fn client(&self) -> kube::Client {
        let world = Arc::clone(&self.world);
        let service = tower::service_fn(move |request: Request<kube::client::Body>| {
            let world = Arc::clone(&world);
            async move { serve::direct(world, request.map(Body::new)).await }
        });
        kube::Client::new(service, "default")
    }

    /// A client over HTTP.
    pub fn http_client(&self) -> kube::Client {
        let config = kube::Config::new(self.url().parse().unwrap());
        kube::Client::try_from(config).unwrap()
    }

    /// An outage: every connection and watch breaks, new ones are refused, until `false`.
    pub fn unavailable(&self, down: bool) {
        let mut outage = self.world.outage.lock().unwrap();
        outage.down = down;
        if down {
            outage.cut.cancel();
        } else {
            outage.cut = CancellationToken::new();
        }
    }

    /// Forgets what changed so far: a watch from before it gets `410 Gone`.
    pub fn compact(&self) {
        self.world.store().compact();
    }

    /// Every request so far, with what became of it.
    pub fn requests(&self) -> Vec<Logged> {
        self.world.log.all()
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        self.world.log.clear();
    }

    /// The requests that changed something, without those of `kubectl`'s dry runs.
    pub fn writes(&self) -> Vec<Logged> {
        let mut all = self.requests();
        all.retain(|request| request.method != "GET" && request.status < 300);
        all
    }

    fn write_kubeconfig(&self) {
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {"server": self.url()}}],
            "users": [{"name": "test", "user": {"username": "test", "password": "test"}}],
            "contexts": [{"name": "test",
                "context": {"cluster": "test", "user": "test", "namespace": "default"}}],
        });
        std::fs::write(self.kubeconfig_path(), config.to_string()).unwrap();
    }
}

impl Drop for ApiServer {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The handler of both doors.
pub(crate) async fn handle(world: &Arc<World>, request: Request<Body>) -> Response<Body> {
    let (request, entry) = match log::Incoming::read(request).await {
        Ok(read) => read,
        Err(refusal) => return refusal.into_response(),
    };
    let reply = route::dispatch(world, &request).unwrap_or_else(answer::Reply::from);
    world.log.note(entry, reply.code());
    reply.into_response()
}
