//! The messages of sqladmin v1: the settings of an instance.

use super::parts::{
    ADVANCED_MACHINE_FEATURES, BACKUP_CONFIGURATION, DATA_CACHE_CONFIG, INSIGHTS_CONFIG,
    IP_CONFIGURATION, PASSWORD_VALIDATION_POLICY,
};
use crate::emulator::messages::{Kind, Message, field, many};

const ACTIVATION_POLICY: &[&str] = &[
    "SQL_ACTIVATION_POLICY_UNSPECIFIED",
    "ALWAYS",
    "NEVER",
    "ON_DEMAND",
];
const AVAILABILITY_TYPE: &[&str] = &["SQL_AVAILABILITY_TYPE_UNSPECIFIED", "ZONAL", "REGIONAL"];
const CONNECTOR_ENFORCEMENT: &[&str] = &[
    "CONNECTOR_ENFORCEMENT_UNSPECIFIED",
    "NOT_REQUIRED",
    "REQUIRED",
];
const DATA_API_ACCESS: &[&str] = &[
    "DATA_API_ACCESS_UNSPECIFIED",
    "DISALLOW_DATA_API",
    "ALLOW_DATA_API",
];
const DATA_DISK_TYPE: &[&str] = &[
    "SQL_DATA_DISK_TYPE_UNSPECIFIED",
    "PD_SSD",
    "PD_HDD",
    "OBSOLETE_LOCAL_SSD",
    "HYPERDISK_BALANCED",
];
const EDITION: &[&str] = &[
    "EDITION_UNSPECIFIED",
    "ENTERPRISE",
    "ENTERPRISE_PLUS",
    "DEVELOPER",
];
const PRICING_PLAN: &[&str] = &["SQL_PRICING_PLAN_UNSPECIFIED", "PACKAGE", "PER_USE"];
const REPLICATION_TYPE: &[&str] = &[
    "SQL_REPLICATION_TYPE_UNSPECIFIED",
    "SYNCHRONOUS",
    "ASYNCHRONOUS",
];
const UPDATE_TRACK: &[&str] = &["SQL_UPDATE_TRACK_UNSPECIFIED", "canary", "stable", "week5"];

pub(super) static SETTINGS: Message = Message {
    type_name: "google.cloud.sql.v1.Settings",
    fields: &[
        field(
            "acceleratedReplicaMode",
            "accelerated_replica_mode",
            Kind::Bool,
        ),
        field(
            "activationPolicy",
            "activation_policy",
            Kind::Enum(
                "google.cloud.sql.v1.Settings.ActivationPolicy",
                ACTIVATION_POLICY,
            ),
        ),
        field(
            "activeDirectoryConfig",
            "active_directory_config",
            Kind::Open,
        ),
        field(
            "advancedMachineFeatures",
            "advanced_machine_features",
            Kind::Message(&ADVANCED_MACHINE_FEATURES),
        ),
        many(
            "authorizedGaeApplications",
            "authorized_gae_applications",
            Kind::Text,
        ),
        field("autoUpgradeEnabled", "auto_upgrade_enabled", Kind::Bool),
        field(
            "availabilityType",
            "availability_type",
            Kind::Enum(
                "google.cloud.sql.v1.Settings.AvailabilityType",
                AVAILABILITY_TYPE,
            ),
        ),
        field(
            "backupConfiguration",
            "backup_configuration",
            Kind::Message(&BACKUP_CONFIGURATION),
        ),
        field("collation", "collation", Kind::Text),
        field("connectionPoolConfig", "connection_pool_config", Kind::Open),
        field(
            "connectorEnforcement",
            "connector_enforcement",
            Kind::Enum(
                "google.cloud.sql.v1.Settings.ConnectorEnforcement",
                CONNECTOR_ENFORCEMENT,
            ),
        ),
        field(
            "crashSafeReplicationEnabled",
            "crash_safe_replication_enabled",
            Kind::Bool,
        ),
        field(
            "dataApiAccess",
            "data_api_access",
            Kind::Enum(
                "google.cloud.sql.v1.Settings.DataApiAccess",
                DATA_API_ACCESS,
            ),
        ),
        field(
            "dataCacheConfig",
            "data_cache_config",
            Kind::Message(&DATA_CACHE_CONFIG),
        ),
        field(
            "dataDiskProvisionedIops",
            "data_disk_provisioned_iops",
            Kind::Int64,
        ),
        field(
            "dataDiskProvisionedThroughput",
            "data_disk_provisioned_throughput",
            Kind::Int64,
        ),
        field("dataDiskSizeGb", "data_disk_size_gb", Kind::Int64),
        field(
            "dataDiskType",
            "data_disk_type",
            Kind::Enum("google.cloud.sql.v1.Settings.DataDiskType", DATA_DISK_TYPE),
        ),
        many(
            "databaseFlags",
            "database_flags",
            Kind::Message(&DATABASE_FLAGS),
        ),
        field(
            "databaseReplicationEnabled",
            "database_replication_enabled",
            Kind::Bool,
        ),
        field(
            "deletionProtectionEnabled",
            "deletion_protection_enabled",
            Kind::Bool,
        ),
        many(
            "denyMaintenancePeriods",
            "deny_maintenance_periods",
            Kind::Message(&DENY_MAINTENANCE_PERIOD),
        ),
        field(
            "edition",
            "edition",
            Kind::Enum("google.cloud.sql.v1.Settings.Edition", EDITION),
        ),
        field(
            "enableDataplexIntegration",
            "enable_dataplex_integration",
            Kind::Bool,
        ),
        field(
            "enableGoogleMlIntegration",
            "enable_google_ml_integration",
            Kind::Bool,
        ),
        field("entraidConfig", "entraid_config", Kind::Open),
        field("finalBackupConfig", "final_backup_config", Kind::Open),
        field(
            "insightsConfig",
            "insights_config",
            Kind::Message(&INSIGHTS_CONFIG),
        ),
        field(
            "ipConfiguration",
            "ip_configuration",
            Kind::Message(&IP_CONFIGURATION),
        ),
        field("kind", "kind", Kind::Text),
        field(
            "locationPreference",
            "location_preference",
            Kind::Message(&LOCATION_PREFERENCE),
        ),
        field(
            "maintenanceWindow",
            "maintenance_window",
            Kind::Message(&MAINTENANCE_WINDOW),
        ),
        field(
            "passwordValidationPolicy",
            "password_validation_policy",
            Kind::Message(&PASSWORD_VALIDATION_POLICY),
        ),
        field(
            "performanceCaptureConfig",
            "performance_capture_config",
            Kind::Open,
        ),
        field(
            "pricingPlan",
            "pricing_plan",
            Kind::Enum("google.cloud.sql.v1.Settings.PricingPlan", PRICING_PLAN),
        ),
        field(
            "readPoolAutoScaleConfig",
            "read_pool_auto_scale_config",
            Kind::Open,
        ),
        field(
            "replicationLagMaxSeconds",
            "replication_lag_max_seconds",
            Kind::Int32,
        ),
        field(
            "replicationType",
            "replication_type",
            Kind::Enum(
                "google.cloud.sql.v1.Settings.ReplicationType",
                REPLICATION_TYPE,
            ),
        ),
        field(
            "retainBackupsOnDelete",
            "retain_backups_on_delete",
            Kind::Bool,
        ),
        field("settingsVersion", "settings_version", Kind::Int64),
        field(
            "sqlServerAuditConfig",
            "sql_server_audit_config",
            Kind::Open,
        ),
        field("storageAutoResize", "storage_auto_resize", Kind::Bool),
        field(
            "storageAutoResizeLimit",
            "storage_auto_resize_limit",
            Kind::Int64,
        ),
        field("tier", "tier", Kind::Text),
        field("timeZone", "time_zone", Kind::Text),
        field("userLabels", "user_labels", Kind::Map(&Kind::Text)),
    ],
};

pub(super) static DATABASE_FLAGS: Message = Message {
    type_name: "google.cloud.sql.v1.DatabaseFlags",
    fields: &[
        field("name", "name", Kind::Text),
        field("value", "value", Kind::Text),
    ],
};

pub(super) static LOCATION_PREFERENCE: Message = Message {
    type_name: "google.cloud.sql.v1.LocationPreference",
    fields: &[
        field("followGaeApplication", "follow_gae_application", Kind::Text),
        field("kind", "kind", Kind::Text),
        field("secondaryZone", "secondary_zone", Kind::Text),
        field("zone", "zone", Kind::Text),
    ],
};

pub(super) static MAINTENANCE_WINDOW: Message = Message {
    type_name: "google.cloud.sql.v1.MaintenanceWindow",
    fields: &[
        field("day", "day", Kind::Int32),
        field("hour", "hour", Kind::Int32),
        field("kind", "kind", Kind::Text),
        field(
            "updateTrack",
            "update_track",
            Kind::Enum(
                "google.cloud.sql.v1.MaintenanceWindow.UpdateTrack",
                UPDATE_TRACK,
            ),
        ),
    ],
};

pub(super) static DENY_MAINTENANCE_PERIOD: Message = Message {
    type_name: "google.cloud.sql.v1.DenyMaintenancePeriod",
    fields: &[
        field("endDate", "end_date", Kind::Text),
        field("startDate", "start_date", Kind::Text),
        field("time", "time", Kind::Text),
    ],
};
