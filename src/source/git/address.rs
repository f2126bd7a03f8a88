//! Where a repository is.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

/// The URL of a repository, without a password in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address(String);

/// Why a text is no address of a repository.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error("{0}: {1}")]
    Unreadable(String, String),
    #[error(
        "`{0}` is no way to a repository; https://, ssh://, USER@HOST:PATH, git:// and file:// are"
    )]
    Scheme(String),
    /// The address itself is not repeated: it holds a secret.
    #[error("the address holds a password; give it by reference (tokenRef, --git-token)")]
    Password,
    #[error("{0} names no host")]
    NoHost(String),
    #[error("{0} is no absolute path")]
    Relative(String),
}

impl Address {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last part of the path, as messages call the repository.
    #[must_use]
    pub fn name(&self) -> &str {
        let path = self.0.trim_end_matches('/').trim_end_matches("/.git");
        let last = path.rsplit(['/', ':']).next().unwrap_or(path);
        last.strip_suffix(".git").unwrap_or(last)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        use gix::url::Scheme;
        let url = gix::url::parse(text).map_err(|error| {
            // What cannot be read may hold a password all the same.
            if text.contains('@') {
                AddressError::Unreadable("the address".to_owned(), "cannot be read".to_owned())
            } else {
                AddressError::Unreadable(text.to_owned(), error.to_string())
            }
        })?;
        if url.password().is_some() {
            return Err(AddressError::Password);
        }
        match url.scheme {
            Scheme::File if !Path::new(&url.path.to_string()).is_absolute() => {
                Err(AddressError::Relative(text.to_owned()))
            }
            Scheme::Git | Scheme::Ssh | Scheme::Https if url.host().is_none() => {
                Err(AddressError::NoHost(text.to_owned()))
            }
            Scheme::File | Scheme::Git | Scheme::Ssh | Scheme::Https => {
                Ok(Address(text.to_owned()))
            }
            other => Err(AddressError::Scheme(other.as_str().to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_ways_to_a_repository() {
        for (text, name) in [
            ("https://github.com/acme/infra.git", "infra"),
            ("https://git.acme.example:8443/infra/", "infra"),
            ("ssh://git@github.com/acme/infra", "infra"),
            ("git@github.com:acme/infra.git", "infra"),
            ("git@github.com:infra.git", "infra"),
            ("git://127.0.0.1:9418/infra", "infra"),
            ("file:///srv/git/infra.git", "infra"),
            ("file:///home/dev/infra/.git", "infra"),
            ("/srv/git/infra", "infra"),
        ] {
            assert_eq!(text.parse::<Address>().unwrap().name(), name, "{text}");
        }
    }

    #[test]
    fn a_password_is_refused_and_not_repeated() {
        for text in [
            "https://user:hunter2@github.com/acme/infra",
            "https://:hunter2@github.com/acme/infra",
        ] {
            let why = text.parse::<Address>().unwrap_err().to_string();
            assert!(why.contains("by reference"), "{why}");
            assert!(!why.contains("hunter2"), "{why}");
        }
    }

    #[test]
    fn other_ways_are_named() {
        for (text, word) in [
            ("http://github.com/acme/infra", "`http`"),
            ("ext::sh -c true", ""),
            ("infra", "absolute"),
        ] {
            let why = text.parse::<Address>().unwrap_err().to_string();
            assert!(why.contains(word), "{why}");
        }
    }
}
