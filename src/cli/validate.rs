//! `evenkeel validate`: manifests alone, nothing is asked of GCP.

use super::args::{ValidateArgs, ValidateFormat};
use super::{CliError, Exit, load, out};
use crate::render;
use crate::source::{Errors, Set};
use serde_json::json;

/// Loads the set and says what is wrong with it.
pub fn run(args: &ValidateArgs) -> Result<Exit, CliError> {
    let result = load::load(&load::inputs(&args.paths));
    let exit = match &result {
        Ok(_) => Exit::Success,
        Err(_) => Exit::BadInput,
    };
    match args.output {
        ValidateFormat::Text => out::text(&render::validate::text(&result))?,
        ValidateFormat::Json => out::json(&as_json(&result))?,
    }
    Ok(exit)
}

fn as_json(result: &Result<Set, Errors>) -> serde_json::Value {
    match result {
        Ok(set) => json!({
            "valid": true,
            "revision": set.revision,
            "objects": set.origins().count(),
            "problems": set.warnings,
        }),
        Err(errors) => json!({
            "valid": false,
            "problems": errors.problems,
            "more": errors.more,
        }),
    }
}
