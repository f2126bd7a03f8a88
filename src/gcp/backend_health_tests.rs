//! One call for the groups, one for each group.

use super::super::testing::{Script, client, ok};
use super::*;

#[tokio::test(start_paused = true)]
async fn each_group_is_asked_about() {
    let root = "https://www.googleapis.com/compute/v1/projects/p/zones/z";
    let groups = [
        format!("{root}/instanceGroups/web"),
        format!("{root}/networkEndpointGroups/neg"),
    ];
    let service = json!({"backends": [{"group": groups[0]}, {"group": groups[1]}]});
    let web = json!({"healthStatus": [
        {"instance": format!("{root}/instances/vm-1"), "ipAddress": "10.0.0.2", "healthState": "HEALTHY"},
        {"instance": format!("{root}/instances/vm-2"), "healthState": "UNHEALTHY"},
    ]});
    let neg = json!({"healthStatus": [{"ipAddress": "10.0.0.9", "healthState": "HEALTHY"}]});
    let script = Script::new(vec![ok(&service), ok(&web), ok(&neg)]);
    let health = BackendHealth::new(Arc::new(client(&script)));
    let endpoints = health.endpoints("p", "us-central1", "front").await.unwrap();
    let said: Vec<_> = endpoints
        .iter()
        .map(|one| (one.name.as_str(), one.is_healthy()))
        .collect();
    let wanted = [
        ("instanceGroups/web/vm-1", true),
        ("instanceGroups/web/vm-2", false),
        ("networkEndpointGroups/neg/10.0.0.9", true),
    ];
    assert_eq!(said, wanted);
    let one = "/compute/v1/projects/p/regions/us-central1/backendServices/front";
    let asked = format!("POST {one}/getHealth");
    assert_eq!(script.lines(), [format!("GET {one}"), asked.clone(), asked]);
    let body: Value = serde_json::from_slice(script.requests()[2].body()).unwrap();
    assert_eq!(body, json!({"group": groups[1]}));
}
