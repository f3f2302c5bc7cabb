use std::future::Future;
use std::time::Duration;

use lxd_client::{Client, Identity, IdentityError, Server, ServerTrust};
use tailnet::{Tailnet, UpError};
use tokio::task::JoinSet;
use tracing::{info, warn};

use crate::{Cloud, Config, Environment, KeyError, auth_key};

/// The node in its tailnet, with the clouds that it keeps watch over.
#[derive(Debug)]
pub struct Service {
    tailnet: Tailnet,
    clouds: Vec<(Cloud, Client)>,
    interval: Duration,
}

/// Why the service did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// The environment's auth key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The node did not join its tailnet.
    #[error("cannot join the tailnet")]
    Join(#[from] UpError),
    /// The client certificate cannot be used.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The client of a cloud cannot be made.
    #[error("cloud {cloud}")]
    Cloud {
        /// Which.
        cloud: String,
        /// Why.
        source: lxd_client::Error,
    },
}

impl Service {
    /// Joins the tailnet, with the auth key that the environment has, if the state folder has no identity yet.
    ///
    /// # Errors
    /// Says why there is no service; nothing is left running then.
    pub async fn join(config: &Config, environment: &Environment) -> Result<Service, ServiceError> {
        info!("Starting with Tailscale as {}", config.hostname);
        let mut node = Tailnet::builder()
            .hostname(&config.hostname)
            .state_dir(&config.state_dir)
            .tags(&config.tags)
            .accept_routes(config.accept_routes)
            .join_timeout(config.join_timeout);
        if let Some(url) = &config.control_url {
            node = node.control_url(url.clone());
        }
        if let Some(key) = auth_key(environment)? {
            node = node.auth_key(key);
        }
        info!("Authenticating with Tailscale");
        let tailnet = node.up().await?;
        match Service::with_clouds(tailnet.clone(), config).await {
            Ok(service) => Ok(service),
            Err(error) => {
                close(&tailnet).await;
                Err(error)
            }
        }
    }

    async fn with_clouds(tailnet: Tailnet, config: &Config) -> Result<Service, ServiceError> {
        let (folder, name) = (config.state_dir.clone(), config.hostname.clone());
        let identity = tokio::task::spawn_blocking(move || Identity::load_or_generate(&folder, &name)).await;
        let identity = identity.unwrap_or_else(|e| std::panic::resume_unwind(e.into_panic()))?;
        let clouds: Result<Vec<_>, ServiceError> = config
            .clouds
            .iter()
            .map(|cloud| match client(cloud, &tailnet, identity.clone()) {
                Ok(client) => Ok((cloud.clone(), client)),
                Err(source) => Err(ServiceError::Cloud { cloud: cloud.name.clone(), source }),
            })
            .collect();
        let ips = tailnet.status().await.map(|status| status.ips).unwrap_or_default();
        info!(?ips, "Tailscale connected successfully");
        Ok(Service { clouds: clouds?, tailnet, interval: config.interval })
    }

    /// Keeps watch over the clouds, and logs how each one is whenever that changes, until `stop` ends.
    pub async fn watch_until(&self, stop: impl Future<Output = ()>) {
        let mut watchers = JoinSet::new();
        for (cloud, client) in &self.clouds {
            watchers.spawn(watch(cloud.clone(), client.clone(), self.interval));
        }
        stop.await; // dropping the set ends the watchers
    }

    /// Leaves the tailnet.
    pub async fn close(self) {
        close(&self.tailnet).await;
    }
}

async fn close(tailnet: &Tailnet) {
    info!("Closing");
    if let Err(timeout) = tailnet.close().await {
        warn!("{timeout}");
    }
}

fn client(cloud: &Cloud, tailnet: &Tailnet, identity: Identity) -> Result<Client, lxd_client::Error> {
    let server = format!("https://{}", cloud.address);
    let server = server
        .parse()
        .map_err(|_| lxd_client::Error::Config { message: format!("{server} is not a URI") })?;
    let trust = cloud.fingerprint.map_or(ServerTrust::SystemRoots, ServerTrust::Fingerprint);
    Client::builder(server, tailnet.connector()).trust(trust).identity(identity).build()
}

async fn watch(cloud: Cloud, client: Client, interval: Duration) {
    let mut last = String::new();
    loop {
        let answer = client.server().await;
        let now = match &answer {
            Ok(server) => describe(server),
            Err(error) => describe_error(error),
        };
        if now != last {
            match answer {
                Ok(_) => info!(cloud = cloud.name, "{now}"),
                Err(_) => warn!(cloud = cloud.name, "{now}"),
            }
            last = now;
        }
        tokio::time::sleep(interval).await;
    }
}

fn describe(server: &Server) -> String {
    match &server.environment {
        Some(e) => format!("reachable: {} {}, {:?}", e.server, e.server_version, server.auth).to_lowercase(),
        None => "reachable, but it does not trust this node's certificate".to_owned(),
    }
}

/// The error and what is behind it, in one line without repetitions.
fn describe_error(error: &lxd_client::Error) -> String {
    let mut line = String::from("unreachable");
    for cause in lxd_client::chain(error).map(ToString::to_string) {
        if !line.ends_with(&cause) {
            line = format!("{line}: {cause}");
        }
    }
    line
}
