//! Which cluster, where manifests are objects of one.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Where manifests and the operator's memory are.
#[derive(Debug, Args)]
pub struct ClusterArgs {
    /// Where manifests and the operator's memory are: files (with --state) or kubernetes
    /// [default: files]
    #[arg(long, global = true, value_name = "SOURCE", env = "EVENKEEL_SOURCE")]
    #[arg(
        help_heading = "Kubernetes",
        hide_possible_values = true,
        hide_env_values = true
    )]
    pub source: Option<Source>,

    /// Namespace of the objects, may be repeated [default: of `run` all, else that of the context]
    #[arg(
        short,
        long,
        global = true,
        value_name = "NAME",
        hide_short_help = true
    )]
    #[arg(help_heading = "Kubernetes")]
    pub namespace: Vec<String>,

    /// Only objects with these labels, such as team=infra
    #[arg(long, global = true, value_name = "LABELS", hide_short_help = true)]
    #[arg(help_heading = "Kubernetes")]
    pub selector: Option<String>,

    /// Configuration file of the cluster [default: KUBECONFIG, ~/.kube/config, or the Pod's account]
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    #[arg(help_heading = "Kubernetes")]
    pub kubeconfig: Option<PathBuf>,

    /// Context of that file [default: the current one]
    #[arg(long, global = true, value_name = "NAME", hide_short_help = true)]
    #[arg(help_heading = "Kubernetes")]
    pub context: Option<String>,
}

/// Where manifests and the operator's memory are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Source {
    Files,
    Kubernetes,
}

impl ClusterArgs {
    /// True where a cluster is meant.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        match self.source {
            Some(source) => source == Source::Kubernetes,
            None => {
                self.kubeconfig.is_some() || self.context.is_some() || !self.namespace.is_empty()
            }
        }
    }
}
