//! SSH with russh.

use std::sync::Arc;

use anyhow::{Context, ensure};
use russh::ChannelMsg;
use russh::client::{self, Config, Handle, Handler};
use russh::keys::{PrivateKey, PrivateKeyWithHashAlg, PublicKey, PublicKeyOrCertificate};
use tailnet::Tailnet;

/// Logs in at `address`, such as `build-machine:22`, whose host key is known.
pub async fn connect(
    tailnet: &Tailnet,
    address: &str,
    host_key: PublicKey,
    user: &str,
    key: PrivateKey,
) -> anyhow::Result<Handle<KnownHost>> {
    let stream = tailnet.connect(address).await?;
    let mut session =
        client::connect_stream(Arc::new(Config::default()), stream, KnownHost(host_key)).await?;
    let hash = session.best_supported_rsa_hash().await?.flatten();
    let login = session.authenticate_publickey(user, PrivateKeyWithHashAlg::new(Arc::new(key), hash)).await?;
    ensure!(login.success(), "{address} does not take the key of {user}");
    Ok(session)
}

/// Runs a command, and gives what it has written to its standard output.
pub async fn run(session: &Handle<KnownHost>, command: &str) -> anyhow::Result<String> {
    let mut channel = session.channel_open_session().await?;
    channel.exec(true, command).await?;
    let (mut output, mut status) = (Vec::new(), None);
    while let Some(message) = channel.wait().await {
        match message {
            ChannelMsg::Data { data } => output.extend_from_slice(&data),
            ChannelMsg::ExitStatus { exit_status } => status = Some(exit_status),
            _ => {}
        }
    }
    let status = status.context("the connection ended before the command did")?;
    ensure!(status == 0, "{command} ended with {status}");
    Ok(String::from_utf8(output)?)
}

pub struct KnownHost(PublicKey);

impl Handler for KnownHost {
    type Error = russh::Error;

    async fn check_server_key(&mut self, key: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        Ok(
            matches!(key, PublicKeyOrCertificate::PublicKey { key, .. } if key.key_data() == self.0.key_data()),
        )
    }
}
