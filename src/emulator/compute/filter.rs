//! The `filter` of lists, in its two languages: `field eq regexp` (and `ne`), and comparisons as in AIP-160.
//!
//! Served of the second: `=` `!=` `:` `<` `>` `<=` `>=` between a field and a value, `AND`, `OR`, `NOT` and
//! parentheses. What is not understood is refused, never ignored.

use serde_json::{Value, json};

use super::errors::invalid;
use super::pattern::Pattern;
use crate::emulator::errors::ApiError;

/// Enough for any filter that a client writes, and bounds the depth of the parser.
const TOKENS_MAX: usize = 256;

#[derive(Debug)]
pub(in crate::emulator) enum Filter {
    Everything,
    Matches(String, Pattern, bool),
    Compares(String, Comparison, String),
    Not(Box<Filter>),
    All(Vec<Filter>),
    Any(Vec<Filter>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::emulator) enum Comparison {
    Equal,
    Has,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Filter {
    pub fn read(text: &str) -> Result<Self, ApiError> {
        if text.trim().is_empty() {
            return Ok(Self::Everything);
        }
        let read = || {
            if let Some(filter) = by_pattern(text) {
                return Some(filter);
            }
            let tokens = tokens(text)?;
            let mut parser = Parser { rest: &tokens };
            let filter = parser.any()?;
            parser.rest.is_empty().then_some(filter)
        };
        read().ok_or_else(|| invalid("filter", &json!(text), "Invalid list filter expression."))
    }

    pub fn matches(&self, body: &Value) -> bool {
        match self {
            Self::Everything => true,
            Self::Matches(field, pattern, wanted) => {
                pattern.is_match(&text_at(body, field).unwrap_or_default()) == *wanted
            }
            Self::Compares(field, comparison, value) => compare(body, field, *comparison, value),
            Self::Not(inner) => !inner.matches(body),
            Self::All(parts) => parts.iter().all(|part| part.matches(body)),
            Self::Any(parts) => parts.iter().any(|part| part.matches(body)),
        }
    }
}

/// `name eq ".*x.*"`: one field, one regular expression over the whole value.
fn by_pattern(text: &str) -> Option<Filter> {
    let (field, rest) = text.trim().split_once(char::is_whitespace)?;
    let (operator, value) = rest.trim_start().split_once(char::is_whitespace)?;
    let wanted = match operator {
        "eq" => true,
        "ne" => false,
        _ => return None,
    };
    let value = value.trim();
    let quoted = ['"', '\''].into_iter().find_map(|quote| {
        let inner = value.strip_prefix(quote)?.strip_suffix(quote)?;
        Some(inner)
    });
    let pattern = match quoted {
        Some(quoted) => quoted,
        None if value.contains(char::is_whitespace) => return None,
        None => value,
    };
    is_field(field).then_some(())?;
    Some(Filter::Matches(
        field.to_owned(),
        Pattern::parse(pattern)?,
        wanted,
    ))
}

fn is_field(text: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    !text.is_empty() && text.chars().all(good)
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Quoted(String),
    Sign(Comparison),
    Differs,
    Open,
    Close,
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            '"' | '\'' => {
                let inner = rest.get(1..)?;
                let end = inner.find(first)?;
                (Token::Quoted(inner[..end].to_owned()), end + 2)
            }
            _ => sign(rest).unwrap_or_else(|| word(rest)),
        };
        tokens.push(token);
        if length == 0 || tokens.len() > TOKENS_MAX {
            return None;
        }
        rest = rest.get(length..)?.trim_start();
    }
    Some(tokens)
}

fn sign(rest: &str) -> Option<(Token, usize)> {
    let signs = [
        ("!=", Token::Differs),
        ("<=", Token::Sign(Comparison::LessOrEqual)),
        (">=", Token::Sign(Comparison::GreaterOrEqual)),
        ("=", Token::Sign(Comparison::Equal)),
        (":", Token::Sign(Comparison::Has)),
        ("<", Token::Sign(Comparison::Less)),
        (">", Token::Sign(Comparison::Greater)),
    ];
    let mut signs = signs.into_iter();
    let (text, token) = signs.find(|(text, _)| rest.starts_with(text))?;
    Some((token, text.len()))
}

fn word(rest: &str) -> (Token, usize) {
    let ends = |c: char| c.is_whitespace() || "()=:<>!\"'".contains(c);
    let end = rest.find(ends).unwrap_or(rest.len());
    (Token::Word(rest[..end].to_owned()), end)
}

// any = all ("OR" all)*; all = one (["AND"] one)*; one = ["NOT" | "-"] one | "(" any ")" | field sign value
struct Parser<'a> {
    rest: &'a [Token],
}

impl Parser<'_> {
    fn any(&mut self) -> Option<Filter> {
        let mut parts = vec![self.all()?];
        while self.take_word("OR") {
            parts.push(self.all()?);
        }
        one_or(parts, Filter::Any)
    }

    fn all(&mut self) -> Option<Filter> {
        let mut parts = vec![self.one()?];
        loop {
            match self.rest.first() {
                None | Some(Token::Close) => break,
                Some(Token::Word(word)) if word == "OR" => break,
                _ => {
                    self.take_word("AND");
                    parts.push(self.one()?);
                }
            }
        }
        one_or(parts, Filter::All)
    }

    fn one(&mut self) -> Option<Filter> {
        if self.take_word("NOT") || self.take_word("-") {
            return Some(Filter::Not(Box::new(self.one()?)));
        }
        if self.rest.first() == Some(&Token::Open) {
            self.rest = &self.rest[1..];
            let inner = self.any()?;
            let (first, rest) = self.rest.split_first()?;
            self.rest = rest;
            return (*first == Token::Close).then_some(inner);
        }
        let [Token::Word(field), sign, value, rest @ ..] = self.rest else {
            return None;
        };
        self.rest = rest;
        let (Token::Word(value) | Token::Quoted(value)) = value else {
            return None;
        };
        is_field(field).then_some(())?;
        let compares = |sign| Filter::Compares(field.clone(), sign, value.clone());
        match sign {
            Token::Sign(sign) => Some(compares(*sign)),
            Token::Differs => Some(Filter::Not(Box::new(compares(Comparison::Equal)))),
            _ => None,
        }
    }

    fn take_word(&mut self, wanted: &str) -> bool {
        match self.rest.split_first() {
            Some((Token::Word(word), rest)) if word == wanted => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }
}

fn one_or(mut parts: Vec<Filter>, many: fn(Vec<Filter>) -> Filter) -> Option<Filter> {
    if parts.len() == 1 {
        parts.pop()
    } else {
        Some(many(parts))
    }
}

fn at<'a>(body: &'a Value, field: &str) -> Option<&'a Value> {
    let found = field
        .split('.')
        .try_fold(body, |value, name| value.get(name));
    found.filter(|value| !value.is_null())
}

fn text_at(body: &Value, field: &str) -> Option<String> {
    Some(match at(body, field)? {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    })
}

fn compare(body: &Value, field: &str, comparison: Comparison, wanted: &str) -> bool {
    if comparison == Comparison::Has {
        return has(at(body, field), wanted);
    }
    let Some(found) = text_at(body, field) else {
        return false;
    };
    if comparison == Comparison::Equal {
        return equal(&found, wanted);
    }
    let order = match (found.parse::<f64>(), wanted.parse::<f64>()) {
        (Ok(found), Ok(wanted)) => found.total_cmp(&wanted),
        _ => found.as_str().cmp(wanted),
    };
    match comparison {
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
        Comparison::Greater => order.is_gt(),
        _ => order.is_ge(),
    }
}

/// A star stands for anything.
fn equal(found: &str, wanted: &str) -> bool {
    match wanted.split_once('*') {
        None => found == wanted,
        Some((head, tail)) => {
            found.len() >= head.len() + tail.len()
                && found.starts_with(head)
                && found.ends_with(tail)
        }
    }
}

/// `:*` asks whether the field is there; other values are looked for inside it.
fn has(found: Option<&Value>, wanted: &str) -> bool {
    match found {
        None | Some(Value::Null) => false,
        Some(_) if wanted == "*" => true,
        Some(Value::Array(items)) => items.iter().any(|item| has(Some(item), wanted)),
        Some(Value::Object(fields)) => fields.contains_key(wanted),
        Some(Value::String(text)) => {
            let (text, wanted) = (text.to_lowercase(), wanted.to_lowercase());
            wanted.contains('*') && equal(&text, &wanted) || text.contains(&wanted)
        }
        Some(Value::Bool(value)) => wanted.parse() == Ok(*value),
        Some(Value::Number(number)) => number.as_f64() == wanted.parse().ok(),
    }
}
