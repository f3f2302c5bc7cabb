//! `up`, `down` and `logout`: take the running node into its tailnet and out of it.

use std::io::Read;
use std::path::Path;

use anyhow::Context;

use super::super::output::Out;
use super::super::tables;
use crate::config::Config;
use crate::control::protocol::{Status, UpRequest};
use crate::uplink::running;

pub(super) async fn up(config: &Config, key_from: Option<&Path>, out: &Out) -> anyhow::Result<()> {
    let auth_key = match key_from {
        None => None,
        Some(path) if path == Path::new("-") => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).context("cannot read the key")?;
            Some(text)
        }
        Some(path) => Some(
            crate::config::read_text(path)
                .with_context(|| format!("cannot read the key from {}", path.display()))?,
        ),
    };
    let status = running(config).await?.up(&UpRequest { auth_key }).await?;
    out.print(&status, || tables::status(&status, out))?;
    Ok(())
}

pub(super) async fn down(config: &Config, out: &Out) -> anyhow::Result<()> {
    print_state(&running(config).await?.down().await?, out)
}

pub(super) async fn logout(config: &Config, out: &Out) -> anyhow::Result<()> {
    print_state(&running(config).await?.logout().await?, out)
}

fn print_state(status: &Status, out: &Out) -> anyhow::Result<()> {
    out.print(status, || format!("{}\n", status.state))?;
    Ok(())
}
