//! The LXD client of a cloud, over any connector into the tailnet.

pub(crate) use lxd_client::one_line;
use lxd_client::{Auth, Client, ClientBuilder, Connect, Identity, Server, ServerTrust};

use crate::config::CloudConfig;

/// The client of a cloud cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("cloud {cloud}: {source}")]
#[non_exhaustive]
pub struct CloudError {
    /// Which.
    pub cloud: String,
    /// Why.
    pub source: lxd_client::Error,
}

/// A client of the cloud, whose streams the connector makes.
pub(crate) fn over(
    cloud: &CloudConfig,
    connector: impl Connect,
    identity: Identity,
) -> Result<Client, CloudError> {
    let failed = |source| CloudError { cloud: cloud.name.clone(), source };
    builder(cloud, connector, identity).and_then(ClientBuilder::build).map_err(failed)
}

/// The same by a running node's connections, to which the façade's connector leads; and by connections of its own.
pub(crate) fn by_facade(
    cloud: &CloudConfig,
    facade: impl Connect,
    connector: impl Connect,
    identity: Identity,
) -> Result<Client, CloudError> {
    let failed = |source| CloudError { cloud: cloud.name.clone(), source };
    builder(cloud, connector, identity).and_then(|client| client.facade(facade).build()).map_err(failed)
}

fn builder(
    cloud: &CloudConfig,
    connector: impl Connect,
    identity: Identity,
) -> Result<ClientBuilder, lxd_client::Error> {
    let trust = cloud.trust.fingerprint.map_or(ServerTrust::SystemRoots, ServerTrust::Fingerprint);
    Ok(Client::builder(server(cloud)?, connector).trust(trust).identity(identity).silence(cloud.silence))
}

/// The cloud's address as an URI.
pub(crate) fn server(cloud: &CloudConfig) -> Result<http::Uri, lxd_client::Error> {
    let server = format!("https://{}", cloud.address);
    server.parse().map_err(|error: http::uri::InvalidUri| lxd_client::Error::Config {
        message: format!("{server} is not a URI"),
        source: Some(error.into()),
    })
}

/// Has the server trust this node by the token that is configured, where it does not trust it yet. Without a token the
/// server is not asked.
pub(crate) async fn establish_trust(client: &Client, config: &CloudConfig) -> Result<(), lxd_client::Error> {
    if config.trust.token.is_some() {
        trust_by_token(client, config, client.server().await?).await?;
    }
    Ok(())
}

/// The same, for a server that was asked already. Gives its newest answer.
pub(super) async fn trust_by_token(
    client: &Client,
    config: &CloudConfig,
    answer: Server,
) -> Result<Server, lxd_client::Error> {
    match &config.trust.token {
        Some(token) if answer.auth == Auth::Untrusted => {
            client.trust(token).await?;
            tracing::info!(cloud = config.name, "it trusts this node now, by its token");
            client.server().await
        }
        _ => Ok(answer),
    }
}

/// The project that the cloud's requests are for.
pub(super) fn project(config: &CloudConfig) -> &str {
    config.project.as_deref().unwrap_or("default")
}

/// What is wrong, and what to do, where a cloud lets this node use only these projects and not the configured one.
pub(crate) fn other_project(config: &CloudConfig, allowed: &[String]) -> (String, String) {
    let project = project(config);
    match allowed {
        [] => (
            "it lets this node use no project".to_owned(),
            "allow one there: lxc config trust edit FINGERPRINT".to_owned(),
        ),
        [one] => (
            format!("it lets this node use the project {one}, and not {project}"),
            format!("project: {one}, at the cloud in kolaboree.yaml"),
        ),
        [first, ..] => (
            format!("it lets this node use the projects {}, and not {project}", allowed.join(", ")),
            format!("one of them at the cloud in kolaboree.yaml, such as project: {first}"),
        ),
    }
}
