//! Obeying people. Each token acts once, and none edits the spec.

use super::{Desired, Flow, Run};
use crate::api::Reason;
use crate::api::status::Outcome;
use crate::core::fields::{self, Fields};
use crate::core::observed::Live;
use crate::core::plan;
use crate::core::record::{Purpose, Step};
use crate::core::token::{Ask, Token};

impl<'a> Run<'a> {
    /// Switches act at once, even while a call is under way.
    pub(super) fn obey_switches(&mut self) {
        for token in self.input.tokens {
            match &token.ask {
                Ask::Pause => {
                    self.record.paused = true;
                    self.record.status.last_handled.pause = Some(self.handled(token));
                    self.normal("Paused", "no more writes until resumed");
                }
                Ask::Resume => {
                    self.record.paused = false;
                    super::resumed::restart_step(&mut self.record, self.input.now);
                    self.record.status.last_handled.promote = Some(self.handled(token));
                    self.promote();
                    self.normal("Resumed", "writing again");
                }
                Ask::Approve { plan } => {
                    self.record.approved = Some(plan.clone());
                    self.record.status.last_handled.approve = Some(self.handled(token));
                    self.normal(
                        "Approved",
                        &format!("plan {}", crate::core::digest::short(plan)),
                    );
                }
                Ask::Retry | Ask::Abort | Ask::Undo { .. } => {}
            }
        }
    }

    fn promote(&mut self) {
        let waits = self.record.rollout.as_ref().is_some_and(|rollout| {
            matches!(rollout.steps.get(rollout.step), Some(Step::PauseManual))
        });
        if waits {
            self.advance();
        }
    }

    /// The rest waits until the call that is under way is settled.
    pub(super) fn obey_requests(&mut self) -> Flow {
        for token in self.input.tokens {
            match &token.ask {
                Ask::Retry => self.retry(token),
                Ask::Abort => self.abort(token),
                Ask::Undo { to, fields, why } => self.undo(token, *to, fields, why.as_deref())?,
                Ask::Pause | Ask::Resume | Ask::Approve { .. } => {}
            }
        }
        Flow::Continue(())
    }

    fn retry(&mut self, token: &Token) {
        self.record.status.last_handled.retry = Some(self.handled(token));
        self.record.held = None;
        self.record.retry = None;
        self.record.repeated = None;
        if let Some(desired) = self.input.desired {
            self.record.went_back.retain(|at| at != desired.digest);
        }
        self.normal("Retry", "a person asked to try again");
    }

    fn abort(&mut self, token: &Token) {
        self.record.status.last_handled.abort = Some(self.handled(token));
        let Some(rollout) = self.record.rollout.take() else {
            self.normal("Abort", "nothing to abort: no rollout runs");
            return;
        };
        self.close_history(Outcome::Aborted);
        let message = format!(
            "aborted by a person at {}; what landed stays. Commit other content, or \
             `evenkeel rollout retry` to go on",
            super::rollout::position(&rollout)
        );
        self.hold(&rollout.digest, Reason::Aborted, message, None);
    }

    /// Goes back to a saved revision as far as fields go back, and holds the declared content,
    /// which would otherwise be applied again.
    fn undo(&mut self, token: &Token, to: i64, saved: &Fields, why: Option<&str>) -> Flow {
        let Some(desired) = self.input.desired else {
            self.handled_undo(token);
            self.warn(
                "UndoRefused",
                "the manifest is gone: nothing to go back from",
            );
            return Flow::Continue(());
        };
        self.want_fresh("reading the live state before going back")?;
        let Live::Present(present) = &self.input.observed.live else {
            return Flow::Continue(());
        };
        self.handled_undo(token);
        if self.look(&desired, Some(present)).is_some() {
            let text = "this change makes the new beside the old: commit the former content and it \
                        goes back the same safe way";
            self.warn("UndoRefused", text);
            return Flow::Continue(());
        }
        if self.record.rollout.take().is_some() {
            self.close_history(Outcome::Aborted);
        }
        let saved = fields::restrict(saved, desired.fields);
        let (back, stuck) = plan::way_back(self.input.rules, &saved, &present.fields);
        let stuck: Vec<_> = stuck.iter().map(plan::change_text).collect();
        let because = match why {
            Some(why) => format!("{why}: back to revision {to}"),
            None => format!("a person went back to revision {to}"),
        };
        let mut message = format!(
            "{because}; the manifest is held. Commit other content, or `evenkeel rollout retry` to \
             apply it again"
        );
        if !stuck.is_empty() {
            message = format!("{message}. Cannot go back in place: {}", stuck.join(", "));
        }
        self.hold(desired.digest, Reason::RolledBack, message, Some(to));
        if !back.is_empty() {
            if why.is_some() {
                self.record.go_back_from(desired.digest);
            }
            self.open_undo(&desired, to, &back, &present.fields);
        }
        Flow::Continue(())
    }

    fn open_undo(
        &mut self,
        desired: &Desired<'a>,
        to: i64,
        back: &[crate::api::status::ChangeStatus],
        live: &Fields,
    ) {
        let texts: Vec<_> = back.iter().map(plan::change_text).collect();
        let target = back
            .iter()
            .map(|change| (change.field.clone(), change.to.clone()))
            .collect();
        let prior = fields::restrict(live, desired.fields);
        self.open(
            desired,
            Purpose::Undo { to },
            vec![Step::Set(target)],
            prior,
            texts.join(", "),
        );
    }

    fn handled(&mut self, token: &Token) -> String {
        self.handled.push(token.id.clone());
        token.id.clone()
    }

    fn handled_undo(&mut self, token: &Token) {
        let id = self.handled(token);
        if matches!(&token.ask, Ask::Undo { why: Some(_), .. }) {
            self.record.recalled = Some(id.clone());
        }
        self.record.status.last_handled.rollback_to = Some(id);
    }
}
