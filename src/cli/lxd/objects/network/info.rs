//! `lxd network info`: how a network is right now.

use std::fmt::Write;
use std::process::ExitCode;

use lxd_client::NetworkState;

use crate::cli::lxd::action;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::lxd::objects::names::{Names, NetworkName};
use crate::cli::output::Out;
use crate::cli::tables::bytes;

pub(super) async fn info(fleet: &Fleet, network: &NetworkName, out: &Out) -> anyhow::Result<ExitCode> {
    let (client, name) = network.client(fleet).await?;
    let handle = client.network(name);
    let state = action::run(network.first(), async |job| job.run(handle.state()).await).await?;
    out.print(&state, || shown(name, &state))?;
    Ok(ExitCode::SUCCESS)
}

fn shown(name: &str, state: &NetworkState) -> String {
    let mut text = format!(
        "Name: {name}\nMAC address: {}\nMTU: {}\nState: {}\nType: {}\n",
        state.hwaddr, state.mtu, state.state, state.kind
    );
    if !state.addresses.is_empty() {
        text += "\nIP addresses:\n";
    }
    for address in &state.addresses {
        let _ = writeln!(
            text,
            "  {:<5}  {}/{} ({})",
            address.family, address.address, address.netmask, address.scope
        );
    }
    let counter = |key: &str| state.counters.get(key).copied().and_then(|count| u64::try_from(count).ok());
    let _ = write!(
        text,
        "\nNetwork usage:\n  Bytes received: {}\n  Bytes sent: {}\n  Packets received: {}\n  Packets sent: {}\n",
        bytes(counter("bytes_received").unwrap_or_default()),
        bytes(counter("bytes_sent").unwrap_or_default()),
        counter("packets_received").unwrap_or_default(),
        counter("packets_sent").unwrap_or_default(),
    );
    text
}
