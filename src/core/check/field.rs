//! Which fields a source produces, and what can be asked of each.

use super::expression::{Expression, Quantity, Unit, Want};
use super::stat::Stat;
use crate::api::Source;
use crate::api::probe::HttpProbe;
use std::time::Duration;

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// True or false.
    Flag,
    /// Seconds that a target took: bounded by the check's timeout.
    Latency,
    /// Seconds that something lasts.
    Lifetime,
    /// A plain number.
    Number,
    /// A number in any unit.
    Measure,
    /// A number in any unit, true or false, or a word.
    Any,
}

/// Why an expression does not fit its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    pub message: String,
    pub help: MisfitHelp,
}

/// The way out of a misfit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MisfitHelp {
    Text(String),
    /// A word was not known; these are.
    Known {
        word: String,
        known: Vec<String>,
    },
}

/// The fields of a source. `None`: any, since they come from a managed object.
#[must_use]
pub fn fields(source: Source<'_>) -> Option<Vec<(String, FieldKind)>> {
    use FieldKind::{Flag, Latency, Lifetime, Measure, Number};
    let fields: Vec<(&str, FieldKind)> = match source {
        Source::Http(http) => return Some(of_http(http)),
        Source::Tls(_) => vec![
            ("ok", Flag),
            ("connect", Latency),
            ("handshake", Latency),
            ("expiry", Lifetime),
        ],
        Source::Tcp(_) => vec![("ok", Flag), ("connect", Latency)],
        Source::Dns(_) => vec![("ok", Flag), ("rtt", Latency), ("answers", Number)],
        Source::Postgres(_) => vec![("ok", Flag), ("connect", Latency), ("query", Latency)],
        Source::Metric(_) => vec![("value", Measure)],
        Source::Log(log) if log.extract.is_some() => {
            vec![("count", Number), ("value", Measure)]
        }
        Source::Log(_) => vec![("count", Number)],
        Source::BackendHealth(_) => vec![("healthy", Flag)],
        Source::Resource(_) => return None,
    };
    let owned = |(name, kind): (&str, FieldKind)| (name.to_owned(), kind);
    Some(fields.into_iter().map(owned).collect())
}

fn of_http(http: &HttpProbe) -> Vec<(String, FieldKind)> {
    use FieldKind::{Any, Flag, Latency, Number};
    let mut fields = vec![
        ("ok".to_owned(), Flag),
        ("status".to_owned(), Number),
        ("unavailable".to_owned(), Flag),
    ];
    for phase in ["dns", "connect", "tls", "ttfb", "total"] {
        let missing = match phase {
            "dns" => !looks_up(http),
            "tls" => !http.url.starts_with("https:"),
            _ => false,
        };
        if !missing {
            fields.push((phase.to_owned(), Latency));
        }
    }
    let json = http.json.keys().map(|name| (format!("json.{name}"), Any));
    fields.extend(json);
    fields
}

/// True where a name must be looked up to connect.
fn looks_up(http: &HttpProbe) -> bool {
    let host = match &http.connect_to {
        Some(host) => host.as_str(),
        None => http.url.split_once("://").map_or("", |(_, rest)| rest),
    };
    let host = host.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let name = match host.rsplit_once(':') {
        Some((name, _)) if !name.contains(':') => name,
        _ => host,
    };
    !host.starts_with('[') && name.parse::<std::net::IpAddr>().is_err()
}

/// What is wrong with an expression about this source.
#[must_use]
pub fn misfit(expression: &Expression, source: Source<'_>) -> Option<Misfit> {
    let known = fields(source)?;
    let field = &expression.field;
    let Some((_, kind)) = known.iter().find(|(name, _)| name == field) else {
        return Some(unknown(expression, source, &known));
    };
    statistic(expression, *kind).or_else(|| wanted(expression, *kind))
}

fn unknown(expression: &Expression, source: Source<'_>, known: &[(String, FieldKind)]) -> Misfit {
    let field = &expression.field;
    // `connect.p98`: the field is there, and what follows is no statistic.
    let split = field.rsplit_once('.');
    if let Some((before, last)) = split.filter(|(before, _)| known.iter().any(|(n, _)| n == before))
    {
        return Misfit {
            message: format!("`{last}` is no statistic of `{before}`"),
            help: MisfitHelp::Known {
                word: last.to_owned(),
                known: Stat::ALL.map(|stat| stat.as_str().to_owned()).to_vec(),
            },
        };
    }
    let why = match (source, field.as_str()) {
        (Source::Http(_), "tls") => ": its url is plain http",
        (Source::Http(_), "dns") => ": it connects to an address, not to a name",
        (Source::Log(_), "value") => " without an `extract`",
        _ => "",
    };
    let names = known.iter().map(|(name, _)| name.clone()).collect();
    Misfit {
        message: format!("{} has no field `{field}`{why}", source.as_str()),
        help: MisfitHelp::Known {
            word: field.clone(),
            known: names,
        },
    }
}

fn statistic(expression: &Expression, kind: FieldKind) -> Option<Misfit> {
    let field = &expression.field;
    let stat = expression.stat?;
    let flag = matches!(stat, Stat::Ratio | Stat::Count | Stat::Last);
    let (fits, help) = match kind {
        FieldKind::Flag => (flag, format!("ask for `{field}.ratio` or `{field}.count`")),
        FieldKind::Any => (true, String::new()),
        _ => (
            stat != Stat::Ratio,
            "ratio is the share that is true; ask for a number, such as max or p95".to_owned(),
        ),
    };
    (!fits).then(|| Misfit {
        message: format!("`{field}` has no {stat}"),
        help: MisfitHelp::Text(help),
    })
}

/// What is compared with must be of the field's kind.
fn wanted(expression: &Expression, kind: FieldKind) -> Option<Misfit> {
    if kind == FieldKind::Any {
        return None;
    }
    let (message, help) = match &expression.want {
        Want::Word(word) => word_misfit(expression, kind, word)?,
        Want::Number(quantity) => unit_misfit(expression, kind, *quantity)?,
    };
    let help = MisfitHelp::Text(help);
    Some(Misfit { message, help })
}

fn word_misfit(expression: &Expression, kind: FieldKind, word: &str) -> Option<(String, String)> {
    let (field, subject) = (&expression.field, expression.subject());
    if kind != FieldKind::Flag {
        return Some((
            format!("`{subject}` is a number, never {word}"),
            format!("compare it with a number, such as `{subject} < 5`"),
        ));
    }
    (!["true", "false"].contains(&word)).then(|| {
        (
            format!("`{subject}` is true or false, never {word}"),
            format!("write `{field} == true`, or ask for the ratio"),
        )
    })
}

fn unit_misfit(
    expression: &Expression,
    kind: FieldKind,
    quantity: Quantity,
) -> Option<(String, String)> {
    let subject = expression.subject();
    let (number, unit) = (quantity.number, quantity.unit);
    let written = unit.map_or("no unit", Unit::as_str);
    let is_time = unit.is_some_and(Unit::is_time);
    let is_share = matches!(unit, None | Some(Unit::Percent));
    let time = format!("`{subject}` is a time, and {number} has {written}");
    let share = "write a share from 0 to 1, such as 0.99 or 99%".to_owned();
    match kind {
        _ if expression.stat == Some(Stat::Count) => unit.map(|_| {
            (
                format!("`{subject}` is a count, and has no unit"),
                format!("write {number}"),
            )
        }),
        FieldKind::Latency if !is_time => Some((time, format!("write {number}s or {number}ms"))),
        FieldKind::Lifetime if !is_time => Some((time, format!("write {number}d"))),
        FieldKind::Flag if !is_share => Some((
            format!("`{subject}` is a share, not {number}{written}"),
            share,
        )),
        FieldKind::Flag if !(0.0..=1.0).contains(&quantity.base()) => Some((
            format!("`{subject}` is a share, never {}", expression.want),
            share,
        )),
        FieldKind::Number => unit.map(|_| {
            (
                format!("`{subject}` is a plain number, and has no unit"),
                format!("write {number}"),
            )
        }),
        _ => None,
    }
}

/// The time that an expression allows a target, where it bounds a latency of this source.
#[must_use]
pub fn latency_bound(expression: &Expression, source: Source<'_>) -> Option<Duration> {
    let known = fields(source)?;
    let latency = (expression.field.clone(), FieldKind::Latency);
    if !known.contains(&latency) || expression.stat == Some(Stat::Count) {
        return None;
    }
    Duration::try_from_secs_f64(expression.threshold()?).ok()
}
