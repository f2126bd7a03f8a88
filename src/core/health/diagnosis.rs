//! On which side the fault lies, from all symptoms together.

use super::{Side, State, Symptom};
use serde::{Deserialize, Serialize};

/// Whose fault it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Classification {
    /// What is below the application fails; what is seen at the application follows from it.
    Infrastructure,
    /// What is below the application is well.
    Application,
    /// Both fail, each for itself.
    Mixed,
    /// The checks do not tell.
    Unknown,
}

impl Classification {
    /// The word for people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Classification::Infrastructure => "infrastructure",
            Classification::Application => "application",
            Classification::Mixed => "mixed",
            Classification::Unknown => "unknown",
        }
    }
}

/// A classification with what it rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagnosis {
    pub classification: Classification,
    /// The argument, in a line.
    pub because: String,
    /// The symptoms that count: the unhealthy ones, else those near a threshold.
    pub evidence: Vec<Symptom>,
}

/// Weighs the symptoms. `None`: nothing is wrong.
///
/// | below the application | the application itself | seen at the application | |
/// | --- | --- | --- | --- |
/// | fails | fails | any | mixed |
/// | fails | - | any | infrastructure |
/// | no failure | fails | any | application |
/// | all pass | - | fails | application |
/// | not all known, or no check | - | fails | unknown |
///
/// Where nothing fails, what is near a threshold is weighed in the same way; where that is nothing
/// either, checks without a verdict make it unknown.
#[must_use]
pub fn diagnose(symptoms: &[Symptom]) -> Option<Diagnosis> {
    let worst = [State::Unhealthy, State::Warning, State::Unknown]
        .into_iter()
        .find(|state| symptoms.iter().any(|symptom| symptom.state == *state))?;
    let evidence: Vec<_> = symptoms
        .iter()
        .filter(|symptom| symptom.state == worst)
        .cloned()
        .collect();
    let (classification, because) = if worst == State::Unknown {
        let text = format!("no verdict of {}", objects(evidence.iter()));
        (Classification::Unknown, text)
    } else {
        weigh(&evidence, symptoms)
    };
    Some(Diagnosis {
        classification,
        because,
        evidence,
    })
}

fn weigh(evidence: &[Symptom], all: &[Symptom]) -> (Classification, String) {
    let speaks = |side: Side| evidence.iter().filter(move |symptom| symptom.side == side);
    let has = |side: Side| speaks(side).next().is_some();
    match (has(Side::Infrastructure), has(Side::Application)) {
        (true, true) => {
            let below = places(speaks(Side::Infrastructure));
            let text =
                format!("{below} below the application, and the application by itself as well");
            (Classification::Mixed, text)
        }
        (true, false) => {
            let mut text = format!("it starts at {}", places(speaks(Side::Infrastructure)));
            if has(Side::Either) {
                let seen = objects(speaks(Side::Either));
                text = format!("{text}; what {seen} shows can follow from that");
            }
            (Classification::Infrastructure, text)
        }
        (false, true) => {
            let text = format!("{} by itself", components(speaks(Side::Application)));
            (Classification::Application, text)
        }
        (false, false) => by_exclusion(all),
    }
}

/// Only symptoms: what is below the application decides.
fn by_exclusion(all: &[Symptom]) -> (Classification, String) {
    let below = || {
        all.iter()
            .filter(|symptom| symptom.side == Side::Infrastructure)
    };
    let silent: Vec<_> = below()
        .filter(|symptom| symptom.state == State::Unknown)
        .collect();
    match (below().count(), silent.is_empty()) {
        (0, _) => {
            let text = "no check looks below the application".to_owned();
            (Classification::Unknown, text)
        }
        (_, false) => {
            let text = format!(
                "{} gives no verdict on what is below the application",
                objects(silent.into_iter())
            );
            (Classification::Unknown, text)
        }
        (checks, true) => {
            let text = format!(
                "what is below it holds: {checks} of {checks} checks, of {}",
                components(below())
            );
            (Classification::Application, text)
        }
    }
}

fn components<'a>(symptoms: impl Iterator<Item = &'a Symptom>) -> String {
    listed(symptoms.map(|symptom| symptom.component.clone()).collect())
}

/// Where what is below the application fails. A request that ends on its way to the application
/// says that much, and not where.
fn places<'a>(symptoms: impl Iterator<Item = &'a Symptom>) -> String {
    let named = symptoms.filter(|symptom| symptom.component != "application");
    match components(named) {
        places if places.is_empty() => "the way to the application".to_owned(),
        places => places,
    }
}

fn objects<'a>(symptoms: impl Iterator<Item = &'a Symptom>) -> String {
    listed(symptoms.map(|symptom| symptom.object.clone()).collect())
}

/// In order, each once: the same symptoms in another order make the same text.
fn listed(mut words: Vec<String>) -> String {
    words.sort();
    words.dedup();
    words.join(", ")
}
