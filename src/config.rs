use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lxd_client::Fingerprint;
use serde::Deserialize;
use serde::de::Error as _;
use tailnet::Address;

use crate::yaml;

/// What the service is to do: `kolaboree.yaml`. Secrets are not in it, but in the environment.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Config {
    /// The name the node asks for.
    #[serde(default = "default_hostname")]
    pub hostname: String,
    /// Where the node keeps its identity and its client certificate.
    pub state_dir: PathBuf,
    /// The control server. Default: Tailscale's.
    #[serde(default, deserialize_with = "parsed_option")]
    pub control_url: Option<http::Uri>,
    /// The ACL tags the node asks for.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Whether to use the subnet routes that other nodes offer.
    #[serde(default)]
    pub accept_routes: bool,
    /// How many seconds joining may take.
    #[serde(default = "default_join_timeout", deserialize_with = "seconds")]
    pub join_timeout: Duration,
    /// How many seconds lie between two looks at a cloud.
    #[serde(default = "default_interval", deserialize_with = "seconds")]
    pub interval: Duration,
    /// The servers to keep watch over.
    #[serde(default)]
    pub clouds: Vec<Cloud>,
}

/// An LXD or Incus server in the tailnet.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Cloud {
    /// Its name in logs.
    pub name: String,
    /// Its address in the tailnet, `host:port`.
    #[serde(deserialize_with = "parsed")]
    pub address: Address,
    /// The SHA-256 of its certificate. Without it a certificate authority has to vouch for its name.
    #[serde(default, deserialize_with = "parsed_option")]
    pub fingerprint: Option<Fingerprint>,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// Which.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The text is not what it should be.
    #[error("{path}: {message}")]
    Malformed {
        /// Which file.
        path: String,
        /// What is wrong, in which line and column.
        message: String,
    },
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, or something in it is wrong or unknown.
    pub fn load(path: &Path) -> Result<Config, ConfigError> {
        let name = path.display().to_string();
        let text =
            fs::read_to_string(path).map_err(|source| ConfigError::Read { path: name.clone(), source })?;
        Config::parse(&text).map_err(|message| ConfigError::Malformed { path: name, message })
    }

    fn parse(text: &str) -> Result<Config, String> {
        let config: Config = yaml::parse(text)?;
        for (index, cloud) in config.clouds.iter().enumerate() {
            if config.clouds[..index].iter().any(|other| other.name == cloud.name) {
                return Err(format!("clouds: two are named {:?}", cloud.name));
            }
        }
        Ok(config)
    }
}

fn default_hostname() -> String {
    "kolaboree-node".to_owned()
}

fn default_join_timeout() -> Duration {
    Duration::from_secs(60)
}

fn default_interval() -> Duration {
    Duration::from_secs(30)
}

fn seconds<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let seconds = f64::deserialize(deserializer)?;
    if !(0.1..=86_400.0).contains(&seconds) {
        return Err(D::Error::custom("must be from 0.1 to 86400 seconds"));
    }
    Ok(Duration::from_secs_f64(seconds))
}

fn parsed<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
}

fn parsed_option<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| text.parse().map_err(D::Error::custom)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_file_is_understood() {
        let pin = "ab".repeat(32);
        let text = format!(
            "hostname: node-1\nstate_dir: /var/lib/kolaboree\ncontrol_url: https://control.example\ntags: [tag:cloud]\n\
             accept_routes: true\njoin_timeout: 5\ninterval: 0.5\nclouds:\n  - name: berlin\n    address: lxd-berlin:8443\n    fingerprint: {pin}\n\
             \x20 - name: paris\n    address: 100.94.245.27:8443\n"
        );
        let config = Config::parse(&text).unwrap();
        assert_eq!((config.interval, config.accept_routes), (Duration::from_millis(500), true));
        assert_eq!(config.clouds[0].address.to_string(), "lxd-berlin:8443");
        assert_eq!(config.clouds[0].fingerprint.unwrap().to_string(), pin);
        assert_eq!(config.clouds[1].fingerprint, None);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (text, expected) in [
            ("", "state_dir"),
            ("state_dir: /s\nhostnme: x\n", "hostnme"),
            ("state_dir: /s\ninterval: 0\n", "0.1 to 86400"),
            ("state_dir: /s\nclouds:\n  - name: a\n    address: nowhere\n", "host:port"),
            (
                "state_dir: /s\nclouds:\n  - name: a\n    address: a:1\n    fingerprint: abc\n",
                "64 hexadecimal digits",
            ),
            (
                "state_dir: /s\nclouds: [{name: a, address: 'a:1'}, {name: a, address: 'b:1'}]\n",
                "two are named",
            ),
            ("state_dir: [\n", "line 1"),
        ] {
            let error = Config::parse(text).unwrap_err();
            assert!(error.contains(expected), "{text:?}: {error}");
        }
    }
}
