//! `nc`: joins standard input and output with a port of a peer.

use anyhow::Context;
use tokio::io::AsyncWriteExt;

use super::super::exit::usage;
use crate::config::Config;
use crate::uplink::Uplink;

pub(super) async fn run(config: &Config, host: &str, port: u16) -> anyhow::Result<()> {
    let address = tailnet::Address::new(host, port).map_err(|e| usage(e.to_string()))?;
    let uplink = Uplink::either(config).await?;
    let outcome = async {
        let stream = uplink.connect(&address.to_string()).await?;
        let (mut from, mut to) = tokio::io::split(stream);
        let send = async {
            tokio::io::copy(&mut tokio::io::stdin(), &mut to).await?;
            to.shutdown().await
        };
        let mut stdout = tokio::io::stdout();
        let receive = async {
            tokio::io::copy(&mut from, &mut stdout).await?;
            stdout.flush().await
        };
        // The peer's end ends it; our own end of file does not.
        let mut send = std::pin::pin!(send);
        let mut receive = std::pin::pin!(receive);
        tokio::select! {
            received = &mut receive => received.context("the connection broke"),
            sent = &mut send => match sent {
                Ok(()) => receive.await.context("the connection broke"),
                Err(error) => Err(error).context("cannot send"),
            },
        }
    };
    let outcome = outcome.await;
    uplink.close().await;
    outcome
}
