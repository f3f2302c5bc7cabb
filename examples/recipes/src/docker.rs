//! Docker with bollard. It has the daemon listen in the tailnet only: `tailscale serve --tcp 2375 …`, for instance.

use bollard::{API_DEFAULT_VERSION, BollardRequest, Docker};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tailnet::Tailnet;

const TIMEOUT_SECONDS: u64 = 60;

/// A client of the daemon at `url`, such as `http://docker-host:2375`.
pub fn client(tailnet: &Tailnet, url: &str) -> anyhow::Result<Docker> {
    let client = Client::builder(TokioExecutor::new()).build(tailnet.connector());
    let request = move |request: BollardRequest| {
        let response = client.request(request);
        async move { response.await.map_err(bollard::errors::Error::from) }
    };
    Ok(Docker::connect_with_custom_transport(request, Some(url), TIMEOUT_SECONDS, API_DEFAULT_VERSION)?)
}
