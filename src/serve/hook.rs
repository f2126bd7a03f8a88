//! `POST /hooks/git`: somebody pushed. The one request that is no GET, and all it does is to have the
//! repository looked at now: what is in the body is not believed, only that its sender knows the
//! secret.

use super::Site;
use crate::api::SecretRef;
use crate::secrets::{Secret, Secrets};
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::sync::Arc;
use std::time::Duration;

/// Longest body, in bytes. A push of very many commits may be larger and is refused; the next fetch
/// by interval finds it.
const BODY_LIMIT: usize = 4 * 1024 * 1024;
/// How long a body may take to come in.
const BODY_TIME: Duration = Duration::from_secs(10);

/// What a push is told to.
pub struct Hook {
    pub secret: SecretRef,
    pub secrets: Arc<dyn Secrets>,
    /// Has the repository looked at; any number of calls before that is one look.
    pub ring: Box<dyn Fn() + Send + Sync>,
}

/// Takes a push in.
pub(super) async fn push(State(site): State<Arc<Site>>, request: Request) -> Response {
    let Some(hook) = &site.hook else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let (parts, body) = request.into_parts();
    let body = match read(body).await {
        Ok(body) => body,
        Err(status) => return status.into_response(),
    };
    let secret = match hook.secrets.read(&hook.secret).await {
        Ok(secret) => secret,
        Err(error) => {
            tracing::error!(%error, "pushes cannot be taken in");
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
    };
    if !is_genuine(&parts.headers, &body, &secret) {
        let text = "no X-Hub-Signature-256 and no X-Gitlab-Token of the secret\n";
        return (StatusCode::UNAUTHORIZED, text).into_response();
    }
    (hook.ring)();
    (StatusCode::ACCEPTED, "the repository is looked at\n").into_response()
}

async fn read(body: Body) -> Result<Vec<u8>, StatusCode> {
    match tokio::time::timeout(BODY_TIME, to_bytes(body, BODY_LIMIT)).await {
        Ok(Ok(bytes)) => Ok(bytes.into()),
        Ok(Err(_)) => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

/// Whether the sender knows the secret: GitHub, Gitea and Forgejo sign the body, GitLab sends the
/// secret itself. Neither comparison tells by its time how much was right.
fn is_genuine(headers: &HeaderMap, body: &[u8], secret: &Secret) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(signature) = text("x-hub-signature-256") {
        let signature = signature.strip_prefix("sha256=").and_then(from_hex);
        return signature.is_some_and(|signature| is_signed(body, &signature, secret));
    }
    // Both through the same keyed digest: it has one length, and is compared in constant time.
    text("x-gitlab-token").is_some_and(|token| {
        digest(secret.expose().as_bytes(), secret).is_some_and(|whole| {
            let whole = whole.finalize().into_bytes();
            is_signed(token.as_bytes(), &whole, secret)
        })
    })
}

fn is_signed(text: &[u8], signature: &[u8], secret: &Secret) -> bool {
    digest(text, secret).is_some_and(|digest| digest.verify_slice(signature).is_ok())
}

fn digest(text: &[u8], secret: &Secret) -> Option<Hmac<Sha256>> {
    let mut digest = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).ok()?;
    digest.update(text);
    Some(digest)
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| {
            let pair = std::str::from_utf8(pair)
                .ok()
                .filter(|pair| pair.len() == 2)?;
            u8::from_str_radix(pair, 16).ok()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of GitHub, "Validating webhook deliveries".
    const SIGNATURE: &str = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    const SECRET: &str = "It's a Secret to Everybody";

    fn genuine(name: &'static str, value: &str, body: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        is_genuine(&headers, body.as_bytes(), &Secret::new(SECRET))
    }

    #[test]
    fn github_signs_the_body() {
        let signed = |signature: &str, body| genuine("x-hub-signature-256", signature, body);
        let right = format!("sha256={SIGNATURE}");
        assert!(signed(&right, "Hello, World!"));
        assert!(!signed(&right, "Hello, World?"));
        for wrong in [
            SIGNATURE,
            "sha256=",
            "sha256=zz",
            "sha256=757",
            "sha256=75\u{e9}",
        ] {
            assert!(!signed(wrong, "Hello, World!"), "{wrong}");
        }
    }

    #[test]
    fn gitlab_sends_the_secret() {
        assert!(genuine("x-gitlab-token", SECRET, "{}"));
        assert!(!genuine("x-gitlab-token", "It's a Secret", "{}"));
        assert!(!genuine("x-gitlab-token", "", "{}"));
        let none = HeaderMap::new();
        assert!(!is_genuine(&none, b"{}", &Secret::new(SECRET)));
    }
}
