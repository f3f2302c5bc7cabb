//! The commands about the node, with the names that the `tailscale` command has for them.

mod access;
mod health;
mod ip;
mod membership;
mod nc;
mod netcheck;
mod ping;
mod reload;
mod status;
mod whois;

use std::process::ExitCode;

use super::args::Command;
use super::exit::usage;
use super::output::Out;
use crate::config::Config;

pub(super) async fn run(command: &Command, config: Config, out: &Out) -> anyhow::Result<ExitCode> {
    match command {
        Command::Status { no_peers, qr } => status::run(&config, *no_peers, *qr, out).await?,
        Command::Ip { v4, v6, peer } => ip::run(&config, *v4, *v6, peer.as_deref(), out).await?,
        Command::Ping(options) => ping::run(&config, options, out).await?,
        Command::Whois { address } => whois::run(&config, address, out).await?,
        Command::Access(command) => access::run(&config, command, out).await?,
        Command::Netcheck => netcheck::run(&config, out).await?,
        Command::Nc { host, port } => nc::run(&config, host, *port).await?,
        Command::Up { key_from } => membership::up(&config, key_from.as_deref(), out).await?,
        Command::Down => membership::down(&config, out).await?,
        Command::Logout => membership::logout(&config, out).await?,
        Command::Reload => reload::run(&config, out).await?,
        Command::Health { ready } => health::run(&config, *ready).await?,
        _ => return Err(usage("this command is not about the node")),
    }
    Ok(ExitCode::SUCCESS)
}
