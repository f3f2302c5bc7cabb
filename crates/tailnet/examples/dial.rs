//! Dials an address of the tailnet and copies between it and the terminal, as netcat does:
//! `TS_AUTHKEY=… cargo run -p tailnet --example dial -- lxd-berlin:8443`.

use anyhow::Context;
use tailnet::Tailnet;
use tokio::io::{AsyncWriteExt, copy, split, stdin, stdout};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let address = std::env::args().nth(1).context("usage: dial HOST:PORT")?;
    let key = std::env::var("TS_AUTHKEY").context("TS_AUTHKEY must hold an auth key")?;
    let tailnet = Tailnet::builder().hostname("dial").auth_key(key.parse()?).ephemeral(true).up().await?;
    let (mut from, mut to) = split(tailnet.connect(address).await?);
    // The terminal is read on a thread of its own, which outlives the stream.
    tokio::spawn(async move {
        copy(&mut stdin(), &mut to).await?;
        to.shutdown().await
    });
    copy(&mut from, &mut stdout()).await?;
    tailnet.close().await?;
    Ok(())
}
