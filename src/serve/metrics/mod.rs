//! `/metrics`: everything that the board and the client know, as `OpenMetrics` text.
//!
//! Made anew for each scrape from what is known then, so that what is gone is gone here too, and
//! nothing is counted twice. Labels come from the manifests and from fixed tables: never from a
//! reply, a message or a request.

mod checks;
mod operator;
mod resources;
mod sheet;

use super::Place;
use crate::gcp::client::Client;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::registry::Registry;
use sheet::Sheet;
use std::fmt;
use std::sync::Arc;

/// The media type of what [`text`] gives.
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All metrics, as text.
///
/// # Errors
/// Where it cannot be written, which text never is.
pub fn text(places: Vec<Place>, client: &Arc<Client>) -> Result<String, fmt::Error> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Scrape {
        places,
        client: Arc::clone(client),
    }));
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry)?;
    Ok(text)
}

/// The label of a place; a directory has none.
fn labels_of(place: &Place) -> sheet::Labels {
    let namespace = place.namespace.iter();
    namespace.map(|name| ("namespace", name.clone())).collect()
}

struct Scrape {
    places: Vec<Place>,
    client: Arc<Client>,
}

impl fmt::Debug for Scrape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scrape")
    }
}

impl Collector for Scrape {
    fn encode(&self, encoder: DescriptorEncoder) -> fmt::Result {
        let mut sheet = Sheet(encoder);
        operator::write(&mut sheet, &self.places, &self.client)?;
        resources::write(&mut sheet, &self.places)?;
        resources::write_phases(&mut sheet, &self.places)?;
        checks::write(&mut sheet, &self.places)
    }
}
