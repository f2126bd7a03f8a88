//! Secrets by reference: an environment variable, a file, or an entry of the secrets folder.

use crate::api::SecretRef;
use std::fmt;
use std::path::PathBuf;

/// Largest secret: that of a Kubernetes Secret's entry is 1 MiB, and an address is short.
const LIMIT: usize = 64 * 1024;

/// Where named secrets are looked for.
#[derive(Debug, Clone, Default)]
pub struct Secrets {
    folder: Option<PathBuf>,
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
}

impl Secrets {
    /// `folder` holds the entry KEY of the secret NAME as the file `NAME/KEY`, as Kubernetes
    /// mounts them.
    #[must_use]
    pub fn new(folder: Option<PathBuf>) -> Self {
        Secrets { folder }
    }

    /// The value, without blanks around it.
    ///
    /// # Errors
    /// The place and why, never the value.
    pub(super) fn read(&self, reference: &SecretRef) -> Result<Secret, String> {
        let text = self
            .text(reference)
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

    fn text(&self, reference: &SecretRef) -> Result<String, String> {
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
            } => match &self.folder {
                Some(folder) => file(folder.join(name).join(key)),
                None => Err("no folder of secrets is given (--secrets)".to_owned()),
            },
            _ => Err("it names no place".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_comes_from_its_file_and_is_not_shown() {
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
            let secret = secrets.read(reference).unwrap();
            assert_eq!(secret.expose(), "https://hooks.example/T0/very-secret");
            assert!(!format!("{secret:?}").contains("secret/"));
            assert!(!format!("{secret:?}").contains("very"));
        }
        let error = Secrets::default().read(&by_name).unwrap_err();
        assert!(error.contains("secret slack/url") && error.contains("--secrets"));
        std::fs::write(&path, " \n").unwrap();
        assert!(secrets.read(&by_file).unwrap_err().ends_with("is empty"));
    }
}
