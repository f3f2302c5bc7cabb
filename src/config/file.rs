//! `kolaboree.yaml` as it is written: every key is optional here.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use lxd_client::Fingerprint;
use serde::de::{DeserializeSeed, Visitor};
use serde::{Deserialize, Deserializer};
use tailnet::Address;

use super::tailnet::file::Tailnet;
use super::{CloudKind, ExitNode, LogFormat, check};

/// The configuration of kolaboree-node.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "kolaboree.yaml"))]
#[cfg_attr(test, schemars(extend("patternProperties" = {"^x-": {"description": "For anchors that other keys refer to."}})))]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    /// The name the node asks for in the tailnet: letters, digits and hyphens. Default: kolaboree-node.
    #[serde(deserialize_with = "hostname")]
    pub(super) hostname: Option<String>,
    /// The folder where the node keeps its identity, its client certificate and its control socket.
    pub(super) state_dir: Option<PathBuf>,
    /// The control server. Default: Tailscale's.
    #[serde(deserialize_with = "url")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(super) control_url: Option<http::Uri>,
    /// A file that holds the auth key. It is read again whenever a key is needed.
    pub(super) auth_key_file: Option<PathBuf>,
    /// A file that holds an OAuth client secret (`tskey-client-…`), with which the node makes itself a key. It needs tags.
    pub(super) client_secret_file: Option<PathBuf>,
    /// The client that the tailnet has for a workload identity, with which the node makes itself a key. It needs tags and
    /// id_token_file.
    #[serde(deserialize_with = "client_id")]
    pub(super) client_id: Option<String>,
    /// A file that holds the token by which the workload's own provider vouches for it, such as the projected token of a
    /// service account. It is read again whenever a key is needed.
    pub(super) id_token_file: Option<PathBuf>,
    /// The ACL tags the node asks for, each `tag:name`.
    #[serde(deserialize_with = "tags")]
    pub(super) tags: Option<Vec<String>>,
    /// Whether to use the subnet routes that other nodes offer. Default: false.
    pub(super) accept_routes: Option<bool>,
    /// The node through which everything outside the tailnet goes: its MagicDNS name or its IP address. Default: none, and
    /// then nothing outside the tailnet is reached.
    #[serde(deserialize_with = "parsed_option")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(super) exit_node: Option<ExitNode>,
    /// Whether the control server forgets the node soon after it has gone. Default: false.
    pub(super) ephemeral: Option<bool>,
    /// How many seconds joining may take before the service says so, and tries on. Default: 60.
    #[serde(deserialize_with = "seconds")]
    #[cfg_attr(test, schemars(with = "Option<f64>"))]
    pub(super) join_timeout: Option<Duration>,
    /// How many seconds a connection through the tailnet may take. Default: 30.
    #[serde(deserialize_with = "seconds")]
    #[cfg_attr(test, schemars(with = "Option<f64>"))]
    pub(super) connect_timeout: Option<Duration>,
    /// How many seconds open connections get to end by themselves when the service stops. Default: 10.
    #[serde(deserialize_with = "seconds")]
    #[cfg_attr(test, schemars(with = "Option<f64>"))]
    pub(super) grace_timeout: Option<Duration>,
    /// How many seconds lie between two looks at a cloud. Default: 30.
    #[serde(deserialize_with = "seconds")]
    #[cfg_attr(test, schemars(with = "Option<f64>"))]
    pub(super) interval: Option<Duration>,
    /// The log.
    pub(super) log: Log,
    /// What is served on this machine.
    pub(super) local: Local,
    /// The page and its API in the tailnet. Default: none.
    pub(super) tailnet: Option<Tailnet>,
    /// The servers to keep watch over.
    pub(super) clouds: Vec<Cloud>,
}

/// The log.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(super) struct Log {
    /// How the log is written. Default: text.
    pub(super) format: Option<LogFormat>,
}

/// What is served on this machine. Who can reach an address here reaches the tailnet: keep them to loopback.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(super) struct Local {
    /// The address of /healthz, /readyz and /metrics; `none` for no such address. Default: 127.0.0.1:9002.
    #[serde(deserialize_with = "listen_or_none")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(super) listen: Option<Option<SocketAddr>>,
    /// More names by which /readyz and /metrics are asked, such as a reverse proxy's. Without: IP addresses, names that no
    /// public DNS has (`localhost`, `node`, `node.default.svc`, …), and the machine's own name.
    #[serde(deserialize_with = "hosts")]
    #[cfg_attr(test, schemars(with = "Option<Vec<String>>"))]
    pub(super) hosts: Option<Vec<String>>,
    /// The address of a SOCKS5 proxy into the tailnet. Default: none.
    #[serde(deserialize_with = "listen")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(super) socks5: Option<SocketAddr>,
    /// The address of an HTTP proxy into the tailnet; it may be the SOCKS5 proxy's. Default: none.
    #[serde(deserialize_with = "listen")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(super) http_proxy: Option<SocketAddr>,
}

/// A server in the tailnet.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Cloud {
    /// Its name: letters, digits, hyphens, underscores and dots. `berlin:c1` is the instance c1 of the cloud berlin.
    #[serde(deserialize_with = "cloud_name")]
    pub(super) name: String,
    /// What it is. `tcp` is anything else, which is only forwarded. Default: lxd.
    #[serde(default)]
    pub(super) kind: CloudKind,
    /// Its address in the tailnet, host:port, where the host is a MagicDNS name or an IP address.
    #[serde(deserialize_with = "parsed")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub(super) address: Address,
    /// The project that commands work in. Default: the server's own default.
    #[serde(default)]
    pub(super) project: Option<String>,
    /// Whether the service is ready only while this cloud is reachable. Default: true.
    #[serde(default = "yes")]
    pub(super) required: bool,
    /// By what to know the server. Without it a certificate authority of this system has to vouch for its name.
    #[serde(default)]
    pub(super) trust: Trust,
    /// Where programs of this machine reach it.
    #[serde(default)]
    pub(super) proxy: Proxy,
    /// How it is watched.
    #[serde(default)]
    pub(super) checks: Checks,
}

/// By what to know a server.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(super) struct Trust {
    /// The SHA-256 of its certificate, 64 hexadecimal digits.
    #[serde(deserialize_with = "parsed_option")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(super) fingerprint: Option<Fingerprint>,
    /// A file with its certificate, PEM.
    pub(super) certificate: Option<PathBuf>,
    /// A token from `lxc config trust add`, by which the server comes to trust this node, or `file:` and the path of a
    /// file that holds it. It also tells the fingerprint.
    pub(super) token: Option<String>,
}

/// Where programs of this machine reach a cloud.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(super) struct Proxy {
    /// A Unix socket, for its owner alone unless mode or group say more. For LXD and Incus it speaks the API as this node's client certificate:
    /// with LXD_DIR naming the folder of a socket `unix.socket`, stock clients use it. For tcp it is forwarded as it is.
    pub(super) unix: Option<PathBuf>,
    /// The socket's mode in octal digits, such as 0660. Default: 0600, and 0660 with a group.
    #[serde(deserialize_with = "mode")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(super) mode: Option<u32>,
    /// The group that may open the socket, by its name or number. Who opens it acts as this node.
    #[serde(deserialize_with = "text")]
    pub(super) group: Option<String>,
    /// An address whose streams are forwarded as they are: the client does TLS with the server itself.
    #[serde(deserialize_with = "listen")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(super) listen: Option<SocketAddr>,
}

/// How a cloud is watched.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(super) struct Checks {
    /// How many seconds lie between two looks. Default: the `interval` of the whole.
    #[serde(deserialize_with = "seconds")]
    #[cfg_attr(test, schemars(with = "Option<f64>"))]
    pub(super) interval: Option<Duration>,
    /// How many seconds a look may take. Default: 10.
    #[serde(deserialize_with = "seconds")]
    #[cfg_attr(test, schemars(with = "Option<f64>"))]
    pub(super) timeout: Option<Duration>,
    /// How many seconds the server may send nothing on a websocket, of a command or of events, before that ends with
    /// an error. It is asked for a sign of life before. At least 20. Default: 30.
    #[serde(deserialize_with = "silence")]
    #[cfg_attr(test, schemars(with = "Option<f64>"))]
    pub(super) silence: Option<Duration>,
}

fn yes() -> bool {
    true
}

/// Takes a scalar that a rule lets through. The rule is asked while the scalar is read, so that an error has its place.
pub(super) struct Checked<T>(fn(&str) -> Result<T, String>);

impl<T> Checked<T> {
    pub(super) fn value<'de, D: Deserializer<'de>>(
        rule: fn(&str) -> Result<T, String>,
        deserializer: D,
    ) -> Result<T, D::Error> {
        Checked(rule).deserialize(deserializer)
    }

    pub(super) fn option<'de, D: Deserializer<'de>>(
        rule: fn(&str) -> Result<T, String>,
        deserializer: D,
    ) -> Result<Option<T>, D::Error> {
        deserializer.deserialize_option(Maybe(Checked(rule)))
    }
}

impl<T> Visitor<'_> for Checked<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        (self.0)(text).map_err(E::custom)
    }
}

impl<'de, T> DeserializeSeed<'de> for Checked<T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_str(self)
    }
}

/// A number of seconds that a rule lets through.
struct Seconds(fn(f64) -> Result<Duration, String>);

impl Visitor<'_> for Seconds {
    type Value = Duration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of seconds")
    }

    fn visit_f64<E: serde::de::Error>(self, seconds: f64) -> Result<Duration, E> {
        (self.0)(seconds).map_err(E::custom)
    }

    fn visit_u64<E: serde::de::Error>(self, seconds: u64) -> Result<Duration, E> {
        self.visit_f64(seconds as f64)
    }

    fn visit_i64<E: serde::de::Error>(self, seconds: i64) -> Result<Duration, E> {
        self.visit_f64(seconds as f64)
    }
}

impl<'de> DeserializeSeed<'de> for Seconds {
    type Value = Duration;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Duration, D::Error> {
        deserializer.deserialize_f64(self)
    }
}

/// A value that may be left out.
struct Maybe<S>(S);

impl<'de, S: DeserializeSeed<'de>> Visitor<'de> for Maybe<S> {
    type Value = Option<S::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, or nothing")
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        self.0.deserialize(deserializer).map(Some)
    }
}

fn parse<T: FromStr<Err: fmt::Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|e: T::Err| e.to_string())
}

fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    deserializer.deserialize_option(Maybe(Seconds(check::in_range)))
}

fn silence<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    deserializer.deserialize_option(Maybe(Seconds(check::silence)))
}

fn parsed<'de, D: Deserializer<'de>, T: FromStr<Err: fmt::Display>>(deserializer: D) -> Result<T, D::Error> {
    Checked::value(parse, deserializer)
}

fn parsed_option<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: fmt::Display>,
{
    Checked::option(parse, deserializer)
}

fn hostname<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Checked::option(check::hostname, deserializer)
}

fn client_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Checked::option(check::client_id, deserializer)
}

fn url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<http::Uri>, D::Error> {
    Checked::option(check::control_url, deserializer)
}

fn mode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    Checked::option(check::mode, deserializer)
}

/// A text, whose digits are no number.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    parsed_option(deserializer)
}

fn listen<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SocketAddr>, D::Error> {
    Checked::option(check::listen, deserializer)
}

fn listen_or_none<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<SocketAddr>>, D::Error> {
    Checked::option(check::listen_or_none, deserializer)
}

fn tags<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    Ok(Option::<Vec<Tag>>::deserialize(deserializer)?.map(|tags| tags.into_iter().map(|tag| tag.0).collect()))
}

pub(super) fn hosts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    Ok(Option::<Vec<Host>>::deserialize(deserializer)?
        .map(|hosts| hosts.into_iter().map(|host| host.0).collect()))
}

struct Host(String);

impl<'de> Deserialize<'de> for Host {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Host, D::Error> {
        Checked::value(check::host, deserializer).map(Host)
    }
}

struct Tag(String);

impl<'de> Deserialize<'de> for Tag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Tag, D::Error> {
        Checked::value(check::tag, deserializer).map(Tag)
    }
}

fn cloud_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Checked::value(check::cloud_name, deserializer)
}
