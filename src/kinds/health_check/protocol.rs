//! The seven protocols of a health check: each has a name, a block and the fields in it.

use crate::api::Declared;
use crate::core::fields::Fields;
use crate::core::rules::Change;
use serde_json::{Value, json};

/// One protocol.
#[derive(Debug)]
pub(super) struct Protocol {
    /// As in `type`.
    pub name: &'static str,
    pub block: &'static str,
    /// Its fields as paths: [`PORT`] and [`SPECIFICATION`] first.
    pub fields: &'static [&'static str],
    /// Google's default port.
    pub port: Option<u16>,
}

/// Places in [`Protocol::fields`].
pub(super) const PORT: usize = 0;
pub(super) const SPECIFICATION: usize = 1;

pub(super) const PROTOCOLS: &[Protocol] = &[
    Protocol {
        name: "TCP",
        block: "tcpHealthCheck",
        fields: &[
            "tcpHealthCheck.port",
            "tcpHealthCheck.portSpecification",
            "tcpHealthCheck.proxyHeader",
            "tcpHealthCheck.request",
            "tcpHealthCheck.response",
        ],
        port: Some(80),
    },
    Protocol {
        name: "SSL",
        block: "sslHealthCheck",
        fields: &[
            "sslHealthCheck.port",
            "sslHealthCheck.portSpecification",
            "sslHealthCheck.proxyHeader",
            "sslHealthCheck.request",
            "sslHealthCheck.response",
        ],
        port: Some(443),
    },
    Protocol {
        name: "HTTP",
        block: "httpHealthCheck",
        fields: &[
            "httpHealthCheck.port",
            "httpHealthCheck.portSpecification",
            "httpHealthCheck.proxyHeader",
            "httpHealthCheck.host",
            "httpHealthCheck.requestPath",
            "httpHealthCheck.response",
        ],
        port: Some(80),
    },
    Protocol {
        name: "HTTPS",
        block: "httpsHealthCheck",
        fields: &[
            "httpsHealthCheck.port",
            "httpsHealthCheck.portSpecification",
            "httpsHealthCheck.proxyHeader",
            "httpsHealthCheck.host",
            "httpsHealthCheck.requestPath",
            "httpsHealthCheck.response",
        ],
        port: Some(443),
    },
    Protocol {
        name: "HTTP2",
        block: "http2HealthCheck",
        fields: &[
            "http2HealthCheck.port",
            "http2HealthCheck.portSpecification",
            "http2HealthCheck.proxyHeader",
            "http2HealthCheck.host",
            "http2HealthCheck.requestPath",
            "http2HealthCheck.response",
        ],
        port: Some(443),
    },
    Protocol {
        name: "GRPC",
        block: "grpcHealthCheck",
        fields: &[
            "grpcHealthCheck.port",
            "grpcHealthCheck.portSpecification",
            "grpcHealthCheck.grpcServiceName",
        ],
        port: None,
    },
    Protocol {
        name: "GRPC_WITH_TLS",
        block: "grpcTlsHealthCheck",
        fields: &[
            "grpcTlsHealthCheck.port",
            "grpcTlsHealthCheck.portSpecification",
            "grpcTlsHealthCheck.grpcServiceName",
        ],
        port: None,
    },
];

impl Protocol {
    /// What Google takes for a field of the block that is left out.
    pub fn defaults(&self, fields: &Fields) -> Vec<(&'static str, Value)> {
        let specification = fields.get(self.fields[SPECIFICATION]);
        let serving = specification.is_some_and(|s| s == "USE_SERVING_PORT");
        let default = |path: &&'static str| {
            let value = match path.rsplit('.').next().unwrap_or_default() {
                "port" => json!(self.port.filter(|_| !serving)?),
                "proxyHeader" => json!("NONE"),
                "requestPath" => json!("/"),
                "portSpecification" => return None,
                _ => json!(""),
            };
            Some((*path, value))
        };
        self.fields.iter().filter_map(default).collect()
    }

    /// The change goes to the serving port while a fixed port is live.
    pub fn leaves_fixed_port(&self, change: &Change<'_>) -> bool {
        let to = change.fields.get(self.fields[SPECIFICATION]);
        let live = change.live.map(|live| &live.raw[self.block]["port"]);
        to.is_some_and(|to| to == "USE_SERVING_PORT") && live.is_some_and(|port| !port.is_null())
    }
}

/// The protocol of a health check: by its type, else by its fields.
pub(super) fn of(fields: &Fields) -> Option<&'static Protocol> {
    match fields.get("type") {
        Some(name) => PROTOCOLS.iter().find(|protocol| *name == protocol.name),
        None => PROTOCOLS.iter().find(|protocol| {
            let mut paths = protocol.fields.iter();
            paths.any(|path| fields.contains_key(*path))
        }),
    }
}

/// The protocols whose blocks a manifest has.
pub(super) fn declared(declared: &Declared) -> Vec<&'static Protocol> {
    let has = |protocol: &&Protocol| declared.resource.contains_key(protocol.block);
    PROTOCOLS.iter().filter(has).collect()
}
