//! gRPC with tonic.

use tailnet::Tailnet;
use tonic::service::Routes;
use tonic::transport::{Channel, Endpoint};

/// Connects to the server at `url`, such as `http://inventory:50051`.
pub async fn connect(tailnet: &Tailnet, url: String) -> anyhow::Result<Channel> {
    Ok(Endpoint::try_from(url)?.connect_with_connector(tailnet.connector()).await?)
}

/// Serves to the tailnet what `Routes::new(service)` makes.
pub async fn serve(tailnet: &Tailnet, port: u16, services: Routes) -> anyhow::Result<()> {
    Ok(axum::serve(tailnet.listen(port).await?, services.into_axum_router()).await?)
}
