//! `netcheck`: shows the network around the running node.

use super::super::output::Out;
use crate::config::Config;
use crate::uplink::running;

pub(super) async fn run(config: &Config, out: &Out) -> anyhow::Result<()> {
    let found = running(config).await?.netcheck().await?;
    out.print(&found, || {
        let yes = |truth| if truth { "yes" } else { "no" };
        let mut text = format!("UDP:              {}\n", yes(found.udp));
        text += &format!("IPv4, IPv6:       {}, {}\n", yes(found.ipv4), yes(found.ipv6));
        text += &format!("public addresses: {}\n", found.public.join(" "));
        let varies = found.mapping_varies.map_or("unknown", yes);
        text += &format!("mapping varies:   {varies}\n");
        text += &format!("nearest relay:    {}\n", found.preferred_relay.as_deref().unwrap_or("none"));
        for relay in &found.relays {
            text += &format!("  {:8} {:8.1} ms  {}\n", relay.code, relay.ms, relay.name);
        }
        text
    })?;
    Ok(())
}
