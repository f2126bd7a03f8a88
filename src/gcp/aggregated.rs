//! Everything of one collection of Compute Engine, global and of all regions, in one listing.

use super::client::Client;
use super::compute::{GLOBAL, PAGE_SIZE, ROOT};
use super::endpoint::Api;
use super::pages::{Pages, is_partial, items, unclear, unreached};
use super::path::segment;
use super::service::Survey;
use crate::core::error::Fault;
use serde_json::Value;

/// Google answers in part where it cannot reach a place, and says which: asked for the whole, it
/// would say nothing at all.
const PARTS: (&str, &str) = ("returnPartialSuccess", "true");

/// The items of every place.
pub(super) async fn aggregated(
    client: &Client,
    project: &str,
    collection: &str,
) -> Result<Survey, Fault> {
    let path = format!(
        "{ROOT}/projects/{}/aggregated/{collection}",
        segment(project)?
    );
    let pages = Pages {
        api: Api::Compute,
        project,
        path: &path,
        query: &[PAGE_SIZE, PARTS],
    };
    let mut survey = Survey::default();
    for mut page in pages.all(client).await? {
        for (place, scope) in page["items"].as_object_mut().into_iter().flatten() {
            take(&mut survey, place, scope, collection)?;
        }
        // Named once: a place that was told apart needs no second word.
        if survey.unreachable.is_empty() {
            survey.unreachable = unreached(&page);
        }
    }
    Ok(survey)
}

/// One place: `global` or `regions/{region}`.
fn take(
    survey: &mut Survey,
    place: &str,
    scope: &mut Value,
    collection: &str,
) -> Result<(), Fault> {
    if is_partial(scope) {
        survey.unreachable.push(place.to_owned());
    }
    let items = items(scope, collection)?;
    if items.is_empty() {
        return Ok(());
    }
    let region = place.strip_prefix("regions/");
    let location = region.or_else(|| (place == GLOBAL).then_some(GLOBAL));
    let location = location.ok_or_else(|| unclear("a listed item is in no region"))?;
    let here = |item| (location.to_owned(), item);
    survey.found.extend(items.into_iter().map(here));
    Ok(())
}
