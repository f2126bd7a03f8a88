//! From conditions to troubles: which of them people are told of, and how bad each is.
//!
//! The table is also in `docs/alerts.md`; a test holds the two together.

use super::trouble::{Object, Sight, Topic, Trouble};
use crate::api::{
    AlertSeverity, CheckSpec, Condition, ConditionStatus, ConditionType, DocumentKind, Kind,
    NoData, Reason,
};
use crate::core::conditions::bounded;
use std::fmt::Write as _;
use std::time::Duration;

/// What conditions are about, and what a message adds to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    pub object: Object,
    /// The declared content; empty where a trouble is about none.
    pub digest: String,
    pub component: String,
    pub remediation: Option<String>,
    pub escalation: Option<String>,
    /// Where to read more.
    pub link: Option<String>,
    /// A check that passes without samples.
    lenient: bool,
    /// How the command line names it: `vac/staging-connector`.
    handle: String,
}

impl Subject {
    /// A check, which says itself what it is about and what to do.
    #[must_use]
    pub fn check(name: &str, spec: &CheckSpec) -> Self {
        let mut subject = Subject::new(DocumentKind::Check, name, "check");
        if let Some(component) = &spec.component {
            subject.component.clone_from(component);
        }
        subject.remediation.clone_from(&spec.remediation);
        subject.escalation.clone_from(&spec.escalation);
        subject.lenient = spec.no_data == NoData::Pass;
        subject
    }

    /// A managed resource. `digest`: of its declared content.
    #[must_use]
    pub fn managed(kind: Kind, name: &str, digest: &str) -> Self {
        let component = match kind {
            Kind::VpcAccessConnector => "vpc_connector",
            Kind::HealthCheck | Kind::BackendService => "load_balancer",
            Kind::SslCertificate => "ssl",
            Kind::RunService => "application",
            Kind::SqlInstance => "database",
        };
        Subject {
            digest: digest.to_owned(),
            ..Subject::new(DocumentKind::Managed(kind), name, component)
        }
    }

    #[must_use]
    pub fn phase(name: &str) -> Self {
        Subject::new(DocumentKind::Phase, name, "phase")
    }

    fn new(kind: DocumentKind, name: &str, component: &str) -> Self {
        Subject {
            object: Object::new(kind, name),
            digest: String::new(),
            component: component.to_owned(),
            remediation: None,
            escalation: None,
            link: None,
            lenient: false,
            handle: format!("{}/{name}", kind.short_name()),
        }
    }
}

/// One row: what a condition of this type, status and reason is.
struct Row {
    kind: ConditionType,
    status: ConditionStatus,
    /// None: any reason that no row above has.
    reasons: &'static [Reason],
    severity: AlertSeverity,
    /// Minutes that it must last.
    grace: u64,
    /// It hides what else is wrong.
    hides: bool,
    /// What to do, with `{}` for the object.
    remedy: &'static str,
}

const DESCRIBE: &str = "`evenkeel describe {}` says more; change the manifest, or try the same \
                        again with `evenkeel rollout retry {}`";
const LOOK: &str = "`evenkeel describe {}` says more";

/// The first row that fits counts. What has no row is no trouble.
const ROWS: &[Row] = {
    use AlertSeverity::{Critical, Info, Warning};
    use ConditionStatus::{False, True, Unknown};
    const fn row(
        kind: ConditionType,
        status: ConditionStatus,
        reasons: &'static [Reason],
        severity: AlertSeverity,
        remedy: &'static str,
    ) -> Row {
        Row {
            kind,
            status,
            reasons,
            severity,
            grace: 0,
            hides: false,
            remedy,
        }
    }
    const fn lasting(minutes: u64, hides: bool, row: Row) -> Row {
        Row {
            grace: minutes,
            hides,
            ..row
        }
    }
    use ConditionType as Of;
    &[
        row(Of::Passing, False, &[], Critical, ""),
        row(Of::Warning, True, &[], Warning, ""),
        lasting(
            5,
            true,
            row(
                Of::Passing,
                Unknown,
                &[Reason::ProberError],
                Warning,
                "mend the probe: nothing is measured",
            ),
        ),
        lasting(
            10,
            true,
            row(
                Of::Passing,
                Unknown,
                &[],
                Warning,
                "see why the probe brings no samples",
            ),
        ),
        row(
            Of::Stalled,
            True,
            &[
                Reason::RollbackFailed,
                Reason::VerifyFailed,
                Reason::ResourceFailed,
                Reason::AmbiguousOperation,
                Reason::DeadlineExceeded,
            ],
            Critical,
            DESCRIBE,
        ),
        row(Of::Stalled, True, &[Reason::Aborted], Info, DESCRIBE),
        row(Of::Stalled, True, &[], Warning, DESCRIBE),
        lasting(
            5,
            true,
            row(Of::Ready, Unknown, &[Reason::Error], Warning, LOOK),
        ),
        lasting(
            10,
            true,
            row(Of::Ready, False, &[Reason::Retrying], Warning, LOOK),
        ),
        lasting(
            30,
            false,
            row(
                Of::Ready,
                False,
                &[Reason::WaitingForOperation],
                Warning,
                LOOK,
            ),
        ),
        row(
            Of::Ready,
            False,
            &[Reason::Drifted],
            Warning,
            "bring the manifest or the resource back in line; `evenkeel plan` shows the difference",
        ),
        row(
            Of::Ready,
            False,
            &[Reason::AwaitingApproval],
            Info,
            "read `evenkeel plan`, then `evenkeel rollout approve {}`",
        ),
        row(
            Of::Ready,
            False,
            &[Reason::AwaitingPromotion],
            Info,
            "`evenkeel rollout resume {}` goes on",
        ),
        row(Of::Ready, False, &[Reason::InUse], Info, LOOK),
    ]
};

/// Of a kind's own condition, such as `Saturated`, that is true while something is wrong.
const OTHER: Row = Row {
    kind: ConditionType::Stalled,
    status: ConditionStatus::True,
    reasons: &[],
    severity: AlertSeverity::Warning,
    grace: 0,
    hides: false,
    remedy: LOOK,
};

/// What conditions say is wrong.
#[must_use]
pub fn judge(subject: &Subject, conditions: &[Condition]) -> Sight {
    if conditions.is_empty() {
        return Sight::unknown();
    }
    let mut sight = Sight::well();
    for condition in conditions {
        let Some(row) = row_of(condition) else {
            continue;
        };
        // Near the limit is no news once it is beyond.
        let fails = |other: &Condition| {
            other.kind == ConditionType::Passing && other.status == ConditionStatus::False
        };
        if condition.kind == ConditionType::Warning && conditions.iter().any(fails) {
            continue;
        }
        if subject.lenient && condition.reason == Reason::NoData {
            continue;
        }
        sight.complete &= !row.hides;
        sight.troubles.push(trouble(subject, condition, row));
    }
    sight
}

fn row_of(condition: &Condition) -> Option<&'static Row> {
    let fits = |row: &&Row| {
        let reasons = row.reasons;
        row.kind == condition.kind
            && row.status == condition.status
            && (reasons.is_empty() || reasons.contains(&condition.reason))
    };
    if let Some(row) = ROWS.iter().find(fits) {
        return Some(row);
    }
    let common = matches!(
        condition.kind,
        ConditionType::Ready
            | ConditionType::Reconciling
            | ConditionType::Drifted
            | ConditionType::Passing
    );
    (!common && condition.status == ConditionStatus::True).then_some(&OTHER)
}

fn trouble(subject: &Subject, condition: &Condition, row: &Row) -> Trouble {
    let remedy = Some(row.remedy.replace("{}", &subject.handle));
    Trouble {
        topic: Topic {
            reason: condition.reason.as_str().to_owned(),
            digest: subject.digest.clone(),
            severity: row.severity,
        },
        component: subject.component.clone(),
        message: bounded(condition.message.clone()),
        remediation: subject
            .remediation
            .clone()
            .or(remedy)
            .filter(|text| !text.is_empty()),
        escalation: subject.escalation.clone(),
        link: subject.link.clone(),
        since: condition.last_transition_time,
        grace: Duration::from_mins(row.grace),
    }
}

/// The table as Markdown, for the documentation.
#[must_use]
pub fn severity_table() -> String {
    let mut text =
        String::from("| condition | reason | severity | after |\n| --- | --- | --- | --- |\n");
    for row in ROWS {
        let reasons: Vec<_> = row.reasons.iter().map(|reason| reason.as_str()).collect();
        let reasons = match reasons.is_empty() {
            true => "any other".to_owned(),
            false => reasons.join(", "),
        };
        let after = match row.grace {
            0 => "at once".to_owned(),
            minutes => format!("{minutes}m"),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "| {:?} {:?} | {reasons} | {} | {after} |",
            row.kind,
            row.status,
            row.severity.as_str(),
        );
    }
    text
}
