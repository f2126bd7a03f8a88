//! What a measurement means: expressions, statistics, verdicts, and the judgement of a change
//! against what was before it.
//!
//! The way of a number: a prober of the room `check` makes [`Sample`]s, a [`Window`] holds those of
//! one probe, [`Criteria`] turns it into an [`Evaluation`], a [`Standing`] follows evaluations and
//! says Passing, Failing or Unknown, and [`judge`] compares it with the [`Baseline`] taken before a
//! step. Nothing here measures, waits or knows the time.

mod criteria;
pub mod delay;
mod expression;
mod field;
mod format;
mod judge;
mod order;
mod record;
mod sample;
mod standing;
mod stat;
mod status;
mod window;

pub use criteria::{Criteria, Evaluation, Failed, Measured, NoVerdict, Role, Verdict};
pub use expression::{Expression, Misread, Op, Quantity, Unit, Want};
pub use field::{FieldKind, Misfit, MisfitHelp, fields, latency_bound, misfit};
pub use format::seconds;
pub use judge::{Baseline, HoldReason, Judgement, Moment, judge};
pub use order::{implies, is_stricter};
pub use record::CheckRecord;
pub use sample::{Failure, ProberError, ProberFault, Sample, Value};
pub use standing::{RECENT, Standing};
pub use stat::Stat;
pub use status::{last_probe, status, words};
pub use window::Window;
