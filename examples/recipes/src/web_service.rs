//! A web service with axum that knows who asks.

use axum::Router;
use axum::extract::{ConnectInfo, State};
use axum::http::StatusCode;
use axum::routing::get;
use tailnet::{PeerAddr, Tailnet};

/// Serves to the tailnet a page that greets its reader by name.
pub async fn serve(tailnet: &Tailnet, port: u16) -> anyhow::Result<()> {
    let app = Router::new().route("/", get(greet)).with_state(tailnet.clone());
    let app = app.into_make_service_with_connect_info::<PeerAddr>();
    Ok(axum::serve(tailnet.listen(port).await?, app).await?)
}

async fn greet(
    State(tailnet): State<Tailnet>,
    ConnectInfo(PeerAddr(from)): ConnectInfo<PeerAddr>,
) -> Result<String, StatusCode> {
    // Nobody knows the caller: then it is not served.
    let who = tailnet.whois(from).await.map_err(|_| StatusCode::FORBIDDEN)?;
    Ok(format!("hello, {}\n", who.node.name))
}
