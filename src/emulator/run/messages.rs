//! The messages of run v2: services, revisions and what clients see of their state.

use super::container::CONTAINER;
use super::template::{REVISION_SCALING, REVISION_TEMPLATE, VOLUME, VPC_ACCESS};
use crate::emulator::enum_numbers::NO_NAME;
use crate::emulator::messages::{Kind, Message, field, many};

const FUNCTIONAL_TYPE: &[&str] = &[
    "FUNCTIONAL_TYPE_UNSPECIFIED",
    "FUNCTIONAL_TYPE_AGENT",
    "FUNCTIONAL_TYPE_MCP_SERVER",
];
const INGRESS: &[&str] = &[
    "INGRESS_TRAFFIC_UNSPECIFIED",
    "INGRESS_TRAFFIC_ALL",
    "INGRESS_TRAFFIC_INTERNAL_ONLY",
    "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER",
    "INGRESS_TRAFFIC_NONE",
];
const LAUNCH_STAGE: &[&str] = &[
    "LAUNCH_STAGE_UNSPECIFIED",
    "EARLY_ACCESS",
    "ALPHA",
    "BETA",
    "GA",
    "DEPRECATED",
    "UNIMPLEMENTED",
    "PRELAUNCH",
];
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
const SCALING_MODE: &[&str] = &["SCALING_MODE_UNSPECIFIED", "AUTOMATIC", "MANUAL"];
const TYPE: &[&str] = &[
    "TRAFFIC_TARGET_ALLOCATION_TYPE_UNSPECIFIED",
    "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST",
    "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION",
];
const EXECUTION_REASON: &[&str] = &[
    "EXECUTION_REASON_UNDEFINED",
    "JOB_STATUS_SERVICE_POLLING_ERROR",
    "NON_ZERO_EXIT_CODE",
    "CANCELLED",
    "CANCELLING",
    "DELETED",
    "DELAYED_START_PENDING",
    "DELAYED_EXECUTION_EXCEEDING_DURATION_LIMIT",
];
const INSTANCE_REASON: &[&str] = &[
    "INSTANCE_REASON_UNSPECIFIED",
    "INSTANCE_DELETED",
    "INSTANCE_STOPPED",
    "INSTANCE_STOPPING",
    "INSTANCE_NON_ZERO_EXIT_CODE",
];
const REASON: &[&str] = &[
    "COMMON_REASON_UNDEFINED",
    "UNKNOWN",
    NO_NAME,
    "REVISION_FAILED",
    "PROGRESS_DEADLINE_EXCEEDED",
    NO_NAME,
    "CONTAINER_MISSING",
    "CONTAINER_PERMISSION_DENIED",
    "CONTAINER_IMAGE_UNAUTHORIZED",
    "CONTAINER_IMAGE_AUTHORIZATION_CHECK_FAILED",
    "ENCRYPTION_KEY_PERMISSION_DENIED",
    "ENCRYPTION_KEY_CHECK_FAILED",
    "SECRETS_ACCESS_CHECK_FAILED",
    "WAITING_FOR_OPERATION",
    "IMMEDIATE_RETRY",
    "POSTPONED_RETRY",
    "INTERNAL",
    "VPC_NETWORK_NOT_FOUND",
];
const REVISION_REASON: &[&str] = &[
    "REVISION_REASON_UNDEFINED",
    "PENDING",
    "RESERVE",
    "RETIRED",
    "RETIRING",
    "RECREATING",
    "HEALTH_CHECK_CONTAINER_ERROR",
    "CUSTOMIZED_PATH_RESPONSE_PENDING",
    "MIN_INSTANCES_NOT_PROVISIONED",
    "ACTIVE_REVISION_LIMIT_REACHED",
    "NO_DEPLOYMENT",
    "HEALTH_CHECK_SKIPPED",
    "MIN_INSTANCES_WARMING",
];
const SEVERITY: &[&str] = &["SEVERITY_UNSPECIFIED", "ERROR", "WARNING", "INFO"];
const STATE: &[&str] = &[
    "STATE_UNSPECIFIED",
    "CONDITION_PENDING",
    "CONDITION_RECONCILING",
    "CONDITION_FAILED",
    "CONDITION_SUCCEEDED",
];

pub(super) static SERVICE: Message = Message {
    type_name: "google.cloud.run.v2.Service",
    fields: &[
        field("annotations", "annotations", Kind::Map(&Kind::Text)),
        field("binaryAuthorization", "binary_authorization", Kind::Open),
        field("buildConfig", "build_config", Kind::Open),
        field("client", "client", Kind::Text),
        field("clientVersion", "client_version", Kind::Text),
        many("conditions", "conditions", Kind::Message(&CONDITION)),
        field("createTime", "create_time", Kind::Text),
        field("creator", "creator", Kind::Text),
        many("customAudiences", "custom_audiences", Kind::Text),
        field("defaultUriDisabled", "default_uri_disabled", Kind::Bool),
        field("deleteTime", "delete_time", Kind::Text),
        field("description", "description", Kind::Text),
        field("etag", "etag", Kind::Text),
        field("expireTime", "expire_time", Kind::Text),
        field(
            "functionalType",
            "functional_type",
            Kind::Enum(
                "google.cloud.run.v2.Service.FunctionalType",
                FUNCTIONAL_TYPE,
            ),
        ),
        field("generation", "generation", Kind::Int64),
        field("iapEnabled", "iap_enabled", Kind::Bool),
        field(
            "ingress",
            "ingress",
            Kind::Numbered("google.cloud.run.v2.IngressTraffic", INGRESS),
        ),
        field("invokerIamDisabled", "invoker_iam_disabled", Kind::Bool),
        field("labels", "labels", Kind::Map(&Kind::Text)),
        field("lastModifier", "last_modifier", Kind::Text),
        field(
            "latestCreatedRevision",
            "latest_created_revision",
            Kind::Text,
        ),
        field("latestReadyRevision", "latest_ready_revision", Kind::Text),
        field(
            "launchStage",
            "launch_stage",
            Kind::Numbered("google.api.LaunchStage", LAUNCH_STAGE),
        ),
        field("multiRegionSettings", "multi_region_settings", Kind::Open),
        field("name", "name", Kind::Text),
        field("observedGeneration", "observed_generation", Kind::Int64),
        field("reconciling", "reconciling", Kind::Bool),
        field("satisfiesPzs", "satisfies_pzs", Kind::Bool),
        field("scaling", "scaling", Kind::Message(&SERVICE_SCALING)),
        field("sshEnabled", "ssh_enabled", Kind::Bool),
        field("template", "template", Kind::Message(&REVISION_TEMPLATE)),
        field(
            "terminalCondition",
            "terminal_condition",
            Kind::Message(&CONDITION),
        ),
        field(
            "threatDetectionEnabled",
            "threat_detection_enabled",
            Kind::Bool,
        ),
        many("traffic", "traffic", Kind::Message(&TRAFFIC_TARGET)),
        many(
            "trafficStatuses",
            "traffic_statuses",
            Kind::Message(&TRAFFIC_TARGET_STATUS),
        ),
        field("uid", "uid", Kind::Text),
        field("updateTime", "update_time", Kind::Text),
        field("uri", "uri", Kind::Text),
        many("urls", "urls", Kind::Text),
    ],
};

pub(super) static LIST_SERVICES_RESPONSE: Message = Message {
    type_name: "google.cloud.run.v2.ListServicesResponse",
    fields: &[
        field("nextPageToken", "next_page_token", Kind::Text),
        many("services", "services", Kind::Message(&SERVICE)),
        many("unreachable", "unreachable", Kind::Text),
    ],
};

pub(super) static REVISION: Message = Message {
    type_name: "google.cloud.run.v2.Revision",
    fields: &[
        field("ambientNetworking", "ambient_networking", Kind::Open),
        field("annotations", "annotations", Kind::Map(&Kind::Text)),
        field("client", "client", Kind::Text),
        field("clientVersion", "client_version", Kind::Text),
        many("conditions", "conditions", Kind::Message(&CONDITION)),
        many("containerStatuses", "container_statuses", Kind::Open),
        many("containers", "containers", Kind::Message(&CONTAINER)),
        field("createTime", "create_time", Kind::Text),
        field("creator", "creator", Kind::Text),
        field("deleteTime", "delete_time", Kind::Text),
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
        field("etag", "etag", Kind::Text),
        field(
            "executionEnvironment",
            "execution_environment",
            Kind::Numbered(
                "google.cloud.run.v2.ExecutionEnvironment",
                EXECUTION_ENVIRONMENT,
            ),
        ),
        field("expireTime", "expire_time", Kind::Text),
        field("generation", "generation", Kind::Int64),
        field(
            "gpuZonalRedundancyDisabled",
            "gpu_zonal_redundancy_disabled",
            Kind::Bool,
        ),
        field("labels", "labels", Kind::Map(&Kind::Text)),
        field(
            "launchStage",
            "launch_stage",
            Kind::Numbered("google.api.LaunchStage", LAUNCH_STAGE),
        ),
        field("logUri", "log_uri", Kind::Text),
        field(
            "maxInstanceRequestConcurrency",
            "max_instance_request_concurrency",
            Kind::Int32,
        ),
        field("name", "name", Kind::Text),
        field("nodeSelector", "node_selector", Kind::Open),
        field("observedGeneration", "observed_generation", Kind::Int64),
        field("reconciling", "reconciling", Kind::Bool),
        field("sandboxes", "sandboxes", Kind::Open),
        field("satisfiesPzs", "satisfies_pzs", Kind::Bool),
        field("scaling", "scaling", Kind::Message(&REVISION_SCALING)),
        field("scalingStatus", "scaling_status", Kind::Open),
        field("service", "service", Kind::Text),
        field("serviceAccount", "service_account", Kind::Text),
        field("serviceMesh", "service_mesh", Kind::Open),
        field("sessionAffinity", "session_affinity", Kind::Bool),
        field("timeout", "timeout", Kind::Text),
        field("uid", "uid", Kind::Text),
        field("updateTime", "update_time", Kind::Text),
        many("volumes", "volumes", Kind::Message(&VOLUME)),
        field("vpcAccess", "vpc_access", Kind::Message(&VPC_ACCESS)),
        field(
            "workloadIdentityConfig",
            "workload_identity_config",
            Kind::Open,
        ),
    ],
};

pub(super) static LIST_REVISIONS_RESPONSE: Message = Message {
    type_name: "google.cloud.run.v2.ListRevisionsResponse",
    fields: &[
        field("nextPageToken", "next_page_token", Kind::Text),
        many("revisions", "revisions", Kind::Message(&REVISION)),
    ],
};

pub(super) static SERVICE_SCALING: Message = Message {
    type_name: "google.cloud.run.v2.ServiceScaling",
    fields: &[
        field("manualInstanceCount", "manual_instance_count", Kind::Int32),
        field("maxInstanceCount", "max_instance_count", Kind::Int32),
        field("minInstanceCount", "min_instance_count", Kind::Int32),
        field(
            "scalingMode",
            "scaling_mode",
            Kind::Numbered(
                "google.cloud.run.v2.ServiceScaling.ScalingMode",
                SCALING_MODE,
            ),
        ),
    ],
};

pub(super) static TRAFFIC_TARGET: Message = Message {
    type_name: "google.cloud.run.v2.TrafficTarget",
    fields: &[
        field("percent", "percent", Kind::Int32),
        field("revision", "revision", Kind::Text),
        field("tag", "tag", Kind::Text),
        field(
            "type",
            "type",
            Kind::Numbered("google.cloud.run.v2.TrafficTargetAllocationType", TYPE),
        ),
    ],
};

pub(super) static TRAFFIC_TARGET_STATUS: Message = Message {
    type_name: "google.cloud.run.v2.TrafficTargetStatus",
    fields: &[
        field("percent", "percent", Kind::Int32),
        field("revision", "revision", Kind::Text),
        field("tag", "tag", Kind::Text),
        field(
            "type",
            "type",
            Kind::Numbered("google.cloud.run.v2.TrafficTargetAllocationType", TYPE),
        ),
        field("uri", "uri", Kind::Text),
    ],
};

pub(super) static CONDITION: Message = Message {
    type_name: "google.cloud.run.v2.Condition",
    fields: &[
        field(
            "executionReason",
            "execution_reason",
            Kind::Numbered(
                "google.cloud.run.v2.Condition.ExecutionReason",
                EXECUTION_REASON,
            ),
        ),
        field(
            "instanceReason",
            "instance_reason",
            Kind::Enum(
                "google.cloud.run.v2.Condition.InstanceReason",
                INSTANCE_REASON,
            ),
        ),
        field("lastTransitionTime", "last_transition_time", Kind::Text),
        field("message", "message", Kind::Text),
        field(
            "reason",
            "reason",
            Kind::Numbered("google.cloud.run.v2.Condition.CommonReason", REASON),
        ),
        field(
            "revisionReason",
            "revision_reason",
            Kind::Numbered(
                "google.cloud.run.v2.Condition.RevisionReason",
                REVISION_REASON,
            ),
        ),
        field(
            "severity",
            "severity",
            Kind::Numbered("google.cloud.run.v2.Condition.Severity", SEVERITY),
        ),
        field(
            "state",
            "state",
            Kind::Numbered("google.cloud.run.v2.Condition.State", STATE),
        ),
        field("type", "type", Kind::Text),
    ],
};
