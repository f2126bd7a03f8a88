//! `evenkeel crds`

use super::args::CrdsArgs;
use super::{CliError, Exit, out};
use crate::api::crd::{crds, editor_schemas};
use std::path::Path;

/// Prints, writes or checks the `CustomResourceDefinitions`.
pub fn run(args: &CrdsArgs) -> Result<Exit, CliError> {
    match &args.output {
        None => {
            for (_, text) in crds() {
                out::text(&text)?;
            }
            Ok(Exit::Success)
        }
        Some(folder) if args.check => check(folder),
        Some(folder) => write(folder),
    }
}

/// Every file below DIR: the CRDs, and the schemas for editors in `schema/`.
fn files() -> impl Iterator<Item = (String, String)> {
    let schemas = editor_schemas().into_iter();
    let schemas = schemas.map(|(name, text)| (format!("schema/{name}"), text));
    crds().into_iter().chain(schemas)
}

fn write(folder: &Path) -> Result<Exit, CliError> {
    let failed = |error: std::io::Error| {
        CliError::new(format!("cannot write to {}: {error}", folder.display()))
            .hint("give another folder with --output")
    };
    std::fs::create_dir_all(folder.join("schema")).map_err(failed)?;
    for (name, text) in files() {
        let path = folder.join(name);
        std::fs::write(&path, text).map_err(failed)?;
        out::line(&format!("wrote {}", path.display()))?;
    }
    Ok(Exit::Success)
}

fn check(folder: &Path) -> Result<Exit, CliError> {
    let stale: Vec<_> = files()
        .map(|(name, text)| (folder.join(name), text))
        .filter(|(path, text)| std::fs::read_to_string(path).ok().as_ref() != Some(text))
        .map(|(path, _)| path.display().to_string())
        .collect();
    if stale.is_empty() {
        out::line(&format!("{} is up to date", folder.display()))?;
        return Ok(Exit::Success);
    }
    Err(
        CliError::new(format!("not up to date: {}", stale.join(", "))).hint(format!(
            "write them with `evenkeel crds --output {}`",
            folder.display()
        )),
    )
}
