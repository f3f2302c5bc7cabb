//! The crates `tailnet` and `lxd-client`, without the service: joins, pins a server by its token, and lists its instances.
//!
//! ```bash
//! TS_AUTHKEY=tskey-auth-… LXD_TRUST_TOKEN=… cargo run --example lxd_over_tailnet -- lxd-berlin:8443 [CONTROL_URL]
//! ```

use anyhow::Context;
use lxd_client::{Client, Identity, ServerTrust, TrustToken};
use tailnet::Tailnet;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let server = arguments.next().context("usage: lxd_over_tailnet HOST:PORT [CONTROL_URL]")?;
    let mut builder = Tailnet::builder()
        .hostname("lxd-over-tailnet")
        .auth_key(std::env::var("TS_AUTHKEY")?.parse()?)
        .ephemeral(true);
    if let Some(url) = arguments.next() {
        builder = builder.control_url(url.parse()?);
    }
    let tailnet = builder.up().await?;

    let token: TrustToken = std::env::var("LXD_TRUST_TOKEN")?.parse()?; // from `lxc config trust add`
    let (certificate, key) = Identity::generate_pem("lxd-over-tailnet")?;
    let client = Client::builder(format!("https://{server}").parse()?, tailnet.connector())
        .trust(ServerTrust::Fingerprint(token.fingerprint()))
        .identity(Identity::from_pem(&certificate, &key)?)
        .build()?;
    client.trust(&token).await?;
    for instance in client.instances().await? {
        println!("{:16} {}", instance.name, instance.status);
    }
    tailnet.close().await?;
    Ok(())
}
