//! What a reference to a secret stands for.
//!
//! Invariant: a secret leaves this room in a [`Secret`] only, which prints as nothing; errors name
//! the reference, never what was found.

use crate::api::SecretRef;
use async_trait::async_trait;
use std::fmt;
use std::path::{Component, Path, PathBuf};

/// Largest secret, in bytes.
pub const LIMIT: u64 = 64 * 1024;

/// A secret, held as short as possible.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Secret(text.into())
    }

    /// The secret itself, for the one place that sends it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Why a secret cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    #[error("{0} is not there")]
    Missing(SecretRef),
    #[error("{0} is empty")]
    Empty(SecretRef),
    #[error("{0} cannot be read: {1}")]
    Unreadable(SecretRef, String),
    #[error("{0}: no folder of secrets is given (--secrets)")]
    NoFolder(SecretRef),
    #[error("a reference names no secret")]
    Nothing,
}

/// Where secrets come from.
#[async_trait]
pub trait Secrets: Send + Sync {
    /// The secret of a reference, without white space at its end.
    ///
    /// # Errors
    /// Where it is not there or cannot be read.
    async fn read(&self, reference: &SecretRef) -> Result<Secret, SecretError>;
}

type Environment = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Environment, files, and a folder that holds `NAME/KEY` as Kubernetes mounts Secrets.
pub struct LocalSecrets {
    folder: Option<PathBuf>,
    environment: Environment,
}

impl LocalSecrets {
    /// Of this process.
    #[must_use]
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self::with_environment(folder, Box::new(|name| std::env::var(name).ok()))
    }

    /// With another environment.
    #[must_use]
    pub fn with_environment(folder: Option<PathBuf>, environment: Environment) -> Self {
        LocalSecrets {
            folder,
            environment,
        }
    }

    fn entry(&self, reference: &SecretRef, name: &str, key: &str) -> Result<PathBuf, SecretError> {
        let folder = self.folder.as_ref();
        let folder = folder.ok_or_else(|| SecretError::NoFolder(reference.clone()))?;
        // One part each: a name never leads out of the folder.
        let plain = |part: &str| {
            let mut parts = Path::new(part).components();
            matches!(parts.next(), Some(Component::Normal(_))) && parts.next().is_none()
        };
        if plain(name) && plain(key) {
            Ok(folder.join(name).join(key))
        } else {
            Err(SecretError::Missing(reference.clone()))
        }
    }
}

#[async_trait]
impl Secrets for LocalSecrets {
    async fn read(&self, reference: &SecretRef) -> Result<Secret, SecretError> {
        let path = match reference {
            SecretRef {
                name: Some(name),
                key: Some(key),
                ..
            } => self.entry(reference, name, key)?,
            SecretRef {
                env: Some(name), ..
            } => {
                let found = (self.environment)(name);
                let found = found.ok_or_else(|| SecretError::Missing(reference.clone()))?;
                return usable(reference, &found);
            }
            SecretRef {
                file: Some(file), ..
            } => PathBuf::from(file),
            _ => return Err(SecretError::Nothing),
        };
        let task = tokio::task::spawn_blocking(move || read_file(&path));
        let unreadable = |why: String| SecretError::Unreadable(reference.clone(), why);
        match task.await {
            Ok(Ok(text)) => usable(reference, &text),
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(SecretError::Missing(reference.clone()))
            }
            Ok(Err(error)) => Err(unreadable(error.kind().to_string())),
            Err(_) => Err(unreadable("the reader was stopped".to_owned())),
        }
    }
}

fn usable(reference: &SecretRef, text: &str) -> Result<Secret, SecretError> {
    match text.trim_end() {
        "" => Err(SecretError::Empty(reference.clone())),
        text => Ok(Secret::new(text)),
    }
}

fn read_file(path: &Path) -> std::io::Result<String> {
    use std::io::{Error, ErrorKind, Read};
    let file = std::fs::File::open(path)?;
    // A named pipe would keep the thread for ever.
    if !file.metadata()?.is_file() {
        return Err(Error::from(ErrorKind::InvalidInput));
    }
    let mut text = String::new();
    file.take(LIMIT + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LIMIT {
        return Err(Error::from(ErrorKind::FileTooLarge));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(folder: Option<&Path>) -> LocalSecrets {
        let environment = |name: &str| match name {
            "PASSWORD" => Some("canary\n".to_owned()),
            "EMPTY" => Some("\n".to_owned()),
            _ => None,
        };
        LocalSecrets::with_environment(folder.map(Path::to_owned), Box::new(environment))
    }

    fn named(name: &str, key: &str) -> SecretRef {
        SecretRef {
            name: Some(name.to_owned()),
            key: Some(key.to_owned()),
            ..SecretRef::default()
        }
    }

    fn env(name: &str) -> SecretRef {
        SecretRef {
            env: Some(name.to_owned()),
            ..SecretRef::default()
        }
    }

    #[tokio::test]
    async fn secrets_come_from_three_places() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("db")).unwrap();
        std::fs::write(folder.path().join("db/password"), "from a folder\n").unwrap();
        let file = SecretRef {
            file: Some(folder.path().join("db/password").display().to_string()),
            ..SecretRef::default()
        };
        let secrets = secrets(Some(folder.path()));
        for (reference, text) in [
            (env("PASSWORD"), "canary"),
            (named("db", "password"), "from a folder"),
            (file, "from a folder"),
        ] {
            assert_eq!(secrets.read(&reference).await.unwrap().expose(), text);
        }
        let missing = SecretError::Missing(named("db", "user"));
        assert_eq!(secrets.read(&named("db", "user")).await, Err(missing));
    }

    #[tokio::test]
    async fn what_is_not_there_is_named_and_nothing_else_is_read() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("outside"), "canary").unwrap();
        let inner = folder.path().join("secrets");
        std::fs::create_dir_all(inner.join("db")).unwrap();
        std::fs::write(inner.join("db/large"), "x".repeat(70_000)).unwrap();
        let with = secrets(Some(&inner));
        let said =
            async |reference: SecretRef| with.read(&reference).await.unwrap_err().to_string();
        assert_eq!(
            said(env("NONE")).await,
            "environment variable NONE is not there"
        );
        assert_eq!(
            said(env("EMPTY")).await,
            "environment variable EMPTY is empty"
        );
        assert_eq!(
            said(named("..", "outside")).await,
            "secret ../outside is not there"
        );
        assert_eq!(
            said(named("db", "../../outside")).await,
            "secret db/../../outside is not there"
        );
        assert_eq!(
            said(named("db", "large")).await,
            "secret db/large cannot be read: file too large"
        );
        let folder = SecretRef {
            file: Some(inner.display().to_string()),
            ..SecretRef::default()
        };
        assert!(said(folder).await.contains("cannot be read"));
        assert_eq!(
            said(SecretRef::default()).await,
            "a reference names no secret"
        );
        let without = secrets(None).read(&named("db", "password")).await;
        assert_eq!(without, Err(SecretError::NoFolder(named("db", "password"))));
    }

    #[test]
    fn a_secret_prints_as_nothing() {
        assert_eq!(format!("{:?}", Secret::new("canary")), "Secret(..)");
    }
}
