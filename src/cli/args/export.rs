//! Arguments of `export`.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// `evenkeel export`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  evenkeel export --project netra-staging --gcp live --output infra
  evenkeel export --project netra-staging --kind run --location us-central1 --gcp live

Only GETs are sent. The manifests say `adopt: true` and hold what is live, so `evenkeel plan` shows
no change; what is not in them is said on stderr, with the reason. Google lists connectors region
by region: without --location that takes a minute.")]
pub struct ExportArgs {
    /// GCP project id
    #[arg(long, value_name = "PROJECT")]
    pub project: String,

    /// Kinds to export, such as `run,sql` [default: all]
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    pub kind: Vec<String>,

    /// Regions, or global [default: everywhere]
    #[arg(long, value_name = "LOCATION", value_delimiter = ',')]
    pub location: Vec<String>,

    /// Write one file for each resource into this folder, instead of everything to stdout
    #[arg(long, value_name = "DIR")]
    pub output: Option<PathBuf>,

    /// Form of the manifests: yaml or json
    #[arg(
        short = 'o',
        long,
        value_name = "FORMAT",
        default_value = "yaml",
        hide_possible_values = true
    )]
    pub format: ManifestFormat,

    /// With --output: write over files that are there
    #[arg(long, requires = "output")]
    pub force: bool,
}

/// Form of manifests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ManifestFormat {
    Yaml,
    Json,
}
