//! Which method of the API a verb and a path mean. Paths are the real ones of vpcaccess v1; v1beta1 is
//! served for reads only.

use http::Method;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    V1,
    V1Beta1,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    ListLocations,
    ListConnectors,
    GetConnector,
    CreateConnector,
    PatchConnector,
    DeleteConnector,
    ListOperations,
    GetOperation,
}

#[derive(Debug, Clone)]
pub(super) struct Route {
    pub version: Version,
    pub call: Call,
    pub project: String,
    /// Empty for the list of locations.
    pub location: String,
    /// The last segment of an item's name; empty for a collection.
    pub id: String,
}

impl Route {
    pub fn find(method: &Method, path: &str) -> Option<Self> {
        let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
        if segments.iter().any(|segment| segment.is_empty()) {
            return None;
        }
        let version = match *segments.first()? {
            "v1" => Version::V1,
            "v1beta1" => Version::V1Beta1,
            _ => return None,
        };
        let (call, project, location, id) = match segments[1..] {
            ["projects", p, "locations"] => (list(method, Call::ListLocations)?, p, "", ""),
            ["projects", p, "locations", l, "connectors"] => (connectors(method)?, p, l, ""),
            ["projects", p, "locations", l, "connectors", c] => (connector(method)?, p, l, c),
            ["projects", p, "locations", l, "operations"] => {
                (list(method, Call::ListOperations)?, p, l, "")
            }
            ["projects", p, "locations", l, "operations", o] => {
                (list(method, Call::GetOperation)?, p, l, o)
            }
            _ => return None,
        };
        let route = Self {
            version,
            call,
            project: project.to_owned(),
            location: location.to_owned(),
            id: id.to_owned(),
        };
        (version == Version::V1 || !route.is_write()).then_some(route)
    }

    pub fn is_write(&self) -> bool {
        matches!(
            self.call,
            Call::CreateConnector | Call::PatchConnector | Call::DeleteConnector
        )
    }

    pub fn is_list(&self) -> bool {
        matches!(
            self.call,
            Call::ListLocations | Call::ListConnectors | Call::ListOperations
        )
    }

    pub fn parent(&self) -> String {
        format!("projects/{}/locations/{}", self.project, self.location)
    }

    pub fn connector_name(&self, id: &str) -> String {
        format!("{}/connectors/{id}", self.parent())
    }

    pub fn operation_name(&self) -> String {
        format!("{}/operations/{}", self.parent(), self.id)
    }

    /// What the request is about, for messages: the item, or the parent of a collection.
    pub fn resource(&self) -> String {
        match self.call {
            Call::ListLocations => format!("projects/{}", self.project),
            Call::ListConnectors | Call::CreateConnector | Call::ListOperations => self.parent(),
            Call::GetConnector | Call::PatchConnector | Call::DeleteConnector => {
                self.connector_name(&self.id)
            }
            Call::GetOperation => self.operation_name(),
        }
    }

    /// The IAM permission, as the "vpcaccess" roles list them.
    pub fn permission(&self) -> &'static str {
        match self.call {
            Call::ListLocations => "vpcaccess.locations.list",
            Call::ListConnectors => "vpcaccess.connectors.list",
            Call::GetConnector => "vpcaccess.connectors.get",
            Call::CreateConnector => "vpcaccess.connectors.create",
            Call::PatchConnector => "vpcaccess.connectors.update",
            Call::DeleteConnector => "vpcaccess.connectors.delete",
            Call::ListOperations => "vpcaccess.operations.list",
            Call::GetOperation => "vpcaccess.operations.get",
        }
    }

    /// The method's full name, as audit logs and operation metadata carry it.
    pub fn method_name(&self) -> &'static str {
        match self.call {
            Call::ListLocations => "google.cloud.location.Locations.ListLocations",
            Call::ListConnectors => "google.cloud.vpcaccess.v1.VpcAccessService.ListConnectors",
            Call::GetConnector => "google.cloud.vpcaccess.v1.VpcAccessService.GetConnector",
            Call::CreateConnector => "google.cloud.vpcaccess.v1.VpcAccessService.CreateConnector",
            Call::PatchConnector => "google.cloud.vpcaccess.v1.VpcAccessService.UpdateConnector",
            Call::DeleteConnector => "google.cloud.vpcaccess.v1.VpcAccessService.DeleteConnector",
            Call::ListOperations => "google.longrunning.Operations.ListOperations",
            Call::GetOperation => "google.longrunning.Operations.GetOperation",
        }
    }

    /// Query parameters of the method besides the standard ones, by JSON name.
    pub fn parameters(&self) -> &'static [&'static str] {
        match self.call {
            Call::ListLocations => &["extraLocationTypes", "filter", "pageSize", "pageToken"],
            Call::ListConnectors => &["pageSize", "pageToken"],
            Call::CreateConnector => &["connectorId"],
            Call::PatchConnector => &["updateMask"],
            Call::GetConnector | Call::DeleteConnector | Call::GetOperation => &[],
            Call::ListOperations => &["filter", "pageSize", "pageToken", "returnPartialSuccess"],
        }
    }
}

fn list(method: &Method, call: Call) -> Option<Call> {
    (method == Method::GET).then_some(call)
}

fn connectors(method: &Method) -> Option<Call> {
    match *method {
        Method::GET => Some(Call::ListConnectors),
        Method::POST => Some(Call::CreateConnector),
        _ => None,
    }
}

fn connector(method: &Method) -> Option<Call> {
    match *method {
        Method::GET => Some(Call::GetConnector),
        Method::PATCH => Some(Call::PatchConnector),
        Method::DELETE => Some(Call::DeleteConnector),
        _ => None,
    }
}
