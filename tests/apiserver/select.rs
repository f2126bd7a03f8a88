//! Label and field selectors.

use super::answer::Refusal;
use super::log::Incoming;
use serde_json::Value;

/// One requirement on a label.
#[derive(Debug, Clone, PartialEq)]
enum Label {
    Is(String, String),
    Not(String, String),
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Has(String),
    Lacks(String),
}

/// Which objects a request is about.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selector {
    labels: Vec<Label>,
    /// Path, value, and whether it must be that.
    fields: Vec<(Vec<String>, String, bool)>,
}

impl Selector {
    pub fn of(request: &Incoming) -> Result<Self, Refusal> {
        Ok(Selector {
            labels: split(request.asked("labelSelector"))
                .into_iter()
                .map(label)
                .collect::<Result<_, _>>()?,
            fields: split(request.asked("fieldSelector"))
                .into_iter()
                .map(field)
                .collect::<Result<_, _>>()?,
        })
    }

    /// Only the object of a name.
    pub fn named(mut self, name: &str) -> Self {
        let path = vec!["metadata".to_owned(), "name".to_owned()];
        self.fields.push((path, name.to_owned(), true));
        self
    }

    pub fn takes(&self, object: &Value) -> bool {
        let labels = &object["metadata"]["labels"];
        self.labels.iter().all(|wanted| wanted.holds(labels))
            && self.fields.iter().all(|(path, value, same)| {
                let found = path.iter().fold(object, |value, key| &value[key]);
                (found.as_str().unwrap_or_default() == value) == *same
            })
    }
}

impl Label {
    fn holds(&self, labels: &Value) -> bool {
        let of = |key: &String| labels[key].as_str();
        match self {
            Label::Is(key, value) => of(key) == Some(value),
            Label::Not(key, value) => of(key) != Some(value),
            Label::In(key, values) => of(key).is_some_and(|v| values.iter().any(|w| w == v)),
            Label::NotIn(key, values) => of(key).is_none_or(|v| values.iter().all(|w| w != v)),
            Label::Has(key) => of(key).is_some(),
            Label::Lacks(key) => of(key).is_none(),
        }
    }
}

/// At commas outside of parentheses.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (index, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(text[start..index].trim());
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}

fn label(text: &str) -> Result<Label, Refusal> {
    let values = |list: &str| {
        let list = list.trim().trim_start_matches('(').trim_end_matches(')');
        list.split(',')
            .map(|value| value.trim().to_owned())
            .collect()
    };
    let pair = |key: &str, value: &str| (key.trim().to_owned(), value.trim().to_owned());
    Ok(if let Some((key, value)) = text.split_once("!=") {
        let (key, value) = pair(key, value);
        Label::Not(key, value)
    } else if let Some((key, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
        let (key, value) = pair(key, value);
        Label::Is(key, value)
    } else if let Some((key, list)) = text.split_once(" notin ") {
        Label::NotIn(key.trim().to_owned(), values(list))
    } else if let Some((key, list)) = text.split_once(" in ") {
        Label::In(key.trim().to_owned(), values(list))
    } else if let Some(key) = text.strip_prefix('!') {
        Label::Lacks(key.trim().to_owned())
    } else if text.contains(' ') {
        return Err(Refusal::bad(&format!(
            "unable to parse requirement: {text}"
        )));
    } else {
        Label::Has(text.to_owned())
    })
}

fn field(text: &str) -> Result<(Vec<String>, String, bool), Refusal> {
    let path = |key: &str| key.trim().split('.').map(str::to_owned).collect();
    if let Some((key, value)) = text.split_once("!=") {
        return Ok((path(key), value.trim().to_owned(), false));
    }
    let parts = text.split_once("==").or_else(|| text.split_once('='));
    let (key, value) =
        parts.ok_or_else(|| Refusal::bad(&format!("invalid field selector: {text}")))?;
    Ok((path(key), value.trim().to_owned(), true))
}
