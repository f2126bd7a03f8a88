//! The messages of sqladmin v1: instances and operations.

use super::settings::SETTINGS;
use crate::emulator::messages::{Kind, Message, field, many};

const BACKEND_TYPE: &[&str] = &[
    "SQL_BACKEND_TYPE_UNSPECIFIED",
    "FIRST_GEN",
    "SECOND_GEN",
    "EXTERNAL",
];
const DATABASE_CENTER_INTEGRATION: &[&str] = &[
    "DATABASE_CENTER_INTEGRATION_UNSPECIFIED",
    "ENABLED",
    "DISABLED",
];
const INSTANCE_TYPE: &[&str] = &[
    "SQL_INSTANCE_TYPE_UNSPECIFIED",
    "CLOUD_SQL_INSTANCE",
    "ON_PREMISES_INSTANCE",
    "READ_REPLICA_INSTANCE",
    "READ_POOL_INSTANCE",
    "GREEN_INSTANCE",
];
const SQL_NETWORK_ARCHITECTURE: &[&str] = &[
    "SQL_NETWORK_ARCHITECTURE_UNSPECIFIED",
    "NEW_NETWORK_ARCHITECTURE",
    "OLD_NETWORK_ARCHITECTURE",
];
const STATE: &[&str] = &[
    "SQL_INSTANCE_STATE_UNSPECIFIED",
    "RUNNABLE",
    "SUSPENDED",
    "PENDING_DELETE",
    "PENDING_CREATE",
    "MAINTENANCE",
    "FAILED",
    "ONLINE_MAINTENANCE",
    "REPAIRING",
];
const SUSPENSION_REASON: &[&str] = &[
    "SQL_SUSPENSION_REASON_UNSPECIFIED",
    "BILLING_ISSUE",
    "LEGAL_ISSUE",
    "OPERATIONAL_ISSUE",
    "KMS_KEY_ISSUE",
    "PROJECT_ABUSE",
];
const TYPE: &[&str] = &[
    "SQL_IP_ADDRESS_TYPE_UNSPECIFIED",
    "PRIMARY",
    "OUTGOING",
    "PRIVATE",
    "MIGRATED_1ST_GEN",
];
const STATUS: &[&str] = &[
    "SQL_OPERATION_STATUS_UNSPECIFIED",
    "PENDING",
    "RUNNING",
    "DONE",
];
const CODE: &[&str] = &[
    "SQL_API_WARNING_CODE_UNSPECIFIED",
    "REGION_UNREACHABLE",
    "MAX_RESULTS_EXCEEDS_LIMIT",
    "COMPROMISED_CREDENTIALS",
    "INTERNAL_STATE_FAILURE",
];

pub(super) static DATABASE_INSTANCE: Message = Message {
    type_name: "google.cloud.sql.v1.DatabaseInstance",
    fields: &[
        many(
            "availableMaintenanceVersions",
            "available_maintenance_versions",
            Kind::Text,
        ),
        field(
            "backendType",
            "backend_type",
            Kind::Enum(
                "google.cloud.sql.v1.DatabaseInstance.BackendType",
                BACKEND_TYPE,
            ),
        ),
        field("connectionName", "connection_name", Kind::Text),
        field("createTime", "create_time", Kind::Text),
        field("currentDiskSize", "current_disk_size", Kind::Int64),
        field(
            "databaseCenterIntegration",
            "database_center_integration",
            Kind::Enum(
                "google.cloud.sql.v1.DatabaseInstance.DatabaseCenterIntegration",
                DATABASE_CENTER_INTEGRATION,
            ),
        ),
        field(
            "databaseCenterIntegrationEnabled",
            "database_center_integration_enabled",
            Kind::Bool,
        ),
        field(
            "databaseInstalledVersion",
            "database_installed_version",
            Kind::Text,
        ),
        field("databaseVersion", "database_version", Kind::Text),
        field("deploymentInfo", "deployment_info", Kind::Open),
        field(
            "diskEncryptionConfiguration",
            "disk_encryption_configuration",
            Kind::Open,
        ),
        field("diskEncryptionStatus", "disk_encryption_status", Kind::Open),
        field("dnsName", "dns_name", Kind::Text),
        many("dnsNames", "dns_names", Kind::Open),
        field("etag", "etag", Kind::Text),
        field("failoverReplica", "failover_replica", Kind::Open),
        field("gceZone", "gce_zone", Kind::Text),
        field("geminiConfig", "gemini_config", Kind::Open),
        field(
            "includeReplicasForMajorVersionUpgrade",
            "include_replicas_for_major_version_upgrade",
            Kind::Bool,
        ),
        field(
            "instanceType",
            "instance_type",
            Kind::Enum(
                "google.cloud.sql.v1.DatabaseInstance.InstanceType",
                INSTANCE_TYPE,
            ),
        ),
        many("ipAddresses", "ip_addresses", Kind::Message(&IP_MAPPING)),
        field("ipv6Address", "ipv6_address", Kind::Text),
        field("kind", "kind", Kind::Text),
        field("maintenanceVersion", "maintenance_version", Kind::Text),
        field("masterInstanceName", "master_instance_name", Kind::Text),
        field("maxDiskSize", "max_disk_size", Kind::Int64),
        field("name", "name", Kind::Text),
        field("nodeCount", "node_count", Kind::Int32),
        many("nodes", "nodes", Kind::Open),
        field(
            "onPremisesConfiguration",
            "on_premises_configuration",
            Kind::Open,
        ),
        field("outOfDiskReport", "out_of_disk_report", Kind::Open),
        field("primaryDnsName", "primary_dns_name", Kind::Text),
        field("project", "project", Kind::Text),
        field(
            "pscServiceAttachmentLink",
            "psc_service_attachment_link",
            Kind::Text,
        ),
        field("region", "region", Kind::Text),
        field("replicaConfiguration", "replica_configuration", Kind::Open),
        many("replicaNames", "replica_names", Kind::Text),
        field("replicationCluster", "replication_cluster", Kind::Open),
        field("rootPassword", "root_password", Kind::Text),
        field("satisfiesPzi", "satisfies_pzi", Kind::Bool),
        field("satisfiesPzs", "satisfies_pzs", Kind::Bool),
        field("scheduledMaintenance", "scheduled_maintenance", Kind::Open),
        field("secondaryGceZone", "secondary_gce_zone", Kind::Text),
        field("selfLink", "self_link", Kind::Text),
        field("serverCaCert", "server_ca_cert", Kind::Open),
        field(
            "serviceAccountEmailAddress",
            "service_account_email_address",
            Kind::Text,
        ),
        field("settings", "settings", Kind::Message(&SETTINGS)),
        field("skipPrecheck", "skip_precheck", Kind::Bool),
        field(
            "sqlNetworkArchitecture",
            "sql_network_architecture",
            Kind::Enum(
                "google.cloud.sql.v1.DatabaseInstance.SqlNetworkArchitecture",
                SQL_NETWORK_ARCHITECTURE,
            ),
        ),
        field(
            "state",
            "state",
            Kind::Enum("google.cloud.sql.v1.DatabaseInstance.State", STATE),
        ),
        many(
            "suspensionReason",
            "suspension_reason",
            Kind::Enum(
                "google.cloud.sql.v1.DatabaseInstance.SuspensionReason",
                SUSPENSION_REASON,
            ),
        ),
        field(
            "switchTransactionLogsToCloudStorageEnabled",
            "switch_transaction_logs_to_cloud_storage_enabled",
            Kind::Bool,
        ),
        field("tags", "tags", Kind::Map(&Kind::Text)),
        many(
            "upgradableDatabaseVersions",
            "upgradable_database_versions",
            Kind::Open,
        ),
        field("writeEndpoint", "write_endpoint", Kind::Text),
    ],
};

pub(super) static IP_MAPPING: Message = Message {
    type_name: "google.cloud.sql.v1.IpMapping",
    fields: &[
        field("ipAddress", "ip_address", Kind::Text),
        field("timeToRetire", "time_to_retire", Kind::Text),
        field(
            "type",
            "type",
            Kind::Enum("google.cloud.sql.v1.IpMapping.Type", TYPE),
        ),
    ],
};

pub(super) static INSTANCES_LIST_RESPONSE: Message = Message {
    type_name: "google.cloud.sql.v1.InstancesListResponse",
    fields: &[
        many("items", "items", Kind::Message(&DATABASE_INSTANCE)),
        field("kind", "kind", Kind::Text),
        field("nextPageToken", "next_page_token", Kind::Text),
        many("warnings", "warnings", Kind::Message(&API_WARNING)),
    ],
};

pub(super) static OPERATION: Message = Message {
    type_name: "google.cloud.sql.v1.Operation",
    fields: &[
        field(
            "acquireSsrsLeaseContext",
            "acquire_ssrs_lease_context",
            Kind::Open,
        ),
        field("apiWarning", "api_warning", Kind::Message(&API_WARNING)),
        field("backupContext", "backup_context", Kind::Open),
        field("endTime", "end_time", Kind::Text),
        field("error", "error", Kind::Message(&OPERATION_ERRORS)),
        field("exportContext", "export_context", Kind::Open),
        field("importContext", "import_context", Kind::Open),
        field("insertTime", "insert_time", Kind::Text),
        field("kind", "kind", Kind::Text),
        field("name", "name", Kind::Text),
        field("operationType", "operation_type", Kind::Text),
        field(
            "preCheckMajorVersionUpgradeContext",
            "pre_check_major_version_upgrade_context",
            Kind::Open,
        ),
        field("selfLink", "self_link", Kind::Text),
        field("startTime", "start_time", Kind::Text),
        field(
            "startWorkloadCaptureContext",
            "start_workload_capture_context",
            Kind::Open,
        ),
        field(
            "startWorkloadReplayContext",
            "start_workload_replay_context",
            Kind::Open,
        ),
        field(
            "status",
            "status",
            Kind::Enum("google.cloud.sql.v1.Operation.Status", STATUS),
        ),
        field(
            "stopWorkloadCaptureContext",
            "stop_workload_capture_context",
            Kind::Open,
        ),
        field(
            "stopWorkloadReplayContext",
            "stop_workload_replay_context",
            Kind::Open,
        ),
        field("subOperationType", "sub_operation_type", Kind::Open),
        field("targetId", "target_id", Kind::Text),
        field("targetLink", "target_link", Kind::Text),
        field("targetProject", "target_project", Kind::Text),
        field("user", "user", Kind::Text),
    ],
};

pub(super) static OPERATION_ERRORS: Message = Message {
    type_name: "google.cloud.sql.v1.OperationErrors",
    fields: &[
        many("errors", "errors", Kind::Message(&OPERATION_ERROR)),
        field("kind", "kind", Kind::Text),
    ],
};

pub(super) static OPERATION_ERROR: Message = Message {
    type_name: "google.cloud.sql.v1.OperationError",
    fields: &[
        field("code", "code", Kind::Text),
        field("kind", "kind", Kind::Text),
        field("message", "message", Kind::Text),
    ],
};

pub(super) static OPERATIONS_LIST_RESPONSE: Message = Message {
    type_name: "google.cloud.sql.v1.OperationsListResponse",
    fields: &[
        many("items", "items", Kind::Message(&OPERATION)),
        field("kind", "kind", Kind::Text),
        field("nextPageToken", "next_page_token", Kind::Text),
    ],
};

pub(super) static API_WARNING: Message = Message {
    type_name: "google.cloud.sql.v1.ApiWarning",
    fields: &[
        field(
            "code",
            "code",
            Kind::Enum("google.cloud.sql.v1.ApiWarning.Code", CODE),
        ),
        field("message", "message", Kind::Text),
        field("region", "region", Kind::Text),
    ],
};
