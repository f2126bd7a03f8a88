//! `SqlInstance`: the desired fields of a Cloud SQL instance, under the names of sqladmin v1.
//!
//! The region is `spec.location`. Source of the limits: the sqladmin v1 discovery document.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Desired fields of an instance.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SqlInstanceResource {
    /// Such as `POSTGRES_15`. Immutable here: an upgrade is a project of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database_version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<Settings>,
}

/// Settings of an instance.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Settings {
    /// Machine type, such as db-custom-2-8192. A change restarts the instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    /// The least size of the disk, from 10. A disk that grew by itself is no drift; with
    /// storageAutoResize: false it is the exact size. A disk does not shrink.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 10, max = 65536))]
    pub data_disk_size_gb: Option<i64>,
    /// Whether the disk grows by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_auto_resize: Option<bool>,
    /// Flags of the database by name; a flag that is not here is left alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub database_flags: Vec<DatabaseFlag>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub availability_type: Option<AvailabilityType>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup_configuration: Option<BackupConfiguration>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub insights_config: Option<InsightsConfig>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_configuration: Option<IpConfiguration>,
    /// Labels by key; a key that is not here is left alone.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub user_labels: BTreeMap<String, String>,
    /// While true, Google refuses to delete the instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_protection_enabled: Option<bool>,
}

/// A flag of the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DatabaseFlag {
    pub name: String,
    pub value: String,
}

/// One zone, or two with failover.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AvailabilityType {
    #[serde(rename = "ZONAL")]
    Zonal,
    #[serde(rename = "REGIONAL")]
    Regional,
}

/// Backups of an instance.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BackupConfiguration {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Start of the window in UTC, such as 03:00.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_time: Option<String>,
    /// Where backups are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub point_in_time_recovery_enabled: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binary_log_enabled: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 35))]
    pub transaction_log_retention_days: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup_retention_settings: Option<BackupRetention>,
}

/// How many backups are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BackupRetention {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub retained_backups: Option<i32>,
}

/// Query insights.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InsightsConfig {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query_insights_enabled: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query_plans_per_minute: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query_string_length: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_application_tags: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_client_address: Option<bool>,
}

/// How clients reach the instance.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IpConfiguration {
    /// Whether it has a public address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv4_enabled: Option<bool>,
    /// VPC network of its private address: projects/{project}/global/networks/{network}. Google
    /// restarts the instance to set it, and never takes it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_network: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssl_mode: Option<SslMode>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enable_private_path_for_google_cloud_services: Option<bool>,
    /// Networks that may connect over the public address, by value; one that is not here is left
    /// alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authorized_networks: Vec<AuthorizedNetwork>,
}

/// Which connections the instance takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SslMode {
    #[serde(rename = "ALLOW_UNENCRYPTED_AND_ENCRYPTED")]
    AllowUnencryptedAndEncrypted,
    #[serde(rename = "ENCRYPTED_ONLY")]
    EncryptedOnly,
    #[serde(rename = "TRUSTED_CLIENT_CERTIFICATE_REQUIRED")]
    TrustedClientCertificateRequired,
}

/// A network that may connect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AuthorizedNetwork {
    /// Such as 203.0.113.0/24.
    pub value: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}
