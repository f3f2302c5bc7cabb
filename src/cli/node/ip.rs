//! `ip`: prints the addresses of the node or of a peer.

use super::super::exit::UserError;
use super::super::output::Out;
use crate::config::Config;
use crate::control::protocol::Peer;
use crate::uplink::Uplink;

pub(super) async fn run(
    config: &Config,
    v4: bool,
    v6: bool,
    peer: Option<&str>,
    out: &Out,
) -> anyhow::Result<()> {
    let uplink = Uplink::either(config).await?;
    let status = uplink.status().await;
    uplink.close().await;
    let status = status?;
    let of = match peer {
        None => &status.this,
        Some(name) => {
            let named = |p: &&Peer| {
                p.name == name || p.dns_name == name || p.ips.iter().any(|ip| ip.to_string() == name)
            };
            let message = format!("the tailnet has no node with the name or address {name}");
            status.peers.iter().find(named).ok_or(UserError::new(5, message))?
        }
    };
    let wanted = |ip: &&std::net::IpAddr| !(v4 && ip.is_ipv6() || v6 && ip.is_ipv4());
    let ips: Vec<String> = of.ips.iter().filter(wanted).map(ToString::to_string).collect();
    if ips.is_empty() {
        return Err(UserError::new(4, format!("the node has no such address ({})", status.state)).into());
    }
    out.print(&ips, || ips.join("\n") + "\n")?;
    Ok(())
}
