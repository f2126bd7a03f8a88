//! Rules of an Alert that a schema cannot say.

use super::draft::Select;
use super::node::Node;
use super::plain::Rules;
use super::secrets;
use crate::api::alert::{AlertSpec, Provider, ProviderKind};
use crate::api::{HumanDuration, SecretRef};
use std::time::Duration;

/// Messages and updates come no faster than this.
const FASTEST: Duration = Duration::from_mins(1);

pub(super) fn rules(spec: Option<&AlertSpec>, rules: &mut Rules<'_>) {
    secrets::reference(rules, "spec.provider.secretRef");
    address(rules);
    let Some(spec) = spec else { return };
    provider(&spec.provider, rules);
    if spec.select.is_empty() {
        let help = "write `select: [{kind: Check, name: \"*\"}]` for all checks";
        rules.fault("spec.select", "an alert about nothing", help);
    }
    for (index, target) in spec.select.iter().enumerate() {
        let path = format!("spec.select[{index}]");
        rules.select(Select::Target(target.clone()), &path);
    }
    at_least_a_minute("spec.repeat", Some(spec.repeat), rules);
    at_least_a_minute("spec.digest", spec.digest, rules);
    if spec.digest.is_some() && !spec.provider.kind.takes_digest() {
        let message = format!("{} takes no digest", spec.provider.kind.as_str());
        let help = "remove it; slack and webhook take status updates";
        rules.fault("spec.digest", message, help);
    }
}

fn at_least_a_minute(path: &str, written: Option<HumanDuration>, rules: &mut Rules<'_>) {
    if let Some(written) = written.filter(|written| written.0 < FASTEST) {
        let message = format!("{} is {written}", path.trim_start_matches("spec."));
        rules.limited(path, message, "at least 1m", "write 1m or more");
    }
}

/// An address that holds a secret.
fn address(rules: &mut Rules<'_>) {
    let path = "spec.provider.url";
    let help = "keep it in a secret and name that: `secretRef: {env: NAME}`";
    let kind = rules.draft.find("spec.provider.type").and_then(Node::text);
    if kind == Some("slack") && rules.draft.find(path).is_some() {
        let what = "a Slack webhook's address is a secret: whoever has it can post";
        rules.secret(path, what, help);
    } else {
        secrets::address(rules, path, help);
    }
}

fn provider(provider: &Provider, rules: &mut Rules<'_>) {
    let (url, secret) = (provider.url.is_some(), &provider.secret_ref);
    match provider.kind {
        ProviderKind::Slack if url => {}
        ProviderKind::Slack => required(secret.as_ref(), "the webhook's address", rules),
        ProviderKind::Pagerduty => required(secret.as_ref(), "the routing key", rules),
        ProviderKind::Webhook | ProviderKind::Alertmanager if !url && secret.is_none() => {
            let help = "add `url`, or `secretRef` where the address is a secret";
            rules.fault("spec.provider", "it is not said where messages go", help);
        }
        ProviderKind::Webhook | ProviderKind::Alertmanager => {}
    }
    if provider.channel.is_some() && provider.kind != ProviderKind::Slack {
        let help = "remove it, or write `type: slack`";
        rules.fault("spec.provider.channel", "only Slack has channels", help);
    }
}

fn required(secret: Option<&SecretRef>, what: &str, rules: &mut Rules<'_>) {
    if secret.is_none() {
        let help = format!("add `secretRef: {{env: NAME}}`, which holds {what}");
        rules.fault("spec.provider", "the provider has no secretRef", help);
    }
}
