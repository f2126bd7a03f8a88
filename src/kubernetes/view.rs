//! The journal of a cluster as the command line sees it: read from the objects, asked by annotation.

use super::calls::{said, within};
use super::memo::Memo;
use super::requests::{annotation_of, name};
use super::words::{MANAGER, ObjectId, PREFIX, resource};
use super::{revisions, shelf::journal_of};
use crate::api::event::Severity;
use crate::api::{DocumentKind, Event, Key, Subject};
use crate::core::check::CheckRecord;
use crate::core::phase::PhaseRecord;
use crate::core::record::{Record, Revision};
use crate::core::token::Ask;
use crate::journal::JournalError;
use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::api::events::v1::Event as Told;
use kube::Client;
use kube::api::{Api, DynamicObject, ListParams, Patch, PatchParams};
use serde::de::DeserializeOwned;
use serde_json::json;

/// A reader of namespaces.
#[derive(Clone)]
pub struct ClusterView {
    client: Client,
    namespaces: Vec<String>,
    selector: Option<String>,
}

impl ClusterView {
    #[must_use]
    pub fn new(client: Client, namespaces: Vec<String>, selector: Option<String>) -> Self {
        ClusterView {
            client,
            namespaces,
            selector,
        }
    }

    /// Every record.
    ///
    /// # Errors
    /// Where the objects cannot be listed.
    pub async fn records(&self) -> Result<Vec<Record>, JournalError> {
        let mut all = Vec::new();
        for kind in DocumentKind::all().filter(|kind| matches!(kind, DocumentKind::Managed(_))) {
            let found = self.memories::<Record>(kind).await?;
            all.extend(found.into_iter().map(|(_, record)| record));
        }
        all.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(all)
    }

    /// What is remembered of every check.
    ///
    /// # Errors
    /// Where the objects cannot be listed.
    pub async fn checks(&self) -> Result<Vec<CheckRecord>, JournalError> {
        let found = self.memories(DocumentKind::Check).await?;
        Ok(found.into_iter().map(|(_, record)| record).collect())
    }

    /// What is remembered of every phase.
    ///
    /// # Errors
    /// Where the objects cannot be listed.
    pub async fn phases(&self) -> Result<Vec<PhaseRecord>, JournalError> {
        let found = self.memories(DocumentKind::Phase).await?;
        Ok(found.into_iter().map(|(_, record)| record).collect())
    }

    /// The saved states of a resource, oldest first.
    ///
    /// # Errors
    /// Where they cannot be listed.
    pub async fn revisions(&self, key: &Key) -> Result<Vec<Revision>, JournalError> {
        let (namespace, _) = self.place(&Subject::from(key)).await?;
        let api: Api<ControllerRevision> = Api::namespaced(self.client.clone(), &namespace);
        let params = ListParams::default().labels(revisions::OWNER);
        let found = within(api.list(&params)).await;
        let found = found.map_err(|error| failed("saved states", &error))?;
        let mut all: Vec<Revision> = found
            .items
            .into_iter()
            .filter_map(revisions::read)
            .collect();
        all.retain(|revision| revision.key == *key);
        all.sort_by_key(|revision| revision.number);
        Ok(all)
    }

    /// The events of an object that the cluster still keeps, oldest first.
    ///
    /// # Errors
    /// Where they cannot be listed.
    pub async fn events(&self, about: &Subject) -> Result<Vec<Event>, JournalError> {
        let (namespace, id) = self.place(about).await?;
        let api: Api<Told> = Api::namespaced(self.client.clone(), &namespace);
        let found = within(api.list(&ListParams::default())).await;
        let found = found.map_err(|error| failed("events", &error))?;
        let own = found.items.into_iter().filter(|told| {
            let regarding = told.regarding.as_ref();
            regarding.is_some_and(|about| {
                about.kind.as_deref() == Some(id.kind.as_str())
                    && about.name.as_deref() == Some(&id.name)
            })
        });
        let mut events: Vec<Event> = own
            .filter_map(|told| {
                let first = told.event_time.as_ref().map(|at| at.0);
                let last = told
                    .series
                    .as_ref()
                    .map(|series| series.last_observed_time.0);
                Some(Event {
                    at: last.or(first)?,
                    about: about.clone(),
                    severity: match told.type_.as_deref() {
                        Some("Warning") => Severity::Warning,
                        _ => Severity::Normal,
                    },
                    reason: told.reason.unwrap_or_default(),
                    message: told.note.unwrap_or_default(),
                })
            })
            .collect();
        events.sort_by_key(|event| event.at);
        Ok(events)
    }

    /// Writes a request down for the operator, as an annotation; the id by which it is known.
    ///
    /// # Errors
    /// Nothing was written down.
    pub async fn ask(
        &self,
        about: &Subject,
        ask: &Ask,
        nonce: &str,
    ) -> Result<String, JournalError> {
        let (namespace, id) = self.place(about).await?;
        let (annotation, value) = annotation_of(ask, nonce);
        let patch = json!({"metadata": {"annotations": {annotation.clone(): value.clone()}}});
        let params = PatchParams {
            field_manager: Some(format!("{MANAGER}-cli")),
            ..PatchParams::default()
        };
        let api = self.api(id.kind, &namespace);
        let done = within(api.patch(&id.name, &params, &Patch::Merge(patch))).await;
        done.map_err(|error| failed(&id.to_string(), &error))?;
        let verb = annotation.strip_prefix(PREFIX).unwrap_or(&annotation);
        let field = if verb == "rollback-to" {
            "rollbackTo"
        } else {
            verb
        };
        Ok(name(&id, field, &value))
    }

    /// The object that a subject is about.
    async fn place(&self, about: &Subject) -> Result<(String, ObjectId), JournalError> {
        let kind = about.kind();
        let found = match about {
            Subject::Resource(key) => {
                let known = self.memories::<Record>(kind).await?;
                let one = known.into_iter().find(|(_, record)| record.key == *key);
                one.map(|(namespace, record)| (namespace, ObjectId::new(kind, &record.name)))
            }
            Subject::Check(name) | Subject::Phase(name) => {
                let objects = self.objects(kind).await?;
                let one = objects
                    .into_iter()
                    .find(|o| o.metadata.name.as_ref() == Some(name));
                one.map(|object| {
                    let namespace = object.metadata.namespace.unwrap_or_default();
                    (namespace, ObjectId::new(kind, name))
                })
            }
        };
        found.ok_or_else(|| JournalError::Cluster {
            object: about.to_string(),
            why: "there is no such object".to_owned(),
        })
    }

    async fn memories<R: DeserializeOwned>(
        &self,
        kind: DocumentKind,
    ) -> Result<Vec<(String, R)>, JournalError> {
        let mut all = Vec::new();
        for object in self.objects(kind).await? {
            let Some(text) = journal_of(&object) else {
                continue;
            };
            let namespace = object.metadata.namespace.clone().unwrap_or_default();
            let name = object.metadata.name.unwrap_or_default();
            let memo = Memo::unpack(&text).map_err(|error| JournalError::Cluster {
                object: format!("{namespace}/{kind}/{name}"),
                why: error.to_string(),
            })?;
            all.push((namespace, memo.record));
        }
        Ok(all)
    }

    async fn objects(&self, kind: DocumentKind) -> Result<Vec<DynamicObject>, JournalError> {
        let mut all = Vec::new();
        for namespace in &self.namespaces {
            let params = ListParams {
                label_selector: self.selector.clone(),
                ..ListParams::default()
            };
            let found = within(self.api(kind, namespace).list(&params)).await;
            let found = found.map_err(|error| failed(kind.plural(), &error))?;
            all.extend(found.items);
        }
        Ok(all)
    }

    fn api(&self, kind: DocumentKind, namespace: &str) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), namespace, &resource(kind))
    }
}

fn failed(what: &str, error: &kube::Error) -> JournalError {
    JournalError::Cluster {
        object: what.to_owned(),
        why: said(error).to_string(),
    }
}
