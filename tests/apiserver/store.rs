//! Everything that is stored, with one counter of versions and the changes since the last
//! compaction.

use super::answer::Refusal;
use super::crd;
use super::resource::{Resource, builtins};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::watch;

/// Changes that are kept for watches.
const KEPT: usize = 20_000;

/// Shelf, namespace (`""`: none) and name.
pub(crate) type Place = (String, String, String);

/// One change.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub version: u64,
    pub place: Place,
    /// `None`: it is new.
    pub before: Option<Arc<Value>>,
    /// `None`: it is gone; `last` is what it was.
    pub after: Option<Arc<Value>>,
    pub last: Arc<Value>,
}

/// The stored state.
pub(crate) struct Store {
    pub resources: Vec<Arc<Resource>>,
    objects: BTreeMap<Place, Arc<Value>>,
    version: u64,
    changes: Vec<Change>,
    /// Changes up to this version are forgotten.
    compacted: u64,
    names: u64,
    tell: watch::Sender<u64>,
}

/// Now, as `metadata.creationTimestamp` has it.
pub(crate) fn now() -> String {
    let now = jiff::Timestamp::now();
    now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

impl Store {
    pub fn new() -> Self {
        let mut store = Store {
            resources: builtins().into_iter().map(Arc::new).collect(),
            objects: BTreeMap::new(),
            version: 100,
            changes: Vec::new(),
            compacted: 100,
            names: 0,
            tell: watch::channel(100).0,
        };
        for name in ["default", "kube-system"] {
            store.put(
                ("namespaces".into(), String::new(), name.into()),
                json!({
                    "apiVersion": "v1", "kind": "Namespace",
                    "metadata": {"name": name, "uid": store.uid(), "creationTimestamp": now(),
                        "labels": {"kubernetes.io/metadata.name": name}},
                    "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"},
                }),
            );
        }
        store
    }

    pub fn version(&self) -> u64 {
        self.version
    }

    pub fn news(&self) -> watch::Receiver<u64> {
        self.tell.subscribe()
    }

    /// A new `metadata.uid`.
    pub fn uid(&self) -> String {
        let (high, low) = (fastrand::u64(..), fastrand::u64(..));
        format!(
            "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            (low >> 48) & 0xfff,
            low & 0xffff_ffff_ffff
        )
    }

    /// The end of a name that `generateName` began.
    pub fn suffix(&mut self) -> String {
        self.names += 1;
        let letters = b"bcdfghjklmnpqrstvwxz2456789";
        let (mut rest, mut text) = (self.names, String::new());
        for _ in 0..5 {
            let place = usize::try_from(rest % 27).unwrap();
            text.push(letters[place].into());
            rest = rest / 27 + 7;
        }
        text
    }

    pub fn get(&self, place: &Place) -> Option<Arc<Value>> {
        self.objects.get(place).cloned()
    }

    /// Stores an object under a new version; gives it back as stored.
    pub fn put(&mut self, place: Place, mut object: Value) -> Value {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let stored = Arc::new(object.clone());
        let before = self.objects.insert(place.clone(), Arc::clone(&stored));
        self.record(place, before, Some(Arc::clone(&stored)), stored);
        object
    }

    /// Takes an object away; gives it back with the version of its end.
    pub fn remove(&mut self, place: &Place) -> Option<Value> {
        let before = self.objects.remove(place)?;
        self.version += 1;
        let mut last = (*before).clone();
        last["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let kept = Arc::new(last.clone());
        self.record(place.clone(), Some(before), None, kept);
        Some(last)
    }

    fn record(
        &mut self,
        place: Place,
        before: Option<Arc<Value>>,
        after: Option<Arc<Value>>,
        last: Arc<Value>,
    ) {
        if place.0 == "customresourcedefinitions.apiextensions.k8s.io" {
            self.define(before.as_deref(), after.as_deref());
        }
        self.changes.push(Change {
            version: self.version,
            place,
            before,
            after,
            last,
        });
        if self.changes.len() > KEPT {
            let old = self.changes.remove(0);
            self.compacted = old.version;
        }
        self.tell.send_replace(self.version);
    }

    fn define(&mut self, before: Option<&Value>, after: Option<&Value>) {
        for old in before.map(crd::resources).unwrap_or_default() {
            let name = old.qualified();
            self.resources.retain(|known| known.qualified() != name);
        }
        let new = after.map(crd::resources).unwrap_or_default();
        self.resources.extend(new.into_iter().map(Arc::new));
    }

    /// The changes after a version.
    pub fn since(&self, version: u64) -> Result<&[Change], Refusal> {
        if version < self.compacted {
            return Err(Refusal::gone(self.compacted, version));
        }
        let start = self
            .changes
            .partition_point(|change| change.version <= version);
        Ok(&self.changes[start..])
    }

    pub fn compact(&mut self) {
        self.compacted = self.version;
        self.changes.clear();
    }

    /// The objects of a shelf, in order of namespace and name.
    pub fn list(&self, shelf: &str, namespace: Option<&str>) -> Vec<(Place, Arc<Value>)> {
        let start = (shelf.to_owned(), String::new(), String::new());
        let all = self.objects.range(start..);
        all.take_while(|(place, _)| place.0 == shelf)
            .filter(|(place, _)| namespace.is_none_or(|wanted| place.1 == wanted))
            .map(|(place, object)| (place.clone(), Arc::clone(object)))
            .collect()
    }

    /// Everything, for the collection of garbage.
    pub fn everything(&self) -> Vec<(Place, Arc<Value>)> {
        let all = self.objects.iter();
        all.map(|(place, object)| (place.clone(), Arc::clone(object)))
            .collect()
    }

    pub fn resource_of(&self, object: &Value) -> Option<Arc<Resource>> {
        let wanted = |resource: &&Arc<Resource>| {
            object["kind"] == resource.kind && object["apiVersion"] == resource.api_version()
        };
        self.resources.iter().find(wanted).cloned()
    }

    /// The resource whose objects a shelf keeps.
    pub fn resource_on(&self, shelf: &str) -> Option<Arc<Resource>> {
        let mut all = self.resources.iter();
        all.find(|resource| resource.qualified() == shelf).cloned()
    }

    pub fn find(&self, plural: &str, namespace: &str, name: &str) -> Option<Value> {
        let place = |resource: &Arc<Resource>| {
            let namespace = if resource.namespaced { namespace } else { "" };
            (resource.shelf(), namespace.to_owned(), name.to_owned())
        };
        let mut of_name = self.resources.iter().filter(|r| r.plural == plural);
        let found = of_name.find_map(|resource| self.get(&place(resource)))?;
        Some((*found).clone())
    }

    pub fn all(&self, plural: &str) -> Vec<Value> {
        let Some(resource) = self.resources.iter().find(|r| r.plural == plural) else {
            return Vec::new();
        };
        let all = self.list(&resource.shelf(), None);
        all.into_iter()
            .map(|(_, object)| (*object).clone())
            .collect()
    }
}
