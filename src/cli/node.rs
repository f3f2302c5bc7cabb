//! The commands about the node: as those of the `tailscale` command.

use std::io::Read;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use tailnet::BackendState;
use tokio::io::AsyncWriteExt;

use super::args::{Command, Ping};
use super::exit::{Told, usage};
use super::output::{Colour, Out, Table, tell};
use crate::config::Config;
use crate::control::protocol::{
    Cloud, NetworkPath, Peer, PingKind, PingRequest, Pong, Reloaded, Status, UpRequest,
};
use crate::uplink::{Uplink, running};

/// Between two pings, as `ping` does it.
const PING_PAUSE: Duration = Duration::from_secs(1);

/// So many pings look for a direct path.
const PINGS: u32 = 10;

pub(super) async fn run(command: &Command, config: Config, out: &Out) -> anyhow::Result<ExitCode> {
    match command {
        Command::Status { no_peers } => status(&config, *no_peers, out).await?,
        Command::Ip { v4, v6, peer } => ip(&config, *v4, *v6, peer.as_deref(), out).await?,
        Command::Ping(options) => ping(&config, options, out).await?,
        Command::Whois { address } => whois(&config, address, out).await?,
        Command::Netcheck => netcheck(&config, out).await?,
        Command::Nc { host, port } => nc(&config, host, *port).await?,
        Command::Up { key_from } => up(&config, key_from.as_deref(), out).await?,
        Command::Down => changed(running(&config).await?.down().await?, out)?,
        Command::Logout => changed(running(&config).await?.logout().await?, out)?,
        Command::Reload => reload(&config, out).await?,
        Command::Health { ready } => health(&config, *ready).await?,
        _ => return Err(usage("this command is not about the node")),
    }
    Ok(ExitCode::SUCCESS)
}

async fn status(config: &Config, no_peers: bool, out: &Out) -> anyhow::Result<()> {
    let mut status = running(config).await?.status().await?;
    if no_peers {
        status.peers.clear();
    }
    out.print(&status, || status_text(&status, out))?;
    if status.state == BackendState::Running {
        return Ok(());
    }
    // As `tailscale status`: whether it is up shows in the exit code too.
    Err(Told { code: 4, message: format!("the node is not in its tailnet ({})", status.state) }.into())
}

fn status_text(status: &Status, out: &Out) -> String {
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
        text += &format!("\n{}", clouds_text(&status.clouds, out));
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
pub(super) fn clouds_text(clouds: &[Cloud], out: &Out) -> String {
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

pub(super) fn milliseconds(ms: Option<f64>) -> String {
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

async fn ip(config: &Config, v4: bool, v6: bool, peer: Option<&str>, out: &Out) -> anyhow::Result<()> {
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
            status.peers.iter().find(named).ok_or(Told { code: 5, message })?
        }
    };
    let wanted = |ip: &&std::net::IpAddr| !(v4 && ip.is_ipv6() || v6 && ip.is_ipv4());
    let ips: Vec<String> = of.ips.iter().filter(wanted).map(ToString::to_string).collect();
    if ips.is_empty() {
        return Err(
            Told { code: 4, message: format!("the node has no such address ({})", status.state) }.into()
        );
    }
    out.print(&ips, || ips.join("\n") + "\n")?;
    Ok(())
}

async fn ping(config: &Config, options: &Ping, out: &Out) -> anyhow::Result<()> {
    let cloud = config.clouds.iter().find(|cloud| cloud.name == options.peer);
    let peer = cloud.map_or_else(|| options.peer.clone(), |cloud| cloud.address.host());
    let uplink = Uplink::either(config).await?;
    let outcome = pings(&uplink, &PingRequest { peer, kind: options.kind.clone() }, options.count, out).await;
    uplink.close().await;
    outcome
}

async fn pings(uplink: &Uplink, request: &PingRequest, count: Option<u32>, out: &Out) -> anyhow::Result<()> {
    let times = count.unwrap_or(PINGS);
    let mut received = 0;
    let mut last = None;
    for number in 1..=times {
        match uplink.ping(request).await {
            Ok(pong) => {
                received += 1;
                let direct = matches!(pong.path, NetworkPath::Direct(_));
                out.print_one(&pong, || pong_text(&pong))?;
                if count.is_none() && (direct || request.kind != PingKind::Disco) {
                    break;
                }
            }
            Err(error) if super::exit::Failure::of(&error).code == 7 => {
                tell(&format!("no answer from {}", request.peer));
                last = Some(error);
            }
            Err(error) => return Err(error),
        }
        if number < times {
            tokio::time::sleep(PING_PAUSE).await;
        }
    }
    match last {
        Some(error) if received == 0 => Err(error),
        _ => Ok(()),
    }
}

fn pong_text(pong: &Pong) -> String {
    let name = if pong.name.is_empty() { String::new() } else { format!("{} ", pong.name) };
    let via = match &pong.path {
        NetworkPath::Direct(address) => format!(" via {address}"),
        NetworkPath::Relayed(region) => format!(" via DERP({region})"),
        _ => String::new(),
    };
    format!("pong from {name}({}){via} in {} ms", pong.node_ip, pong.ms)
}

async fn whois(config: &Config, address: &str, out: &Out) -> anyhow::Result<()> {
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

async fn netcheck(config: &Config, out: &Out) -> anyhow::Result<()> {
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

async fn nc(config: &Config, host: &str, port: u16) -> anyhow::Result<()> {
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

async fn up(config: &Config, key_from: Option<&Path>, out: &Out) -> anyhow::Result<()> {
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
    out.print(&status, || status_text(&status, out))?;
    Ok(())
}

fn changed(status: Status, out: &Out) -> std::io::Result<()> {
    out.print(&status, || format!("{}\n", status.state))
}

async fn reload(config: &Config, out: &Out) -> anyhow::Result<()> {
    let reloaded = running(config).await?.reload().await?;
    out.print(&reloaded, || {
        let Reloaded { added, removed, changed, needs_restart } = &reloaded;
        let mut text = String::new();
        for (what, names) in
            [("added", added), ("removed", removed), ("changed", changed), ("needs a restart", needs_restart)]
        {
            if !names.is_empty() {
                text += &format!("{what}: {}\n", names.join(" "));
            }
        }
        if text.is_empty() { "nothing has changed\n".to_owned() } else { text }
    })?;
    Ok(())
}

async fn health(config: &Config, ready: bool) -> anyhow::Result<()> {
    let client = running(config).await?;
    if !ready {
        client.clouds().await?;
        return Ok(());
    }
    let status = client.status().await?;
    if status.ready {
        return Ok(());
    }
    Err(Told { code: 1, message: format!("not ready: {}", status.reasons.join("; ")) }.into())
}
