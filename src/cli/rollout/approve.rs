//! `evenkeel rollout approve`: bound to the plan that waits, by its digest.

use super::ask;
use crate::api::{ConditionType, Reason};
use crate::cli::args::{ApproveArgs, Globals};
use crate::cli::{CliError, Exit, objects, phases};
use crate::core::digest::short;
use crate::core::token::Ask;
use crate::render::live::object;

/// Shortest part of a digest that names a plan: `sha256:` and 12 digits.
const SHORTEST: usize = 19;

/// Approves the plan that waits.
pub fn run(globals: &Globals, args: &ApproveArgs) -> Result<Exit, CliError> {
    if let Some(phase) = phases::named(&args.ask.object) {
        return phases::approve(globals, args, &phase);
    }
    let view = objects::open(globals)?;
    let record = objects::one(&view, &args.ask.object)?;
    let status = &record.status;
    let name = object(record.key.kind, &record.name);
    let reason = status.condition(ConditionType::Ready).map(|c| c.reason);
    let waiting = status
        .plan
        .as_ref()
        .filter(|_| reason == Some(Reason::AwaitingApproval));
    let Some(plan) = waiting else {
        let now = reason.map_or("not looked at yet", Reason::as_str);
        return Err(CliError::new(format!(
            "{name} has no plan that waits for approval ({now})"
        ))
        .hint(format!(
            "`evenkeel rollout status {name}` shows where it stands"
        )));
    };
    if let Some(given) = &args.plan
        && !names(given, &plan.digest)
    {
        return Err(CliError::new(format!(
            "the plan that waits is {}, not {given}",
            short(&plan.digest)
        ))
        .hint("look again with `evenkeel plan`: the manifests or the live state have changed"));
    }
    let ask = Ask::Approve {
        plan: plan.digest.clone(),
    };
    ask::send(&view, &record, &ask, args.ask.no_wait)
}

/// True where what was given is this digest, or enough of it.
pub fn names(given: &str, digest: &str) -> bool {
    let given = match given.strip_prefix("sha256:") {
        Some(_) => given.to_owned(),
        None => format!("sha256:{given}"),
    };
    given.len() >= SHORTEST && digest.starts_with(&given)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_named_by_enough_of_it() {
        let digest = format!("sha256:{}", "0123456789abcdef".repeat(4));
        assert!(names("sha256:0123456789ab", &digest));
        assert!(names("0123456789ab", &digest));
        assert!(names(&digest, &digest));
        assert!(!names("0123", &digest), "too short to be sure");
        assert!(!names("sha256:1123456789ab", &digest));
    }
}
