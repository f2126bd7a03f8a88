//! What a test or a person does to traffic: how much of it there is, and what goes wrong without a cause in the
//! emulated state. Each row of a remediation plan can be broken alone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Set whole by `PUT /_emulator/traffic`; the default is the scenario as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Controls {
    /// Every service wants this many times as much.
    pub demand: f64,
    /// A service wants this many times as much on top of that, by its name.
    pub services: BTreeMap<String, f64>,
    pub faults: Vec<Misfortune>,
    /// Lines that turn up in logs.
    pub logs: Vec<Line>,
}

impl Default for Controls {
    fn default() -> Self {
        Self {
            demand: 1.0,
            services: BTreeMap::new(),
            faults: Vec::new(),
            logs: Vec::new(),
        }
    }
}

/// One thing that goes wrong, such as `{"fault": "tls_slow", "seconds": 8}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Misfortune {
    pub fault: Fault,
    /// Added to what the state leads to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// Only this service; all when absent. For faults of services.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
}

/// What goes wrong, and what it is measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Seconds: every connection through a connector.
    ConnectSlow,
    /// Ratio: connections through a connector that are never answered.
    ConnectLost,
    /// Ratio: how busy a connector's machines are at least, whatever passes through them.
    ConnectorCpu,
    /// Seconds: handshakes at the load balancer and at Cloud Run.
    TlsSlow,
    /// Ratio: handshakes that break off.
    TlsFails,
    /// Seconds: answers of the name server.
    DnsSlow,
    /// Ratio: questions that are answered with SERVFAIL.
    DnsFails,
    /// Ratio: requests that the platform answers with 503.
    Unavailable,
    /// Ratio: requests that the application answers with 500.
    AppErrors,
    /// Seconds: everything that the application does.
    AppSlow,
    /// Seconds: the database phase of a start.
    StartupSlow,
    /// Count: instances that are there and do not answer.
    InstancesLost,
    /// The database takes no connections.
    DbDown,
    /// Seconds: every query.
    DbSlow,
    /// Count: connections that somebody else holds open.
    DbConnections,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Measure {
    Seconds,
    Ratio,
    Count,
    Nothing,
}

impl Fault {
    fn measure(self) -> Measure {
        match self {
            Self::ConnectSlow
            | Self::TlsSlow
            | Self::DnsSlow
            | Self::AppSlow
            | Self::StartupSlow
            | Self::DbSlow => Measure::Seconds,
            Self::ConnectLost
            | Self::ConnectorCpu
            | Self::TlsFails
            | Self::DnsFails
            | Self::Unavailable
            | Self::AppErrors => Measure::Ratio,
            Self::InstancesLost | Self::DbConnections => Measure::Count,
            Self::DbDown => Measure::Nothing,
        }
    }
}

/// A line that turns up in the log of a service; of a connector, where no service is named.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Line {
    pub text: String,
    pub severity: LineSeverity,
    pub per_minute: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
}

/// `google.logging.type.LogSeverity`, as far as such a line needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum LineSeverity {
    Info,
    Warning,
    Error,
    Critical,
}

const SECONDS_MAX: f64 = 3_600.0;
const FACTOR_MAX: f64 = 1_000.0;

/// A minute holds no more of one line.
const LINES_MAX: u32 = 60;

impl Misfortune {
    #[must_use]
    pub fn new(fault: Fault) -> Self {
        Self {
            fault,
            seconds: None,
            ratio: None,
            count: None,
            service: None,
        }
    }

    /// The same with its amount, in what the fault is measured in.
    #[must_use]
    pub fn of(mut self, amount: f64) -> Self {
        match self.fault.measure() {
            Measure::Seconds => self.seconds = Some(amount),
            Measure::Ratio => self.ratio = Some(amount),
            Measure::Count => self.count = Some(super::wave::whole(amount)),
            Measure::Nothing => {}
        }
        self
    }

    /// The same for one service only.
    #[must_use]
    pub fn at(mut self, service: &str) -> Self {
        self.service = Some(service.to_owned());
        self
    }

    fn amount(&self) -> f64 {
        let count = self.count.map(f64::from);
        self.seconds.or(self.ratio).or(count).unwrap_or(1.0)
    }

    /// Exactly the measure of its fault, within its range.
    fn check(&self) -> Result<(), String> {
        let given = [
            ("seconds", self.seconds.is_some(), Measure::Seconds),
            ("ratio", self.ratio.is_some(), Measure::Ratio),
            ("count", self.count.is_some(), Measure::Count),
        ];
        let measure = self.fault.measure();
        for (name, is_given, means) in given {
            match (is_given, means == measure) {
                (true, false) => return Err(format!("{name}: this fault takes none")),
                (false, true) => return Err(format!("{name}: is missing")),
                _ => {}
            }
        }
        let range = match measure {
            Measure::Seconds => ("seconds", SECONDS_MAX),
            Measure::Ratio => ("ratio", 1.0),
            Measure::Count | Measure::Nothing => return Ok(()),
        };
        between(range.0, self.amount(), range.1)
    }
}

fn between(name: &str, number: f64, max: f64) -> Result<(), String> {
    if (0.0..=max).contains(&number) {
        return Ok(());
    }
    Err(format!("{name}: expected a number from 0 to {max}"))
}

impl Controls {
    /// From JSON, with every number in its range.
    ///
    /// # Errors
    /// When a field is unknown, of the wrong type or out of range: the text names it.
    pub fn from_json(json: &Value) -> Result<Self, String> {
        let controls = Self::deserialize(json).map_err(|error| error.to_string())?;
        controls.check()?;
        Ok(controls)
    }

    pub(in crate::emulator) fn check(&self) -> Result<(), String> {
        between("demand", self.demand, FACTOR_MAX)?;
        for (service, times) in &self.services {
            between(&format!("services.{service}"), *times, FACTOR_MAX)?;
        }
        for (index, fault) in self.faults.iter().enumerate() {
            let checked = fault.check();
            checked.map_err(|problem| format!("faults[{index}].{problem}"))?;
        }
        let many = self
            .logs
            .iter()
            .position(|line| line.per_minute > LINES_MAX);
        match many {
            Some(index) => Err(format!(
                "logs[{index}].perMinute: expected at most {LINES_MAX}"
            )),
            None => Ok(()),
        }
    }

    /// How many times its usual demand a service wants.
    pub(super) fn times(&self, service: &str) -> f64 {
        self.demand * self.services.get(service).copied().unwrap_or(1.0)
    }

    pub(super) fn is_on(&self, fault: Fault) -> bool {
        self.faults.iter().any(|known| known.fault == fault)
    }

    /// How much of a fault there is; 0 when it is not there.
    pub(super) fn amount(&self, fault: Fault) -> f64 {
        self.amount_at(fault, None)
    }

    /// The same for one service. Seconds and counts add up; of ratios the worst counts.
    pub(super) fn amount_at(&self, fault: Fault, service: Option<&str>) -> f64 {
        let meant = |known: &&Misfortune| {
            known.fault == fault && (known.service.is_none() || known.service.as_deref() == service)
        };
        let amounts = self.faults.iter().filter(meant).map(Misfortune::amount);
        match fault.measure() {
            Measure::Ratio => amounts.fold(0.0, f64::max),
            _ => amounts.sum(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Controls, Fault};
    use serde_json::json;

    #[test]
    fn a_control_that_cannot_be_is_refused_by_its_name() {
        for (json, wanted) in [
            (json!({"demands": 1}), "unknown field `demands`"),
            (json!({"demand": -1}), "demand: expected"),
            (json!({"services": {"a": 1e9}}), "services.a: expected"),
            (
                json!({"faults": [{"fault": "rain"}]}),
                "unknown variant `rain`",
            ),
            (
                json!({"faults": [{"fault": "tls_slow", "seconds": 1, "ratio": 1}]}),
                "faults[0].ratio: this fault takes none",
            ),
            (
                json!({"faults": [{"fault": "tls_slow"}]}),
                "faults[0].seconds: is missing",
            ),
            (
                json!({"faults": [{"fault": "db_down"}, {"fault": "tls_fails", "ratio": 2}]}),
                "faults[1].ratio: expected",
            ),
            (
                json!({"logs": [{"text": "t", "severity": "INFO", "perMinute": 61}]}),
                "logs[0].perMinute: expected",
            ),
        ] {
            let error = Controls::from_json(&json).unwrap_err();
            assert!(error.contains(wanted), "{error}");
        }
    }

    #[test]
    fn faults_add_up_for_the_service_they_name() {
        let controls = Controls::from_json(&json!({"demand": 2, "services": {"a": 3}, "faults": [
            {"fault": "app_slow", "seconds": 1},
            {"fault": "app_slow", "seconds": 2, "service": "a"},
            {"fault": "db_down"},
        ]}))
        .unwrap();
        let slow = |service: &str| controls.amount_at(Fault::AppSlow, Some(service));
        assert!((slow("a") - 3.0).abs() < 1e-9 && (slow("b") - 1.0).abs() < 1e-9);
        assert!((controls.times("a") - 6.0).abs() < 1e-9);
        assert!(controls.is_on(Fault::DbDown));
    }
}
