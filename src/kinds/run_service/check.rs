//! Whether Cloud Run would take a manifest, as far as can be told without asking.
//!
//! Limits: Google, "Quotas and limits" and "Configure environment variables" (Cloud Run); the
//! descriptions of `Probe` and of `timeout` in the run discovery documents.

use super::super::secret::is_secret;
use super::units;
use crate::api::{Declared, Finding, Severity};
use serde_json::Value;

const QUOTAS: &str = "Google, \"Quotas and limits\" of Cloud Run";
const ENV_COUNT: usize = 1000;
const ENV_BYTES: usize = 32_768;
/// Longest request timeout.
const TIMEOUT: f64 = 3600.0;
/// How long a container may take to start, all probes together.
const STARTUP: i64 = 240;

/// Defaults of `Probe`.
pub(super) const PERIOD: i64 = 10;
const PROBE_TIMEOUT: i64 = 1;
pub(super) const FAILURES: i64 = 3;

pub(super) fn check(declared: &Declared) -> Vec<Finding> {
    let mut out = Findings(Vec::new());
    name(declared, &mut out);
    lists_in_steps(declared, &mut out);
    let Some(template) = declared.resource.get("template") else {
        return out.0;
    };
    timeout(template, &mut out);
    concurrency(template, &mut out);
    network(template, &mut out);
    let at = "spec.resource.template.containers";
    let containers = template["containers"].as_array();
    let mut names = Vec::new();
    for (index, container) in containers.into_iter().flatten().enumerate() {
        let at = format!("{at}[{index}]");
        let name = container["name"].as_str().unwrap_or_default();
        if names.contains(&name) {
            let who = if name.is_empty() {
                "the unnamed container"
            } else {
                name
            };
            out.error(
                &at,
                format!("{who} is declared twice"),
                "containers merge by name",
                "give each container a name of its own",
            );
        }
        names.push(name);
        env(container, &at, &mut out);
        probe(
            &container["startupProbe"],
            &format!("{at}.startupProbe"),
            true,
            &mut out,
        );
        probe(
            &container["livenessProbe"],
            &format!("{at}.livenessProbe"),
            false,
            &mut out,
        );
    }
    out.0
}

struct Findings(Vec<Finding>);

impl Findings {
    fn error(&mut self, path: &str, message: String, limit: &str, help: &str) {
        self.push(path, message, limit, help, Severity::Error);
    }

    fn push(&mut self, path: &str, message: String, limit: &str, help: &str, severity: Severity) {
        self.0.push(Finding {
            path: path.to_owned(),
            message,
            limit: Some(limit.to_owned()),
            help: help.to_owned(),
            severity,
        });
    }
}

fn name(declared: &Declared, out: &mut Findings) {
    let name = &declared.key.name;
    let fits = name.len() < 50
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-')
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if !fits && !name.is_empty() {
        let own = *name == declared.name;
        let path = if own {
            "metadata.name"
        } else {
            "spec.resourceName"
        };
        out.error(
            path,
            format!("`{name}` is not a name for a service"),
            "less than 50 lower-case letters, digits and hyphens, a letter first (run v2, serviceId)",
            "choose a shorter, plain name; `resourceName` may differ from metadata.name",
        );
    }
}

/// `set` of a step names fields by their place, and members of lists have none.
fn lists_in_steps(declared: &Declared, out: &mut Findings) {
    let steps = declared.policy.rollout.iter().flat_map(|spec| &spec.steps);
    for (index, step) in steps.enumerate() {
        let Some(set) = &step.set else { continue };
        let path = format!("spec.rollout.steps[{index}].set");
        if set
            .get("template")
            .is_some_and(|t| t.get("containers").is_some())
        {
            out.error(
                &path,
                "a step cannot set a part of a container".to_owned(),
                "a change of the template makes one new revision",
                "leave the containers to spec.resource, and move the traffic in steps: \
                 `traffic: 10`",
            );
        }
    }
}

fn timeout(template: &Value, out: &mut Findings) {
    let Some(text) = template["timeout"].as_str() else {
        return;
    };
    let Some(seconds) = units::seconds(text) else {
        return;
    };
    if !(1.0..=TIMEOUT).contains(&seconds) {
        out.error(
            "spec.resource.template.timeout",
            format!("a request may not take {text}"),
            "1s to 3600s (run v1, RevisionSpec.timeoutSeconds)",
            "use at most 3600s; what takes longer is a job, or answers at once and works on",
        );
    }
}

fn concurrency(template: &Value, out: &mut Findings) {
    let Some(number) = template["maxInstanceRequestConcurrency"].as_i64() else {
        return;
    };
    if !(1..=1000).contains(&number) {
        out.error(
            "spec.resource.template.maxInstanceRequestConcurrency",
            format!("{number} requests at once on one instance"),
            &format!("1 to 1000 ({QUOTAS})"),
            "use 80, Google's default, or a number in the range",
        );
    }
}

fn network(template: &Value, out: &mut Findings) {
    let access = &template["vpcAccess"];
    let forms = ["connector", "connectorRef", "networkInterfaces"];
    let given: Vec<_> = forms
        .iter()
        .filter(|form| access.get(**form).is_some())
        .collect();
    if let [first, second, ..] = given[..] {
        out.error(
            &format!("spec.resource.template.vpcAccess.{second}"),
            format!("both {first} and {second}"),
            "a connector or networkInterfaces (run v2, VpcAccess)",
            "keep one of the two",
        );
    }
    if let Some(egress) = access["egress"].as_str()
        && !["ALL_TRAFFIC", "PRIVATE_RANGES_ONLY"].contains(&egress)
    {
        out.error(
            "spec.resource.template.vpcAccess.egress",
            format!("`{egress}` is no egress setting"),
            "ALL_TRAFFIC or PRIVATE_RANGES_ONLY (run v2, VpcAccess)",
            "PRIVATE_RANGES_ONLY reaches a database on a private address; ALL_TRAFFIC sends the \
             internet's share through the network too",
        );
    }
}

fn env(container: &Value, at: &str, out: &mut Findings) {
    let Some(env) = container["env"].as_array() else {
        return;
    };
    if env.len() > ENV_COUNT {
        out.error(
            &format!("{at}.env"),
            format!("{} variables", env.len()),
            &format!("at most {ENV_COUNT} in a container ({QUOTAS})"),
            "put what belongs together into one file in Secret Manager",
        );
    }
    let mut names = std::collections::BTreeSet::new();
    for (index, variable) in env.iter().enumerate() {
        let at = format!("{at}.env[{index}]");
        let name = variable["name"].as_str().unwrap_or_default();
        if !names.insert(name) {
            out.error(
                &at,
                format!("{name} is declared twice"),
                "variables merge by name",
                "keep one of them",
            );
        }
        one_variable(variable, name, &at, out);
    }
}

fn one_variable(variable: &Value, name: &str, at: &str, out: &mut Findings) {
    if name.is_empty()
        || name.contains(['=', ']', '['])
        || name.starts_with("X_GOOGLE_")
        || name == "PORT"
    {
        out.error(
            &format!("{at}.name"),
            format!("`{name}` cannot be set"),
            "a name without `=`, not PORT and not X_GOOGLE_* (Google, \"Configure environment variables\")",
            "rename the variable; Cloud Run sets PORT from ports[0].containerPort",
        );
    }
    let value = variable["value"].as_str();
    if value.is_some() && variable.get("valueSource").is_some() {
        out.error(
            at,
            format!("{name} has both a value and a valueSource"),
            "one of the two (run v2, EnvVar)",
            "keep valueSource for a secret, value for everything else",
        );
    }
    let Some(value) = value else { return };
    if value.len() > ENV_BYTES {
        out.error(
            &format!("{at}.value"),
            format!("{name} has {} bytes", value.len()),
            &format!("at most {ENV_BYTES} bytes (Google, \"Configure environment variables\")"),
            "put it into a secret, and mount that",
        );
    }
    if is_secret(name, value) {
        out.push(
            &format!("{at}.value"),
            format!("{name} holds what looks like a secret"),
            "a value is readable for everybody who may see the service, and in git",
            "put it into Secret Manager and name it: \
             valueSource: {secretKeyRef: {secret: NAME, version: latest}}",
            Severity::Warning,
        );
    }
}

fn probe(probe: &Value, at: &str, startup: bool, out: &mut Findings) {
    if !probe.is_object() {
        return;
    }
    let number = |field: &str, default: i64| probe[field].as_i64().unwrap_or(default);
    let (period, timeout) = (
        number("periodSeconds", PERIOD),
        number("timeoutSeconds", PROBE_TIMEOUT),
    );
    if timeout >= period && period > 1 {
        out.error(
            &format!("{at}.timeoutSeconds"),
            format!("timeoutSeconds {timeout} is not below periodSeconds {period}"),
            "timeoutSeconds < periodSeconds (run v2, Probe; the period is 10 unless given)",
            "raise periodSeconds, or lower timeoutSeconds",
        );
    }
    let actions = ["httpGet", "tcpSocket", "grpc"];
    let given: Vec<_> = actions
        .iter()
        .filter(|a| probe.get(**a).is_some())
        .collect();
    if let [first, second, ..] = given[..] {
        out.error(
            &format!("{at}.{second}"),
            format!("both {first} and {second}"),
            "exactly one of httpGet, tcpSocket and grpc (run v2, Probe)",
            "keep one of them",
        );
    }
    if startup {
        startup_window(probe, at, period, number("failureThreshold", FAILURES), out);
    }
}

fn startup_window(probe: &Value, at: &str, period: i64, failures: i64, out: &mut Findings) {
    let way_out = "a container has 240 s to start, whatever it waits for: let it start after 35 s \
                   without the database, gate on that, and keep the 600 s as the database timeout";
    let window = period.saturating_mul(failures);
    if window > STARTUP {
        let field = if probe.get("failureThreshold").is_some() {
            "failureThreshold"
        } else {
            "periodSeconds"
        };
        out.error(
            &format!("{at}.{field}"),
            format!("the container would have {failures} x {period} s = {window} s to start"),
            &format!("failureThreshold x periodSeconds <= {STARTUP} s ({QUOTAS})"),
            way_out,
        );
    }
    let ranges = [("initialDelaySeconds", 0), ("periodSeconds", 1)];
    for (field, least) in ranges {
        if let Some(value) = probe[field].as_i64()
            && !(least..=STARTUP).contains(&value)
        {
            out.error(
                &format!("{at}.{field}"),
                format!("{field} is {value}"),
                &format!("{least} to {STARTUP} for a startup probe (run v2, Probe)"),
                way_out,
            );
        }
    }
}
