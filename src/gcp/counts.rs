//! How many calls were made, for metrics and tests. Bounded, in memory only.

use super::endpoint::Api;
use ::http::Method;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Most distinct (API, method, code) triples that are kept apart.
const LIMIT: usize = 256;

/// What is counted apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallKind {
    pub api: Api,
    /// `GET`, `POST`, ...
    pub method: String,
    /// HTTP status, or 0 where there was no reply.
    pub code: u16,
}

/// Counts of the calls that reached the transport.
#[derive(Debug, Default)]
pub struct Counts(Mutex<BTreeMap<CallKind, u64>>);

impl Counts {
    /// Counts one call. Beyond the limit a new kind is not kept; known kinds go on counting.
    pub fn add(&self, api: Api, method: &Method, code: u16) {
        let kind = CallKind {
            api,
            method: method.to_string(),
            code,
        };
        // A poisoned count is still a count.
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() < LIMIT || counts.contains_key(&kind) {
            *counts.entry(kind).or_default() += 1;
        }
    }

    /// All counts so far.
    #[must_use]
    pub fn snapshot(&self) -> BTreeMap<CallKind, u64> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_is_bounded() {
        let counts = Counts::default();
        for code in 0..1000 {
            counts.add(Api::VpcAccess, &Method::GET, code);
            counts.add(Api::VpcAccess, &Method::GET, 7);
        }
        let snapshot = counts.snapshot();
        assert_eq!(snapshot.len(), LIMIT);
        let key = |code| CallKind {
            api: Api::VpcAccess,
            method: "GET".to_owned(),
            code,
        };
        assert_eq!(snapshot[&key(7)], 1001);
        assert_eq!(snapshot[&key(8)], 1);
    }
}
