//! The messages of vpcaccess v1, and of the v1beta1 read view.

use crate::emulator::messages::{Kind, Message, field, many};

const STATES: &[&str] = &[
    "STATE_UNSPECIFIED",
    "READY",
    "CREATING",
    "DELETING",
    "ERROR",
    "UPDATING",
];

/// v1beta1 has the fields of v1 and more.
macro_rules! connector_fields {
    ($($more:expr),*) => {
        &[
            field("name", "name", Kind::Text),
            field("network", "network", Kind::Text),
            field("ipCidrRange", "ip_cidr_range", Kind::Text),
            field("subnet", "subnet", Kind::Message(&SUBNET)),
            field("machineType", "machine_type", Kind::Text),
            field("minInstances", "min_instances", Kind::Int32),
            field("maxInstances", "max_instances", Kind::Int32),
            field("minThroughput", "min_throughput", Kind::Int32),
            field("maxThroughput", "max_throughput", Kind::Int32),
            field("state", "state", Kind::Numbered("google.cloud.vpcaccess.v1.Connector.State", STATES)),
            many("connectedProjects", "connected_projects", Kind::Text),
            $($more),*
        ]
    };
}

pub(super) static CONNECTOR: Message = Message {
    type_name: "google.cloud.vpcaccess.v1.Connector",
    fields: connector_fields!(),
};

pub(super) static CONNECTOR_BETA: Message = Message {
    type_name: "google.cloud.vpcaccess.v1beta1.Connector",
    fields: connector_fields!(
        field("createTime", "create_time", Kind::Text),
        field("lastRestartTime", "last_restart_time", Kind::Text)
    ),
};

static SUBNET: Message = Message {
    type_name: "google.cloud.vpcaccess.v1.Connector.Subnet",
    fields: &[
        field("name", "name", Kind::Text),
        field("projectId", "project_id", Kind::Text),
    ],
};

pub(in crate::emulator) static LIST_CONNECTORS: Message = Message {
    type_name: "google.cloud.vpcaccess.v1.ListConnectorsResponse",
    fields: &[
        many("connectors", "connectors", Kind::Message(&CONNECTOR)),
        field("nextPageToken", "next_page_token", Kind::Text),
    ],
};

pub(super) static LIST_CONNECTORS_BETA: Message = Message {
    type_name: "google.cloud.vpcaccess.v1beta1.ListConnectorsResponse",
    fields: &[
        many("connectors", "connectors", Kind::Message(&CONNECTOR_BETA)),
        field("nextPageToken", "next_page_token", Kind::Text),
    ],
};
