//! Credentials against fakes on loopback: token endpoint, impersonation, metadata server.
//!
//! Environment variables are set in child processes only: tests run in parallel.

use axum::{Router, body::Bytes, http::HeaderMap, http::Uri, routing::any};
use evenkeel::core::error::{Fault, FaultKind};
use evenkeel::gcp::auth::{Auth, AuthConfig, GoogleAuth, RELOAD_EVERY};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

/// A key made for this file. It opens nothing.
const KEY: &str = "\
MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQCUgxnfZIPpBEEj\
fzeiBNsHskSo08UOhyQfy1PAbm4ZDIjzPEKovPqVhucUQx13zkAja+86N9J9BxOg\
EiEHUNxO42R0CZECGdiTlZ4NjgiRJpT5KEEA4BKG5+Krr4oPE0VDk5hfzw7Jk/6/\
s5soYAM1/1Pw20C5GojtSGArFzza0sEZsJN+ZLWPDZsBC9xTrRWvUcLFyP6U/PQ5\
jir8k5+nAFARUMPq7+hqBIGt5ZjitgFVolYmJZF7aEPaqMsBA6VaMTyI5+JoMOxB\
rz9Kulkrxn8sVHO9QbTBV0Jv24iHcoVjywsjWvce+c9gtmshk59FbmCbKCrHEiU/\
ymH3DPdBAgMBAAECggEABdqJsAefDWsIrZSrmtwUeAqw8HNHE/Sur1QignYNKo6X\
F/ia61oQ3x5DSHCsHiydKZLtCdSTxtrQYrb5jKIayj87QTmeo2sPts18aS4H12oi\
ZWm5RNwQJDd1Se1wLyTuziQ+AB9ssUmp47YkGk931kPbSVCTDgNmPJgQNlKYUvWm\
m1S5xJN8Heq3Zc5XQVFMBZUQGyURJd59nhoACNM3bwBGSbdzoqVd71OTlsrKe6Z/\
ahjazABEt3SZW3iSwijDl4m96tgWoNm0niGSCiltL4gni6grwCoWMY9kaxIidfxM\
CXbZmNncznvFZd+krMUXYn2HPFAJGChoa8m+XK6bEwKBgQDKiaBaZXKDUZf/vcED\
uXcaeFs9RVkHl1WIZPbEQbpk/WE3fllPx0S21iVDgIBBaHCis+51cApwsLtnpxZT\
JHBaiik6+bmeDRxBpBejJxGhiWIDIGQxXQdN+6m9s/cqdbC5OxJPQ1ihRP1S+Ak8\
pXJYYjNyGUp8ypqiOAvNqDg11wKBgQC7trrvWe7GSx5/JfvWmsinRQ9tYe3yCsFB\
Y3yMICgbLP7AX4ZbzMFJIOUMfXdzSCjjOOhMHtXEcDqUaSkqNTAZHZAcuLiNPFeY\
6KkmmK/NQm1MDMJqrXqJB+MA2Qon2RgQh+enNWgyorZIeyN9TAnfjEaae8s0w4xh\
uosUkkHopwKBgQCeTePfw9s1eNjtM0thtdy5+8iUo1dq74YTDZcy3ozp0oHh9geo\
q3+xyL9ne1DDzvX6tdh0QhZm7jwMUDTK13hZzBNd3UKPnn+vbqprA2ZsdAz/lJm7\
W5MSCNorRDa0ITj4DovJGEJ2Co5WAzh1BnvRSTAcxlfKIjGrCVNwc0M8EQKBgDUo\
TxG+9wZCeZVqLUIdvRrZTMAeDmMPtqCMytVnudPQTygtJQBUIJxT62k5Ep2b3rBS\
Cj6cMM8bNQuYKCcivsct/wSTLvgYEXpk0Jn0fTx0Rj1WE6xgCiZKDHfN/rlAGjd8\
NRa94g8M0u/9pxQxd05ODCRtUCNWCSgXypD9xhpbAoGBAIhUL5NWMyqEEcU364XJ\
kNvYHD4onpWkrAI6Y0UmTVKsFLdzUcTksf1wViOVcL8/pCN21iKzDpT6g7sUNAeL\
+zP8OwG7/KP2EVPU8HIh5LU5tzW24NSHm9h8L0sUPCXZ7qX95rfNQS4/Z/hztKg8\
8HV7STgA+DsKBbuY95NQ2WKm";

/// What the fake saw: path with query, body, and whether the caller said it wants metadata.
type Seen = Arc<Mutex<Vec<(String, String, bool)>>>;

/// A fake of Google's token services. Answers with the given status codes first, then with 200.
async fn fake(refusals: &[u16]) -> (SocketAddr, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Seen::default();
    let (log, refusals) = (
        Arc::clone(&seen),
        Mutex::new(VecDeque::from(refusals.to_vec())),
    );
    let refusals = Arc::new(refusals);
    let handler = any(move |uri: Uri, headers: HeaderMap, body: Bytes| {
        let flavor = headers
            .get("metadata-flavor")
            .is_some_and(|v| v == "Google");
        let body = String::from_utf8_lossy(&body).into_owned();
        log.lock().unwrap().push((uri.to_string(), body, flavor));
        let status = refusals.lock().unwrap().pop_front().unwrap_or(200);
        async move {
            let answer = match status {
                200 => json!({"access_token": "canary-token", "token_type": "Bearer",
                    "expires_in": 3600, "accessToken": "canary-impersonated",
                    "expireTime": "2099-01-01T00:00:00Z"}),
                _ => json!({"error": "invalid_grant", "refresh_token": "canary-refresh"}),
            };
            (
                axum::http::StatusCode::from_u16(status).unwrap(),
                answer.to_string(),
            )
        }
    });
    let router = Router::new().fallback_service(handler);
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, seen)
}

fn user(address: SocketAddr) -> Value {
    json!({"type": "authorized_user", "client_id": "i", "client_secret": "canary-secret",
        "refresh_token": "canary-refresh", "token_uri": format!("http://{address}/token")})
}

fn service_account(key: &str) -> Value {
    json!({"type": "service_account", "client_email": "sa@p.iam.gserviceaccount.com",
        "private_key_id": "k", "project_id": "p", "private_key": key,
        "token_uri": "http://127.0.0.1:1/token"})
}

fn pem() -> String {
    [
        "-----BEGIN",
        " PRIVATE KEY-----\n",
        KEY,
        "\n-----END",
        " PRIVATE KEY-----\n",
    ]
    .concat()
}

async fn headers(json: Value, config: AuthConfig) -> Result<HeaderMap, Fault> {
    GoogleAuth::from_json(json, config)?.headers().await
}

fn with_quota() -> AuthConfig {
    AuthConfig {
        quota_project: Some("payer".to_owned()),
        ..AuthConfig::default()
    }
}

#[tokio::test]
async fn a_logged_in_user() {
    let (address, seen) = fake(&[]).await;
    let headers = headers(user(address), with_quota()).await.unwrap();
    assert_eq!(headers["authorization"], "Bearer canary-token");
    assert_eq!(headers["x-goog-user-project"], "payer");
    assert!(headers["authorization"].is_sensitive());
    assert!(!format!("{headers:?}").contains("canary"));
    assert!(seen.lock().unwrap()[0].1.contains("canary-refresh"));
}

#[tokio::test]
async fn a_service_account_key_signs_its_own_token() {
    let headers = headers(service_account(&pem()), with_quota())
        .await
        .unwrap();
    let token = headers["authorization"].to_str().unwrap();
    assert!(token.starts_with("Bearer eyJ"), "{token}");
    assert_eq!(headers["x-goog-user-project"], "payer");
}

#[tokio::test]
async fn an_impersonating_file() {
    let (address, seen) = fake(&[]).await;
    let url = format!("http://{address}/v1/projects/-/serviceAccounts/sa@p:generateAccessToken");
    let json = json!({"type": "impersonated_service_account",
        "service_account_impersonation_url": url, "source_credentials": user(address)});
    let headers = headers(json, AuthConfig::default()).await.unwrap();
    assert_eq!(headers["authorization"], "Bearer canary-impersonated");
    let seen = seen.lock().unwrap();
    assert!(
        seen.iter()
            .any(|(path, _, _)| path.ends_with("sa@p:generateAccessToken"))
    );
}

#[tokio::test]
async fn impersonation_names_both_sides_and_prints_no_secret() {
    let (address, _) = fake(&[]).await;
    let config = AuthConfig {
        impersonate: Some("sa@p.iam.gserviceaccount.com".to_owned()),
        ..with_quota()
    };
    let auth = GoogleAuth::from_json(user(address), config).unwrap();
    let shown = format!("{auth:?}");
    assert!(
        shown.contains("sa@p.iam.gserviceaccount.com, impersonated by"),
        "{shown}"
    );
    assert!(!shown.contains("canary"));
    for account in ["sa", "a@b/../../x", "a@b?x=y", ""] {
        let config = AuthConfig {
            impersonate: Some(account.to_owned()),
            ..AuthConfig::default()
        };
        let fault = GoogleAuth::from_json(user(address), config).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Denied, "{account}");
    }
}

#[tokio::test]
async fn unusable_content_is_denied_with_what_to_do() {
    let broken = format!("-----BEGIN{} canary-key", " PRIVATE KEY-----");
    for json in [
        json!({}),
        json!({"type": "nonsense", "secret": "canary"}),
        json!({"type": "authorized_user", "client_secret": "canary"}),
        json!({"type": "service_account", "private_key": "canary"}),
        service_account(&broken),
    ] {
        let fault = headers(json.clone(), AuthConfig::default())
            .await
            .unwrap_err();
        assert_eq!(fault.kind, FaultKind::Denied, "{json}");
        assert!(
            fault
                .message
                .contains("gcloud auth application-default login")
        );
        assert!(!fault.message.contains("canary"), "{}", fault.message);
    }
}

#[tokio::test]
async fn a_file_is_named_when_it_is_missing_or_broken() {
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.json");
    std::fs::write(&broken, "canary").unwrap();
    for path in [folder.path().join("missing.json"), broken] {
        let config = AuthConfig {
            file: Some(path.clone()),
            ..AuthConfig::default()
        };
        let fault = GoogleAuth::load(config).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Denied);
        assert!(
            fault.message.contains(&*path.to_string_lossy()),
            "{}",
            fault.message
        );
        assert!(!fault.message.contains("canary"));
    }
}

#[tokio::test]
async fn an_outage_is_waited_for() {
    let (address, _) = fake(&[503]).await;
    let fault = headers(user(address), AuthConfig::default())
        .await
        .unwrap_err();
    assert!(
        matches!(fault.kind, FaultKind::Throttled { after: Some(_) }),
        "{fault:?}"
    );
    assert!(!fault.message.contains("canary"), "{}", fault.message);
}

#[tokio::test]
async fn a_refusal_is_final_only_until_the_next_load() {
    let (address, _) = fake(&[400]).await;
    let auth = GoogleAuth::from_json(user(address), AuthConfig::default()).unwrap();
    for _ in 0..2 {
        let fault = auth.headers().await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Denied);
        assert!(
            fault
                .message
                .contains("gcloud auth application-default login")
        );
        assert!(!fault.message.contains("canary"), "{}", fault.message);
    }
    tokio::time::pause();
    tokio::time::advance(RELOAD_EVERY).await;
    tokio::time::resume();
    assert!(auth.headers().await.is_ok());
}

const CHILD: &str = "EVENKEEL_TEST_CHILD";

/// Runs [`child`] with a clean set of variables and returns what it printed.
async fn in_child(variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["child", "--exact", "--nocapture"])
        .env(CHILD, "1");
    for name in [
        "GOOGLE_APPLICATION_CREDENTIALS",
        "CLOUDSDK_CONFIG",
        "GCE_METADATA_HOST",
        "HOME",
    ] {
        command.env_remove(name);
    }
    command.envs(variables.iter().copied());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// Not a test of its own: the body of the child processes of this file.
#[tokio::test]
async fn child() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    match GoogleAuth::load(AuthConfig::default()) {
        Ok(auth) => match auth.headers().await {
            Ok(headers) => println!("token={}", headers["authorization"].to_str().unwrap()),
            Err(fault) => println!("fault={:?} {fault}", fault.kind),
        },
        Err(fault) => println!("unusable={fault}"),
    }
}

#[tokio::test]
async fn default_credentials_from_the_metadata_server() {
    let (address, seen) = fake(&[]).await;
    let said = in_child(&[("GCE_METADATA_HOST", &address.to_string())]).await;
    assert!(said.contains("token=Bearer canary-token"), "{said}");
    let seen = seen.lock().unwrap();
    let (path, _, flavor) = &seen[0];
    let start = "/computeMetadata/v1/instance/service-accounts/default/token?scopes=";
    assert!(path.starts_with(start) && *flavor, "{path}");
}

#[tokio::test]
async fn default_credentials_from_files() {
    let (address, _) = fake(&[]).await;
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &Path| {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, user(address).to_string()).unwrap();
    };
    let root = folder.path();
    let (named, home, config) = (
        root.join("named.json"),
        root.join("home"),
        root.join("config"),
    );
    write(&named);
    write(&home.join(".config/gcloud/application_default_credentials.json"));
    write(&config.join("application_default_credentials.json"));
    for (variable, path) in [
        ("GOOGLE_APPLICATION_CREDENTIALS", &named),
        ("HOME", &home),
        ("CLOUDSDK_CONFIG", &config),
    ] {
        let said = in_child(&[(variable, path.to_str().unwrap())]).await;
        assert!(
            said.contains("token=Bearer canary-token"),
            "{variable}: {said}"
        );
    }
    let missing = root.join("missing.json");
    let said = in_child(&[
        ("GOOGLE_APPLICATION_CREDENTIALS", missing.to_str().unwrap()),
        ("CLOUDSDK_CONFIG", config.to_str().unwrap()),
    ])
    .await;
    assert!(
        said.contains("unusable=NO_CREDENTIALS") && said.contains("missing.json"),
        "{said}"
    );
}

#[tokio::test]
async fn no_metadata_server_is_an_outage() {
    let said = in_child(&[("GCE_METADATA_HOST", "127.0.0.1:1")]).await;
    assert!(said.contains("fault=Throttled"), "{said}");
}
