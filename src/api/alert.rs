//! `Alert`: who is told about what.

use super::{Condition, HumanDuration, SecretRef};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// `spec` of an Alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": "!has(self.digest) || self.provider.type in ['slack', 'webhook']",
     "message": "only slack and webhook take a digest"}
]))]
pub struct AlertSpec {
    /// Where messages go.
    pub provider: Provider,
    /// The least severity that is sent.
    #[serde(default)]
    pub min_severity: AlertSeverity,
    /// The objects it is about.
    #[schemars(length(max = 50))]
    pub select: Vec<AlertTarget>,
    /// How often a message comes again while the trouble lasts. Its end is always sent. An
    /// Alertmanager repeats by its own `repeat_interval` instead.
    #[serde(default = "four_hours")]
    pub repeat: HumanDuration,
    /// A status update this often, whatever happens; `slack` and `webhook` only. Left out: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<HumanDuration>,
}

fn four_hours() -> HumanDuration {
    HumanDuration(Duration::from_hours(4))
}

/// Where messages go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": "has(self.url) || has(self.secretRef)",
     "message": "a provider needs a url or a secretRef"},
    {"rule": "has(self.secretRef) || !(self.type in ['slack', 'pagerduty'])",
     "message": "slack and pagerduty need a secretRef"}
]))]
pub struct Provider {
    #[serde(rename = "type")]
    pub kind: ProviderKind,
    /// `slack` only: the channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub channel: Option<String>,
    /// `webhook` and `alertmanager`: an address that holds no secret. `pagerduty`: the Events API
    /// of another region, `https://events.eu.pagerduty.com/v2/enqueue`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        regex(pattern = r"^https?://[^/?#\s]+([/?#]\S*)?$"),
        length(max = 2048)
    )]
    pub url: Option<String>,
    /// `slack`: the webhook's address. `pagerduty`: the routing key. `webhook` and
    /// `alertmanager`: a bearer token, or the address where there is no `url`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretRef>,
}

/// The services that messages go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ProviderKind {
    Slack,
    Webhook,
    Alertmanager,
    Pagerduty,
}

impl ProviderKind {
    /// The word used in `type:`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ProviderKind::Slack => "slack",
            ProviderKind::Webhook => "webhook",
            ProviderKind::Alertmanager => "alertmanager",
            ProviderKind::Pagerduty => "pagerduty",
        }
    }

    /// Whether a status update is news there. To the other two, everything is an incident.
    #[must_use]
    pub fn takes_digest(self) -> bool {
        matches!(self, ProviderKind::Slack | ProviderKind::Webhook)
    }
}

/// How bad it is.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum AlertSeverity {
    Info,
    #[default]
    Warning,
    Critical,
}

impl AlertSeverity {
    /// The word used in `minSeverity:`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            AlertSeverity::Info => "info",
            AlertSeverity::Warning => "warning",
            AlertSeverity::Critical => "critical",
        }
    }
}

/// Objects by kind and name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AlertTarget {
    /// A kind, such as `Check`.
    #[schemars(schema_with = "target_kinds")]
    pub kind: String,
    /// `metadata.name`; `*` stands for any text.
    #[schemars(regex(pattern = r"^[-a-z0-9.*]{1,253}$"))]
    pub name: String,
}

impl AlertTarget {
    /// True for an object of this kind and name.
    #[must_use]
    pub fn matches(&self, kind: &str, name: &str) -> bool {
        self.kind == kind && glob(&self.name, name)
    }
}

/// `*` stands for any text, also none.
fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<_> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

fn target_kinds(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    use super::DocumentKind;
    let kinds: Vec<_> = DocumentKind::all()
        .filter(|kind| *kind != DocumentKind::Alert)
        .map(DocumentKind::as_str)
        .collect();
    schemars::json_schema!({"type": "string", "enum": kinds})
}

/// `status` of an Alert.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AlertStatus {
    /// The generation of the spec that the conditions are about.
    #[serde(default)]
    pub observed_generation: i64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_text() {
        for (pattern, text, fits) in [
            ("*", "", true),
            ("*", "connector-load", true),
            ("connector-load", "connector-load", true),
            ("connector-load", "connector-load-2", false),
            ("connector-*", "connector-load", true),
            ("connector-*", "connector", false),
            ("*-load", "connector-load", true),
            ("c*-*d", "connector-load", true),
            ("a*a", "a", false),
            ("a*b*c", "a-c-b", false),
            ("a*b*c", "axbbxc", true),
        ] {
            assert_eq!(glob(pattern, text), fits, "{pattern} {text}");
        }
    }
}
