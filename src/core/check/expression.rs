//! `<field>[.<stat>] <op> <number><unit>|<word>`, such as `connect.max < 5s` or `state == READY`.
//!
//! No scripting language: what is written is one comparison, and it prints as it was read.

use super::sample::Value;
use super::stat::Stat;
use std::fmt;
use std::str::FromStr;

/// Longest expression, in bytes.
const LONGEST: usize = 200;

/// One comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    /// `connect`, `json.wait`: without the statistic.
    pub field: String,
    /// `None`: every sample must compare.
    pub stat: Option<Stat>,
    pub op: Op,
    pub want: Want,
}

/// How to compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    Below,
    AtMost,
    Above,
    AtLeast,
    Equal,
    Unequal,
}

impl Op {
    /// Longer ones first, so that `<=` is not read as `<`.
    const ALL: [Op; 6] = [
        Op::AtMost,
        Op::AtLeast,
        Op::Equal,
        Op::Unequal,
        Op::Below,
        Op::Above,
    ];

    /// The sign.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Op::Below => "<",
            Op::AtMost => "<=",
            Op::Above => ">",
            Op::AtLeast => ">=",
            Op::Equal => "==",
            Op::Unequal => "!=",
        }
    }

    /// True for `<` and `<=`: smaller is better.
    #[must_use]
    pub fn is_upper_bound(self) -> bool {
        matches!(self, Op::Below | Op::AtMost)
    }

    /// True for `>` and `>=`: larger is better.
    #[must_use]
    pub fn is_lower_bound(self) -> bool {
        matches!(self, Op::Above | Op::AtLeast)
    }

    fn compares(self, value: f64, want: f64) -> bool {
        match self {
            Op::Below => value < want,
            Op::AtMost => value <= want,
            Op::Above => value > want,
            Op::AtLeast => value >= want,
            Op::Equal => same(value, want),
            Op::Unequal => !same(value, want),
        }
    }
}

/// Equal but for the last digits of an arithmetic in binary: 0.3 is 0.1 + 0.2.
fn same(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-9 * one.abs().max(other.abs()).max(1.0)
}

/// What to compare with.
#[derive(Debug, Clone, PartialEq)]
pub enum Want {
    Number(Quantity),
    Word(String),
}

/// A number with its unit, as written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantity {
    pub number: f64,
    pub unit: Option<Unit>,
}

impl Quantity {
    /// In seconds, Mbit/s, or as a plain number or share.
    #[must_use]
    pub fn base(self) -> f64 {
        self.number * self.unit.map_or(1.0, Unit::factor)
    }
}

/// The units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    Milliseconds,
    Seconds,
    Minutes,
    Days,
    Percent,
    Mbps,
}

impl Unit {
    /// Every unit, in the order of the documentation.
    pub const ALL: [Unit; 6] = [
        Unit::Milliseconds,
        Unit::Seconds,
        Unit::Minutes,
        Unit::Days,
        Unit::Percent,
        Unit::Mbps,
    ];

    /// The unit as written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Unit::Milliseconds => "ms",
            Unit::Seconds => "s",
            Unit::Minutes => "m",
            Unit::Days => "d",
            Unit::Percent => "%",
            Unit::Mbps => "Mbps",
        }
    }

    /// True for a unit of time.
    #[must_use]
    pub fn is_time(self) -> bool {
        !matches!(self, Unit::Percent | Unit::Mbps)
    }

    fn factor(self) -> f64 {
        match self {
            Unit::Milliseconds => 1e-3,
            Unit::Seconds | Unit::Mbps => 1.0,
            Unit::Minutes => 60.0,
            Unit::Days => 86_400.0,
            Unit::Percent => 0.01,
        }
    }
}

/// Why a text is no expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Misread {
    pub message: String,
    /// The way out.
    pub help: String,
}

fn misread<T>(message: impl Into<String>, help: impl Into<String>) -> Result<T, Misread> {
    Err(Misread {
        message: message.into(),
        help: help.into(),
    })
}

const SHAPE: &str = "write `field[.stat] op value`, such as `connect.max < 5s`";

impl FromStr for Expression {
    type Err = Misread;

    fn from_str(text: &str) -> Result<Self, Misread> {
        let text = text.trim();
        if text.len() > LONGEST {
            return misread(format!("{} characters are too many", text.len()), SHAPE);
        }
        let Some(at) = text.find(['<', '>', '=', '!']) else {
            let help = "compare with one of < <= > >= == !=, such as `connect.max < 5s`";
            return misread("nothing is compared here", help);
        };
        let (left, rest) = text.split_at(at);
        let Some(op) = Op::ALL.into_iter().find(|op| rest.starts_with(op.as_str())) else {
            let help = "write one of < <= > >= == !=";
            return misread(format!("`{}` compares nothing", first(rest)), help);
        };
        let (field, stat) = field(left.trim())?;
        let want = want(rest[op.as_str().len()..].trim())?;
        let expression = Expression {
            field,
            stat,
            op,
            want,
        };
        expression.fits()?;
        Ok(expression)
    }
}

/// The sign that a text starts with.
fn first(text: &str) -> &str {
    text.get(..1).unwrap_or_default()
}

/// A field, and a statistic where the last part is one.
fn field(text: &str) -> Result<(String, Option<Stat>), Misread> {
    let part = |part: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    if !text.starts_with(|c: char| c.is_ascii_alphabetic()) || !text.split('.').all(part) {
        let message = if text.is_empty() {
            "no field stands before the comparison".to_owned()
        } else {
            format!("`{text}` is no field")
        };
        return misread(message, SHAPE);
    }
    let split = text.rsplit_once('.');
    let split = split.and_then(|(field, last)| Some((field, Stat::named(last)?)));
    Ok(match split {
        Some((field, stat)) => (field.to_owned(), Some(stat)),
        None => (text.to_owned(), None),
    })
}

fn want(text: &str) -> Result<Want, Misread> {
    if text.is_empty() {
        return misread("nothing stands after the comparison", SHAPE);
    }
    if text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        let word = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if text.chars().all(word) {
            return Ok(Want::Word(text.to_owned()));
        }
        return misread(
            format!("`{text}` is no word"),
            "write one word, such as READY",
        );
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let digits = unsigned
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .unwrap_or(unsigned.len());
    let (number, unit) = text.split_at(text.len() - unsigned.len() + digits);
    let plain = number.trim_start_matches(['-', '+']);
    let whole = plain.starts_with(|c: char| c.is_ascii_digit())
        && plain.ends_with(|c: char| c.is_ascii_digit());
    let number = number
        .parse::<f64>()
        .ok()
        .filter(|n| whole && n.is_finite());
    let Some(number) = number else {
        return misread(
            format!("`{text}` is no number"),
            "write a number such as 5 or 0.5",
        );
    };
    // -0 would print as another text than 0.
    let number = number + 0.0;
    let unit = match unit.trim() {
        "" => None,
        unit => match Unit::ALL.into_iter().find(|known| known.as_str() == unit) {
            Some(unit) => Some(unit),
            None => return misread(format!("`{unit}` is no unit"), units()),
        },
    };
    Ok(Want::Number(Quantity { number, unit }))
}

fn units() -> String {
    let units: Vec<_> = Unit::ALL.iter().map(|unit| unit.as_str()).collect();
    format!("write one of {} (minutes are `m`)", units.join(", "))
}

impl Expression {
    /// A word is equal or not, and nothing else.
    fn fits(&self) -> Result<(), Misread> {
        let Want::Word(word) = &self.want else {
            return Ok(());
        };
        let help = format!("write `{} == {word}` or `!=`", self.field);
        match self.stat {
            Some(stat) if stat != Stat::Last => {
                misread(format!("the {stat} of words says nothing"), help)
            }
            _ if !matches!(self.op, Op::Equal | Op::Unequal) => {
                misread(format!("the word {word} is not larger or smaller"), help)
            }
            _ => Ok(()),
        }
    }

    /// What stands on the left: `connect.max`.
    #[must_use]
    pub fn subject(&self) -> String {
        match self.stat {
            Some(stat) => format!("{}.{stat}", self.field),
            None => self.field.clone(),
        }
    }

    /// The threshold, where it is a number.
    #[must_use]
    pub fn threshold(&self) -> Option<f64> {
        match &self.want {
            Want::Number(quantity) => Some(quantity.base()),
            Want::Word(_) => None,
        }
    }

    /// Whether it holds for a measured value. Nothing holds for what never came.
    #[must_use]
    pub fn holds(&self, value: &Value) -> bool {
        match (value, &self.want) {
            (Value::Never, _) => false,
            (Value::Number(value), Want::Number(want)) => self.op.compares(*value, want.base()),
            (Value::Flag(flag), Want::Number(want)) => {
                self.op.compares(f64::from(u8::from(*flag)), want.base())
            }
            (Value::Flag(flag), Want::Word(word)) => {
                self.equals(word.eq_ignore_ascii_case(if *flag { "true" } else { "false" }))
            }
            (Value::Word(value), Want::Word(word)) => self.equals(value == word),
            (Value::Word(_), Want::Number(_)) | (Value::Number(_), Want::Word(_)) => {
                self.op == Op::Unequal
            }
        }
    }

    fn equals(&self, equal: bool) -> bool {
        equal == (self.op == Op::Equal)
    }
}

impl fmt::Display for Want {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Want::Number(quantity) => {
                let unit = quantity.unit.map_or("", Unit::as_str);
                write!(f, "{}{unit}", quantity.number)
            }
            Want::Word(word) => f.write_str(word),
        }
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.subject(), self.op.as_str(), self.want)
    }
}
