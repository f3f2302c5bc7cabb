//! HTTP with reqwest, or with any other program that knows SOCKS5.
//!
//! reqwest takes no connector of another type than its own, so the way in is a SOCKS5 listener on loopback. As the proxy
//! for everything it is also the only way: what is not in the tailnet is an error. Without a feature for TLS,
//! reqwest 0.13 refuses such a proxy.

use reqwest::{Client, Proxy};
use tailnet::Tailnet;
use tokio::net::TcpListener;

/// A client whose every request goes through the tailnet.
pub async fn client(tailnet: &Tailnet) -> anyhow::Result<Client> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    // socks5h: names are looked up in the tailnet, not here.
    let proxy = Proxy::all(format!("socks5h://{}", listener.local_addr()?))?;
    let tailnet = tailnet.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let tailnet = tailnet.clone();
            tokio::spawn(async move { tailnet.serve_socks5(stream).await });
        }
    });
    // The feature `rustls-no-provider` leaves the choice to the program.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Ok(Client::builder().proxy(proxy).build()?)
}
