//! `whois`: shows who has an address of the tailnet.

use super::super::output::Out;
use crate::config::Config;
use crate::uplink::running;

pub(super) async fn run(config: &Config, address: &str, out: &Out) -> anyhow::Result<()> {
    let found = running(config).await?.whois(address).await?;
    out.print(&found, || {
        let mut text = format!("machine: {}\n", found.node);
        if !found.tags.is_empty() {
            text += &format!("tags:    {}\n", found.tags.join(" "));
        }
        if found.tags.is_empty() {
            text += &format!("user:    {} ({})\n", found.user, found.display_name);
        }
        text
    })?;
    Ok(())
}
