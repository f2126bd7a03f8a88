//! Whom the API lets in, and Google's words for everyone else.

use http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::errors::ApiError;
use super::quota::project_number;
use super::route::Route;

/// What the emulator asks of a caller.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Access {
    /// Everyone, with or without a token.
    #[default]
    Anyone,
    /// Whoever sends any bearer token.
    AnyToken,
    /// Whoever sends exactly this bearer token; others hold an expired one.
    Token(String),
    /// Nobody: the caller lacks the IAM permission.
    Denied,
    /// Nobody: the API is not enabled in the project.
    ApiDisabled,
}

impl Access {
    pub(super) fn check(&self, headers: &HeaderMap, route: &Route) -> Result<(), ApiError> {
        let token = bearer(headers);
        match (self, token) {
            (Self::AnyToken | Self::Token(_), None) => Err(missing_token(route)),
            (Self::Token(wanted), Some(token)) if token != wanted => Err(bad_token(route)),
            (Self::Denied, _) => Err(ApiError::permission_denied(route)),
            (Self::ApiDisabled, _) => Err(api_disabled(route)),
            _ => Ok(()),
        }
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(http::header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty()).then(|| token.trim())
}

const EXPECTED: &str = "Expected OAuth 2 access token, login cookie or other valid authentication credential. \
     See https://developers.google.com/identity/sign-in/web/devconsole-project.";

fn missing_token(route: &Route) -> ApiError {
    let message = format!("Request is missing required authentication credential. {EXPECTED}");
    let metadata = json!({"method": route.method.name, "service": route.api.service()});
    ApiError::new(401, message)
        .with_info("CREDENTIALS_MISSING", "googleapis.com", &metadata)
        .with_header(
            "www-authenticate",
            "Bearer realm=\"https://accounts.google.com/\"",
        )
}

fn bad_token(route: &Route) -> ApiError {
    let message = format!("Request had invalid authentication credentials. {EXPECTED}");
    let metadata = json!({"method": route.method.name, "service": route.api.service()});
    let challenge = "Bearer realm=\"https://accounts.google.com/\", error=\"invalid_token\"";
    ApiError::new(401, message)
        .with_info("ACCESS_TOKEN_EXPIRED", "googleapis.com", &metadata)
        .with_header("www-authenticate", challenge)
}

fn api_disabled(route: &Route) -> ApiError {
    let (service, title) = (route.api.service(), route.api.title());
    let number = project_number(route.project());
    let url = format!(
        "https://console.developers.google.com/apis/api/{service}/overview?project={number}"
    );
    let message = format!(
        "{title} has not been used in project {number} before or it is disabled. Enable it \
         by visiting {url} then retry. If you enabled this API recently, wait a few minutes for the action to \
         propagate to our systems and retry."
    );
    let metadata = json!({
        "service": service,
        "serviceTitle": title,
        "consumer": format!("projects/{number}"),
        "containerInfo": number.to_string(),
        "activationUrl": url,
    });
    let mut error = ApiError::new(403, message)
        .with_reason("accessNotConfigured")
        .with_info("SERVICE_DISABLED", "googleapis.com", &metadata);
    error.details.push(json!({
        "@type": "type.googleapis.com/google.rpc.Help",
        "links": [{"description": "Google developers console API activation", "url": url}],
    }));
    error
}
