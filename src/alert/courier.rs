//! From an exchange to a call, and from its answer to a receipt.

use super::http::{Post, PostError, Reply, Request};
use super::secret::{Secret, Secrets};
use super::{alertmanager, pagerduty, slack, webhook};
use crate::api::alert::{Provider, ProviderKind};
use crate::core::alert::{Exchange, Receipt};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// The least wait where somebody must mend something first.
const SLOW: Duration = Duration::from_mins(1);
/// What is shown of a reply, in characters.
const SHOWN: usize = 200;

/// Makes the calls.
#[derive(Clone)]
pub struct Courier {
    post: Arc<dyn Post>,
    secrets: Secrets,
}

/// A receiver took the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// The beginning of the reply, as one line.
    pub reply: String,
}

/// Why a receiver does not have the message, or may not have it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Undelivered {
    /// Nothing was sent.
    #[error("{0}")]
    Unsendable(String),
    #[error(transparent)]
    NoReply(PostError),
    #[error("it answered {status}{}{reply}", if reply.is_empty() { "" } else { ": " })]
    Answered {
        status: u16,
        reply: String,
        retry_after: Option<Duration>,
    },
}

impl Courier {
    #[must_use]
    pub fn new(post: Arc<dyn Post>, secrets: Secrets) -> Self {
        Courier { post, secrets }
    }

    /// One call.
    ///
    /// # Errors
    /// Why the receiver did not take it; no secret is in it.
    pub async fn send(&self, exchange: &Exchange) -> Result<Answer, Undelivered> {
        let reference = exchange.provider.secret_ref.as_ref();
        let secret = match reference {
            Some(reference) => Some(self.secrets.read(reference).await),
            None => None,
        };
        let secret = secret.transpose().map_err(Undelivered::Unsendable)?;
        let request = request(exchange, secret.as_ref()).map_err(Undelivered::Unsendable)?;
        let clean = |text: &str| clean(text, secret.as_ref());
        match self.post.post(request).await {
            Ok(reply) if (200..300).contains(&reply.status) => Ok(Answer {
                status: reply.status,
                reply: clean(&reply.body),
            }),
            Ok(Reply {
                status,
                body,
                retry_after,
            }) => Err(Undelivered::Answered {
                status,
                reply: clean(&body),
                retry_after,
            }),
            Err(PostError::NotSent(why)) => {
                Err(Undelivered::NoReply(PostError::NotSent(clean(&why))))
            }
            Err(PostError::Lost(why)) => Err(Undelivered::NoReply(PostError::Lost(clean(&why)))),
        }
    }

    /// As [`Courier::send`], in the words of the book.
    pub(super) async fn deliver(&self, exchange: &Exchange) -> Receipt {
        match self.send(exchange).await {
            Ok(_) => Receipt::Accepted,
            Err(why) => receipt(&why),
        }
    }
}

fn receipt(why: &Undelivered) -> Receipt {
    let asked = match why {
        Undelivered::Answered {
            status: 400 | 413 | 422,
            ..
        } => return Receipt::Refused(why.to_string()),
        Undelivered::Answered {
            status: 408 | 429 | 500..,
            retry_after,
            ..
        } => *retry_after,
        Undelivered::Answered { .. } | Undelivered::Unsendable(_) => Some(SLOW),
        Undelivered::NoReply(_) => None,
    };
    Receipt::Failed {
        why: why.to_string(),
        asked,
    }
}

/// One line of what a receiver said, without the secret, should it repeat that.
fn clean(text: &str, secret: Option<&Secret>) -> String {
    let mut text = text.to_owned();
    for part in secret.map(Secret::parts).unwrap_or_default() {
        text = text.replace(&part, "[secret]");
    }
    let words: Vec<_> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ").chars().take(SHOWN).collect()
}

fn request(exchange: &Exchange, secret: Option<&Secret>) -> Result<Request, String> {
    let provider = &exchange.provider;
    let mut headers = Vec::new();
    let (url, body) = match provider.kind {
        ProviderKind::Slack => {
            let url = parse(needed(secret)?.expose(), provider)?;
            (url, slack::body(exchange))
        }
        ProviderKind::Pagerduty => {
            let url = provider.url.as_deref().unwrap_or(pagerduty::ADDRESS);
            let body = pagerduty::body(exchange, needed(secret)?);
            (parse(url, provider)?, body)
        }
        ProviderKind::Alertmanager => {
            let url = address(provider, secret, &mut headers)?;
            (alertmanager::address(url), alertmanager::body(exchange))
        }
        ProviderKind::Webhook => {
            let url = address(provider, secret, &mut headers)?;
            let (id, body) = webhook::body(exchange).unzip();
            headers.extend(id.map(|id| ("idempotency-key", id)));
            (url, body)
        }
    };
    let nothing = || format!("{} takes no such message", provider.kind.as_str());
    let body: Value = body.ok_or_else(nothing)?;
    Ok(Request {
        url,
        headers,
        body: body.to_string(),
    })
}

/// `url`, with the secret as a bearer token; without `url`, the secret is the address.
fn address(
    provider: &Provider,
    secret: Option<&Secret>,
    headers: &mut Vec<(&'static str, String)>,
) -> Result<Url, String> {
    let Some(url) = &provider.url else {
        return parse(needed(secret)?.expose(), provider);
    };
    if let Some(secret) = secret {
        headers.push(("authorization", format!("Bearer {}", secret.expose())));
    }
    parse(url, provider)
}

fn needed(secret: Option<&Secret>) -> Result<&Secret, String> {
    secret.ok_or_else(|| "the provider has no secretRef".to_owned())
}

/// The text itself is not shown: it may be a secret.
fn parse(text: &str, provider: &Provider) -> Result<Url, String> {
    let url = Url::parse(text).ok();
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.ok_or_else(|| match (&provider.url, &provider.secret_ref) {
        (None, Some(reference)) => format!("{reference} holds no http or https address"),
        _ => "spec.provider.url is no http or https address".to_owned(),
    })
}
