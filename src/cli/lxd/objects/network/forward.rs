//! `lxd network forward`.

use std::process::ExitCode;

use serde_json::Value;

use crate::actions::objects::{self, FORWARD, Fields, setting, text};
use crate::cli::lxd::fleet::Fleet;
use crate::cli::lxd::objects::lists::{self, Columns, column};
use crate::cli::lxd::objects::names::{ForwardName, Names, NetworkName};
use crate::cli::lxd::objects::usual::{self, Create, Usual, done};
use crate::cli::output::Out;

/// The verbs of forwards.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum ForwardCommand {
    /// Lists the forwards of a network.
    #[command(visible_alias = "ls")]
    List(NetworkName),
    #[command(flatten)]
    Usual(Usual<ForwardName>),
    /// Creates a forward, by the YAML on the standard input where that is no terminal.
    Create(Create<ForwardName>),
    /// Works with the ports of a forward.
    #[command(subcommand)]
    Port(PortCommand),
}

/// The verbs of a forward's ports.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum PortCommand {
    /// Adds ports to a forward.
    Add {
        #[command(flatten)]
        forward: ForwardName,
        /// tcp or udp.
        protocol: String,
        /// The ports that are listened at, such as 80,443,8000-8100.
        listen_ports: String,
        /// The address that the traffic goes to.
        target_address: String,
        /// The ports there. Default: the same.
        target_ports: Option<String>,
    },
    /// Removes ports from a forward.
    #[command(visible_alias = "rm")]
    Remove {
        #[command(flatten)]
        forward: ForwardName,
        /// Those of this protocol.
        protocol: Option<String>,
        /// Those that are listened at like this.
        listen_ports: Option<String>,
        /// All that match.
        #[arg(long)]
        force: bool,
    },
}

const COLUMNS: &Columns = &[
    ("LISTEN ADDRESS", |forward| text(forward, "listen_address").to_owned()),
    column::DESCRIPTION,
    ("DEFAULT TARGET ADDRESS", |forward| setting(forward, "target_address").to_owned()),
    ("PORTS", |forward| objects::count(forward, "ports").to_string()),
];

pub(super) async fn run(command: &ForwardCommand, fleet: &Fleet, out: &Out) -> anyhow::Result<ExitCode> {
    match command {
        ForwardCommand::List(network) => lists::list_in(fleet, &FORWARD, network, COLUMNS, out).await,
        ForwardCommand::Usual(verb) => usual::usual(fleet, verb, out).await,
        ForwardCommand::Create(create) => usual::create(fleet, create).await,
        ForwardCommand::Port(command) => port(command, fleet).await,
    }
}

async fn port(command: &PortCommand, fleet: &Fleet) -> anyhow::Result<ExitCode> {
    match command {
        PortCommand::Add { forward, protocol, listen_ports, target_address, target_ports } => {
            let object = forward.object(fleet).await?;
            let port = [
                ("protocol", Some(protocol)),
                ("listen_port", Some(listen_ports)),
                ("target_address", Some(target_address)),
                ("target_port", target_ports.as_ref()),
            ];
            let port: Fields = port
                .into_iter()
                .filter_map(|(key, value)| Some((key.to_owned(), value?.as_str().into())))
                .collect();
            done(forward, async |job| objects::add_item(&object, "ports", port, job).await).await
        }
        PortCommand::Remove { forward, protocol, listen_ports, force } => {
            let object = forward.object(fleet).await?;
            let wanted = [("protocol", protocol), ("listen_port", listen_ports)];
            let fits = |port: &Value| {
                wanted.iter().all(|(key, wanted)| wanted.as_deref().is_none_or(|wanted| port[*key] == wanted))
            };
            done(forward, async |job| {
                objects::remove_items(&object, "ports", "ports", *force, fits, job).await
            })
            .await
        }
    }
}
