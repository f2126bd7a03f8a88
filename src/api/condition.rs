//! Status conditions after kstatus: `kubectl wait --for=condition=Ready`, Flux and Argo CD read
//! them without plugins.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Longest message, in bytes.
pub const MESSAGE_LIMIT: usize = 1024;

/// Types of condition. `Reconciling` and `Stalled` are present only while true.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum ConditionType {
    Ready,
    Reconciling,
    Stalled,
    Drifted,
    /// The declared content was judged by the checks of its rollout. Present only where it has some.
    Verified,
    /// What the resource serves ends soon, or has. Present only while true.
    Expiring,
    /// Of a connector: it carries nearly as much as it can, or soon will. Present only while true.
    Saturated,
    /// Of a Check: what it expects holds.
    Passing,
    /// Of a Check: it is close to failing. Present only while true.
    Warning,
}

/// Kubernetes' three-valued truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ConditionStatus {
    True,
    False,
    Unknown,
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        /// Why a condition is as it is. Stable words: alerts and scripts match on them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum Reason { $($(#[$doc])* $name),+ }

        impl Reason {
            /// Every reason, in the order they are documented.
            pub const ALL: &'static [Reason] = &[$(Reason::$name),+];

            /// The word as it stands in a condition.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Reason::$name => stringify!($name)),+ }
            }
        }
    };
}

reasons! {
    /// Live equals declared.
    UpToDate,
    /// A write or its operation is under way.
    Progressing,
    /// A step landed and must hold for a while.
    Baking,
    /// A person must approve the plan.
    AwaitingApproval,
    /// The rollout stands at a manual pause.
    AwaitingPromotion,
    /// Something that the resource refers to is not ready.
    WaitingForDependency,
    /// A freeze window holds: no step starts.
    WaitingForWindow,
    /// Somebody else's operation runs on the resource.
    WaitingForOperation,
    /// Google or the network failed; the same call is tried again later.
    Retrying,
    /// Writes are off: `suspend`, a pause or observe mode.
    Suspended,
    /// This exact content is held: observed only.
    Held,
    /// Live differs from declared.
    Drifted,
    /// Live equals declared.
    NoDrift,
    /// GCP cannot be read.
    Error,
    /// The manifest is gone and the resource is being deleted.
    Deleting,
    /// The delete waits for the operator's budget of deletes.
    WaitingForBudget,
    /// The delete waits: the resource is in use.
    InUse,
    /// Went back to the last good state after a failed step.
    RolledBack,
    /// The new state was made, and it does not work or a check says that it is not good.
    VerifyFailed,
    /// No verdict of a check came in time: neither forward nor back.
    Inconclusive,
    /// Going back failed too.
    RollbackFailed,
    /// A field would have to go where GCP does not let it go.
    IrreversibleChange,
    /// The resource exists and `adopt` is false.
    AlreadyExists,
    /// GCP refused the content.
    InvalidSpec,
    /// GCP refused the caller.
    PermissionDenied,
    /// Somebody else changed a managed field during a rollout.
    ForeignChange,
    /// A step took longer than its timeout.
    DeadlineExceeded,
    /// It cannot be told whether a call landed.
    AmbiguousOperation,
    /// The same change did not last, three times.
    DiffLoop,
    /// GCP reports the resource itself as broken.
    ResourceFailed,
    /// A person stopped the rollout.
    Aborted,
    /// What the resource serves ends within 30 days.
    ExpiresSoon,
    /// What the resource serves has ended.
    Expired,
    /// It is full within an hour if the traffic goes on growing.
    FillingUp,
    /// It carries at least 80 % of what it can.
    NearCapacity,
    /// It carries at least 95 % of what it can.
    AtCapacity,
    /// A check, or all that a rollout is judged by: everything expected holds.
    ExpectationsMet,
    /// A check: something it expects does not hold.
    ExpectationsMissed,
    /// A check: something that it warns about.
    NearLimit,
    /// A check: its probes bring no samples, or not enough of them yet.
    NoData,
    /// A check: its probes cannot be made.
    ProberError,
    /// An Alert: its receiver takes messages.
    ReceiverAccepts,
    /// An Alert: messages do not get through; they wait.
    ReceiverFails,
    /// An Alert: there was nothing to tell yet.
    NothingTold,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One condition, shaped as `metav1.Condition`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    #[serde(rename = "type")]
    pub kind: ConditionType,
    pub status: ConditionStatus,
    pub reason: Reason,
    /// What, with numbers, and what to do. At most 1 KiB.
    pub message: String,
    /// Moves only when `status` flips.
    pub last_transition_time: Timestamp,
    /// The generation this condition was computed for.
    pub observed_generation: i64,
}
