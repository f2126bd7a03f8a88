//! Operations, as compute tells them.

use super::{many, one};
use crate::emulator::messages::{Kind, Message};

pub(in crate::emulator::compute) static OPERATION: Message = Message {
    type_name: "google.cloud.compute.v1.Operation",
    fields: &[
        one("clientOperationId", Kind::Text),
        one("creationTimestamp", Kind::Text),
        one("description", Kind::Text),
        one("endTime", Kind::Text),
        one("error", Kind::Open),
        one("httpErrorMessage", Kind::Text),
        one("httpErrorStatusCode", Kind::Int32),
        one("id", Kind::Int64),
        one("insertTime", Kind::Text),
        one("kind", Kind::Text),
        one("name", Kind::Text),
        one("operationGroupId", Kind::Text),
        one("operationType", Kind::Text),
        one("progress", Kind::Int32),
        one("region", Kind::Link),
        one("selfLink", Kind::Link),
        one("startTime", Kind::Text),
        one("status", Kind::Text),
        one("statusMessage", Kind::Text),
        one("targetId", Kind::Int64),
        one("targetLink", Kind::Link),
        one("user", Kind::Text),
        many("warnings", Kind::Open),
        one("zone", Kind::Link),
    ],
};
