//! The arguments.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use kolaboree_node::Environment;
use lxd_client::{Fingerprint, TrustToken};
use tailnet::Address;

/// Pings an LXD or Incus server through a tailnet, from inside this process.
///
/// With no auth key (TAILSCALE_AUTH_KEY or TS_AUTHKEY, in the environment or .env; file:PATH reads it from a file)
/// it uses a sandbox tailnet on this machine, with the LXD that runs here or a stand-in for one.
#[derive(Parser)]
#[command(name = "lxd_ping", after_help = crate::failure::EXIT_CODES)]
pub(crate) struct Args {
    /// The server: an IP address or MagicDNS name. In the sandbox a loopback address means this machine's LXD.
    #[arg(long, value_name = "HOST[:PORT]", value_parser = parse_server)]
    pub(crate) lxd: Option<Address>,
    /// The control server to join at [default: Tailscale's]
    #[arg(long, value_name = "URL", value_parser = parse_url)]
    pub(crate) control_url: Option<http::Uri>,
    /// The name to take in the tailnet
    #[arg(long, default_value = "lxd-ping", value_name = "NAME")]
    pub(crate) hostname: String,
    /// Where the node's identity and the client certificate are kept [default: a folder of the user's]
    #[arg(long, value_name = "FOLDER")]
    state_dir: Option<PathBuf>,
    /// Use the subnet routes that other nodes offer
    #[arg(long)]
    pub(crate) accept_routes: bool,
    /// How many requests to send; 0 goes on until Ctrl-C
    #[arg(short, long, default_value_t = 4, value_name = "N")]
    pub(crate) count: u64,
    /// Seconds between two requests
    #[arg(short, long, default_value_t = 1.0, value_name = "SECONDS", value_parser = parse_seconds)]
    pub(crate) interval: f64,
    /// Seconds that joining may take, and each request
    #[arg(long, default_value_t = 30.0, value_name = "SECONDS", value_parser = parse_timeout)]
    timeout: f64,
    /// The SHA-256 of the server's certificate
    #[arg(long, value_name = "HEX")]
    pub(crate) fingerprint: Option<Fingerprint>,
    /// A token from `lxc config trust add`. LXD_TRUST_TOKEN keeps it out of sight of other users
    #[arg(long, value_name = "TOKEN")]
    token: Option<String>,
    /// Write one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
    /// Show what is behind an error, and Tailscale's own log
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

impl Args {
    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_secs_f64(self.timeout)
    }

    /// The token, from the command line or the environment.
    pub(crate) fn trust_token(&self, environment: &Environment) -> anyhow::Result<Option<TrustToken>> {
        let text = self.token.as_deref().or_else(|| environment.get("LXD_TRUST_TOKEN"));
        Ok(text.map(str::parse).transpose()?)
    }

    /// `--state-dir`, or a folder that belongs to the user; `None` when the user has none.
    pub(crate) fn state_dir(&self) -> Option<PathBuf> {
        let variable = |name| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        let state = || variable("XDG_STATE_HOME").or_else(|| Some(variable("HOME")?.join(".local/state")));
        self.state_dir.clone().or_else(|| Some(state()?.join("kolaboree-node/lxd_ping")))
    }
}

/// LXD's and Incus's usual port.
const DEFAULT_PORT: u16 = 8443;

fn parse_server(text: &str) -> Result<Address, String> {
    // A bare IPv6 address has colons too.
    let bare = !text.contains(':') || text.ends_with(']') || text.parse::<std::net::Ipv6Addr>().is_ok();
    let address = if bare { Address::new(text, DEFAULT_PORT) } else { text.parse() };
    address.map_err(|e| e.to_string())
}

fn parse_url(text: &str) -> Result<http::Uri, String> {
    let url: http::Uri = text.parse().map_err(|e: http::uri::InvalidUri| e.to_string())?;
    match url.scheme_str() {
        Some("http" | "https") => Ok(url),
        _ => Err("it must start with https:// or http://".to_owned()),
    }
}

fn parse_seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "it is not a number")?;
    if (0.0..=86_400.0).contains(&seconds) {
        Ok(seconds)
    } else {
        Err("it must be from 0 to 86400".to_owned())
    }
}

fn parse_timeout(text: &str) -> Result<f64, String> {
    let seconds = parse_seconds(text)?;
    if seconds >= 0.001 { Ok(seconds) } else { Err("it must be from 0.001 to 86400".to_owned()) }
}
