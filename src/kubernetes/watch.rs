//! Watches of one kind each, from the list on; they come back by themselves after an outage.

use super::words::resource;
use crate::api::DocumentKind;
use futures::{Stream, StreamExt};
use kube::Client;
use kube::api::{Api, DynamicObject};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Config, Event, watcher};

/// What a watch saw.
#[derive(Debug)]
pub enum Sight {
    /// Everything there is.
    Listed(Vec<DynamicObject>),
    Changed(Box<DynamicObject>),
    Gone(Box<DynamicObject>),
    /// It does not work; it is tried again.
    Failed(String),
}

/// Watches a kind, in one namespace or in all.
pub fn sights(
    client: Client,
    kind: DocumentKind,
    namespace: Option<&str>,
    selector: Option<&str>,
) -> impl Stream<Item = Sight> + Send + use<> {
    let resource = resource(kind);
    let api: Api<DynamicObject> = match namespace {
        Some(namespace) => Api::namespaced_with(client, namespace, &resource),
        None => Api::all_with(client, &resource),
    };
    let config = match selector {
        Some(selector) => Config::default().labels(selector),
        None => Config::default(),
    };
    let mut listed = Vec::new();
    watcher(api, config)
        .default_backoff()
        .filter_map(move |event| {
            let sight = match event {
                Ok(Event::Init) => {
                    listed.clear();
                    None
                }
                Ok(Event::InitApply(object)) => {
                    listed.push(object);
                    None
                }
                Ok(Event::InitDone) => Some(Sight::Listed(std::mem::take(&mut listed))),
                Ok(Event::Apply(object)) => Some(Sight::Changed(Box::new(object))),
                Ok(Event::Delete(object)) => Some(Sight::Gone(Box::new(object))),
                Err(error) => Some(Sight::Failed(words(&error))),
            };
            std::future::ready(sight)
        })
}

fn words(error: &watcher::Error) -> String {
    use watcher::Error::{InitialListFailed, WatchError, WatchFailed, WatchStartFailed};
    match error {
        InitialListFailed(error) | WatchStartFailed(error) | WatchFailed(error) => {
            super::calls::said(error).to_string()
        }
        WatchError(status) => status.message.clone(),
        watcher::Error::NoResourceVersion => error.to_string(),
    }
}
