//! The configuration's flags.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::check::{self, Listen};
use super::{ExitNode, LogFormat};

/// The configuration's flags.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Configuration")]
#[non_exhaustive]
pub struct Flags {
    /// The configuration. Default: kolaboree.yaml, where that is there.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Variables that the environment has not, such as TAILSCALE_AUTH_KEY.
    #[arg(long, global = true, default_value = ".env", value_name = "FILE")]
    pub env_file: PathBuf,
    /// Where the node keeps its identity.
    #[arg(long, global = true, value_name = "FOLDER")]
    pub state_dir: Option<PathBuf>,
    /// The name the node asks for.
    #[arg(long, global = true, value_name = "NAME", value_parser = check::hostname)]
    pub hostname: Option<String>,
    /// The control server. Default: Tailscale's.
    #[arg(long, global = true, value_name = "URL", value_parser = check::control_url)]
    pub control_url: Option<http::Uri>,
    /// A file that holds the auth key.
    #[arg(long, global = true, value_name = "FILE")]
    pub auth_key_file: Option<PathBuf>,
    /// An ACL tag to ask for, tag:NAME; may be given several times.
    #[arg(long = "tag", global = true, value_name = "TAG", value_parser = check::tag)]
    pub tags: Vec<String>,
    /// Whether to use the subnet routes that other nodes offer.
    #[arg(long, global = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub accept_routes: Option<bool>,
    /// The node through which everything outside the tailnet goes. Default: none.
    #[arg(long, global = true, value_name = "NODE")]
    pub exit_node: Option<ExitNode>,
    /// The address of /healthz, /readyz and /metrics, or none. Default: 127.0.0.1:9002.
    #[arg(long, global = true, value_name = "ADDRESS", value_parser = check::parse_listen_or_none)]
    pub local_listen: Option<Listen>,
    /// The address of a SOCKS5 proxy into the tailnet.
    #[arg(long, global = true, value_name = "ADDRESS", value_parser = check::listen)]
    pub socks5: Option<SocketAddr>,
    /// The address of an HTTP proxy into the tailnet.
    #[arg(long, global = true, value_name = "ADDRESS", value_parser = check::listen)]
    pub http_proxy: Option<SocketAddr>,
    /// How the log is written.
    #[arg(long, global = true, value_enum)]
    pub log_format: Option<LogFormat>,
}

impl Flags {
    /// The arguments by which another process of this program has the same configuration.
    pub(crate) fn arguments(&self) -> Vec<std::ffi::OsString> {
        let text = |flag: &str, value: Option<String>| value.map(|value| (flag.to_owned(), value.into()));
        let path =
            |flag: &str, value: Option<&PathBuf>| value.map(|value| (flag.to_owned(), value.clone().into()));
        let mut given: Vec<(String, std::ffi::OsString)> = [
            path("--config", self.config.as_ref()),
            path("--env-file", Some(&self.env_file)),
            path("--state-dir", self.state_dir.as_ref()),
            path("--auth-key-file", self.auth_key_file.as_ref()),
            text("--hostname", self.hostname.clone()),
            text("--control-url", self.control_url.as_ref().map(ToString::to_string)),
            text("--accept-routes", self.accept_routes.map(|accept| accept.to_string())),
            text("--exit-node", self.exit_node.as_ref().map(ToString::to_string)),
        ]
        .into_iter()
        .flatten()
        .collect();
        given.extend(self.tags.iter().map(|tag| ("--tag".to_owned(), tag.into())));
        let joined = |(flag, value): (String, std::ffi::OsString)| {
            let mut argument = std::ffi::OsString::from(flag + "=");
            argument.push(value);
            argument
        };
        given.into_iter().map(joined).collect()
    }
}
