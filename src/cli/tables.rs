//! The tables that several commands show, and the units in them.

use tailnet::BackendState;

use super::output::{Colour, Out, Table};
use crate::control::protocol::{Cloud, Peer, Status};

/// The node, its peers and its clouds, and what is wrong with them.
pub(super) fn status(status: &Status, out: &Out) -> String {
    let mut text = String::new();
    let mut peers = Table::new(&["ADDRESS", "NAME", "STATE", "PATH", "SENT", "RECEIVED"]);
    for peer in std::iter::once(&status.this).chain(&status.peers) {
        let itself = std::ptr::eq(peer, &status.this);
        let (colour, state) = match (itself, peer.online) {
            (true, true) => (Colour::Green, status.state.to_string()),
            (true, false) => (Colour::Red, status.state.to_string()),
            (false, true) => (Colour::Green, "online".to_owned()),
            (false, false) => (Colour::Yellow, "offline".to_owned()),
        };
        let address = peer.ips.first().map(ToString::to_string).unwrap_or_default();
        let path = if itself { "this node".to_owned() } else { path_of(peer) };
        peers.row([
            address,
            peer.name.clone(),
            out.paint(colour, &state),
            path,
            bytes(peer.sent),
            bytes(peer.received),
        ]);
    }
    text += &peers.to_string();
    if !status.clouds.is_empty() {
        text += &format!("\n{}", clouds(&status.clouds, out));
    }
    if let Some(page) = &status.page {
        text += &format!("\nthe page is at {page} for who is in the tailnet\n");
    }
    if let Some(exit) = &status.exit_node {
        let trouble = exit.trouble().map(|why| format!(", but cannot: {why}")).unwrap_or_default();
        text += &format!("\nwhat is outside the tailnet goes through {}{trouble}\n", exit.configured);
    }
    if let Some(url) = &status.login_url {
        text += &format!("\nlogin needed: open {url}\n");
    }
    if status.state == BackendState::Running && !status.this.online {
        text += "\nthe control server does not answer: the tailnet is as the node knew it last\n";
    }
    match status.key_expires.map(|expires| expires.checked_sub(crate::clock::now())) {
        Some(Some(left)) => text += &format!("\nthe node's key expires in {} days\n", left / 86_400),
        Some(None) => text += "\nthe node's key has expired\n",
        None => {}
    }
    for line in &status.health {
        text += &format!("\nTailscale warns: {line}\n");
    }
    if !status.ready {
        text += &format!("\nnot ready:\n  {}\n", status.reasons.join("\n  "));
    }
    text
}

fn path_of(peer: &Peer) -> String {
    match (&peer.path, peer.routes.is_empty()) {
        (path, true) => path.to_string(),
        (path, false) => format!("{path} routes {}", peer.routes.join(" ")).trim().to_owned(),
    }
}

/// The clouds as a table.
pub(super) fn clouds(clouds: &[Cloud], out: &Out) -> String {
    let mut table = Table::new(&["CLOUD", "ADDRESS", "STATE", "SERVER", "PATH", "TCP", "API"]);
    for cloud in clouds {
        let health = &cloud.health;
        let (colour, state) = match (health.reachable, health.trusted) {
            (Some(true), Some(false)) => (Colour::Yellow, "not trusted"),
            (Some(true), _) if health.projects.is_some() => (Colour::Yellow, "not in its project"),
            (Some(true), _) => (Colour::Green, "reachable"),
            (Some(false), _) => (Colour::Red, "unreachable"),
            (None, _) => (Colour::Yellow, "unknown"),
        };
        let server = match (&health.server, &health.version) {
            (Some(server), Some(version)) => format!("{server} {version}"),
            _ => cloud.kind.to_string(),
        };
        table.row([
            cloud.name.clone(),
            cloud.address.clone(),
            out.paint(colour, state),
            server,
            health.path.to_string(),
            milliseconds(health.tcp_ms),
            milliseconds(health.api_ms),
        ]);
    }
    table.to_string()
}

fn milliseconds(ms: Option<f64>) -> String {
    ms.map(|ms| format!("{ms:.1} ms")).unwrap_or_default()
}

/// 1536 is 1.5 KiB.
pub(super) fn bytes(count: u64) -> String {
    let mut scaled = count as f64;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if scaled < 1024.0 {
            return if unit == "B" { format!("{count} B") } else { format!("{scaled:.1} {unit}") };
        }
        scaled /= 1024.0;
    }
    format!("{scaled:.1} TiB")
}
