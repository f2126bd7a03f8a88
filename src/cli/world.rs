//! The GCP that a command works against: its name, its transport, its pace.

use super::CliError;
use super::args::{Gcp, GcpArgs, Globals};
use super::embedded::Embedded;
use crate::core::decide::Timing;
use crate::emulator::{Emulator, Options, Scenario, Timing as Pace};
use crate::engine::Services;
use crate::gcp::access::Access;
use crate::gcp::auth::{AuthConfig, GoogleAuth};
use crate::gcp::budget::{Budgets, Lane, Rate};
use crate::gcp::client::{Client, Ports};
use crate::gcp::clock::{Clock, SystemClock};
use crate::gcp::endpoint::{Api, Base, EmulatorBase, EndpointError, Endpoints};
use crate::gcp::entropy::Entropy;
use crate::gcp::http::Http;
use crate::gcp::live::LiveHttp;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A GCP that can be called.
pub struct World {
    pub services: Services,
    /// What the services call, for what only measures.
    pub client: Arc<Client>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<Entropy>,
    /// The emulator, where it lives in this process.
    pub emulator: Option<Arc<Emulator>>,
}

/// Which GCP the arguments ask for.
///
/// # Errors
/// When they do not say.
pub fn wanted(args: &GcpArgs) -> Result<Gcp, CliError> {
    let wanted = args.gcp.clone().ok_or_else(|| {
        CliError::new("which GCP? --gcp is not given")
            .hint("--gcp emulator tries it without a cloud; --gcp live means Google")
            .exit(super::Exit::BadInput)
    })?;
    if wanted != Gcp::Live && !args.endpoint.is_empty() {
        return Err(CliError::new("--endpoint goes with --gcp live only")
            .hint("an emulator has one address for all APIs: --gcp URL")
            .exit(super::Exit::BadInput));
    }
    Ok(wanted)
}

/// The name that a state file is bound to.
#[must_use]
pub fn name(gcp: &Gcp) -> String {
    match gcp {
        Gcp::Emulator(scenario) => format!("emulator:{}", scenario.name()),
        Gcp::Live => "live".to_owned(),
        Gcp::Url(url) => format!("url:{}", url.trim_end_matches('/')),
    }
}

/// How long things take there: Google gets the careful defaults.
#[must_use]
pub fn timing(gcp: &Gcp) -> Timing {
    let quick = |read_settle| Timing {
        read_settle: Duration::from_secs(read_settle),
        resend_after: Duration::from_secs(5),
        ..Timing::default()
    };
    match gcp {
        Gcp::Live => Timing::default(),
        Gcp::Emulator(_) => quick(3),
        // It may run at a realistic pace, with reads up to 5 s behind.
        Gcp::Url(_) => quick(6),
    }
}

/// Time between two polls.
#[must_use]
pub fn interval(gcp: &Gcp) -> Duration {
    match gcp {
        Gcp::Live => Duration::from_mins(1),
        Gcp::Emulator(_) | Gcp::Url(_) => Duration::from_secs(5),
    }
}

/// Time between two readings of how full a connector is: Google has a new number each minute.
#[must_use]
pub fn load_interval(gcp: &Gcp) -> Duration {
    match gcp {
        Gcp::Live => Duration::from_mins(1),
        Gcp::Emulator(_) | Gcp::Url(_) => Duration::from_secs(10),
    }
}

/// The file of an embedded emulator's world, beside the state file.
#[must_use]
pub fn emulator_file(state: &Path, scenario: Scenario) -> PathBuf {
    state.with_file_name(format!("emulator-{}.json", scenario.name()))
}

/// Makes the client. Call inside the runtime; nothing is sent yet.
///
/// # Errors
/// Where the emulator's file, the address or the credentials cannot be used.
pub fn open(gcp: &Gcp, globals: &Globals) -> Result<World, CliError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    match gcp {
        Gcp::Emulator(scenario) => embedded(*scenario, &globals.state_path(), clock),
        Gcp::Live => live(&globals.gcp, clock),
        Gcp::Url(url) => {
            // No credentials go there, so plain http to another container is fine.
            let base = EmulatorBase::parse(url, true).map_err(|error| bad_address(url, &error))?;
            Ok(assemble(
                Arc::new(transport()?),
                Access::emulator(base),
                generous(),
                clock,
            ))
        }
    }
}

fn embedded(scenario: Scenario, state: &Path, clock: Arc<dyn Clock>) -> Result<World, CliError> {
    let options = Options {
        scenario,
        seed: 0,
        timing: Pace::demo(),
    };
    let file = emulator_file(state, scenario);
    let emulator = Emulator::open(options, &file).map_err(|error| {
        CliError::new(error.to_string()).hint(format!("remove {} to start over", file.display()))
    })?;
    let emulator = Arc::new(emulator);
    // Any address that is not Google's will do: nothing is sent over a socket.
    let base = EmulatorBase::parse("http://127.0.0.1/", false)
        .map_err(|error| CliError::new(error.to_string()))?;
    let http = Embedded {
        emulator: Arc::clone(&emulator),
        clock: Arc::clone(&clock),
    };
    let mut world = assemble(Arc::new(http), Access::emulator(base), generous(), clock);
    world.emulator = Some(emulator);
    Ok(world)
}

fn live(args: &GcpArgs, clock: Arc<dyn Clock>) -> Result<World, CliError> {
    let auth = GoogleAuth::load(AuthConfig {
        file: args.credentials.clone(),
        impersonate: args.impersonate_service_account.clone(),
        quota_project: args.quota_project.clone(),
    })
    .map_err(|fault| no_credentials(&fault.message))?;
    let access = Access::authenticated(endpoints(&args.endpoint)?, Arc::new(auth));
    Ok(assemble(
        Arc::new(transport()?),
        access,
        Budgets::new(),
        clock,
    ))
}

/// The fault's message ends with the way out; here that is the hint.
fn no_credentials(message: &str) -> CliError {
    match message.split_once(" To fix it: ") {
        Some((what, hint)) => CliError::new(what.trim_end_matches('.')).hint(hint),
        None => CliError::new(message),
    }
}

fn endpoints(overrides: &[String]) -> Result<Endpoints, CliError> {
    let mut endpoints = Endpoints::google();
    for text in overrides {
        let known: Vec<_> = Api::ALL.iter().map(|api| api.as_str()).collect();
        let parsed = text
            .split_once('=')
            .and_then(|(api, url)| Some((Api::parse(api)?, url)));
        let (api, url) = parsed.ok_or_else(|| {
            CliError::new(format!("--endpoint {text}: not API=URL"))
                .hint(format!("known APIs: {}", known.join(", ")))
                .exit(super::Exit::BadInput)
        })?;
        let base = Base::parse(url).map_err(|error| bad_address(api.as_str(), &error))?;
        endpoints = endpoints.with(api, base);
    }
    Ok(endpoints)
}

fn bad_address(what: &str, error: &EndpointError) -> CliError {
    // The address itself may hold a password.
    let what = if what.contains('@') {
        "the address"
    } else {
        what
    };
    let hint = match error {
        EndpointError::Google(_) => "use --gcp live for Google",
        _ => "an address looks like http://127.0.0.1:8085",
    };
    CliError::new(format!("{what}: {error}"))
        .hint(hint)
        .exit(super::Exit::BadInput)
}

fn transport() -> Result<LiveHttp, CliError> {
    LiveHttp::new().map_err(|error| CliError::new(format!("no transport: {error}")))
}

/// An emulator has no quota worth waiting for.
fn generous() -> Budgets {
    Api::ALL.iter().fold(Budgets::new(), |budgets, api| {
        budgets.with(*api, Lane::Read, Rate::new(100.0, 100)).with(
            *api,
            Lane::Write,
            Rate::new(100.0, 100),
        )
    })
}

fn assemble(http: Arc<dyn Http>, access: Access, budgets: Budgets, clock: Arc<dyn Clock>) -> World {
    let entropy = Arc::new(Entropy::from_process());
    let client = Arc::new(Client::new(Ports {
        http,
        access,
        budgets,
        entropy: Arc::clone(&entropy),
        clock: Arc::clone(&clock),
    }));
    World {
        services: Services::new(&client),
        client,
        clock,
        entropy,
        emulator: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worlds_have_stable_names() {
        assert_eq!(name(&Gcp::Live), "live");
        assert_eq!(
            name(&Gcp::Emulator(Scenario::NetraStaging)),
            "emulator:netra-staging"
        );
        assert_eq!(
            name(&Gcp::Url("http://127.0.0.1:1/".into())),
            "url:http://127.0.0.1:1"
        );
    }

    #[test]
    fn an_address_with_a_password_is_not_repeated() {
        let error = EmulatorBase::parse("http://u:secret@h/", true).unwrap_err();
        let error = bad_address("http://u:secret@h/", &error);
        assert!(!format!("{error:?}").contains("secret"));
    }
}
