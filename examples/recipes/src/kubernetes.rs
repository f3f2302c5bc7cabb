//! Kubernetes with kube.

use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use kube::Config;
use kube::client::ConfigExt;
use tailnet::Tailnet;
use tower::{BoxError, ServiceBuilder};

/// A client of the cluster that `config` names, such as `Config::infer().await?`: its API server is reached through the
/// tailnet.
pub fn client(tailnet: &Tailnet, config: Config) -> anyhow::Result<kube::Client> {
    let https = config.rustls_https_connector_with_connector(tailnet.connector())?;
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(config.auth_layer()?)
        .map_err(BoxError::from)
        .service(Client::builder(TokioExecutor::new()).build(https));
    Ok(kube::Client::new(service, config.default_namespace))
}
