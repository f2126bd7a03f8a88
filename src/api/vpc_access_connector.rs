//! `VpcAccessConnector`: the desired fields, under the names of vpcaccess v1.
//!
//! The ranges here end up in `crds/`, so `kubectl` refuses what `evenkeel validate` refuses.
//! Source of the limits: Google, "Connecting to a VPC network" (Serverless VPC Access).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Desired fields of a connector. Throughput is not here: Google derives it from the instances.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": "!has(self.minInstances) || !has(self.maxInstances) || self.minInstances < self.maxInstances",
     "message": "minInstances must be smaller than maxInstances"},
    {"rule": "!(has(self.subnet) && (has(self.network) || has(self.ipCidrRange)))",
     "message": "give subnet, or network with ipCidrRange, not both"}
]))]
pub struct VpcAccessConnectorResource {
    /// Machine type of each instance. Changing it may drop long-running connections.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine_type: Option<MachineType>,
    /// Fewest instances, 2 to 9, below maxInstances. Only grows in place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 2, max = 9))]
    pub min_instances: Option<i32>,
    /// Most instances, 3 to 10, above minInstances. Only grows in place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 3, max = 10))]
    pub max_instances: Option<i32>,
    /// Short name of the VPC network, together with ipCidrRange. Immutable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-validations" = [{"rule": "self == oldSelf", "message": "network is immutable"}]))]
    pub network: Option<String>,
    /// An unused /28 of the network. Immutable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^([0-9]{1,3}\.){3}[0-9]{1,3}/28$"))]
    #[schemars(extend("x-kubernetes-validations" = [{"rule": "self == oldSelf", "message": "ipCidrRange is immutable"}]))]
    pub ip_cidr_range: Option<String>,
    /// An existing dedicated /28 subnet, instead of network and ipCidrRange. Immutable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-validations" = [{"rule": "self == oldSelf", "message": "subnet is immutable"}]))]
    pub subnet: Option<Subnet>,
}

/// The machine types that a connector accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum MachineType {
    #[serde(rename = "f1-micro")]
    F1Micro,
    #[serde(rename = "e2-micro")]
    E2Micro,
    #[serde(rename = "e2-standard-4")]
    E2Standard4,
}

/// An existing subnet that the connector uses alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Subnet {
    /// Short name of the subnet.
    pub name: String,
    /// Project of the subnet (Shared VPC); by default the connector's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
}
