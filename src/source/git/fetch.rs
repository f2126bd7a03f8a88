//! One fetch. Blocking.

use super::Settings;
use super::trouble::{Trouble, words};
use crate::secrets::Secret;
use gix::credentials::helper::{Action, NextAction};
use gix::credentials::protocol::Outcome;
use gix::protocol::transport::client::blocking_io::http;
use gix::remote::fetch::{Shallow, Tags};
use gix::remote::{Direction, ref_map};
use gix::{ObjectId, Repository};
use std::any::Any;
use std::num::NonZeroU32;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

/// Fetches what the settings follow, and says which object the server has under that name. The
/// first fetch brings one commit, later ones what came since.
pub(super) fn fetch(
    repository: &Repository,
    settings: &Settings,
    token: Option<&Secret>,
    stop: &AtomicBool,
) -> Result<ObjectId, Trouble> {
    let name = settings.name();
    let failed = |error: gix::Error| unreachable(settings, &error);
    let remote = repository
        .remote_at_without_url_rewrite(settings.address.as_str())
        .and_then(|remote| {
            let specs = settings.reference.refspecs();
            let specs = specs.iter().map(String::as_str);
            remote.with_refspecs(specs, Direction::Fetch)
        })
        .map_err(failed)?
        .with_fetch_tags(Tags::None);
    let mut connection = remote.connect(Direction::Fetch).map_err(failed)?;
    connection.set_credentials(credentials(settings, token));
    if let Some(options) = transport(settings)? {
        connection.set_transport_options(options);
    }
    let prepared = connection
        .prepare_fetch(gix::progress::Discard, ref_map::Options::default())
        .map_err(failed)?;
    let object = settings.reference.found(prepared.ref_map(), name)?;
    let is_empty = repository.references().is_ok_and(|known| {
        known
            .prefixed("refs/evenkeel/")
            .is_ok_and(|mut known| known.next().is_none())
    });
    let depth = if is_empty {
        Shallow::DepthAtRemote(NonZeroU32::MIN)
    } else {
        Shallow::NoChange
    };
    prepared
        .with_shallow(depth)
        .receive(gix::progress::Discard, stop)
        .map_err(failed)?;
    Ok(object)
}

fn unreachable(settings: &Settings, error: &gix::Error) -> Trouble {
    let address = &settings.address;
    let no_token = error.downcast_any_ref::<NoToken>().is_some();
    if no_token || error.is_unauthenticated() || error.is_permission_denied() {
        let message = format!("{address} does not let this operator in: {}", words(error));
        let help =
            "give a token that may read the repository (tokenRef, --git-token), or a key to ssh";
        return Trouble::passing(settings.name(), message, help);
    }
    let message = format!("{address} cannot be fetched: {}", words(error));
    let help = "the last set that loaded stays in force; it is tried again";
    Trouble::passing(settings.name(), message, help)
}

/// The token, where the server asks for one; nobody is asked on a terminal.
fn credentials(
    settings: &Settings,
    token: Option<&Secret>,
) -> impl FnMut(Action) -> gix::Result<Option<Outcome>> {
    let identity = token.map(|token| gix::sec::identity::Account {
        username: settings.username.clone(),
        password: token.expose().to_owned(),
        oauth_refresh_token: None,
    });
    move |action| match (action, &identity) {
        (Action::Get(context), Some(identity)) => Ok(Some(Outcome {
            identity: identity.clone(),
            next: NextAction::from(context),
        })),
        (Action::Get(_), None) => Err(gix::Error::from_error(NoToken)),
        (Action::Store(_) | Action::Erase(_), _) => Ok(None),
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the server asks for a password, and no token is given")]
struct NoToken;

/// How https is spoken, where that is not the default.
fn transport(settings: &Settings) -> Result<Option<Box<dyn Any>>, Trouble> {
    if !settings.address.as_str().starts_with("https://") {
        return Ok(None);
    }
    let certificates = match &settings.ca {
        None => Vec::new(),
        Some(path) => read_certificates(path).map_err(|why| {
            let message = format!("{}: {why}", path.display());
            Trouble::passing(settings.name(), message, "give certificates as PEM")
        })?,
    };
    let deadline = settings.deadline;
    let backend = http::reqwest::Options {
        configure_client: Some(Box::new(move |client| {
            let client = client.timeout(deadline);
            Ok(client.tls_certs_merge(certificates.clone()))
        })),
        configure_request: None,
    };
    let options = http::Options {
        backend: Some(Arc::new(Mutex::new(backend))),
        ..http::Options::default()
    };
    Ok(Some(Box::new(options)))
}

fn read_certificates(path: &std::path::Path) -> Result<Vec<reqwest::Certificate>, String> {
    let pem = std::fs::read(path).map_err(|error| error.to_string())?;
    let found = reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| error.to_string())?;
    if found.is_empty() {
        return Err("no certificate in it".to_owned());
    }
    Ok(found)
}
