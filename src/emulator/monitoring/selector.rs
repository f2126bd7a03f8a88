//! The filter of a query: one metric, and which of its series.
//!
//! Source: "Monitoring filters". Served: `metric.type`, `resource.type`, labels of both, `project`; `=`, `!=`, `:`;
//! AND, OR, NOT; `starts_with`, `ends_with`, `has_substring`, `one_of` and `monitoring.regex.full_match`. The rest is
//! refused, in Google's words where they are on record.

use regex::Regex;

use super::catalog::{METRICS, Metric};
use super::value::{Identity, Labels};
use crate::emulator::errors::ApiError;
use crate::emulator::expression::{self, Expression, Operand, Sign};

#[derive(Debug)]
pub(super) struct Selector {
    pub metric: &'static Metric,
    condition: Condition,
}

#[derive(Debug)]
enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Holds(Field, Test),
}

#[derive(Debug, PartialEq, Eq)]
enum Field {
    MetricType,
    ResourceType,
    Project,
    MetricLabel(String),
    ResourceLabel(String),
}

#[derive(Debug)]
enum Test {
    Equal(String),
    Has(String),
    StartsWith(String),
    EndsWith(String),
    OneOf(Vec<String>),
    FullMatch(Regex),
}

impl Test {
    fn holds(&self, found: &str) -> bool {
        match self {
            Self::Equal(wanted) => found == wanted,
            Self::Has(part) => found.contains(part.as_str()),
            Self::StartsWith(start) => found.starts_with(start.as_str()),
            Self::EndsWith(end) => found.ends_with(end.as_str()),
            Self::OneOf(wanted) => wanted.iter().any(|wanted| wanted == found),
            Self::FullMatch(pattern) => pattern.is_match(found),
        }
    }
}

fn refused(filter: &str, problem: &str) -> ApiError {
    let filter = filter.replace('"', "\\\"");
    ApiError::invalid(format!(
        "Field filter had an invalid value of \"{filter}\": {problem}"
    ))
}

/// The metrics that a filter may mean, for lists of descriptors. Everything, where it names none.
pub(super) fn metrics(filter: &str) -> Result<Vec<&'static Metric>, ApiError> {
    let condition = condition(filter)?;
    let fits = |metric: &&Metric| condition.as_ref().is_none_or(|one| one.may_hold(metric));
    Ok(METRICS.iter().filter(fits).collect())
}

fn condition(filter: &str) -> Result<Option<Condition>, ApiError> {
    let parsed = expression::parse(filter);
    let parsed = parsed.map_err(|problem| refused(filter, &format!("{problem}.")))?;
    let read = parsed.map(|expression| Condition::of(expression, filter));
    read.transpose()
}

impl Selector {
    pub fn read(filter: &str) -> Result<Self, ApiError> {
        let none = || {
            let problem = "must specify a restriction on \"metric.type\" in the filter; see \
                           \"https://cloud.google.com/monitoring/api/resources\" for a list of available metric types.";
            refused(filter, problem)
        };
        let condition = condition(filter)?.ok_or_else(none)?;
        let mut wanted = condition.conjuncts().into_iter();
        let types = wanted.find_map(|one| match one {
            Condition::Holds(Field::MetricType, test) => Some(test),
            _ => None,
        });
        let types = types.ok_or_else(none)?;
        let mut named = METRICS.iter().filter(|metric| types.holds(metric.name));
        let metric = named.next().ok_or_else(|| not_found(types))?;
        if named.next().is_some() {
            let problem = "The provided filter matches more than one metric. TimeSeries data are limited to a single \
                           metric per request.";
            return Err(refused(filter, problem));
        }
        let selector = Self { metric, condition };
        selector.check(filter)?;
        Ok(selector)
    }

    /// Every label is one of the metric's, and the resource can have the metric.
    fn check(&self, filter: &str) -> Result<(), ApiError> {
        let metric = self.metric;
        for (field, _) in self.condition.tests() {
            let (what, label, known) = match field {
                Field::MetricLabel(label) => ("metric", label, metric.labels),
                Field::ResourceLabel(label) => ("resource", label, metric.resource_labels()),
                _ => continue,
            };
            if !known.contains(&label.as_str()) {
                let problem = format!(
                    "Unrecognized {what} label \"{label}\" for metric \"{}\".",
                    metric.name
                );
                return Err(refused(filter, &problem));
            }
        }
        let fits = |one: &&Condition| match one {
            Condition::Holds(Field::ResourceType, test) => !test.holds(metric.resource),
            _ => false,
        };
        if self.condition.conjuncts().iter().any(fits) {
            let problem = "The supplied filter does not specify a valid combination of metric and monitored resource \
                           descriptors. The query will not return any time series.";
            return Err(refused(filter, problem));
        }
        Ok(())
    }

    pub fn takes(&self, identity: &Identity, project: &str) -> bool {
        self.condition.holds(&|field| match field {
            Field::MetricType => self.metric.name.to_owned(),
            Field::ResourceType => self.metric.resource.to_owned(),
            Field::Project => project.to_owned(),
            Field::MetricLabel(label) => of(&identity.metric, label),
            Field::ResourceLabel(label) => of(&identity.resource, label),
        })
    }
}

fn of(labels: &Labels, label: &str) -> String {
    labels.get(label).cloned().unwrap_or_default()
}

fn not_found(types: &Test) -> ApiError {
    let wanted = match types {
        Test::Equal(name) => name.clone(),
        other => format!("{other:?}"),
    };
    ApiError::not_found(format!(
        "Cannot find metric(s) that match type = \"{wanted}\". If a metric was created recently, it could take up to \
         10 minutes to become available. Please try again soon."
    ))
}

impl Condition {
    fn of(expression: Expression, filter: &str) -> Result<Self, ApiError> {
        let many = |parts: Vec<Expression>| -> Result<Vec<Self>, ApiError> {
            parts
                .into_iter()
                .map(|part| Self::of(part, filter))
                .collect()
        };
        match expression {
            Expression::All(parts) => Ok(Self::All(many(parts)?)),
            Expression::Any(parts) => Ok(Self::Any(many(parts)?)),
            Expression::Not(inner) => Ok(Self::Not(Box::new(Self::of(*inner, filter)?))),
            Expression::Compare(field, sign, operand) => {
                let field = Field::of(&field).ok_or_else(|| {
                    let problem = "The lefthand side of each expression must be prefixed with one of {group, metadata, \
                                   metric, project, resource}.";
                    refused(filter, problem)
                })?;
                Self::test(field, sign, operand, filter)
            }
            Expression::Call(name, _) | Expression::Text(name) => {
                let problem = format!("A comparison was expected instead of \"{name}\".");
                Err(refused(filter, &problem))
            }
        }
    }

    fn test(field: Field, sign: Sign, operand: Operand, filter: &str) -> Result<Self, ApiError> {
        let refuse = |problem: &str| Err(refused(filter, problem));
        let (negated, has) = match sign {
            Sign::Equal => (false, false),
            Sign::Differs => (true, false),
            Sign::Has => (false, true),
            _ => return refuse("This comparison is not supported for a string."),
        };
        let test = match operand {
            Operand::Text(text) if has => Test::Has(text),
            Operand::Text(text) => Test::Equal(text),
            Operand::AnyOf(texts) => Test::OneOf(texts),
            Operand::Call(..) if has => return refuse("The operator ':' takes no function."),
            Operand::Call(name, arguments) => function(&name, arguments, filter)?,
        };
        let holds = Self::Holds(field, test);
        Ok(if negated {
            Self::Not(Box::new(holds))
        } else {
            holds
        })
    }

    fn holds(&self, found: &impl Fn(&Field) -> String) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(found)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(found)),
            Self::Not(inner) => !inner.holds(found),
            Self::Holds(field, test) => test.holds(&found(field)),
        }
    }

    /// Whether a metric can meet it with any labels.
    fn may_hold(&self, metric: &Metric) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.may_hold(metric)),
            Self::Any(parts) => parts.iter().any(|part| part.may_hold(metric)),
            Self::Not(inner) => match inner.as_ref() {
                Self::Holds(Field::MetricType | Field::ResourceType, _) => !inner.may_hold(metric),
                _ => true,
            },
            Self::Holds(Field::MetricType, test) => test.holds(metric.name),
            Self::Holds(Field::ResourceType, test) => test.holds(metric.resource),
            Self::Holds(..) => true,
        }
    }

    fn conjuncts(&self) -> Vec<&Self> {
        match self {
            Self::All(parts) => parts.iter().flat_map(Self::conjuncts).collect(),
            other => vec![other],
        }
    }

    fn tests(&self) -> Vec<(&Field, &Test)> {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::tests).collect(),
            Self::Not(inner) => inner.tests(),
            Self::Holds(field, test) => vec![(field, test)],
        }
    }
}

impl Field {
    fn of(parts: &[String]) -> Option<Self> {
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        match parts[..] {
            ["metric", "type"] => Some(Self::MetricType),
            ["resource", "type"] => Some(Self::ResourceType),
            ["project"] => Some(Self::Project),
            ["metric", "label" | "labels", label] => Some(Self::MetricLabel(label.to_owned())),
            ["resource", "label" | "labels", label] => Some(Self::ResourceLabel(label.to_owned())),
            _ => None,
        }
    }
}

fn function(name: &str, mut arguments: Vec<String>, filter: &str) -> Result<Test, ApiError> {
    if name == "one_of" {
        return Ok(Test::OneOf(arguments));
    }
    let only = arguments.pop().filter(|_| arguments.is_empty());
    let test = match (name, only) {
        ("starts_with", Some(text)) => Test::StartsWith(text),
        ("ends_with", Some(text)) => Test::EndsWith(text),
        ("has_substring", Some(text)) => Test::Has(text),
        ("monitoring.regex.full_match", Some(pattern)) => {
            let whole = Regex::new(&format!("^(?:{pattern})$"));
            Test::FullMatch(whole.map_err(|_| {
                refused(
                    filter,
                    &format!("Invalid regular expression \"{pattern}\"."),
                )
            })?)
        }
        _ => {
            let problem = format!("Unsupported function \"{name}\".");
            return Err(refused(filter, &problem));
        }
    };
    Ok(test)
}
