//! The messages of sqladmin v1: the parts of settings.

use crate::emulator::messages::{Kind, Message, field, many};

const BACKUP_TIER: &[&str] = &[
    "BACKUP_TIER_UNSPECIFIED",
    "STANDARD",
    "ADVANCED",
    "ENHANCED",
];
const TRANSACTIONAL_LOG_STORAGE_STATE: &[&str] = &[
    "TRANSACTIONAL_LOG_STORAGE_STATE_UNSPECIFIED",
    "DISK",
    "SWITCHING_TO_CLOUD_STORAGE",
    "SWITCHED_TO_CLOUD_STORAGE",
    "CLOUD_STORAGE",
];
const RETENTION_UNIT: &[&str] = &["RETENTION_UNIT_UNSPECIFIED", "COUNT"];
const SERVER_CA_MODE: &[&str] = &[
    "CA_MODE_UNSPECIFIED",
    "GOOGLE_MANAGED_INTERNAL_CA",
    "GOOGLE_MANAGED_CAS_CA",
    "CUSTOMER_MANAGED_CAS_CA",
];
const SERVER_CERTIFICATE_ROTATION_MODE: &[&str] = &[
    "SERVER_CERTIFICATE_ROTATION_MODE_UNSPECIFIED",
    "NO_AUTOMATIC_ROTATION",
    "AUTOMATIC_ROTATION_DURING_MAINTENANCE",
];
const SSL_MODE: &[&str] = &[
    "SSL_MODE_UNSPECIFIED",
    "ALLOW_UNENCRYPTED_AND_ENCRYPTED",
    "ENCRYPTED_ONLY",
    "TRUSTED_CLIENT_CERTIFICATE_REQUIRED",
];
const COMPLEXITY: &[&str] = &["COMPLEXITY_UNSPECIFIED", "COMPLEXITY_DEFAULT"];

pub(super) static BACKUP_CONFIGURATION: Message = Message {
    type_name: "google.cloud.sql.v1.BackupConfiguration",
    fields: &[
        field(
            "backupRetentionSettings",
            "backup_retention_settings",
            Kind::Message(&BACKUP_RETENTION_SETTINGS),
        ),
        field(
            "backupTier",
            "backup_tier",
            Kind::Enum(
                "google.cloud.sql.v1.BackupConfiguration.BackupTier",
                BACKUP_TIER,
            ),
        ),
        field("binaryLogEnabled", "binary_log_enabled", Kind::Bool),
        field("enabled", "enabled", Kind::Bool),
        field("kind", "kind", Kind::Text),
        field("location", "location", Kind::Text),
        field(
            "pointInTimeRecoveryEnabled",
            "point_in_time_recovery_enabled",
            Kind::Bool,
        ),
        field(
            "replicationLogArchivingEnabled",
            "replication_log_archiving_enabled",
            Kind::Bool,
        ),
        field("startTime", "start_time", Kind::Text),
        field(
            "transactionLogRetentionDays",
            "transaction_log_retention_days",
            Kind::Int32,
        ),
        field(
            "transactionalLogStorageState",
            "transactional_log_storage_state",
            Kind::Enum(
                "google.cloud.sql.v1.BackupConfiguration.TransactionalLogStorageState",
                TRANSACTIONAL_LOG_STORAGE_STATE,
            ),
        ),
    ],
};

pub(super) static BACKUP_RETENTION_SETTINGS: Message = Message {
    type_name: "google.cloud.sql.v1.BackupRetentionSettings",
    fields: &[
        field("retainedBackups", "retained_backups", Kind::Int32),
        field(
            "retentionUnit",
            "retention_unit",
            Kind::Enum(
                "google.cloud.sql.v1.BackupRetentionSettings.RetentionUnit",
                RETENTION_UNIT,
            ),
        ),
    ],
};

pub(super) static INSIGHTS_CONFIG: Message = Message {
    type_name: "google.cloud.sql.v1.InsightsConfig",
    fields: &[
        field(
            "enhancedQueryInsightsEnabled",
            "enhanced_query_insights_enabled",
            Kind::Bool,
        ),
        field("queryInsightsEnabled", "query_insights_enabled", Kind::Bool),
        field("queryPlansPerMinute", "query_plans_per_minute", Kind::Int32),
        field("queryStringLength", "query_string_length", Kind::Int32),
        field(
            "recordApplicationTags",
            "record_application_tags",
            Kind::Bool,
        ),
        field("recordClientAddress", "record_client_address", Kind::Bool),
    ],
};

pub(super) static IP_CONFIGURATION: Message = Message {
    type_name: "google.cloud.sql.v1.IpConfiguration",
    fields: &[
        field("allocatedIpRange", "allocated_ip_range", Kind::Text),
        many(
            "authorizedNetworks",
            "authorized_networks",
            Kind::Message(&ACL_ENTRY),
        ),
        many(
            "customSubjectAlternativeNames",
            "custom_subject_alternative_names",
            Kind::Text,
        ),
        field(
            "enablePrivatePathForGoogleCloudServices",
            "enable_private_path_for_google_cloud_services",
            Kind::Bool,
        ),
        field("ipv4Enabled", "ipv4_enabled", Kind::Bool),
        field("privateNetwork", "private_network", Kind::Text),
        field("pscConfig", "psc_config", Kind::Open),
        field("requireSsl", "require_ssl", Kind::Bool),
        field(
            "serverCaMode",
            "server_ca_mode",
            Kind::Enum(
                "google.cloud.sql.v1.IpConfiguration.ServerCaMode",
                SERVER_CA_MODE,
            ),
        ),
        field("serverCaPool", "server_ca_pool", Kind::Text),
        field(
            "serverCertificateRotationMode",
            "server_certificate_rotation_mode",
            Kind::Enum(
                "google.cloud.sql.v1.IpConfiguration.ServerCertificateRotationMode",
                SERVER_CERTIFICATE_ROTATION_MODE,
            ),
        ),
        field(
            "sslMode",
            "ssl_mode",
            Kind::Enum("google.cloud.sql.v1.IpConfiguration.SslMode", SSL_MODE),
        ),
    ],
};

pub(super) static ACL_ENTRY: Message = Message {
    type_name: "google.cloud.sql.v1.AclEntry",
    fields: &[
        field("expirationTime", "expiration_time", Kind::Text),
        field("kind", "kind", Kind::Text),
        field("name", "name", Kind::Text),
        field("value", "value", Kind::Text),
    ],
};

pub(super) static PASSWORD_VALIDATION_POLICY: Message = Message {
    type_name: "google.cloud.sql.v1.PasswordValidationPolicy",
    fields: &[
        field(
            "complexity",
            "complexity",
            Kind::Enum(
                "google.cloud.sql.v1.PasswordValidationPolicy.Complexity",
                COMPLEXITY,
            ),
        ),
        field(
            "disallowCompromisedCredentials",
            "disallow_compromised_credentials",
            Kind::Bool,
        ),
        field(
            "disallowUsernameSubstring",
            "disallow_username_substring",
            Kind::Bool,
        ),
        field("enablePasswordPolicy", "enable_password_policy", Kind::Bool),
        field("minLength", "min_length", Kind::Int32),
        field(
            "passwordChangeInterval",
            "password_change_interval",
            Kind::Text,
        ),
        field("reuseInterval", "reuse_interval", Kind::Int32),
    ],
};

pub(super) static DATA_CACHE_CONFIG: Message = Message {
    type_name: "google.cloud.sql.v1.DataCacheConfig",
    fields: &[field("dataCacheEnabled", "data_cache_enabled", Kind::Bool)],
};

pub(super) static ADVANCED_MACHINE_FEATURES: Message = Message {
    type_name: "google.cloud.sql.v1.AdvancedMachineFeatures",
    fields: &[field("threadsPerCore", "threads_per_core", Kind::Int32)],
};
