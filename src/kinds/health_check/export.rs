//! A live health check as a manifest.

use super::{defaults, protocol::PROTOCOLS};
use crate::api::Kind;
use crate::core::observed::Present;
use crate::kinds::export::Export;
use serde_json::Value;

pub(super) fn export(live: &Present) -> Export {
    let mut export = Export::of(Kind::HealthCheck, &live.raw);
    export.drop_idle(&defaults(&live.fields));
    if PROTOCOLS
        .iter()
        .any(|protocol| export.resource.contains_key(protocol.block))
    {
        // The block says it.
        export.drop("type");
    }
    if let Some(Value::Array(regions)) = export.get_mut("sourceRegions") {
        for region in regions {
            let name = region.as_str().and_then(|link| link.rsplit('/').next());
            *region = name.map(Value::from).unwrap_or_default();
        }
    }
    export
}
