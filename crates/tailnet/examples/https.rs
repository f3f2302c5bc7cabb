//! Serves HTTPS to the tailnet with the node's own certificate, and with `--funnel` to the Internet as well:
//! `TS_AUTHKEY=… cargo run -p tailnet --example https`. The tailnet must have HTTPS enabled.
//!
//! `TS_HOSTNAME`, `TS_STATE_DIR` and `TS_CONTROL_URL` change what their names say.

use std::env::{args, var};

use anyhow::Context;
use axum::Router;
use axum::extract::ConnectInfo;
use axum::routing::get;
use tailnet::{ListenOptions, PeerAddr, Tailnet};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut node = Tailnet::builder()
        .hostname(var("TS_HOSTNAME").unwrap_or_else(|_| "https".to_owned()))
        .state_dir(var("TS_STATE_DIR").unwrap_or_else(|_| "https-state".to_owned()));
    // The key is needed once: the state folder keeps the identity, and the certificate.
    if let Ok(key) = var("TS_AUTHKEY") {
        node = node.auth_key(key.parse()?);
    }
    if let Ok(url) = var("TS_CONTROL_URL") {
        node = node.control_url(url.parse().context("TS_CONTROL_URL")?);
    }
    let tailnet = node.up().await?;

    let port = ListenOptions::port(443);
    let options = if args().any(|arg| arg == "--funnel") { port.funnel() } else { port.tls() };
    let listener = tailnet.listen_with(&options.alpn(["h2", "http/1.1"])).await?;
    let name = tailnet.status().await?.this.dns_name;
    println!("serving https://{}/", name.trim_end_matches('.'));

    let page = async |ConnectInfo(PeerAddr(from)): ConnectInfo<PeerAddr>| format!("hello, {from}\n");
    let app = Router::new().route("/", get(page)).into_make_service_with_connect_info::<PeerAddr>();
    axum::serve(listener, app).await?;
    Ok(())
}
