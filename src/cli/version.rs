//! `evenkeel version`

use super::args::{VersionArgs, VersionFormat};
use super::{CliError, Exit, out};
use crate::api::API_VERSION;
use serde_json::json;

/// Prints the version, and what it serves.
pub fn run(args: &VersionArgs) -> Result<Exit, CliError> {
    let version = env!("CARGO_PKG_VERSION");
    match args.output {
        VersionFormat::Text => out::line(&format!("evenkeel {version} ({API_VERSION})"))?,
        VersionFormat::Json => out::json(&json!({
            "version": version,
            "apiVersion": API_VERSION,
            "os": std::env::consts::OS,
            "arch": std::env::consts::ARCH,
        }))?,
    }
    Ok(Exit::Success)
}
