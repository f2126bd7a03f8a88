//! One file for each manifest: `DIR/runservices/netra-backend.yaml`.

use super::Manifest;
use crate::cli::args::ManifestFormat;
use crate::cli::{CliError, Exit, out};
use crate::render::message;
use crate::render::validate::count;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Files that an error names.
const SHOWN: usize = 3;

/// A file to write.
pub struct File {
    path: PathBuf,
    text: String,
}

/// Which manifest goes where. A name is unique among its kind, and safe as a file's.
pub fn plan(
    folder: &Path,
    manifests: &[Manifest],
    texts: Vec<String>,
    format: ManifestFormat,
) -> Vec<File> {
    let ending = match format {
        ManifestFormat::Yaml => "yaml",
        ManifestFormat::Json => "json",
    };
    let path = |one: &Manifest| {
        let file = format!("{}.{ending}", one.declared.name);
        folder.join(one.declared.key.kind.plural()).join(file)
    };
    let files = manifests.iter().zip(texts);
    files
        .map(|(one, text)| File {
            path: path(one),
            text,
        })
        .collect()
}

/// Writes all of them, or none where one would be written over.
///
/// # Errors
/// Files are there and `force` is not given, or the folder cannot be written to.
pub fn write(folder: &Path, files: &[File], force: bool) -> Result<(), CliError> {
    let there: Vec<&Path> = files
        .iter()
        .map(|file| file.path.as_path())
        .filter(|path| path.exists())
        .collect();
    if !there.is_empty() && !force {
        return Err(exist(&there));
    }
    for file in files {
        write_one(file).map_err(|error| {
            CliError::new(format!("cannot write {}: {error}", file.path.display()))
                .hint("give another folder with --output")
        })?;
        out::line(&format!("wrote {}", file.path.display()))?;
    }
    left_over(folder, files);
    Ok(())
}

fn write_one(file: &File) -> std::io::Result<()> {
    if let Some(folder) = file.path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(&file.path, &file.text)
}

fn exist(there: &[&Path]) -> CliError {
    let shown: Vec<_> = there
        .iter()
        .take(SHOWN)
        .map(|path| path.display().to_string())
        .collect();
    let more = match there.len() - shown.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    CliError::new(format!(
        "{}{more} exist; nothing was written",
        shown.join(", ")
    ))
    .hint("--force writes over them; or give another folder with --output")
    .exit(Exit::BadInput)
}

/// Manifests of an earlier export that this one did not write: still loaded, and perhaps about
/// what is gone.
fn left_over(folder: &Path, files: &[File]) {
    let written: BTreeSet<&Path> = files.iter().map(|file| file.path.as_path()).collect();
    let folders: BTreeSet<&Path> = written.iter().filter_map(|path| path.parent()).collect();
    let mut old = BTreeSet::new();
    for entries in folders
        .iter()
        .filter_map(|path| std::fs::read_dir(path).ok())
    {
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        old.extend(paths.filter(|path| !written.contains(path.as_path())));
    }
    if let Some(first) = old.first() {
        out::error_text(&message::note(&format!(
            "{} holds {} that this export did not write, such as {}: remove what is no longer \
             wanted",
            folder.display(),
            count(old.len(), "file"),
            first.display()
        )));
    }
}
