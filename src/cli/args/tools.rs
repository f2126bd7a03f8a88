//! Arguments of `crds`, `emulator`, `completions` and `version`.

use clap::{Args, ValueEnum};
use clap_complete::Shell;
use std::net::SocketAddr;
use std::path::PathBuf;

/// `evenkeel crds`
#[derive(Debug, Args)]
pub struct CrdsArgs {
    /// Write them here, one file for each kind, with the schemas for editors in DIR/schema
    #[arg(long, value_name = "DIR")]
    pub output: Option<PathBuf>,

    /// Write nothing: exit 1 when the files in DIR are not up to date
    #[arg(long, requires = "output")]
    pub check: bool,
}

/// `evenkeel emulator`
#[derive(Debug, Args)]
#[command(after_help = "\
With --state FILE the world is kept in that file; without it, it lives in memory.
The first line of the output is the address. Then point anything at it:
  evenkeel run manifests --gcp http://127.0.0.1:8085
  gcloud compute networks vpc-access connectors list --region us-central1")]
pub struct EmulatorArgs {
    /// Where to listen; port 0 takes any free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8085")]
    pub listen: SocketAddr,

    /// The world to start with: empty or netra-staging
    #[arg(long, value_name = "NAME", default_value = "netra-staging")]
    pub scenario: String,

    /// How long operations take: demo (2 to 4 s), realistic (minutes) or instant
    #[arg(
        long,
        value_name = "SPEED",
        default_value = "demo",
        hide_possible_values = true
    )]
    pub timing: Speed,

    /// Seed of every random choice
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,

    /// Fault rules as JSON: `[{"match": .., "action": .., "times": 3}]`
    #[arg(long, value_name = "FILE")]
    pub faults: Option<PathBuf>,
}

/// How long things take in the emulator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Speed {
    Demo,
    Realistic,
    Instant,
}

/// `evenkeel completions`
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    pub shell: Shell,
}

/// `evenkeel version`
#[derive(Debug, Args)]
pub struct VersionArgs {
    /// Form of the output: text or json
    #[arg(
        short,
        long,
        value_name = "FORMAT",
        default_value = "text",
        hide_possible_values = true
    )]
    pub output: VersionFormat,
}

/// Form of the version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum VersionFormat {
    Text,
    Json,
}
