//! `lxd network peer`.

use std::process::ExitCode;

use crate::actions::objects::{PEER, text};
use crate::cli::lxd::fleet::Fleet;
use crate::cli::lxd::objects::lists::{self, Columns, column};
use crate::cli::lxd::objects::names::{NetworkName, PeerName};
use crate::cli::lxd::objects::usual::{self, Usual};
use crate::cli::output::Out;

/// The verbs of peerings.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum PeerCommand {
    /// Lists the peerings of a network.
    #[command(visible_alias = "ls")]
    List(NetworkName),
    #[command(flatten)]
    Usual(Usual<PeerName>),
    /// Creates this network's half of a peering, by the YAML on the standard input where that is no terminal.
    Create {
        #[command(flatten)]
        peer: PeerName,
        /// The other network, with its project before it where that is another one.
        #[arg(value_name = "[PROJECT/]NETWORK")]
        target: String,
        /// Settings.
        #[arg(value_name = "KEY=VALUE")]
        settings: Vec<String>,
    },
}

const COLUMNS: &Columns = &[
    column::NAME,
    column::DESCRIPTION,
    ("PEER", |peer| match (text(peer, "target_project"), text(peer, "target_network")) {
        ("", "") => "Unknown".to_owned(),
        (project, network) => format!("{project}/{network}"),
    }),
    column::STATE,
];

pub(super) async fn run(command: &PeerCommand, fleet: &Fleet, out: &Out) -> anyhow::Result<ExitCode> {
    match command {
        PeerCommand::List(network) => lists::list_in(fleet, &PEER, network, COLUMNS, out).await,
        PeerCommand::Usual(verb) => usual::usual(fleet, verb, out).await,
        PeerCommand::Create { peer, target, settings } => {
            let (project, network) = match target.split_once('/') {
                Some((project, network)) => (Some(project), network),
                None => (None, target.as_str()),
            };
            let fields = [("target_project", project), ("target_network", Some(network))];
            usual::create_with(fleet, peer, settings, fields).await
        }
    }
}
