//! Arguments of `check` and `check run`.

use super::GetFormat;
use crate::api::HumanDuration;
use clap::{Args, Subcommand};
use std::ffi::OsString;
use std::path::PathBuf;

/// `evenkeel check`
#[derive(Debug, Args)]
#[command(disable_help_subcommand = true, args_conflicts_with_subcommands = true)]
#[command(after_help = "\
Examples:
  evenkeel check manifests --once                         one report: exit 0 healthy, 1 not
  evenkeel check manifests --focus vpc-connector --once   after a phase of a plan
  evenkeel check manifests                                again and again, until Ctrl-C
  evenkeel check run connector-load manifests             the load test

Exit codes: 0 healthy (warnings do not fail), 1 unhealthy or not known, 2 wrong manifests or
arguments. Ctrl-C ends with the code of the last report.
Each report is made of one probe a check; a running operator wants several in a row, and serves its
report at /api/v1/health (`evenkeel run --listen`).")]
pub struct CheckArgs {
    #[command(subcommand)]
    pub verb: Option<CheckVerb>,

    /// Manifest files or directories; `-` is stdin
    #[arg(value_name = "PATH", default_value = ".")]
    pub paths: Vec<OsString>,

    /// Only this component: vpc-connector, database, ssl, load-balancer, dns, application, or any
    /// other that a Check names
    #[arg(long, value_name = "COMPONENT")]
    pub focus: Option<String>,

    /// One report, then the end
    #[arg(long)]
    pub once: bool,

    /// Without --once: time between two reports
    #[arg(long, value_name = "DURATION", default_value = "10s")]
    #[arg(conflicts_with = "once")]
    pub interval: HumanDuration,

    /// Form of the output: table, wide, json or yaml
    #[arg(
        short,
        long,
        value_name = "FORMAT",
        default_value = "table",
        hide_possible_values = true
    )]
    pub output: GetFormat,

    /// Configuration of the operator: where probes stand
    #[arg(long, value_name = "FILE", env = "EVENKEEL_CONFIG")]
    pub config: Option<PathBuf>,

    /// Folder of named secrets, with the entry KEY of the secret NAME in NAME/KEY
    #[arg(long, value_name = "DIR", env = "EVENKEEL_SECRETS")]
    pub secrets: Option<PathBuf>,
}

/// What can be done with a Check.
#[derive(Debug, Subcommand)]
pub enum CheckVerb {
    /// Load test: probe one Check with as much load as you say
    Run(CheckRunArgs),
}

/// `evenkeel check run`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  evenkeel check run connector-load manifests --concurrency 20
  evenkeel check run golden-path manifests --concurrency 50 --duration 2m
  evenkeel check run golden-path manifests --requests 500 -o json

Exit codes: 0 everything that the Check expects holds, 1 it does not or cannot be told, 2 wrong
manifests or arguments, 130 stopped; what was measured until then is printed all the same.
Only http, tls, tcp, dns and postgres take a load. What is left out is as in the Check.")]
pub struct CheckRunArgs {
    /// `metadata.name` of the Check
    pub name: String,

    /// Manifest files or directories; `-` is stdin
    #[arg(value_name = "PATH", default_value = ".")]
    pub paths: Vec<OsString>,

    /// Requests or connections at the same time: at most 200 of http, 500 of others
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=500))]
    pub concurrency: Option<u32>,

    /// This many of them, then the end
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    #[arg(conflicts_with = "duration")]
    pub requests: Option<u32>,

    /// For so long, at most 10000 of them
    #[arg(long, value_name = "DURATION")]
    pub duration: Option<HumanDuration>,

    /// Form of the output: table, wide, json or yaml
    #[arg(
        short,
        long,
        value_name = "FORMAT",
        default_value = "table",
        hide_possible_values = true
    )]
    pub output: GetFormat,

    /// Configuration of the operator: where probes stand
    #[arg(long, value_name = "FILE", env = "EVENKEEL_CONFIG")]
    pub config: Option<PathBuf>,

    /// Folder of named secrets, with the entry KEY of the secret NAME in NAME/KEY
    #[arg(long, value_name = "DIR", env = "EVENKEEL_SECRETS")]
    pub secrets: Option<PathBuf>,
}
