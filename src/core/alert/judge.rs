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
pub struct Context {
    pub object: Object,
    /// The declared content, or the plan that waits; only a stall and an approval are about it.
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

impl Context {
    /// A check, which says itself what it is about and what to do.
    #[must_use]
    pub fn check(name: &str, spec: &CheckSpec) -> Self {
        let mut context = Context::new(DocumentKind::Check, name, "check");
        if let Some(component) = &spec.component {
            context.component.clone_from(component);
        }
        context.remediation.clone_from(&spec.remediation);
        context.escalation.clone_from(&spec.escalation);
        context.lenient = spec.no_data == NoData::Pass;
        context
    }

    /// A managed resource. `digest`: of its declared content.
    #[must_use]
    pub fn managed(kind: Kind, name: &str, digest: &str) -> Self {
        let component = match kind {
            Kind::VpcAccessConnector => "vpc_connector",
            Kind::HealthCheck | Kind::BackendService => "load_balancer",
            Kind::SslCertificate | Kind::ManagedCertificate => "ssl",
            Kind::RunService => "application",
            Kind::SqlInstance => "database",
        };
        Context {
            digest: digest.to_owned(),
            ..Context::new(DocumentKind::Managed(kind), name, component)
        }
    }

    /// A phase. `digest`: of the content that failed, else empty.
    #[must_use]
    pub fn phase(name: &str, digest: &str) -> Self {
        let remedy = "mend the resource or check that the message names, or change its manifest";
        Context {
            digest: digest.to_owned(),
            remediation: Some(remedy.to_owned()),
            ..Context::new(DocumentKind::Phase, name, "phase")
        }
    }

    fn new(kind: DocumentKind, name: &str, component: &str) -> Self {
        Context {
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
#[derive(Clone, Copy)]
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
    /// It is about the declared content: with other content it is another trouble.
    of_content: bool,
    /// What to do, with `{}` for the object.
    remedy: &'static str,
}

impl Row {
    const fn on(kind: ConditionType, status: ConditionStatus, reasons: &'static [Reason]) -> Row {
        Row {
            kind,
            status,
            reasons,
            severity: AlertSeverity::Warning,
            grace: 0,
            hides: false,
            of_content: false,
            remedy: LOOK,
        }
    }

    const fn is(self, severity: AlertSeverity) -> Row {
        Row { severity, ..self }
    }

    const fn after(self, minutes: u64) -> Row {
        Row {
            grace: minutes,
            ..self
        }
    }

    const fn hides(self) -> Row {
        Row {
            hides: true,
            ..self
        }
    }

    const fn of_content(self) -> Row {
        Row {
            of_content: true,
            ..self
        }
    }

    const fn do_this(self, remedy: &'static str) -> Row {
        Row { remedy, ..self }
    }
}

const LOOK: &str = "`evenkeel describe {}` says more";
const MEND: &str = "`evenkeel describe {}` says more; change the manifest, or try the same again \
                    with `evenkeel rollout retry {}`";

/// What a stall leaves behind that is broken, half done or not known.
const WORST: &[Reason] = &[
    Reason::RollbackFailed,
    Reason::VerifyFailed,
    Reason::ResourceFailed,
    Reason::AmbiguousOperation,
    Reason::DeadlineExceeded,
];

/// The first row that fits counts; severity warning where it says nothing else. What has no row is
/// no trouble.
const ROWS: &[Row] = {
    use AlertSeverity::{Critical, Info};
    use ConditionStatus::{False, True, Unknown};
    use ConditionType::{Passing, Ready, Stalled, Warning};
    &[
        Row::on(Passing, False, &[]).is(Critical).do_this(""),
        Row::on(Warning, True, &[]).do_this(""),
        Row::on(Passing, Unknown, &[Reason::ProberError])
            .after(5)
            .hides()
            .do_this("mend the probe: nothing is measured"),
        Row::on(Passing, Unknown, &[])
            .after(10)
            .hides()
            .do_this("see why the probe brings no samples"),
        Row::on(Stalled, True, WORST)
            .is(Critical)
            .of_content()
            .do_this(MEND),
        Row::on(Stalled, True, &[Reason::Aborted])
            .is(Info)
            .of_content()
            .do_this(MEND),
        Row::on(Stalled, True, &[]).of_content().do_this(MEND),
        Row::on(Ready, Unknown, &[Reason::Error]).after(5).hides(),
        Row::on(Ready, False, &[Reason::Retrying]).after(10).hides(),
        Row::on(Ready, False, &[Reason::WaitingForOperation]).after(30),
        Row::on(Ready, False, &[Reason::Drifted]).do_this(
            "bring the manifest or the resource back in line; `evenkeel plan` shows the difference",
        ),
        Row::on(Ready, False, &[Reason::AwaitingApproval])
            .is(Info)
            .of_content()
            .do_this("read `evenkeel plan`, then `evenkeel rollout approve {}`"),
        Row::on(Ready, False, &[Reason::AwaitingPromotion])
            .is(Info)
            .do_this("`evenkeel rollout resume {}` goes on"),
        Row::on(Ready, False, &[Reason::InUse]).is(Info),
    ]
};

/// Of a kind's own condition, such as `Expiring`, that is true while something is wrong.
const OTHER: Row = Row::on(ConditionType::Stalled, ConditionStatus::True, &[]);

/// What conditions say is wrong.
#[must_use]
pub fn judge(context: &Context, conditions: &[Condition]) -> Sight {
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
        if context.lenient && condition.reason == Reason::NoData {
            continue;
        }
        sight.complete &= !row.hides;
        sight.troubles.push(trouble(context, condition, row));
    }
    sight
}

/// How bad it is, and what it says. A kind's own condition says both in its message.
fn weight<'a>(condition: &'a Condition, row: &Row) -> (AlertSeverity, &'a str) {
    let message = &*condition.message;
    if !is_of_one_kind(condition.kind) {
        return (row.severity, message);
    }
    if let Some(rest) = message.strip_prefix("critical: ") {
        return (AlertSeverity::Critical, rest);
    }
    let rest = message.strip_prefix("warning: ");
    (row.severity, rest.unwrap_or(message))
}

/// A condition that not every managed resource, check or phase may have.
fn is_of_one_kind(kind: ConditionType) -> bool {
    !matches!(
        kind,
        ConditionType::Ready
            | ConditionType::Reconciling
            | ConditionType::Stalled
            | ConditionType::Drifted
            | ConditionType::Verified
            | ConditionType::Passing
            | ConditionType::Warning
    )
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
    let own = is_of_one_kind(condition.kind) && condition.status == ConditionStatus::True;
    own.then_some(&OTHER)
}

fn trouble(context: &Context, condition: &Condition, row: &Row) -> Trouble {
    let remedy = Some(row.remedy.replace("{}", &context.handle));
    let (severity, message) = weight(condition, row);
    let digest = if row.of_content {
        context.digest.clone()
    } else {
        String::new()
    };
    Trouble {
        topic: Topic {
            reason: condition.reason.as_str().to_owned(),
            digest,
            severity,
        },
        component: context.component.clone(),
        message: bounded(message.to_owned()),
        remediation: context
            .remediation
            .clone()
            .or(remedy)
            .filter(|text| !text.is_empty()),
        escalation: context.escalation.clone(),
        link: context.link.clone(),
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
        let reasons = if reasons.is_empty() {
            "any other".to_owned()
        } else {
            reasons.join(", ")
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
