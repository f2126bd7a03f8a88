//! Which GCP, and as whom.

use crate::emulator::Scenario;
use clap::Args;
use std::path::PathBuf;
use std::str::FromStr;

/// Where calls go, and with which credentials.
#[derive(Debug, Args)]
pub struct GcpArgs {
    /// Which GCP: `emulator[:SCENARIO]` in this process, `live` for Google, or the URL of an
    /// emulator
    #[arg(
        long,
        global = true,
        value_name = "WORLD",
        env = "EVENKEEL_GCP",
        hide_env_values = true
    )]
    #[arg(help_heading = "Global options")]
    pub gcp: Option<Gcp>,

    /// Credentials file instead of application default credentials
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    #[arg(help_heading = "Google (with --gcp live)")]
    pub credentials: Option<PathBuf>,

    /// Act as this service account
    #[arg(long, global = true, value_name = "EMAIL", hide_short_help = true)]
    #[arg(help_heading = "Google (with --gcp live)")]
    pub impersonate_service_account: Option<String>,

    /// Project whose quota the calls use
    #[arg(long, global = true, value_name = "PROJECT", hide_short_help = true)]
    #[arg(help_heading = "Google (with --gcp live)")]
    pub quota_project: Option<String>,

    /// Another address for one API, such as `vpcaccess=https://vpcaccess-x.p.googleapis.com`
    #[arg(long, global = true, value_name = "API=URL", hide_short_help = true)]
    #[arg(help_heading = "Google (with --gcp live)")]
    pub endpoint: Vec<String>,
}

/// Which GCP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gcp {
    /// An emulator in this process.
    Emulator(Scenario),
    Live,
    /// An emulator elsewhere.
    Url(String),
}

impl FromStr for Gcp {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "live" => Ok(Gcp::Live),
            None if text == "emulator" => Ok(Gcp::Emulator(Scenario::NetraStaging)),
            Some(("emulator", scenario)) => Scenario::by_name(scenario)
                .map(Gcp::Emulator)
                .map_err(|unknown| unknown.to_string()),
            Some(("http" | "https", _)) => Ok(Gcp::Url(text.to_owned())),
            _ => {
                Err("write emulator, emulator:SCENARIO, live, or the URL of an emulator".to_owned())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_worlds() {
        let world = |text: &str| text.parse::<Gcp>();
        assert_eq!(world("live"), Ok(Gcp::Live));
        assert_eq!(world("emulator"), Ok(Gcp::Emulator(Scenario::NetraStaging)));
        assert_eq!(world("emulator:empty"), Ok(Gcp::Emulator(Scenario::Empty)));
        assert_eq!(
            world("http://127.0.0.1:8080"),
            Ok(Gcp::Url("http://127.0.0.1:8080".into()))
        );
        assert!(
            world("emulator:nowhere")
                .unwrap_err()
                .contains("netra-staging")
        );
        assert!(world("Live").is_err());
        assert!(world("").is_err());
    }
}
