//! A document against the schema of its kind: fields, types, limits. The same schema is in the
//! CRD, so `kubectl apply` and the loader agree.

use super::diagnostic::{Fault, Faults};
use super::node::{Data, Entry, Node, describe};
use super::suggest::{did_you_mean, quote};
use super::{scalar, secrets, shape};
use serde_json::{Number, Value};
use std::ops::Range;

/// Everything in `node` that `schema` does not allow. `owner` is where a missing field belongs.
pub(super) fn walk(node: &Node, schema: &Value, path: &str, owner: Range<usize>, out: &mut Faults) {
    let at = Spot { path, owner };
    match (&node.data, schema["type"].as_str()) {
        (Data::Bad, _) | (_, None) | (Data::Bool(_), Some("boolean")) => {}
        (Data::Null, _) => out.push(at.null(node)),
        (Data::Map(entries), Some("object")) => object(node, entries, schema, &at, out),
        (Data::List(items), Some("array")) => list(items, schema, &at, out),
        (Data::Text(text), Some("string")) => string(node, text, schema, &at, out),
        (Data::Number(number), Some("integer")) if number.is_i64() => {
            number_range(node, schema, &at, out);
        }
        (Data::Number(_), Some("number")) => number_range(node, schema, &at, out),
        (_, Some(wanted)) => out.push(at.wrong_type(node, wanted, schema)),
    }
}

/// The field under check.
struct Spot<'a> {
    path: &'a str,
    owner: Range<usize>,
}

fn object(node: &Node, entries: &[Entry], schema: &Value, at: &Spot<'_>, out: &mut Faults) {
    let known = &schema["properties"];
    let others = &schema["additionalProperties"];
    let open = schema["x-kubernetes-preserve-unknown-fields"] == true;
    for entry in entries {
        let inner = match known.get(&entry.key) {
            Some(inner) => inner,
            None if others.is_object() => others,
            None if open => continue,
            None => {
                out.push(at.unknown(entry, known));
                continue;
            }
        };
        let path = join(at.path, &entry.key);
        walk(&entry.value, inner, &path, entry.key_at.clone(), out);
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        let name = name.as_str().unwrap_or_default();
        if node.entry(name).is_none() {
            out.push(at.missing(name, &known[name]));
        }
    }
}

fn list(items: &[Node], schema: &Value, at: &Spot<'_>, out: &mut Faults) {
    let most = schema["maxItems"].as_u64().unwrap_or(u64::MAX);
    if items.len() as u64 > most {
        let message = format!("{} has {} entries", at.name(), items.len());
        let fault = Fault::new(at.owner.clone(), message, "leave some out");
        out.push(
            fault
                .field(at.path)
                .limit(format!("at most {most} entries")),
        );
    }
    let least = schema["minItems"].as_u64().unwrap_or(0);
    if (items.len() as u64) < least {
        let message = format!("{} is empty", at.name());
        let about = schema["description"].as_str().unwrap_or_default();
        let fault = Fault::new(at.owner.clone(), message, format!("add an entry: {about}"));
        out.push(fault.field(at.path).limit(format!("at least {least}")));
    }
    for (index, item) in items.iter().enumerate() {
        let path = format!("{}[{index}]", at.path);
        walk(item, &schema["items"], &path, item.at.clone(), out);
    }
}

fn string(node: &Node, text: &str, schema: &Value, at: &Spot<'_>, out: &mut Faults) {
    if let Some(value) = scalar::old_boolean(text).filter(|_| node.plain) {
        let message = format!("{} is a text here and {value} to kubectl", quote(text));
        let help = format!("write \"{text}\", with quotes");
        out.push(at.fault(node, message, help));
        return;
    }
    if let Some(values) = schema["enum"].as_array() {
        let values: Vec<_> = values.iter().filter_map(Value::as_str).collect();
        if !values.contains(&text) {
            let message = format!("{} cannot be {}", at.name(), quote(text));
            let help = did_you_mean(text, &values).replace("known here: ", "write one of ");
            let limit = format!("one of {}", values.join(", "));
            out.push(at.fault(node, message, help).limit(limit));
        }
    }
    let length = text.chars().count();
    if let Some(most) = schema["maxLength"]
        .as_u64()
        .filter(|most| length as u64 > *most)
    {
        let message = format!("{} has {length} characters", at.name());
        let limit = format!("at most {most} characters");
        out.push(
            at.fault(node, message, "shorten it".to_owned())
                .limit(limit),
        );
    }
    let pattern = schema["pattern"].as_str().unwrap_or_default();
    if let Some(misfit) = shape::misfit(pattern, text) {
        let message = format!("{}: {}", at.name(), misfit.message);
        out.push(at.fault(node, message, misfit.help).limit(misfit.limit));
    }
}

fn number_range(node: &Node, schema: &Value, at: &Spot<'_>, out: &mut Faults) {
    let Data::Number(value) = &node.data else {
        return;
    };
    let (least, most) = (schema["minimum"].as_number(), schema["maximum"].as_number());
    let below = least.is_some_and(|least| value.as_f64() < least.as_f64());
    let above = most.is_some_and(|most| value.as_f64() > most.as_f64());
    let bound = match (least, most) {
        (_, Some(most)) if above => format!("at most {}", plain(most)),
        (Some(least), _) if below => format!("at least {}", plain(least)),
        _ => return,
    };
    let limit = match (least, most) {
        (Some(least), Some(most)) => format!("{} to {}", plain(least), plain(most)),
        _ => bound.clone(),
    };
    let message = format!("{} is {value}, and must be {bound}", at.name());
    let help = format!("write {}: {limit}", at.name()).replace(": at ", ": a number of at ");
    out.push(at.fault(node, message, help).limit(limit));
}

/// `1`, also where the schema says `1.0`.
fn plain(number: &Number) -> String {
    let text = number.to_string();
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

impl Spot<'_> {
    fn name(&self) -> &str {
        self.path.rsplit('.').next().unwrap_or(self.path)
    }

    /// A fault about the value, at the value.
    fn fault(&self, node: &Node, message: String, help: String) -> Fault {
        let at = match node.data {
            Data::Map(_) | Data::List(_) => self.owner.clone(),
            _ if node.at.is_empty() => self.owner.clone(),
            _ => node.at.clone(),
        };
        Fault::new(at, message, help).field(self.path).value()
    }

    fn null(&self, node: &Node) -> Fault {
        let message = format!("{} has no value", self.name());
        let help = "write a value, or leave the field out: null means nothing here";
        self.fault(node, message, help.to_owned())
    }

    fn unknown(&self, entry: &Entry, known: &Value) -> Fault {
        let names: Vec<_> = known
            .as_object()
            .into_iter()
            .flat_map(|m| m.keys())
            .collect();
        let names: Vec<_> = names.into_iter().map(String::as_str).collect();
        let message = if self.path.is_empty() {
            format!("unknown field {}", quote(&entry.key))
        } else {
            format!("unknown field {} in {}", quote(&entry.key), self.path)
        };
        let at = entry.key_at.clone();
        let field = join(self.path, &entry.key);
        if secrets::is_secret(&entry.key) {
            let help = secrets::way_out(&names);
            let help = help.unwrap_or_else(|| did_you_mean(&entry.key, &names));
            return Fault::new(at, message, help).field(&field).secret();
        }
        Fault::new(at, message, did_you_mean(&entry.key, &names)).field(&field)
    }

    fn missing(&self, name: &str, schema: &Value) -> Fault {
        let place = if self.path.is_empty() {
            "the manifest".to_owned()
        } else {
            self.path.to_owned()
        };
        let about = schema["description"].as_str().unwrap_or_default();
        let help = format!("add `{name}`: {about}");
        Fault::new(
            self.owner.clone(),
            format!("{place} has no `{name}`"),
            help.trim(),
        )
        .field(&join(self.path, name))
    }

    fn wrong_type(&self, node: &Node, wanted: &str, schema: &Value) -> Fault {
        let message = format!(
            "{} is {}, and wants {}",
            self.name(),
            describe(node),
            in_words(wanted)
        );
        let pattern = schema["pattern"].as_str().unwrap_or_default();
        let help = match &node.data {
            Data::Number(number) => shape::for_number(pattern, &number.to_string()),
            _ => None,
        };
        self.fault(
            node,
            message,
            help.unwrap_or_else(|| self.way_out(node, wanted)),
        )
    }

    fn way_out(&self, node: &Node, wanted: &str) -> String {
        let name = self.name();
        match (&node.data, wanted) {
            (Data::Text(text), "boolean") => match scalar::old_boolean(text) {
                Some(value) => format!("write {name}: {value}"),
                None => format!("write {name}: true or {name}: false, without quotes"),
            },
            (Data::Text(text), "integer") if text.replace('_', "").parse::<i64>().is_ok() => {
                format!("write {name}: {}", text.replace('_', ""))
            }
            (Data::Bool(_) | Data::Number(_), "string") => {
                let written = node.to_json().to_string();
                format!("write {name}: \"{written}\", with quotes")
            }
            (Data::Number(_), "integer") => {
                format!("write {name} without a fraction, and below 2^63")
            }
            (Data::Text(text), "object") if text.contains(':') => {
                "put a space after the colon: `name: value`".to_owned()
            }
            (_, "object") => format!("write the fields of {name} below it, indented"),
            (_, "array") => format!("write the entries of {name} below it, each after `- `"),
            _ => format!("write {} for {name}", in_words(wanted)),
        }
    }
}

fn in_words(kind: &str) -> &'static str {
    match kind {
        "object" => "a mapping",
        "array" => "a list",
        "string" => "a text",
        "integer" => "a whole number",
        "number" => "a number",
        _ => "true or false",
    }
}

pub(super) fn join(path: &str, name: &str) -> String {
    let name: String = name.chars().take(64).collect();
    if path.is_empty() {
        name
    } else {
        format!("{path}.{name}")
    }
}
