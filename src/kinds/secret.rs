//! Telling secrets from other values, where GCP keeps both in the same kind of field.

const SUFFIXES: &[&str] = &[
    "KEY",
    "TOKEN",
    "PASSWORD",
    "PASSWD",
    "PWD",
    "SECRET",
    "CREDENTIALS",
];
/// How well-known credentials start.
const PREFIXES: &[&str] = &[
    "-----BEGIN",
    "AIza",
    "AKIA",
    "eyJ",
    "ghp_",
    "github_pat_",
    "glpat-",
    "sk-",
    "sk_live_",
    "xoxb-",
    "xoxp-",
    "ya29.",
];

/// Whether a value is treated as a secret, by the name of its variable or by its looks.
pub(super) fn is_secret(name: &str, value: &str) -> bool {
    !value.is_empty() && (named(name) && !harmless(value) || looks(value))
}

fn named(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    SUFFIXES.iter().any(|suffix| {
        name == *suffix || name.ends_with(&format!("_{suffix}")) || name == format!("API{suffix}")
    })
}

/// Numbers and switches, such as `MAX_TOKEN=4096` or `ROTATE_KEY=true`.
fn harmless(value: &str) -> bool {
    let number = value.len() <= 5 && value.parse::<f64>().is_ok();
    number || matches!(value.to_ascii_lowercase().as_str(), "true" | "false")
}

fn looks(value: &str) -> bool {
    PREFIXES.iter().any(|prefix| value.starts_with(prefix)) || has_userinfo(value)
}

/// `postgres://user:password@host/db`.
fn has_userinfo(value: &str) -> bool {
    let Some((_, rest)) = value.split_once("://") else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority
        .rsplit_once('@')
        .is_some_and(|(user, _)| user.split_once(':').is_some_and(|(_, p)| !p.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_by_name_and_by_looks() {
        for (name, value) in [
            ("DB_PASSWORD", "hunter2"),
            ("API_KEY", "abc"),
            ("token", "s3cr3t-value"),
            ("DATABASE_URL", "postgres://app:pw@10.0.0.3/db"),
            ("X", "-----BEGIN PRIVATE KEY-----"),
        ] {
            assert!(is_secret(name, value), "{name}");
        }
        for (name, value) in [
            ("DB_PASSWORD", ""),
            ("MAX_TOKEN", "4096"),
            ("URL", "https://example.com/a:b@c"),
            ("DATABASE_URL", "postgres://app@10.0.0.3/db"),
            ("KEYBOARD", "qwerty"),
        ] {
            assert!(!is_secret(name, value), "{name}");
        }
    }
}
