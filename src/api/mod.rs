//! Declared and reported types: what people write in manifests and read in status.
//!
//! Nothing here does I/O, and nothing here decides: the rules of a kind live in `kinds`, decisions
//! in `core`.

pub mod alert;
pub mod backend_service;
pub mod check;
pub mod condition;
pub mod crd;
pub mod declared;
pub mod document;
pub mod duration;
pub mod envelope;
pub mod event;
pub mod finding;
pub mod health_check;
pub mod key;
pub mod managed_certificate;
pub mod phase;
pub mod probe;
pub mod reference;
pub mod run_service;
pub mod saturation;
pub mod secret;
pub mod sql_instance;
pub mod ssl_certificate;
pub mod status;
pub mod verify;
pub mod vpc_access_connector;

pub use alert::{AlertSeverity, AlertSpec, AlertStatus};
pub use check::{CheckSpec, CheckStatus, NoData, Source};
pub use condition::{Condition, ConditionStatus, ConditionType, Reason};
pub use declared::{Declared, Origin};
pub use document::{Document, DocumentKind};
pub use duration::HumanDuration;
pub use envelope::{
    Approval, Deletion, Drift, ManagedSpec, Manifest, Metadata, OnFailure, Policy, RolloutSpec,
    StepSpec,
};
pub use event::{Event, Subject};
pub use finding::{Finding, Severity};
pub use key::{Key, Kind};
pub use phase::{PhaseSpec, PhaseStatus};
pub use reference::Reference;
pub use saturation::{Saturation, SaturationLevel};
pub use secret::SecretRef;
pub use status::Status;
pub use verify::{Verify, VerifyMode};

/// The API group of every kind.
pub const GROUP: &str = "evenkeel.dev";
/// The only version served so far.
pub const VERSION: &str = "v1alpha1";
/// `apiVersion` as manifests write it.
pub const API_VERSION: &str = "evenkeel.dev/v1alpha1";
