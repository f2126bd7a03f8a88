//! Rules of a Check that a schema cannot say.

use super::expectations;
use super::node::Node;
use super::plain::Rules;
use super::secrets::{self, is_secret};
use super::suggest::quote;
use crate::api::check::SOURCES;
use crate::api::probe::{DnsProbe, HttpProbe, Load, LogProbe, MetricProbe};
use crate::api::{CheckSpec, DocumentKind, HumanDuration, Source};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Google takes 60 log queries a minute for a whole project, and a metric has a point a minute.
const GOOGLE_INTERVAL: Duration = Duration::from_secs(30);
/// A probe of our own does not come faster than this.
const OWN_INTERVAL: Duration = Duration::from_secs(1);
/// The longest look back of a query.
const LONGEST_WINDOW: Duration = Duration::from_hours(24);
/// Cloud Monitoring aligns by the minute.
const SHORTEST_WINDOW: Duration = Duration::from_mins(1);

pub(super) fn rules(spec: Option<&CheckSpec>, rules: &mut Rules<'_>) {
    one_source(rules);
    for reference in [
        "http.caRef",
        "tls.caRef",
        "postgres.caRef",
        "postgres.passwordRef",
    ] {
        secrets::reference(rules, &format!("spec.{reference}"));
    }
    headers(rules);
    let help = "keep it in a secret and send it as a header: `headerRefs: {authorization: ...}`";
    secrets::address(rules, "spec.http.url", help);
    let Some(spec) = spec else { return };
    times(spec, rules);
    expectations::rules(spec, rules);
    match spec.source() {
        Some(Source::Http(http)) => self::http(http, spec, rules),
        Some(Source::Dns(dns)) => servers(dns, rules),
        Some(Source::Metric(metric)) => self::metric(metric, rules),
        Some(Source::Log(log)) => self::log(log, rules),
        Some(Source::Resource(resource)) => {
            let to = DocumentKind::Managed(resource.kind);
            rules.link(to, &resource.name, "spec.resource.name", false);
        }
        _ => {}
    }
}

/// Exactly one of the sources.
fn one_source(rules: &mut Rules<'_>) {
    let Some(spec) = rules.draft.spec() else {
        return;
    };
    let mut found = SOURCES.iter().filter(|name| spec.entry(name).is_some());
    let all = SOURCES.join(", ");
    match (found.next(), found.next()) {
        (None, _) => {
            let help = format!("add one of {all}");
            rules.fault("spec", "the check measures nothing", help);
        }
        (Some(first), Some(second)) => {
            let message = format!("{second} besides {first}");
            let help = "make two checks of it: a check measures one thing";
            rules.limited(
                &format!("spec.{second}"),
                message,
                &format!("one of {all}"),
                help,
            );
        }
        _ => {}
    }
}

/// Headers that are secrets, and the references to those.
fn headers(rules: &mut Rules<'_>) {
    let names = |path: &str| -> Vec<String> {
        let entries = rules
            .draft
            .find(path)
            .map(Node::entries)
            .unwrap_or_default();
        entries.iter().map(|entry| entry.key.clone()).collect()
    };
    let (plain, by_reference) = (names("spec.http.headers"), names("spec.http.headerRefs"));
    for name in plain.iter().filter(|name| is_secret(name)) {
        let message = format!("the header {} holds a secret", quote(name));
        let help = format!("name it in `headerRefs: {{{name}: {{env: NAME}}}}`");
        rules.secret(&format!("spec.http.headers.{name}"), &message, &help);
    }
    for name in plain.iter().chain(&by_reference) {
        let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if name.is_empty() || !name.chars().all(token) {
            let message = format!("{} is no name of a header", quote(name));
            rules.fault("spec.http", message, "use letters, digits and `-`");
        }
    }
    for name in &by_reference {
        secrets::reference(rules, &format!("spec.http.headerRefs.{name}"));
    }
}

fn times(spec: &CheckSpec, rules: &mut Rules<'_>) {
    let (interval, timeout) = (spec.interval, spec.timeout);
    let google = matches!(
        spec.source(),
        Some(Source::Metric(_) | Source::Log(_) | Source::BackendHealth(_))
    );
    let (least, why) = if google {
        (
            GOOGLE_INTERVAL,
            "at least 30s for a query to Google, whose quota is for the project",
        )
    } else {
        (OWN_INTERVAL, "at least 1s")
    };
    if interval.0 < least {
        let message = format!("interval is {interval}");
        rules.limited("spec.interval", message, why, "probe less often");
    } else if interval < timeout {
        let message =
            format!("a probe may take {timeout}, and the next one starts after {interval}");
        let help = format!("write interval: {timeout} or more, or a shorter timeout");
        rules.limited(
            "spec.interval",
            message,
            "interval at least the timeout",
            help,
        );
    }
    if timeout.0.is_zero() {
        let help = "write a timeout longer than the largest threshold";
        rules.fault("spec.timeout", "no sample can be made in no time", help);
    }
}

fn http(http: &HttpProbe, spec: &CheckSpec, rules: &mut Rules<'_>) {
    if let Err(error) = url::Url::parse(&http.url) {
        let message = format!("url cannot be read: {error}");
        rules.fault(
            "spec.http.url",
            message,
            "write it as https://HOST[:PORT]/PATH",
        );
    }
    if let Some(load) = &http.load {
        self::load(load, spec.interval, rules);
    }
}

fn load(load: &Load, interval: HumanDuration, rules: &mut Rules<'_>) {
    let path = "spec.http.load";
    match (load.requests, load.duration) {
        (Some(_), Some(_)) => {
            let help = "keep requests for so many, or duration for so long";
            rules.fault(
                "spec.http.load.duration",
                "requests and duration together",
                help,
            );
        }
        (None, None) => {
            let help = "add `requests: 100` or `duration: 10s`";
            rules.fault(path, "a load without an end", help);
        }
        (Some(requests), None) if requests < load.concurrency => {
            let message = format!("{requests} requests cannot be {} at once", load.concurrency);
            rules.fault(
                "spec.http.load.requests",
                message,
                "send at least as many requests",
            );
        }
        (None, Some(duration)) if duration > interval || duration.0.is_zero() => {
            let message = format!("a load of {duration}, every {interval}");
            let help = "write a duration up to the interval";
            rules.limited(
                "spec.http.load.duration",
                message,
                "0s to the interval",
                help,
            );
        }
        _ => {}
    }
}

fn servers(dns: &DnsProbe, rules: &mut Rules<'_>) {
    for (index, server) in dns.servers.iter().enumerate() {
        let fits = server.parse::<IpAddr>().is_ok() || server.parse::<SocketAddr>().is_ok();
        if !fits {
            let message = format!("{} is no address of a server", quote(server));
            let help = "write ADDRESS or ADDRESS:PORT, such as 10.0.0.2 or [fd00::2]:53";
            rules.fault(&format!("spec.dns.servers[{index}]"), message, help);
        }
    }
}

fn metric(metric: &MetricProbe, rules: &mut Rules<'_>) {
    window("spec.metric.window", metric.window, SHORTEST_WINDOW, rules);
    if !metric.filter.contains("metric.type") {
        let help = "start it with metric.type = \"...\"";
        let limit = "a query is about one metric type (Google, timeSeries.list)";
        let message = "the filter names no metric type".to_owned();
        rules.limited("spec.metric.filter", message, limit, help);
    }
    if !metric.group_by.is_empty() && metric.reduce.is_none() {
        let help = "add `reduce: REDUCE_SUM`, or remove groupBy";
        rules.fault(
            "spec.metric.groupBy",
            "groupBy without reduce groups nothing",
            help,
        );
    }
}

fn log(log: &LogProbe, rules: &mut Rules<'_>) {
    window("spec.log.window", log.window, Duration::from_secs(1), rules);
    if let Some(pattern) = &log.extract {
        extract(pattern, rules);
    }
}

fn window(path: &str, window: HumanDuration, least: Duration, rules: &mut Rules<'_>) {
    if window.0 < least || window.0 > LONGEST_WINDOW {
        let message = format!("a window of {window}");
        let limit = format!("{} to 1d", HumanDuration(least));
        rules.limited(path, message, &limit, format!("write window: {limit}"));
    }
}

/// The expression must compile, and hold the one group that is the number.
fn extract(pattern: &str, rules: &mut Rules<'_>) {
    let path = "spec.log.extract";
    let help = "write one group around the number, such as `took ([0-9.]+)s`";
    match regex::Regex::new(pattern) {
        Err(_) => rules.fault(path, "this is no regular expression", help),
        Ok(regex) if regex.captures_len() != 2 => {
            let message = format!("{} groups, and it takes one", regex.captures_len() - 1);
            rules.fault(path, message, help);
        }
        Ok(_) => {}
    }
}
