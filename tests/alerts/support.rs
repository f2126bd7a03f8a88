//! Alerts, objects and troubles to tell of.

use evenkeel::api::alert::{AlertSpec, AlertTarget, Provider, ProviderKind};
use evenkeel::api::{AlertSeverity, Document, HumanDuration, Origin};
use evenkeel::core::alert::{Object, Sight, Topic, Trouble};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

pub const START: &str = "2026-11-23T10:00:00Z";

pub fn start() -> Timestamp {
    START.parse().unwrap()
}

pub fn after(seconds: u64) -> Timestamp {
    start() + Duration::from_secs(seconds)
}

pub fn check(name: &str) -> Object {
    Object {
        kind: "Check".to_owned(),
        name: name.to_owned(),
    }
}

pub fn trouble(reason: &str, severity: AlertSeverity) -> Trouble {
    Trouble {
        topic: Topic {
            reason: reason.to_owned(),
            digest: String::new(),
            severity,
        },
        component: "vpc_connector".to_owned(),
        message: "connect.max 7.2s, want < 5s".to_owned(),
        remediation: Some("Scale VPC connector instances".to_owned()),
        escalation: Some("infrastructure_team".to_owned()),
        link: None,
        since: start(),
        grace: Duration::ZERO,
    }
}

pub fn failing() -> Trouble {
    trouble("ExpectationsMissed", AlertSeverity::Critical)
}

pub fn warning() -> Trouble {
    trouble("NearLimit", AlertSeverity::Warning)
}

pub fn sight(troubles: &[Trouble]) -> Sight {
    Sight {
        troubles: troubles.to_vec(),
        complete: true,
    }
}

pub fn provider(kind: ProviderKind) -> Provider {
    Provider {
        kind,
        channel: None,
        url: Some("http://127.0.0.1:9/".to_owned()),
        secret_ref: None,
    }
}

/// An Alert about every check, that repeats every hour.
pub fn alert(name: &str, provider: Provider) -> Document<AlertSpec> {
    Document {
        name: name.to_owned(),
        labels: BTreeMap::new(),
        spec: AlertSpec {
            provider,
            min_severity: AlertSeverity::Warning,
            select: vec![AlertTarget {
                kind: "Check".to_owned(),
                name: "*".to_owned(),
            }],
            repeat: HumanDuration(Duration::from_hours(1)),
            digest: None,
        },
        origin: Origin::default(),
    }
}
