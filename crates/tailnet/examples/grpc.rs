//! gRPC in the tailnet with tonic: a server of the standard health service, and a client of it.
//! `TS_AUTHKEY=… cargo run -p tailnet --example grpc` serves, and `… -- http://grpc:50051` asks it.

use anyhow::Context;
use tailnet::Tailnet;
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let key = std::env::var("TS_AUTHKEY").context("TS_AUTHKEY must hold an auth key")?;
    let node = Tailnet::builder().auth_key(key.parse()?).ephemeral(true);
    match std::env::args().nth(1) {
        None => serve(node.hostname("grpc").up().await?).await,
        Some(server) => ask(node.hostname("grpc-client").up().await?, server).await,
    }
}

async fn serve(tailnet: Tailnet) -> anyhow::Result<()> {
    let (_reporter, health) = tonic_health::server::health_reporter();
    let services = tonic::service::Routes::new(health).into_axum_router();
    Ok(axum::serve(tailnet.listen(50051).await?, services).await?)
}

async fn ask(tailnet: Tailnet, server: String) -> anyhow::Result<()> {
    let channel = Endpoint::try_from(server)?.connect_with_connector(tailnet.connector()).await?;
    let answer = HealthClient::new(channel).check(HealthCheckRequest::default()).await?;
    println!("{:?}", answer.into_inner().status());
    tailnet.close().await?;
    Ok(())
}
