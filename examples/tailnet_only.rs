//! The crate `tailnet` alone: joins, says who is there, and asks each node for a sign of life.
//!
//! ```bash
//! TS_AUTHKEY=tskey-auth-… cargo run --example tailnet_only [CONTROL_URL]
//! ```

use tailnet::{PingKind, Tailnet};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut builder = Tailnet::builder()
        .hostname("tailnet-only")
        .auth_key(std::env::var("TS_AUTHKEY")?.parse()?)
        .ephemeral(true);
    if let Some(url) = std::env::args().nth(1) {
        builder = builder.control_url(url.parse()?);
    }
    let tailnet = builder.up().await?;
    let status = tailnet.status().await?;
    println!("joined {} as {:?}", status.magic_dns_suffix, status.ips);
    for peer in status.peers() {
        let Some(ip) = peer.ips.first() else { continue };
        match tailnet.ping(*ip, PingKind::Disco).await {
            Ok(pong) => println!("{:16} {ip} {:?} {:?}", peer.short_name(), pong.latency, pong.path),
            Err(error) => println!("{:16} {ip} {error}", peer.short_name()),
        }
    }
    tailnet.close().await?;
    Ok(())
}
