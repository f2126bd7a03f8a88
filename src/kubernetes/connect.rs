//! The way to the API server: a kubeconfig, or what a Pod is given.

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use std::path::PathBuf;
use std::time::Duration;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);

/// Which cluster, as whom.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// None: `KUBECONFIG`, `~/.kube/config`, or the account of the Pod.
    pub kubeconfig: Option<PathBuf>,
    /// None: the current one.
    pub context: Option<String>,
}

/// Makes a client, and says which namespace it is for. Call inside the runtime; nothing is sent yet.
///
/// # Errors
/// Why there is no way to a cluster.
pub async fn connect(access: &Access) -> Result<(Client, String), String> {
    let options = KubeConfigOptions {
        context: access.context.clone(),
        ..KubeConfigOptions::default()
    };
    let config = match (&access.kubeconfig, &access.context) {
        (Some(path), _) => {
            let file = Kubeconfig::read_from(path).map_err(|error| error.to_string())?;
            let config = Config::from_custom_kubeconfig(file, &options).await;
            config.map_err(|error| error.to_string())
        }
        (None, Some(_)) => {
            let config = Config::from_kubeconfig(&options).await;
            config.map_err(|error| error.to_string())
        }
        (None, None) => Config::infer().await.map_err(|error| error.to_string()),
    };
    let mut config = config?;
    config.connect_timeout = Some(CONNECT);
    let namespace = config.default_namespace.clone();
    let client = Client::try_from(config).map_err(|error| error.to_string())?;
    Ok((client, namespace))
}
