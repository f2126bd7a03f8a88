//! The snapshot in a file: whole or not there, never half.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use super::RestoreError;

/// Where an emulator keeps its world.
#[derive(Debug, Clone)]
pub struct Store {
    path: PathBuf,
}

/// The file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("cannot read the emulator's state {}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write the emulator's state {}: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("the emulator's state {} is not JSON: {source}", path.display())]
    Json {
        path: PathBuf,
        source: serde_json::Error,
    },
    #[error("cannot use the emulator's state {}: {source}", path.display())]
    Content { path: PathBuf, source: RestoreError },
}

impl Store {
    #[must_use]
    pub fn new(path: impl AsRef<Path>) -> Self {
        Self {
            path: path.as_ref().to_owned(),
        }
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The last snapshot saved; None when there never was one.
    ///
    /// # Errors
    /// When the file is there and cannot be read as JSON.
    pub fn load(&self) -> Result<Option<Value>, StoreError> {
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => {
                return Err(StoreError::Read {
                    path: self.path.clone(),
                    source,
                });
            }
        };
        serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|source| StoreError::Json {
                path: self.path.clone(),
                source,
            })
    }

    /// Writes beside the file and renames, so that a crash leaves the old snapshot or the new one.
    ///
    /// # Errors
    /// When the file cannot be written; the old one is then untouched.
    pub fn save(&self, snapshot: &impl Serialize) -> Result<(), StoreError> {
        self.replace(snapshot).map_err(|source| StoreError::Write {
            path: self.path.clone(),
            source,
        })
    }

    fn replace(&self, snapshot: &impl Serialize) -> io::Result<()> {
        let mut beside = self.path.clone().into_os_string();
        beside.push(".new");
        let mut writer = BufWriter::new(File::create(&beside)?);
        serde_json::to_writer(&mut writer, snapshot)?;
        writer.into_inner()?.sync_all()?;
        fs::rename(&beside, &self.path)
    }
}
