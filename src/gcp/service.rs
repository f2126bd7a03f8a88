//! What the engine sees of an API: one resource type, six verbs.
//!
//! Invariant: "absent" is said only where GCP answered for the resource itself, and a listing is
//! whole or it is an error or it is marked unreachable. Nothing here repeats a write.

use crate::core::error::Fault;
use crate::core::observed::Operation;
use crate::core::permit::{Durable, WritePermit};
use async_trait::async_trait;
use serde_json::Value;

/// All resources of one type in a location of a project.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing {
    /// The resources as GCP gave them.
    pub items: Vec<Value>,
    /// GCP could not reach a part of the scope: what is not listed is unknown, not gone.
    pub unreachable: bool,
}

/// All resources of one type in a project, wherever they are.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Survey {
    /// The resources as GCP gave them, each with its location: a region, or `global`.
    pub found: Vec<(String, Value)>,
    /// What GCP could not reach, in its own words: what is there is not in `found`.
    pub unreachable: Vec<String>,
}

impl Survey {
    /// Adds what one location holds.
    pub(super) fn add(&mut self, location: &str, listing: Listing) {
        let here = |item| (location.to_owned(), item);
        self.found.extend(listing.items.into_iter().map(here));
        if listing.unreachable {
            self.unreachable.push(format!("a part of {location}"));
        }
    }
}

/// One type of resource in one API.
#[async_trait]
pub trait Service: Send + Sync {
    /// Who uses the resource, as far as the API itself does not refuse its deletion: GCP names of
    /// the users.
    ///
    /// # Errors
    /// Where it cannot be told.
    async fn users(
        &self,
        _project: &str,
        _location: &str,
        _name: &str,
    ) -> Result<Vec<String>, Fault> {
        Ok(Vec::new())
    }

    /// Every resource in the scope, over all pages.
    ///
    /// # Errors
    /// Any failed page fails the listing. `NotFound` means the scope, not the resources.
    async fn list(&self, project: &str, location: &str) -> Result<Listing, Fault>;

    /// Every resource of the project, in every location.
    ///
    /// # Errors
    /// Any failed call fails the survey, with the location in the message where there is one.
    async fn survey(&self, project: &str) -> Result<Survey, Fault>;

    /// Every resource of the project in one location, and no other.
    ///
    /// # Errors
    /// As [`Service::list`].
    async fn survey_in(&self, project: &str, location: &str) -> Result<Survey, Fault> {
        let mut survey = Survey::default();
        survey.add(location, self.list(project, location).await?);
        Ok(survey)
    }

    /// One resource. `None` only when GCP says that it, and not its project, location or API, does
    /// not exist.
    ///
    /// # Errors
    /// `NotFound` is about the scope: the resource is then unknown.
    async fn get(&self, project: &str, location: &str, name: &str) -> Result<Option<Value>, Fault>;

    /// Makes the call of a durable intent, once.
    ///
    /// # Errors
    /// `Unclear` where the call may have landed all the same.
    async fn write(&self, permit: &WritePermit, intent: Durable<'_>) -> Result<Operation, Fault>;

    /// Polls an operation by its full name.
    ///
    /// # Errors
    /// About the poll; how the operation went is in [`Operation::error`].
    async fn operation(&self, name: &str) -> Result<Operation, Fault>;

    /// The operations GCP remembers in the scope, running and finished.
    ///
    /// # Errors
    /// As [`Service::list`].
    async fn operations(&self, project: &str, location: &str) -> Result<Vec<Operation>, Fault>;

    /// The operations on one resource, for APIs that remember too many to list them all. What else
    /// is in the answer does no harm: [`Operation::target`] tells.
    ///
    /// # Errors
    /// As [`Service::list`].
    async fn operations_on(
        &self,
        project: &str,
        location: &str,
        _name: &str,
    ) -> Result<Vec<Operation>, Fault> {
        self.operations(project, location).await
    }

    /// The short name of a listed item.
    fn name_of(&self, item: &Value) -> Option<String>;

    /// The name GCP gives a resource, as in [`Operation::target`].
    fn target(&self, project: &str, location: &str, name: &str) -> String;

    /// The target of an operation on one object of a procedure, such as `targetHttpsProxies/x`.
    fn object(&self, project: &str, location: &str, object: &str) -> String {
        self.target(project, location, object)
    }
}

#[cfg(test)]
#[path = "survey_tests.rs"]
mod tests;
