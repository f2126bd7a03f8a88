//! Secrets by reference: an environment variable, a file, or an entry of the secrets folder.

use crate::api::SecretRef;
use async_trait::async_trait;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use url::{Position, Url};

/// Largest secret: that of a Kubernetes Secret's entry is 1 MiB, and an address is short.
const LIMIT: usize = 64 * 1024;

/// Shorter parts of an address, such as `/hook`, are no secret by themselves. In bytes.
const TELLING: usize = 8;

/// Secrets by name and key from elsewhere than a folder.
#[async_trait]
pub trait Named: Send + Sync {
    /// The value.
    ///
    /// # Errors
    /// Why there is none, never the value.
    async fn read(&self, name: &str, key: &str) -> Result<String, String>;
}

/// Where named secrets are looked for.
#[derive(Clone, Default)]
pub struct Secrets {
    folder: Option<PathBuf>,
    elsewhere: Option<Arc<dyn Named>>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

/// A value that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Secret {
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What must not be shown: the whole, and of an address everything behind the host, as
    /// receivers like to repeat that. The longest first.
    pub fn parts(&self) -> Vec<String> {
        let mut parts = vec![self.0.clone()];
        if let Ok(url) = Url::parse(&self.0) {
            let behind = &url[Position::BeforePath..];
            parts.push(behind.to_owned());
            let words = behind.split(['/', '?', '&', '=', '#']);
            parts.extend(words.map(str::to_owned));
        }
        parts.retain(|part| *part == self.0 || part.len() >= TELLING);
        parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
        parts
    }
}

impl Secrets {
    /// `folder` holds the entry KEY of the secret NAME as the file `NAME/KEY`, as Kubernetes
    /// mounts them.
    #[must_use]
    pub fn new(folder: Option<PathBuf>) -> Self {
        Secrets {
            folder,
            elsewhere: None,
        }
    }

    /// Named secrets come from `elsewhere`.
    #[must_use]
    pub fn elsewhere(elsewhere: Arc<dyn Named>) -> Self {
        Secrets {
            folder: None,
            elsewhere: Some(elsewhere),
        }
    }

    /// The value, without blanks around it.
    ///
    /// # Errors
    /// The place and why, never the value.
    pub(super) async fn read(&self, reference: &SecretRef) -> Result<Secret, String> {
        let text = self
            .text(reference)
            .await
            .map_err(|why| format!("{reference} cannot be read: {why}"))?;
        let value = text.trim();
        if value.is_empty() {
            return Err(format!("{reference} is empty"));
        }
        if value.len() > LIMIT {
            return Err(format!("{reference} is larger than 64 KiB"));
        }
        Ok(Secret(value.to_owned()))
    }

    async fn text(&self, reference: &SecretRef) -> Result<String, String> {
        let file = |path: PathBuf| std::fs::read_to_string(path).map_err(|e| e.to_string());
        match reference {
            SecretRef { env: Some(env), .. } => {
                std::env::var(env).map_err(|_| "it is not set".to_owned())
            }
            SecretRef {
                file: Some(path), ..
            } => file(PathBuf::from(path)),
            SecretRef {
                name: Some(name),
                key: Some(key),
                ..
            } => match (&self.elsewhere, &self.folder) {
                (Some(elsewhere), _) => elsewhere.read(name, key).await,
                (None, Some(folder)) => file(folder.join(name).join(key)),
                (None, None) => Err("no folder of secrets is given (--secrets)".to_owned()),
            },
            _ => Err("it names no place".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_address_everything_behind_the_host_is_secret() {
        let secret = Secret("https://hooks.example/services/T0/B0/x1y2z3x1y2z3?k=12345678".into());
        let parts = secret.parts();
        assert_eq!(parts[0], secret.expose());
        assert_eq!(parts[1], "/services/T0/B0/x1y2z3x1y2z3?k=12345678");
        assert!(parts.contains(&"x1y2z3x1y2z3".to_owned()));
        assert!(parts.contains(&"12345678".to_owned()));
        assert!(!parts.contains(&"T0".to_owned()));
        assert_eq!(Secret("token".into()).parts(), ["token"]);
    }

    #[tokio::test]
    async fn a_secret_comes_from_its_file_and_is_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("slack").join("url");
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "https://hooks.example/T0/very-secret\n").unwrap();
        let by_file = SecretRef {
            file: Some(path.display().to_string()),
            ..SecretRef::default()
        };
        let by_name = SecretRef {
            name: Some("slack".into()),
            key: Some("url".into()),
            ..SecretRef::default()
        };
        let secrets = Secrets::new(Some(folder.path().to_owned()));
        for reference in [&by_file, &by_name] {
            let secret = secrets.read(reference).await.unwrap();
            assert_eq!(secret.expose(), "https://hooks.example/T0/very-secret");
            assert!(!format!("{secret:?}").contains("secret/"));
            assert!(!format!("{secret:?}").contains("very"));
        }
        let error = Secrets::default().read(&by_name).await.unwrap_err();
        assert!(error.contains("secret slack/url") && error.contains("--secrets"));
        std::fs::write(&path, " \n").unwrap();
        assert!(
            secrets
                .read(&by_file)
                .await
                .unwrap_err()
                .ends_with("is empty")
        );
    }
}
