//! Gets a page from the tailnet with reqwest: `TS_AUTHKEY=… cargo run -p tailnet --example reqwest -- http://grafana/`.
//!
//! A layer around reqwest's own connector sees each connection and cannot bring another one (its type is reqwest's own),
//! so the way in is a SOCKS5 listener on loopback, in this process. As the proxy for everything it is also the only way:
//! what is not in the tailnet is an error.

use anyhow::Context;
use tailnet::Tailnet;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = std::env::args().nth(1).context("usage: reqwest URL")?;
    let key = std::env::var("TS_AUTHKEY").context("TS_AUTHKEY must hold an auth key")?;
    let tailnet = Tailnet::builder().hostname("reqwest").auth_key(key.parse()?).ephemeral(true).up().await?;

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    // socks5h: names are looked up in the tailnet, not here.
    let proxy = reqwest::Proxy::all(format!("socks5h://{}", listener.local_addr()?))?;
    let serving = tailnet.clone();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let tailnet = serving.clone();
            tokio::spawn(async move { tailnet.serve_socks5(client).await });
        }
    });

    let _ = rustls::crypto::ring::default_provider().install_default();
    let answer = reqwest::Client::builder().proxy(proxy).build()?.get(url).send().await?;
    println!("{}\n{}", answer.status(), answer.text().await?);
    tailnet.close().await?;
    Ok(())
}
