//! A secret, named and never held.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Where a secret stands: `name` with `key`, `env`, or `file`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": "[has(self.name), has(self.env), has(self.file)].filter(one, one).size() == 1",
     "message": "a secret is one of name (with key), env and file"},
    {"rule": "has(self.name) == has(self.key)", "message": "name and key go together"}
]))]
pub struct SecretRef {
    /// A Kubernetes Secret, or a folder of that name below the operator's `--secrets`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$"))]
    pub name: Option<String>,
    /// The entry of the Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[-._a-zA-Z0-9]{1,253}$"))]
    pub key: Option<String>,
    /// An environment variable of the operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[A-Za-z_][A-Za-z0-9_]{0,127}$"))]
    pub env: Option<String>,
    /// A file that the operator can read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub file: Option<String>,
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.name, &self.env, &self.file) {
            (Some(name), _, _) => {
                let key = self.key.as_deref().unwrap_or_default();
                write!(f, "secret {name}/{key}")
            }
            (_, Some(env), _) => write!(f, "environment variable {env}"),
            (_, _, Some(file)) => write!(f, "file {file}"),
            _ => f.write_str("no secret"),
        }
    }
}
