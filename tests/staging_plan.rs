//! The remediation plan in `manifests/staging`: each of its rows holds in the world after the plan, and turns red
//! when the scenario breaks it. docs/remediation-plan.md has the rows.

mod common;

#[path = "staging_plan/book.rs"]
mod book;
#[path = "staging_plan/first.rs"]
mod first;
#[path = "staging_plan/rows.rs"]
mod rows;
#[path = "staging_plan/scene.rs"]
mod scene;
#[path = "staging_plan/settings.rs"]
mod settings;
#[path = "staging_plan/walk.rs"]
mod walk;
