//! `evenkeel alert test`: one message to the receiver of an Alert, and its answer.

use super::args::{AlertArgs, AlertTestArgs, AlertVerb};
use super::{CliError, Exit, block_on, load, objects, out};
use crate::alert::{Courier, LivePost, Secrets, Undelivered};
use crate::api::{AlertSpec, Document};
use crate::core::alert::Exchange;
use crate::render;
use crate::source::Set;
use jiff::Timestamp;
use std::sync::Arc;

/// Runs the verb.
pub fn run(args: &AlertArgs) -> Result<Exit, CliError> {
    match &args.verb {
        AlertVerb::Test(args) => test(args),
    }
}

fn test(args: &AlertTestArgs) -> Result<Exit, CliError> {
    let set = load::load_or_explain(&load::inputs(&args.paths), Exit::BadInput)?;
    let alert = named(&set, &args.name, &load::names(&args.paths))?;
    block_on(send(alert, Secrets::new(args.secrets.clone())))
}

fn named<'a>(set: &'a Set, name: &str, paths: &str) -> Result<&'a Document<AlertSpec>, CliError> {
    let mut alerts = set.alerts.iter();
    alerts.find(|alert| alert.name == name).ok_or_else(|| {
        let names = set.alerts.iter().map(|alert| &*alert.name);
        let hint = match objects::nearest(name, names.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if set.alerts.is_empty() => "there is none at all".to_owned(),
            None => format!("there are {}", names.collect::<Vec<_>>().join(", ")),
        };
        CliError::new(format!("there is no Alert `{name}` in {paths}"))
            .hint(hint)
            .exit(Exit::BadInput)
    })
}

async fn send(alert: &Document<AlertSpec>, secrets: Secrets) -> Result<Exit, CliError> {
    let post = LivePost::new().map_err(|error| CliError::new(format!("no transport: {error}")))?;
    let courier = Courier::new(Arc::new(post), secrets);
    let exchange = Exchange::test(alert, Timestamp::now());
    let to = &alert.spec.provider;
    match courier.send(&exchange).await {
        Ok(answer) => {
            out::text(&render::alert::sent(
                &alert.name,
                to,
                answer.status,
                &answer.reply,
            ))?;
            Ok(Exit::Success)
        }
        Err(why) => {
            let receiver = render::alert::receiver(to);
            let what = format!("Alert {}: {receiver} did not take it: {why}", alert.name);
            Err(CliError::new(what).hint(way_out(&why)))
        }
    }
}

fn way_out(why: &Undelivered) -> &'static str {
    match why {
        Undelivered::Unsendable(_) => "correct `spec.provider`, or the place it names",
        Undelivered::NoReply(_) => "is the address right, and can this machine reach it?",
        Undelivered::Answered {
            status: 401 | 403, ..
        } => "is the secret still good?",
        Undelivered::Answered { .. } => {
            "is the address right, and is what the secret holds still good?"
        }
    }
}
