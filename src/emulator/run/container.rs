//! The messages of run v2: containers, their probes and their environment.

use crate::emulator::messages::{Kind, Message, field, many};

pub(super) static CONTAINER: Message = Message {
    type_name: "google.cloud.run.v2.Container",
    fields: &[
        many("args", "args", Kind::Text),
        field("baseImageUri", "base_image_uri", Kind::Text),
        field("buildConfig", "build_config", Kind::Open),
        field("buildInfo", "build_info", Kind::Open),
        many("command", "command", Kind::Text),
        many("dependsOn", "depends_on", Kind::Text),
        many("env", "env", Kind::Message(&ENV_VAR)),
        field("image", "image", Kind::Text),
        field("livenessProbe", "liveness_probe", Kind::Message(&PROBE)),
        field("name", "name", Kind::Text),
        many("ports", "ports", Kind::Message(&CONTAINER_PORT)),
        field("readinessProbe", "readiness_probe", Kind::Message(&PROBE)),
        field(
            "resources",
            "resources",
            Kind::Message(&RESOURCE_REQUIREMENTS),
        ),
        field("sandboxLauncher", "sandbox_launcher", Kind::Bool),
        field("sourceCode", "source_code", Kind::Open),
        field("startupProbe", "startup_probe", Kind::Message(&PROBE)),
        many(
            "volumeMounts",
            "volume_mounts",
            Kind::Message(&VOLUME_MOUNT),
        ),
        field("workingDir", "working_dir", Kind::Text),
    ],
};

pub(super) static CONTAINER_PORT: Message = Message {
    type_name: "google.cloud.run.v2.ContainerPort",
    fields: &[
        field("containerPort", "container_port", Kind::Int32),
        field("name", "name", Kind::Text),
    ],
};

pub(super) static ENV_VAR: Message = Message {
    type_name: "google.cloud.run.v2.EnvVar",
    fields: &[
        field("name", "name", Kind::Text),
        field("value", "value", Kind::Text),
        field(
            "valueSource",
            "value_source",
            Kind::Message(&ENV_VAR_SOURCE),
        ),
    ],
};

pub(super) static ENV_VAR_SOURCE: Message = Message {
    type_name: "google.cloud.run.v2.EnvVarSource",
    fields: &[field(
        "secretKeyRef",
        "secret_key_ref",
        Kind::Message(&SECRET_KEY_SELECTOR),
    )],
};

pub(super) static SECRET_KEY_SELECTOR: Message = Message {
    type_name: "google.cloud.run.v2.SecretKeySelector",
    fields: &[
        field("secret", "secret", Kind::Text),
        field("version", "version", Kind::Text),
    ],
};

pub(super) static PROBE: Message = Message {
    type_name: "google.cloud.run.v2.Probe",
    fields: &[
        field("failureThreshold", "failure_threshold", Kind::Int32),
        field("grpc", "grpc", Kind::Message(&GRPCACTION)),
        field("httpGet", "http_get", Kind::Message(&HTTPGET_ACTION)),
        field("initialDelaySeconds", "initial_delay_seconds", Kind::Int32),
        field("periodSeconds", "period_seconds", Kind::Int32),
        field("tcpSocket", "tcp_socket", Kind::Message(&TCPSOCKET_ACTION)),
        field("timeoutSeconds", "timeout_seconds", Kind::Int32),
    ],
};

pub(super) static GRPCACTION: Message = Message {
    type_name: "google.cloud.run.v2.GRPCAction",
    fields: &[
        field("port", "port", Kind::Int32),
        field("service", "service", Kind::Text),
    ],
};

pub(super) static HTTPGET_ACTION: Message = Message {
    type_name: "google.cloud.run.v2.HTTPGetAction",
    fields: &[
        many("httpHeaders", "http_headers", Kind::Message(&HTTPHEADER)),
        field("path", "path", Kind::Text),
        field("port", "port", Kind::Int32),
    ],
};

pub(super) static HTTPHEADER: Message = Message {
    type_name: "google.cloud.run.v2.HTTPHeader",
    fields: &[
        field("name", "name", Kind::Text),
        field("value", "value", Kind::Text),
    ],
};

pub(super) static TCPSOCKET_ACTION: Message = Message {
    type_name: "google.cloud.run.v2.TCPSocketAction",
    fields: &[field("port", "port", Kind::Int32)],
};

pub(super) static RESOURCE_REQUIREMENTS: Message = Message {
    type_name: "google.cloud.run.v2.ResourceRequirements",
    fields: &[
        field("cpuIdle", "cpu_idle", Kind::Bool),
        field("limits", "limits", Kind::Map(&Kind::Text)),
        field("startupCpuBoost", "startup_cpu_boost", Kind::Bool),
    ],
};

pub(super) static VOLUME_MOUNT: Message = Message {
    type_name: "google.cloud.run.v2.VolumeMount",
    fields: &[
        field("mountPath", "mount_path", Kind::Text),
        field("name", "name", Kind::Text),
        field("subPath", "sub_path", Kind::Text),
    ],
};
