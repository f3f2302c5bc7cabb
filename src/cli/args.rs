//! The arguments of all commands but `lxd`, whose commands have theirs beside them.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args as ClapArgs, Parser, Subcommand};
use clap_complete::Shell;

use super::lxd::Lxd;
use super::output::Format;
use super::top::Top;
use crate::config::{Flags, Verb};
use crate::control::protocol::PingKind;
use crate::version::VERSION;

/// Joins a tailnet inside this process, keeps watch over the LXD servers in it, and serves them to this machine.
#[derive(Debug, Parser)]
#[command(name = "kolaboree-node", version = VERSION, max_term_width = 110)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) flags: Flags,
    /// How to print. Default: as KOLABOREE_OUTPUT says, or table.
    #[arg(short, long, global = true, value_enum)]
    pub(crate) output: Option<Format>,
    /// Show what is behind an error, and Tailscale's own log.
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs the service (this is the default): joins, watches the clouds, serves. SIGTERM stops it in order, SIGHUP
    /// reads the configuration again.
    Run,
    /// Shows the running node, its peers and its clouds.
    Status {
        /// Show the clouds and the node itself, without its peers.
        #[arg(long)]
        no_peers: bool,
        /// Show the address of the page as a QR code too, for a phone in the tailnet.
        #[arg(long)]
        qr: bool,
    },
    /// Prints the node's addresses in the tailnet.
    Ip {
        /// The IPv4 address only.
        #[arg(short = '4')]
        v4: bool,
        /// The IPv6 address only.
        #[arg(short = '6', conflicts_with = "v4")]
        v6: bool,
        /// Of another node, instead of this one.
        peer: Option<String>,
    },
    /// Asks a node of the tailnet for signs of life, and shows by which path they come.
    Ping(Ping),
    /// Tells who has an address of the tailnet.
    Whois {
        /// An address, with or without a port, or a name.
        address: String,
    },
    /// Tells who may do what by the page in the tailnet, and why.
    #[command(subcommand)]
    Access(AccessCommand),
    /// Shows the network around the running node.
    Netcheck,
    /// Joins this terminal with a port of a node of the tailnet.
    Nc {
        /// The node's name or address.
        host: String,
        /// Its port.
        #[arg(value_parser = clap::value_parser!(u16).range(1..))]
        port: u16,
    },
    /// Brings the running node back into its tailnet.
    Up {
        /// Log in anew, with the key in this file; `-` reads it from the standard input.
        #[arg(long, value_name = "FILE")]
        key_from: Option<PathBuf>,
    },
    /// Takes the running node out of its tailnet; it keeps its identity.
    Down,
    /// Takes the running node out of its tailnet and forgets its identity.
    Logout,
    /// Has the running node read its configuration again, as SIGHUP does.
    Reload,
    /// Checks everything from the configuration to each cloud's API, and says what to do about what fails.
    Doctor(Doctor),
    /// Shows what the instances of all clouds use, live; keys sort, filter and open a shell.
    Top(Top),
    /// Works with the instances of all clouds; berlin:c1 is the instance c1 of the cloud berlin.
    Lxd(Lxd),
    /// Lets stock clients, such as lxc, reach a cloud through the tailnet.
    Proxy(Proxy),
    /// Looks at the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Exits with 0 when the running node is alive; for the health checks of containers.
    Health {
        /// And only when it has joined, and every required cloud is reachable.
        #[arg(long)]
        ready: bool,
    },
    /// Prints a script that completes these commands in a shell.
    Completions {
        /// For which shell.
        shell: Shell,
    },
    /// Prints the manual page.
    Man {
        /// Write it into this folder instead, with a page for each command.
        #[arg(long, value_name = "FOLDER")]
        to: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum AccessCommand {
    /// Lists the rules of the configuration, and what each node that is online may do.
    List,
    /// Tells what a node or a user may do and why, and the grant that is missing.
    Explain(Explain),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Explain {
    /// A node's name or address, or a user's login name.
    pub(crate) peer: String,
    /// What they would like to do. Default: to see something.
    #[arg(long, value_enum)]
    pub(crate) verb: Option<Verb>,
    /// In which cloud. Default: in all.
    #[arg(long)]
    pub(crate) cloud: Option<String>,
    /// In which project. Default: in all.
    #[arg(long)]
    pub(crate) project: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Ping {
    /// A node's name or address, or a cloud's name.
    pub(crate) peer: String,
    /// How often. Default: until a direct path is found, ten times at the most.
    #[arg(short, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) count: Option<u32>,
    /// At which layer to ask: disco (Tailscale itself), tsmp (through WireGuard) or icmp (the peer's network stack).
    #[arg(long, default_value = "disco", value_parser = PossibleValuesParser::new(PingKind::NAMES).map(PingKind::from))]
    pub(crate) kind: PingKind,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Doctor {
    /// The clouds to check. Default: all.
    pub(crate) clouds: Vec<String>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Proxy {
    /// The cloud.
    pub(crate) cloud: String,
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Debug, ClapArgs)]
#[group(required = true, multiple = true)]
pub(crate) struct Place {
    /// A Unix socket that speaks the cloud's API as this node's client certificate: LXD_DIR=FOLDER lxc list, for
    /// FOLDER/unix.socket.
    #[arg(long, value_name = "PATH")]
    pub(crate) unix: Option<PathBuf>,
    /// An address whose streams are forwarded as they are: lxc remote add berlin https://ADDRESS.
    #[arg(long, value_name = "ADDRESS", value_parser = crate::config::listen)]
    pub(crate) listen: Option<SocketAddr>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Says what is wrong with the configuration, where, and what to do.
    Check,
    /// Shows what is in force, and where each value came from, without secrets.
    Show,
    /// Prints the JSON schema of kolaboree.yaml.
    Schema,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_well_formed() {
        <Args as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn no_command_has_an_argument_with_the_name_of_a_global_one() {
        fn check(command: &clap::Command, globals: &[String]) {
            for argument in command.get_arguments().filter(|a| !a.is_global_set()) {
                assert!(
                    !globals.contains(&argument.get_id().to_string()),
                    "{} {}",
                    command.get_name(),
                    argument.get_id()
                );
            }
            command.get_subcommands().for_each(|sub| check(sub, globals));
        }
        let command = <Args as clap::CommandFactory>::command();
        let globals: Vec<String> =
            command.get_arguments().filter(|a| a.is_global_set()).map(|a| a.get_id().to_string()).collect();
        assert!(globals.len() > 5);
        check(&command, &globals);
    }
}
