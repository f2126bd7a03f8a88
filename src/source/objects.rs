//! Objects of a cluster as a set: the rules of files, except that what is wrong with one object
//! stops no other.

use super::diagnostic::{Problem, Problems};
use super::{Check, Set, files};
use crate::api::Severity;
use std::collections::{BTreeMap, BTreeSet};

/// One object, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Unique in the set, as messages name it: `VpcAccessConnector/staging-connector`.
    pub id: String,
    /// `apiVersion`, `kind`, `metadata` and `spec`, as JSON or YAML.
    pub body: Vec<u8>,
    /// The last body of the object that loaded: it stays in force while the present one does not.
    pub last_good: Option<Vec<u8>>,
}

/// What became of a set of objects.
#[derive(Debug, Default)]
pub struct Judged {
    /// What is in force.
    pub set: Set,
    /// What is wrong with the present body of an object, by id.
    pub refused: BTreeMap<String, Vec<Problem>>,
    /// Objects with nothing in force, by id.
    pub absent: BTreeSet<String>,
}

/// Loads every object that can be loaded. Names of those that cannot still count as declared, so
/// that what refers to them waits instead of failing too.
#[must_use]
pub fn judge(objects: &[Object], revision: &str, check: &dyn Check) -> Judged {
    let mut judged = Judged::default();
    if objects.is_empty() {
        revision.clone_into(&mut judged.set.revision);
        return judged;
    }
    // Each round takes at least one body out: there are two of each object at most.
    for _ in 0..=2 * objects.len() {
        let mut problems = Problems::default();
        let bodies = objects.iter().filter_map(|object| {
            let body = body(object, &judged)?;
            files::in_memory(&object.id, body, &mut problems)
        });
        let files = bodies.collect();
        let set = super::assemble(
            files,
            revision.to_owned(),
            "the cluster",
            check,
            problems,
            &judged.absent,
        );
        match set {
            Ok(set) => {
                judged.set = set;
                return judged;
            }
            Err(errors) => {
                if !blame(errors.problems, objects, &mut judged) {
                    break;
                }
            }
        }
    }
    // Whatever is wrong is not about one object: nothing is in force rather than half of it.
    judged.set = Set::default();
    judged.absent = objects.iter().map(|object| object.id.clone()).collect();
    judged
}

/// What is loaded of an object in this round; of one without anything in force its name counts.
fn body(object: &Object, judged: &Judged) -> Option<Vec<u8>> {
    let falls_back = judged.refused.contains_key(&object.id) && !judged.absent.contains(&object.id);
    if falls_back {
        object.last_good.clone()
    } else {
        Some(object.body.clone())
    }
}

/// Takes the objects out that have problems. False where that leads nowhere.
fn blame(problems: Vec<Problem>, objects: &[Object], judged: &mut Judged) -> bool {
    let mut found: BTreeMap<String, Vec<Problem>> = BTreeMap::new();
    let errors = problems
        .into_iter()
        .filter(|problem| problem.severity == Severity::Error);
    for problem in errors {
        found.entry(problem.file.clone()).or_default().push(problem);
    }
    let mut moved = false;
    for object in objects {
        let Some(problems) = found.remove(&object.id) else {
            continue;
        };
        let known = judged.refused.contains_key(&object.id);
        if known
            || object
                .last_good
                .as_ref()
                .is_none_or(|good| *good == object.body)
        {
            moved |= judged.absent.insert(object.id.clone());
        }
        if !known {
            moved = true;
            judged.refused.insert(object.id.clone(), problems);
        }
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::NoCheck;
    use serde_json::{Value, json};

    fn object(kind: &str, name: &str, spec: &Value) -> Object {
        let body = json!({"apiVersion": "evenkeel.dev/v1alpha1", "kind": kind,
                          "metadata": {"name": name}, "spec": spec});
        Object {
            id: format!("{kind}/{name}"),
            body: body.to_string().into_bytes(),
            last_good: None,
        }
    }

    fn connector(name: &str, most: i64, verify: &[&str]) -> Object {
        let spec = json!({"project": "netra-staging", "location": "us-central1",
                          "resource": {"maxInstances": most}, "rollout": {"verify": verify}});
        object("VpcAccessConnector", name, &spec)
    }

    fn names(judged: &Judged) -> Vec<&str> {
        let declared = judged.set.declared.iter();
        declared.map(|declared| declared.name.as_str()).collect()
    }

    #[test]
    fn a_bad_object_stops_no_other() {
        let bad = object(
            "Check",
            "load",
            &json!({"tcp": {"host": "10.0.0.1"}, "expect": []}),
        );
        let objects = [connector("a", 4, &["load"]), bad, connector("b", 5, &[])];
        let judged = judge(&objects, "r", &NoCheck);
        assert_eq!(
            names(&judged),
            ["a", "b"],
            "its name still counts as declared"
        );
        assert_eq!(judged.refused.keys().collect::<Vec<_>>(), ["Check/load"]);
        assert!(judged.absent.contains("Check/load"));
    }

    #[test]
    fn what_loaded_last_stays_in_force() {
        let good = connector("a", 4, &[]);
        let bad = object("VpcAccessConnector", "a", &json!({"project": 7}));
        let objects = [
            Object {
                last_good: Some(good.body),
                ..bad
            },
            connector("b", 5, &[]),
        ];
        let judged = judge(&objects, "r", &NoCheck);
        assert_eq!(names(&judged), ["a", "b"]);
        assert!(judged.refused.contains_key("VpcAccessConnector/a") && judged.absent.is_empty());
    }

    #[test]
    fn a_name_that_nobody_declares_is_the_fault_of_who_uses_it() {
        let judged = judge(
            &[connector("a", 4, &["nothing"]), connector("b", 5, &[])],
            "r",
            &NoCheck,
        );
        assert_eq!(names(&judged), ["b"]);
        let problem = &judged.refused["VpcAccessConnector/a"][0];
        assert!(
            problem.message.contains("no Check named"),
            "{}",
            problem.message
        );
    }

    #[test]
    fn no_objects_declare_nothing() {
        let judged = judge(&[], "r", &NoCheck);
        assert!(judged.set.declared.is_empty() && judged.refused.is_empty());
    }
}
