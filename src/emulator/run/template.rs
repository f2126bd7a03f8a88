//! The messages of run v2: what a revision is made from.

use super::container::CONTAINER;
use crate::emulator::messages::{Kind, Message, field, many};

const ENCRYPTION_KEY_REVOCATION_ACTION: &[&str] = &[
    "ENCRYPTION_KEY_REVOCATION_ACTION_UNSPECIFIED",
    "PREVENT_NEW",
    "SHUTDOWN",
];
const EXECUTION_ENVIRONMENT: &[&str] = &[
    "EXECUTION_ENVIRONMENT_UNSPECIFIED",
    "EXECUTION_ENVIRONMENT_GEN1",
    "EXECUTION_ENVIRONMENT_GEN2",
];
const EGRESS: &[&str] = &[
    "VPC_EGRESS_UNSPECIFIED",
    "ALL_TRAFFIC",
    "PRIVATE_RANGES_ONLY",
];
const MEDIUM: &[&str] = &["MEDIUM_UNSPECIFIED", "MEMORY", "DISK"];

pub(super) static REVISION_TEMPLATE: Message = Message {
    type_name: "google.cloud.run.v2.RevisionTemplate",
    fields: &[
        field("ambientNetworking", "ambient_networking", Kind::Open),
        field("annotations", "annotations", Kind::Map(&Kind::Text)),
        field("client", "client", Kind::Text),
        field("clientVersion", "client_version", Kind::Text),
        many("containers", "containers", Kind::Message(&CONTAINER)),
        field("encryptionKey", "encryption_key", Kind::Text),
        field(
            "encryptionKeyRevocationAction",
            "encryption_key_revocation_action",
            Kind::Numbered(
                "google.cloud.run.v2.EncryptionKeyRevocationAction",
                ENCRYPTION_KEY_REVOCATION_ACTION,
            ),
        ),
        field(
            "encryptionKeyShutdownDuration",
            "encryption_key_shutdown_duration",
            Kind::Text,
        ),
        field(
            "executionEnvironment",
            "execution_environment",
            Kind::Numbered(
                "google.cloud.run.v2.ExecutionEnvironment",
                EXECUTION_ENVIRONMENT,
            ),
        ),
        field(
            "gpuZonalRedundancyDisabled",
            "gpu_zonal_redundancy_disabled",
            Kind::Bool,
        ),
        field("healthCheckDisabled", "health_check_disabled", Kind::Bool),
        field("labels", "labels", Kind::Map(&Kind::Text)),
        field(
            "maxInstanceRequestConcurrency",
            "max_instance_request_concurrency",
            Kind::Int32,
        ),
        field("nodeSelector", "node_selector", Kind::Open),
        field("revision", "revision", Kind::Text),
        field("sandboxes", "sandboxes", Kind::Open),
        field("scaling", "scaling", Kind::Message(&REVISION_SCALING)),
        field("serviceAccount", "service_account", Kind::Text),
        field("serviceMesh", "service_mesh", Kind::Open),
        field("sessionAffinity", "session_affinity", Kind::Bool),
        field("timeout", "timeout", Kind::Text),
        many("volumes", "volumes", Kind::Message(&VOLUME)),
        field("vpcAccess", "vpc_access", Kind::Message(&VPC_ACCESS)),
        field(
            "workloadIdentityConfig",
            "workload_identity_config",
            Kind::Open,
        ),
    ],
};

pub(super) static REVISION_SCALING: Message = Message {
    type_name: "google.cloud.run.v2.RevisionScaling",
    fields: &[
        field(
            "concurrencyUtilization",
            "concurrency_utilization",
            Kind::Double,
        ),
        field("cpuUtilization", "cpu_utilization", Kind::Double),
        field("maxInstanceCount", "max_instance_count", Kind::Int32),
        field("minInstanceCount", "min_instance_count", Kind::Int32),
    ],
};

pub(super) static VPC_ACCESS: Message = Message {
    type_name: "google.cloud.run.v2.VpcAccess",
    fields: &[
        field("connector", "connector", Kind::Text),
        field(
            "egress",
            "egress",
            Kind::Numbered("google.cloud.run.v2.VpcAccess.VpcEgress", EGRESS),
        ),
        many(
            "networkInterfaces",
            "network_interfaces",
            Kind::Message(&NETWORK_INTERFACE),
        ),
    ],
};

pub(super) static NETWORK_INTERFACE: Message = Message {
    type_name: "google.cloud.run.v2.NetworkInterface",
    fields: &[
        field("network", "network", Kind::Text),
        field("subnetwork", "subnetwork", Kind::Text),
        many("tags", "tags", Kind::Text),
    ],
};

pub(super) static VOLUME: Message = Message {
    type_name: "google.cloud.run.v2.Volume",
    fields: &[
        field(
            "cloudSqlInstance",
            "cloud_sql_instance",
            Kind::Message(&CLOUD_SQL_INSTANCE),
        ),
        field(
            "emptyDir",
            "empty_dir",
            Kind::Message(&EMPTY_DIR_VOLUME_SOURCE),
        ),
        field("filestore", "filestore", Kind::Open),
        field("gcs", "gcs", Kind::Message(&GCSVOLUME_SOURCE)),
        field("name", "name", Kind::Text),
        field("nfs", "nfs", Kind::Message(&NFSVOLUME_SOURCE)),
        field("secret", "secret", Kind::Message(&SECRET_VOLUME_SOURCE)),
    ],
};

pub(super) static CLOUD_SQL_INSTANCE: Message = Message {
    type_name: "google.cloud.run.v2.CloudSqlInstance",
    fields: &[many("instances", "instances", Kind::Text)],
};

pub(super) static EMPTY_DIR_VOLUME_SOURCE: Message = Message {
    type_name: "google.cloud.run.v2.EmptyDirVolumeSource",
    fields: &[
        field(
            "medium",
            "medium",
            Kind::Numbered("google.cloud.run.v2.EmptyDirVolumeSource.Medium", MEDIUM),
        ),
        field("sizeLimit", "size_limit", Kind::Text),
    ],
};

pub(super) static GCSVOLUME_SOURCE: Message = Message {
    type_name: "google.cloud.run.v2.GCSVolumeSource",
    fields: &[
        field("bucket", "bucket", Kind::Text),
        many("mountOptions", "mount_options", Kind::Text),
        field("readOnly", "read_only", Kind::Bool),
    ],
};

pub(super) static NFSVOLUME_SOURCE: Message = Message {
    type_name: "google.cloud.run.v2.NFSVolumeSource",
    fields: &[
        field("path", "path", Kind::Text),
        field("readOnly", "read_only", Kind::Bool),
        field("server", "server", Kind::Text),
    ],
};

pub(super) static SECRET_VOLUME_SOURCE: Message = Message {
    type_name: "google.cloud.run.v2.SecretVolumeSource",
    fields: &[
        field("defaultMode", "default_mode", Kind::Int32),
        many("items", "items", Kind::Message(&VERSION_TO_PATH)),
        field("secret", "secret", Kind::Text),
    ],
};

pub(super) static VERSION_TO_PATH: Message = Message {
    type_name: "google.cloud.run.v2.VersionToPath",
    fields: &[
        field("mode", "mode", Kind::Int32),
        field("path", "path", Kind::Text),
        field("version", "version", Kind::Text),
    ],
};
