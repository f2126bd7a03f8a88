//! What people ask for, as annotations: each value of each acts once.

use super::words::{ObjectId, PREFIX, annotation};
use crate::core::token::Ask;
use kube::api::DynamicObject;
use std::collections::BTreeMap;

/// Annotations below `evenkeel.dev/`, each with its name in `status.lastHandled`.
const VERBS: [(&str, &str); 6] = [
    ("retry", "retry"),
    ("approve", "approve"),
    ("promote", "promote"),
    ("abort", "abort"),
    ("pause", "pause"),
    ("rollback-to", "rollbackTo"),
];

/// One request that was not obeyed yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Unique among all objects and values.
    pub id: String,
    pub wish: Wish,
}

/// What is wished for.
#[derive(Debug, Clone, PartialEq)]
pub enum Wish {
    Ask(Ask),
    /// Back to this saved state, which has to be fetched first.
    Back(i64),
}

/// The requests of an object that are not among the handled ones.
#[must_use]
pub fn of(
    id: &ObjectId,
    object: &DynamicObject,
    handled: &BTreeMap<String, String>,
) -> Vec<Request> {
    let open = VERBS.iter().filter_map(|(verb, field)| {
        let value = annotation(object, &format!("{PREFIX}{verb}"))?;
        if handled.get(*field).is_some_and(|last| last == value) {
            return None;
        }
        Some(Request {
            id: name(id, field, value),
            wish: wish(verb, value)?,
        })
    });
    open.collect()
}

/// The annotation that says this, and its value; `nonce` makes it new.
#[must_use]
pub fn annotation_of(ask: &Ask, nonce: &str) -> (String, String) {
    let (verb, value) = match ask {
        Ask::Retry => ("retry", nonce.to_owned()),
        Ask::Approve { plan } => ("approve", plan.clone()),
        Ask::Pause => ("pause", nonce.to_owned()),
        Ask::Resume => ("promote", nonce.to_owned()),
        Ask::Abort => ("abort", nonce.to_owned()),
        Ask::Undo { to, .. } => ("rollback-to", format!("{to}@{nonce}")),
    };
    (format!("{PREFIX}{verb}"), value)
}

/// The id that a request has.
#[must_use]
pub fn name(id: &ObjectId, field: &str, value: &str) -> String {
    format!("{id}/{field}={value}")
}

/// The field and the value of an id; `None` for requests that no person made.
#[must_use]
pub fn read(id: &str) -> Option<(String, String)> {
    let (about, value) = id.split_once('=')?;
    let field = about.rsplit('/').next()?;
    let known = VERBS.iter().any(|(_, known)| *known == field);
    known.then(|| (field.to_owned(), value.to_owned()))
}

fn wish(verb: &str, value: &str) -> Option<Wish> {
    let ask = match verb {
        "retry" => Ask::Retry,
        "approve" => Ask::Approve {
            plan: value.to_owned(),
        },
        "pause" if matches!(value, "false" | "off" | "no") => Ask::Resume,
        "pause" => Ask::Pause,
        "promote" => Ask::Resume,
        "abort" => Ask::Abort,
        _ => {
            let number = value.split('@').next().unwrap_or_default();
            return number.trim().parse().ok().map(Wish::Back);
        }
    };
    Some(Wish::Ask(ask))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Kind;
    use crate::core::fields::Fields;
    use crate::kubernetes::words::resource;

    fn object(pairs: &[(&str, &str)]) -> DynamicObject {
        let mut object = DynamicObject::new("a", &resource(Kind::HealthCheck.into()));
        let owned = |(name, value): &(&str, &str)| (format!("{PREFIX}{name}"), (*value).to_owned());
        object.metadata.annotations = Some(pairs.iter().map(owned).collect());
        object
    }

    fn id() -> ObjectId {
        ObjectId::new(Kind::HealthCheck, "a")
    }

    #[test]
    fn each_value_acts_once() {
        let object = object(&[
            ("retry", "7"),
            ("rollback-to", "3@x"),
            ("abort", ""),
            ("else", "1"),
        ]);
        let open = of(&id(), &object, &BTreeMap::new());
        let wishes: Vec<_> = open.iter().map(|request| request.wish.clone()).collect();
        assert_eq!(wishes, [Wish::Ask(Ask::Retry), Wish::Back(3)]);
        let handled: BTreeMap<_, _> = open.iter().filter_map(|open| read(&open.id)).collect();
        assert_eq!(handled["rollbackTo"], "3@x");
        assert!(of(&id(), &object, &handled).is_empty());
    }

    #[test]
    fn what_is_asked_comes_back() {
        let plan = "sha256:1".to_owned();
        let fields = Fields::new();
        for ask in [
            Ask::Retry,
            Ask::Approve { plan },
            Ask::Pause,
            Ask::Resume,
            Ask::Abort,
        ] {
            let (name, value) = annotation_of(&ask, "now");
            let object = object(&[(name.strip_prefix(PREFIX).unwrap(), &value)]);
            let open = of(&id(), &object, &BTreeMap::new());
            assert_eq!(open[0].wish, Wish::Ask(ask));
        }
        let undo = Ask::Undo {
            to: 4,
            fields,
            why: None,
        };
        assert_eq!(
            annotation_of(&undo, "n"),
            (format!("{PREFIX}rollback-to"), "4@n".to_owned())
        );
        assert_eq!(read("phase-1@HealthCheck/a"), None, "made by a phase");
    }
}
