//! Cloud Logging: searches for entries, nothing else.
//!
//! `v2/entries:list` of `logging.googleapis.com`. A search that takes long gives up for now: it
//! answers with what it found, maybe nothing, and a token to go on with.

use super::client::Client;
use super::endpoint::Api;
use super::pages::items;
use super::path::segment;
use crate::core::error::Fault;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// The least time between two searches of a project: 48 in a minute, of the 60 that Google answers.
/// The others are for repetitions, and for people.
pub const PACE: Duration = Duration::from_millis(1250);
/// The largest page ("the maximum is 1000").
pub const PAGE_SIZE: usize = 1000;
/// Longest text of an entry, in bytes; Google takes entries of 256 KiB.
const TEXT_LIMIT: usize = 16 * 1024;

/// Which entries.
#[derive(Debug, Clone, Copy)]
pub struct Search<'a> {
    pub project: &'a str,
    /// Google's filter, without a time.
    pub filter: &'a str,
    /// Entries after this moment,
    pub after: Timestamp,
    /// and not after this one.
    pub until: Timestamp,
    /// Bring the text of each entry as well.
    pub texts: bool,
}

/// A part of what a search finds, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The text of each entry: empty where it was not asked for.
    pub entries: Vec<String>,
    /// Where the search goes on.
    pub next: Option<String>,
}

/// Log entries of every project.
pub struct Logging {
    client: Arc<Client>,
}

impl Logging {
    #[must_use]
    pub fn new(client: Arc<Client>) -> Self {
        Logging { client }
    }

    /// The first page of a search, or the one that a token is about. Costs one of the project's 60
    /// searches a minute: keep to [`PACE`].
    ///
    /// # Errors
    /// Those of a read.
    pub async fn page(&self, search: &Search<'_>, token: Option<&str>) -> Result<Page, Fault> {
        let project = segment(search.project)?;
        let mut body = json!({
            "resourceNames": [format!("projects/{project}")],
            "filter": filter(search),
            "orderBy": "timestamp desc",
            "pageSize": PAGE_SIZE,
        });
        if let Some(token) = token {
            body["pageToken"] = token.into();
        }
        let fields = if search.texts {
            "entries(textPayload,jsonPayload,protoPayload),nextPageToken"
        } else {
            "entries/insertId,nextPageToken"
        };
        let query = [("fields", fields)];
        let path = "v2/entries:list";
        let reply = self
            .client
            .search(Api::Logging, search.project, path, &query, &body);
        let mut reply = reply.await?;
        let entries = items(&mut reply, "entries")?;
        let next = reply["nextPageToken"].as_str().unwrap_or_default();
        Ok(Page {
            entries: entries.iter().map(text).collect(),
            next: (!next.is_empty()).then(|| next.to_owned()),
        })
    }
}

/// The filter with its time. It keeps its lines: a comment in it ends with its own.
fn filter(search: &Search<'_>) -> String {
    let time = format!(
        "timestamp>\"{}\"\ntimestamp<=\"{}\"",
        search.after, search.until
    );
    if search.filter.trim().is_empty() {
        return time;
    }
    format!("(\n{}\n)\n{time}", search.filter)
}

/// The text of an entry, or its payload as JSON.
fn text(entry: &Value) -> String {
    let mut text = match entry["textPayload"].as_str() {
        Some(text) => text.to_owned(),
        None => ["jsonPayload", "protoPayload"]
            .iter()
            .find_map(|field| entry.get(*field))
            .map_or_else(String::new, Value::to_string),
    };
    text.truncate(text.floor_char_boundary(TEXT_LIMIT));
    text
}

#[cfg(test)]
#[path = "logging_tests.rs"]
mod tests;
