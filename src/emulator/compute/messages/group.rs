//! Network endpoint groups.

use super::one;
use crate::emulator::messages::{Kind, Message};

pub(in crate::emulator::compute) static NETWORK_ENDPOINT_GROUP: Message = Message {
    type_name: "google.cloud.compute.v1.NetworkEndpointGroup",
    fields: &[
        one("annotations", Kind::Map(&Kind::Text)),
        one(
            "appEngine",
            Kind::Message(&NETWORK_ENDPOINT_GROUP_APP_ENGINE),
        ),
        one(
            "cloudFunction",
            Kind::Message(&NETWORK_ENDPOINT_GROUP_CLOUD_FUNCTION),
        ),
        one("cloudRun", Kind::Message(&NETWORK_ENDPOINT_GROUP_CLOUD_RUN)),
        one("creationTimestamp", Kind::Text),
        one("defaultPort", Kind::Int32),
        one("description", Kind::Text),
        one("id", Kind::Int64),
        one("kind", Kind::Text),
        one("name", Kind::Text),
        one("network", Kind::Link),
        one(
            "networkEndpointType",
            Kind::Enum(
                "google.cloud.compute.v1.NetworkEndpointGroup.NetworkEndpointType",
                &[
                    "GCE_VM_IP",
                    "GCE_VM_IP_DEDICATED_BACKEND",
                    "GCE_VM_IP_PORT",
                    "GCE_VM_IP_PORTMAP",
                    "INTERNET_FQDN_PORT",
                    "INTERNET_IP_PORT",
                    "NON_GCP_PRIVATE_IP_PORT",
                    "PRIVATE_SERVICE_CONNECT",
                    "SERVERLESS",
                ],
            ),
        ),
        one("pscData", Kind::Message(&NETWORK_ENDPOINT_GROUP_PSC_DATA)),
        one("pscTargetService", Kind::Text),
        one("region", Kind::Link),
        one("selfLink", Kind::Link),
        one("size", Kind::Int32),
        one("subnetwork", Kind::Link),
        one("zone", Kind::Link),
    ],
};

pub(in crate::emulator::compute) static NETWORK_ENDPOINT_GROUP_APP_ENGINE: Message = Message {
    type_name: "google.cloud.compute.v1.NetworkEndpointGroupAppEngine",
    fields: &[
        one("service", Kind::Text),
        one("urlMask", Kind::Text),
        one("version", Kind::Text),
    ],
};

pub(in crate::emulator::compute) static NETWORK_ENDPOINT_GROUP_CLOUD_FUNCTION: Message = Message {
    type_name: "google.cloud.compute.v1.NetworkEndpointGroupCloudFunction",
    fields: &[one("function", Kind::Text), one("urlMask", Kind::Text)],
};

pub(in crate::emulator::compute) static NETWORK_ENDPOINT_GROUP_CLOUD_RUN: Message = Message {
    type_name: "google.cloud.compute.v1.NetworkEndpointGroupCloudRun",
    fields: &[
        one("service", Kind::Text),
        one("tag", Kind::Text),
        one("urlMask", Kind::Text),
    ],
};

pub(in crate::emulator::compute) static NETWORK_ENDPOINT_GROUP_PSC_DATA: Message = Message {
    type_name: "google.cloud.compute.v1.NetworkEndpointGroupPscData",
    fields: &[
        one("consumerPscAddress", Kind::Text),
        one("producerPort", Kind::Int32),
        one("pscConnectionId", Kind::Int64),
        one(
            "pscConnectionStatus",
            Kind::Enum(
                "google.cloud.compute.v1.NetworkEndpointGroupPscData.PscConnectionStatus",
                &[
                    "ACCEPTED",
                    "CLOSED",
                    "NEEDS_ATTENTION",
                    "PENDING",
                    "REJECTED",
                    "STATUS_UNSPECIFIED",
                ],
            ),
        ),
    ],
};
