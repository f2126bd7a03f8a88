//! `RunService`: Cloud Run services, run v2.
//!
//! Sources: the run v2 discovery document for the fields; Google, "Quotas and limits" of Cloud Run
//! for the numbers; the files below for what each of them does.

mod check;
mod encode;
mod export;
mod live;
mod secrets;
mod startup;
mod traffic;
mod units;

use super::export::{Export, Manifests};
use super::{ManagedKind, Names, Reference};
use crate::api::status::Mutability;
use crate::api::{Declared, Finding, Key, Kind};
use crate::core::fields::Fields;
use crate::core::observed::Present;
use crate::core::rules::{FieldRule, Rules};
use live::Home;
use serde_json::{Map, Value};

pub(super) struct RunService;

const CONNECTOR: &str = "template.vpcAccess.connector";
const SOURCE: &str = "run v2";

static RULES: Rules = Rules {
    missing_for_create,
    flatten: |resource| live::canonical(resource, &Home::default()),
    encode: encode::encode,
    staging: Some(&traffic::STAGING),
    ..Rules::new(Kind::RunService, FIELDS)
};

const FIELDS: &[FieldRule] = &[
    reversible("description"),
    reversible("labels[]"),
    reversible("annotations[]"),
    reversible("ingress"),
    reversible("scaling.minInstanceCount"),
    reversible("scaling.maxInstanceCount"),
    reversible("traffic"),
    reversible("template.containers[].image"),
    reversible("template.containers[].env[].value"),
    FieldRule {
        path: "template.containers[].env[].valueDigest",
        mutability: Mutability::WriteOnly,
        disruption: None,
        refusal: "",
        source: "a literal secret is not stored, so it cannot be put back",
    },
    reversible("template.timeout"),
    reversible("template.maxInstanceRequestConcurrency"),
    reversible("template.serviceAccount"),
    reversible("template.scaling.minInstanceCount"),
    reversible("template.scaling.maxInstanceCount"),
    reversible(CONNECTOR),
    reversible("template.vpcAccess.egress"),
];

const fn reversible(path: &'static str) -> FieldRule {
    FieldRule {
        path,
        mutability: Mutability::Reversible,
        disruption: None,
        refusal: "",
        source: SOURCE,
    }
}

impl ManagedKind for RunService {
    fn rules(&self) -> &'static Rules {
        &RULES
    }

    fn declared(&self, declared: &Declared, names: &dyn Names) -> Fields {
        let home = Home {
            project: declared.key.project.clone(),
            location: declared.key.location.clone(),
        };
        let mut body = declared.resource.clone();
        let reference = reference(declared);
        if let Some(Value::Object(access)) = body
            .get_mut("template")
            .and_then(|template| template.get_mut("vpcAccess"))
        {
            access.remove("connectorRef");
        }
        let mut fields = live::canonical(&body, &home);
        let target = reference.and_then(|to| names.key(to.kind, &to.name));
        if let Some(key) = target {
            let home = Home {
                project: key.project,
                location: key.location,
            };
            let full = live::connector(&key.name, &home);
            fields.insert(CONNECTOR.to_owned(), full.into());
        }
        if traffic::moves(declared.policy.rollout.as_ref()) {
            fields.insert(traffic::FIELD.to_owned(), traffic::ALL_LATEST.into());
        }
        fields
    }

    fn references(&self, declared: &Declared) -> Vec<Reference> {
        reference(declared).into_iter().collect()
    }

    fn live(&self, raw: Value) -> Present {
        live::present(raw)
    }

    fn derived(&self, live: &Present) -> Fields {
        startup::derived(&live.fields)
    }

    fn export(&self, live: &Present, key: &Key) -> Export {
        export::export(live, key)
    }

    fn refer(&self, resource: &mut Map<String, Value>, manifests: &Manifests) {
        export::refer(resource, manifests);
    }

    fn check(&self, declared: &Declared) -> Vec<Finding> {
        check::check(declared)
    }

    fn redact(&self, body: Value) -> Value {
        secrets::redact(body)
    }

    fn notes(&self, live: Option<&Fields>, declared: &Fields) -> Vec<String> {
        let mut notes = Vec::new();
        let changes = |prefix: &str| {
            declared
                .iter()
                .filter(|(path, _)| path.starts_with(prefix))
                .any(|(path, value)| live.is_none_or(|live| live.get(path) != Some(value)))
        };
        if live.is_some() && changes("template.") {
            notes.push("makes a new revision".to_owned());
        }
        if declared.keys().any(|path| path.ends_with(".valueDigest")) {
            notes.push(
                "a secret stands in the manifest as it is; it is neither shown nor stored, and \
                 cannot be put back: use valueSource.secretKeyRef"
                    .to_owned(),
            );
        }
        notes
    }
}

fn reference(declared: &Declared) -> Option<Reference> {
    let template = declared.resource.get("template")?;
    let name = template["vpcAccess"]["connectorRef"]["name"].as_str()?;
    Some(Reference {
        path: "spec.resource.template.vpcAccess.connectorRef.name".to_owned(),
        kind: Kind::VpcAccessConnector,
        name: name.to_owned(),
    })
}

fn missing_for_create(declared: &Fields) -> Option<&'static str> {
    let image =
        |path: &String| path.starts_with("template.containers[") && path.ends_with("].image");
    if declared.keys().any(image) {
        return None;
    }
    Some("template.containers[].image: Cloud Run starts no container without one")
}

#[cfg(test)]
#[path = "run_service_tests.rs"]
mod tests;
