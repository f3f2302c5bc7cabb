//! The configuration of the service: from flags, the environment, `.env` and `kolaboree.yaml`, in this order.

mod check;
mod clouds;
mod credentials;
mod dotenv;
mod environment;
mod exit_node;
mod extra_args;
mod file;
mod flags;
mod group;
mod key;
mod keys;
mod kubernetes;
mod lasting;
mod layers;
mod load;
mod names;
mod places;
mod rights;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod schema;
mod settings;
mod tailnet;
#[cfg(test)]
mod tests;
mod text;
mod tree;
mod unknown;
mod warnings;
mod whole;
mod yaml;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ::tailnet::Address;
use lxd_client::{Fingerprint, TrustToken};
use serde::{Deserialize, Serialize};

pub use check::Listen;
pub(crate) use check::listen;
pub use environment::{Environment, EnvironmentError};
pub use exit_node::{ExitNode, InvalidExitNode};
pub use flags::Flags;
pub use key::{Key, KeyError, KeySource, Secret};
pub use load::Loaded;
pub use rights::{AccessRule, Grant, Names, Principal, Verb, Verbs};
pub use settings::{Setting, Source};
pub use tailnet::{Confirm, Development, Tailnet};
pub(crate) use text::read as read_text;
pub(crate) use unknown::nearest;
pub(crate) use yaml::to_text;

/// The file's JSON schema.
pub const SCHEMA: &str = include_str!("../../kolaboree.schema.json");

/// The configuration of the service.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The name the node asks for.
    pub hostname: String,
    /// Where the node keeps its identity, its client certificate and its control socket.
    pub state_dir: PathBuf,
    /// The control server. Default: Tailscale's.
    pub control_url: Option<http::Uri>,
    /// Where the key that lets the node in comes from.
    pub key: KeySource,
    /// The ACL tags the node asks for.
    pub tags: Vec<String>,
    /// Whether to use the subnet routes that other nodes offer.
    pub accept_routes: bool,
    /// The node through which everything outside the tailnet goes; without one, nothing outside it is reached.
    pub exit_node: Option<ExitNode>,
    /// Whether the control server forgets the node soon after it has gone.
    pub ephemeral: bool,
    /// Whether a node that has an identity starts without using its key again. Default: yes.
    pub auth_once: bool,
    /// How long joining may take before the service says so, and tries on.
    pub join_timeout: Duration,
    /// How long a connection through the tailnet may take.
    pub connect_timeout: Duration,
    /// How long open connections get to end by themselves when the service stops.
    pub grace_timeout: Duration,
    /// How the log is written.
    pub log_format: LogFormat,
    /// The address of `/healthz`, `/readyz` and `/metrics`.
    pub listen: Option<SocketAddr>,
    /// More names by which `/readyz` and `/metrics` are asked.
    pub hosts: Vec<String>,
    /// The address of the SOCKS5 proxy into the tailnet.
    pub socks5: Option<SocketAddr>,
    /// The address of the HTTP proxy into the tailnet.
    pub http_proxy: Option<SocketAddr>,
    /// The page and its API in the tailnet.
    pub tailnet: Option<Tailnet>,
    /// The servers to keep watch over.
    pub clouds: Vec<CloudConfig>,
}

/// A server in the tailnet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CloudConfig {
    /// Its name in logs and commands.
    pub name: String,
    /// Its kind.
    pub kind: CloudKind,
    /// Its address in the tailnet.
    pub address: Address,
    /// The project that commands work in.
    pub project: Option<String>,
    /// Whether the service is ready only while this cloud is reachable.
    pub required: bool,
    /// By what to know it.
    pub trust: Trust,
    /// The Unix socket where programs of this machine reach it.
    pub proxy_unix: Option<PathBuf>,
    /// That socket's mode. Default: 0600.
    pub proxy_mode: u32,
    /// The number of the group that the socket is given to.
    pub proxy_group: Option<u32>,
    /// The address where programs of this machine reach it.
    pub proxy_listen: Option<SocketAddr>,
    /// The time between two probes of it.
    pub interval: Duration,
    /// The deadline of a probe.
    pub timeout: Duration,
    /// How long the server may send nothing on a websocket; see [`lxd_client::ClientBuilder::silence`].
    pub silence: Duration,
}

/// By what to know a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Trust {
    /// The fingerprint of its certificate; without it a certificate authority has to vouch for its name.
    pub fingerprint: Option<Fingerprint>,
    /// The token by which it comes to trust this node.
    pub token: Option<TrustToken>,
}

/// The kind of a cloud.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum CloudKind {
    /// An LXD server.
    #[default]
    Lxd,
    /// An Incus server.
    Incus,
    /// Anything else, which is only forwarded.
    Tcp,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// A JSON object a line.
    Json,
}

impl Config {
    /// The address of `/healthz`, `/readyz` and `/metrics`, where nothing else is said.
    pub const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9002);

    /// A configuration with a state folder and nothing else: no key, no clouds, no address on this machine. For
    /// programs that embed a [`Node`](crate::Node).
    #[must_use]
    pub fn new(state_dir: impl Into<PathBuf>) -> Config {
        Config {
            hostname: "kolaboree-node".to_owned(),
            state_dir: state_dir.into(),
            control_url: None,
            key: KeySource::default(),
            tags: Vec::new(),
            accept_routes: false,
            exit_node: None,
            ephemeral: false,
            auth_once: true,
            join_timeout: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(30),
            grace_timeout: Duration::from_secs(10),
            log_format: LogFormat::Text,
            listen: None,
            hosts: Vec::new(),
            socks5: None,
            http_proxy: None,
            tailnet: None,
            clouds: Vec::new(),
        }
    }

    /// The socket by which commands reach the running node.
    #[must_use]
    pub fn control_socket(&self) -> PathBuf {
        self.state_dir.join("control.sock")
    }
}

impl CloudConfig {
    /// A server that is probed twice a minute, is known by a certificate authority, and has no proxy.
    #[must_use]
    pub fn new(name: impl Into<String>, kind: CloudKind, address: Address) -> CloudConfig {
        CloudConfig {
            name: name.into(),
            kind,
            address,
            project: None,
            required: true,
            trust: Trust::default(),
            proxy_unix: None,
            proxy_mode: 0o600,
            proxy_group: None,
            proxy_listen: None,
            interval: Duration::from_secs(30),
            timeout: Duration::from_secs(10),
            silence: Duration::from_secs(30),
        }
    }
}

impl fmt::Display for CloudKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CloudKind::Lxd => "lxd",
            CloudKind::Incus => "incus",
            CloudKind::Tcp => "tcp",
        })
    }
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LogFormat::Text => "text",
            LogFormat::Json => "json",
        })
    }
}

/// Something that is wrong in a configuration, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Problem {
    /// The file; for the environment and flags, the name of the variable or flag.
    pub file: String,
    /// The line and the column, counted from 1.
    pub place: Option<(usize, usize)>,
    /// The key, such as `clouds[0].address`; empty where it is the file as a whole.
    pub path: String,
    /// The mistake.
    pub message: String,
    /// The remedy.
    pub remedy: String,
}

impl Problem {
    /// A problem of a variable, which may be in a `.env` file.
    fn of_variable(environment: &Environment, name: &str, message: String, remedy: String) -> Problem {
        let written = environment.written(name);
        match (environment.file_of(name), environment.line_of(name)) {
            (Some(file), Some(line)) => {
                Problem { file: file.to_owned(), place: Some((line, 1)), path: written, message, remedy }
            }
            _ => Problem { file: written, place: None, path: String::new(), message, remedy },
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some((line, column)) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        if !self.path.is_empty() {
            write!(f, ": {}", self.path)?;
        }
        write!(f, ": {}; {}", self.message, self.remedy)
    }
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// Which.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// `.env` cannot be read.
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
    /// The auth key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Something in it is wrong; each problem is a line.
    #[error("{}", lines(.0))]
    Problems(Vec<Problem>),
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// A path that is not absolute is relative to the file that names it.
fn beside(file: &Path, path: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if path.is_relative() => folder.join(path),
        _ => path.to_owned(),
    }
}
