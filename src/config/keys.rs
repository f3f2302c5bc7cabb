//! The table of the configuration's keys. A row says which variables and flag give a value besides the file, how the value
//! is shown, whether a change needs a restart, and what the remedy for a wrong value is.
//!
//! A new key is a row here, a field of [`File`](super::file::File) with its type and its words in the schema, and a field of
//! [`Config`]; with a flag, also a field of [`Flags`](super::Flags).

use std::net::SocketAddr;
use std::time::Duration;

use super::{CloudConfig, Config, Tailnet, file};

/// The labels of the credentials where they are shown.
pub(super) const AUTH_KEY: &str = "auth key";
pub(super) const CLIENT_SECRET: &str = "client secret";
pub(super) const CLIENT_ID: &str = "client_id";
pub(super) const ID_TOKEN: &str = "id token";

/// A key of the file's own level, or of `log`, `local` and `tailnet`.
pub(super) struct Key {
    pub(super) name: &'static str,
    /// Its label where it is shown.
    pub(super) label: &'static str,
    /// The variables that give it; the first that is set counts.
    pub(super) variables: &'static [&'static str],
    pub(super) flag: Option<&'static str>,
    /// The value that is in force; without it, whoever reads the key shows it.
    pub(super) show: Option<fn(&Config) -> String>,
    /// Whether it is shown where nobody has given it.
    pub(super) shows_default: bool,
    /// Whether the service takes a change over at its next start only.
    pub(super) needs_restart: bool,
    /// The remedy for a wrong value.
    pub(super) remedy: &'static str,
}

/// A key of a cloud.
pub(super) struct CloudKey {
    pub(super) name: &'static str,
    pub(super) show: Option<fn(&CloudConfig, &file::Cloud) -> Option<String>>,
    pub(super) remedy: &'static str,
}

/// In the order in which they are shown.
pub(super) static KEYS: [Key; 42] = [
    Key::new("hostname", "give a name of letters, digits and hyphens, such as hostname: kolaboree-node")
        .variables(&["TS_HOSTNAME"])
        .flag("hostname")
        .show(|c| c.hostname.clone())
        .at_start(),
    Key::new("state_dir", "give a folder, such as state_dir: /var/lib/kolaboree")
        .variables(&["TS_STATE_DIR"])
        .flag("state-dir")
        .show(|c| c.state_dir.display().to_string())
        .at_start(),
    Key::new(
        "control_url",
        "give an URL, such as control_url: https://control.example, or leave it out for Tailscale's own",
    )
    .variables(&["KOLABOREE_CONTROL_URL"])
    .flag("control-url")
    .show(|c| c.control_url.as_ref().map_or("Tailscale's".to_owned(), ToString::to_string))
    .at_start(),
    Key::new(
        "auth_key_file",
        "give the path of a file that holds the key, such as auth_key_file: /run/secrets/auth_key",
    )
    .shown_as(AUTH_KEY),
    Key::new(
        "client_secret_file",
        "give the path of a file that holds the secret, such as client_secret_file: /run/secrets/client_secret",
    )
    .shown_as(CLIENT_SECRET),
    Key::new(
        CLIENT_ID,
        "give the ID that the admin console shows for the client; a secret belongs into a file that client_secret_file names",
    ),
    Key::new(
        "id_token_file",
        "give the path of a file that holds the token, such as id_token_file: /var/run/secrets/tailnet/token",
    )
    .shown_as(ID_TOKEN),
    Key::new("tags", "give a list of tags, such as tags: [tag:cloud]")
        .variables(&["KOLABOREE_TAGS"])
        .flag("tag")
        .show(|c| c.tags.join(" "))
        .only_if_given()
        .at_start(),
    Key::new("accept_routes", TRUTH)
        .variables(&["TS_ACCEPT_ROUTES"])
        .flag("accept-routes")
        .show(|c| c.accept_routes.to_string()),
    Key::new("exit_node", "give a node's MagicDNS name or its IP address in the tailnet, such as exit_node: gateway")
        .variables(&["KOLABOREE_EXIT_NODE"])
        .flag("exit-node")
        .show(|c| c.exit_node.as_ref().map_or("none".to_owned(), ToString::to_string)),
    Key::new("ephemeral", TRUTH)
        .variables(&["KOLABOREE_EPHEMERAL"])
        .show(|c| c.ephemeral.to_string())
        .at_start(),
    Key::new("auth_once", TRUTH)
        .variables(&["TS_AUTH_ONCE"])
        .show(|c| c.auth_once.to_string())
        .only_if_given(),
    Key::new("join_timeout", SECONDS)
        .variables(&["TS_BOOT_TIMEOUT"])
        .show(|c| seconds(c.join_timeout))
        .at_start(),
    Key::new("connect_timeout", SECONDS).show(|c| seconds(c.connect_timeout)).at_start(),
    Key::new("grace_timeout", SECONDS).show(|c| seconds(c.grace_timeout)),
    Key::new("interval", SECONDS),
    Key::new("log", "give log: {format: text} or log: {format: json}"),
    Key::new("log.format", "give text or json")
        .variables(&["KOLABOREE_LOG_FORMAT"])
        .flag("log-format")
        .show(|c| c.log_format.to_string())
        .at_start(),
    Key::new("local", "give local: with listen, socks5 or http_proxy under it"),
    Key::new("local.listen", "give an address of this machine, such as 127.0.0.1:9002, or none")
        .variables(&["TS_LOCAL_ADDR_PORT", "TS_HEALTHCHECK_ADDR_PORT"])
        .flag("local-listen")
        .show(|c| c.listen.map_or("none".to_owned(), |address| address.to_string()))
        .at_start(),
    Key::new("local.hosts", "give a list of names without ports, such as hosts: [metrics.example.com]")
        .show(|c| c.hosts.join(" "))
        .only_if_given()
        .at_start(),
    Key::new("local.socks5", ADDRESS)
        .variables(&["TS_SOCKS5_SERVER"])
        .flag("socks5")
        .show(|c| address(c.socks5))
        .only_if_given()
        .at_start(),
    Key::new("local.http_proxy", ADDRESS)
        .variables(&["TS_OUTBOUND_HTTP_PROXY_LISTEN"])
        .flag("http-proxy")
        .show(|c| address(c.http_proxy))
        .only_if_given()
        .at_start(),
    Key::new("tailnet", "give tailnet: with listen or tls under it, such as tailnet: {listen: 80, tls: 443}"),
    Key::new("tailnet.listen", "give a port from 1 to 65535, such as listen: 80")
        .show(|c| of_tailnet(c, |tailnet| tailnet.listen))
        .only_if_given()
        .at_start(),
    Key::new("tailnet.tls", "give a port from 1 to 65535 that listen has not, such as tls: 443")
        .show(|c| of_tailnet(c, |tailnet| tailnet.tls))
        .only_if_given()
        .at_start(),
    Key::new("tailnet.service", "give the name of a service of the tailnet, such as service: svc:kolaboree")
        .show(|c| of_tailnet(c, |tailnet| tailnet.service.clone()))
        .only_if_given()
        .at_start(),
    Key::new("tailnet.hosts", "give a list of names without ports, such as hosts: [clouds.example.com]")
        .show(|c| of_tailnet(c, |tailnet| Some(tailnet.hosts.join(" "))))
        .only_if_given(),
    Key::new("tailnet.access", "give a list in which each item has who:, clouds:, projects: and verbs:"),
    Key::new(
        "tailnet.access.who",
        "name users, tags and nodes, such as who: [user:alice@example.com, tag:ops, node:laptop.tail1.ts.net]; user:* is each user of this tailnet",
    ),
    Key::new("tailnet.access.clouds", CLOUDS),
    Key::new("tailnet.access.projects", PROJECTS),
    Key::new("tailnet.access.verbs", VERBS),
    Key::new(
        "tailnet.links",
        "give URLs by names, such as links: {grafana: \"https://grafana.example/d/lxd?var-name={instance}\"}",
    )
    .show(|c| of_tailnet(c, |tailnet| Some(tailnet.links.keys().cloned().collect::<Vec<_>>().join(" "))))
    .only_if_given(),
    Key::new(
        "tailnet.confirm",
        "give a list of start, stop, restart, freeze, restore, rebuild, rename, move and delete, such as confirm: [delete, stop]",
    )
    .show(|c| {
        let names = |tailnet: &Tailnet| tailnet.confirm.iter().map(ToString::to_string).collect::<Vec<_>>();
        of_tailnet(c, |tailnet| Some(names(tailnet).join(" ")))
    })
    .only_if_given(),
    Key::new(
        "tailnet.development",
        "give development: with listen and user under it, such as development: {listen: \"127.0.0.1:8080\", user: dev@example.com}",
    )
    .show(|c| of_tailnet(c, |tailnet| tailnet.development.clone()))
    .only_if_given()
    .at_start(),
    Key::new(
        "tailnet.development.listen",
        "give an address of this machine's loopback, such as listen: 127.0.0.1:8080",
    ),
    Key::new("tailnet.development.user", "give a login name, such as user: dev@example.com"),
    Key::new("tailnet.development.clouds", CLOUDS),
    Key::new("tailnet.development.projects", PROJECTS),
    Key::new("tailnet.development.verbs", VERBS),
    Key::new("clouds", "give a list in which each item has at least name: and address:"),
];

/// In the order in which they are shown.
pub(super) static CLOUD_KEYS: [CloudKey; 18] = [
    CloudKey::new(
        "name",
        "give a name of letters, digits, hyphens, underscores and dots, such as name: berlin; each name once",
    ),
    CloudKey::new("kind", "give lxd, incus, or tcp for anything that is only forwarded")
        .show(|_, written| Some(written.kind.to_string())),
    CloudKey::new(
        "address",
        "give host:port, where the host is a MagicDNS name or an IP address, such as address: lxd-berlin:8443",
    )
    .show(|_, written| Some(written.address.to_string())),
    CloudKey::new("project", "give the name of a project, such as project: default")
        .show(|_, written| written.project.clone()),
    CloudKey::new("required", TRUTH).show(|_, written| Some(written.required.to_string())),
    CloudKey::new("trust", "give trust: with fingerprint, certificate or token under it"),
    CloudKey::new(
        "trust.fingerprint",
        "give the 64 digits that `lxc info` shows at the server as certificate_fingerprint",
    )
    .show(|cloud, _| cloud.trust.fingerprint.map(|fingerprint| fingerprint.to_string())),
    CloudKey::new("trust.certificate", "give the path of the server's certificate, PEM"),
    CloudKey::new(
        "trust.token",
        "give what `lxc config trust add` prints at the server, or file: and the path of a file with it",
    )
    .show(|cloud, _| cloud.trust.token.as_ref().map(|_| "[redacted]".to_owned())),
    CloudKey::new("proxy", "give proxy: with unix or listen under it"),
    CloudKey::new(
        "proxy.unix",
        "give the path of a socket in a folder that is there, at most 100 bytes, such as unix: /run/kolaboree/berlin/unix.socket",
    )
    .show(|_, written| written.proxy.unix.as_ref().map(|path| path.display().to_string())),
    CloudKey::new(
        "proxy.mode",
        "give octal digits that let the owner read and write, such as mode: \"0660\"",
    )
    .show(|cloud, written| written.proxy.unix.as_ref().map(|_| format!("{:04o}", cloud.proxy_mode))),
    CloudKey::new(
        "proxy.group",
        "give the name or number of a group of this machine, such as group: lxd",
    )
    .show(|_, written| written.proxy.group.clone()),
    CloudKey::new("proxy.listen", ADDRESS)
        .show(|cloud, _| cloud.proxy_listen.map(|address| address.to_string())),
    CloudKey::new("checks", "give checks: with interval, timeout or silence under it"),
    CloudKey::new("checks.interval", SECONDS),
    CloudKey::new("checks.timeout", SECONDS),
    CloudKey::new(
        "checks.silence",
        "give a number of seconds from 20 to 86400, such as 30: LXD answers on some websockets every ten seconds only",
    ),
];

/// The remedy for a path that no row has, such as the document as a whole.
const ELSEWHERE: &str = "see kolaboree.schema.json for what belongs there; YAML indents with spaces, and quotes text that has a : or # in it or begins with *";

pub(super) const TRUTH: &str = "give true or false";

const SECONDS: &str = "give a number of seconds from 0.1 to 86400, such as 30";

const CLOUDS: &str = "give names of clouds, or * for all, such as clouds: [\"*\"]";

const PROJECTS: &str = "give names of projects, or * for all, such as projects: [\"*\"]";

const VERBS: &str =
    "give a list of view, operate, edit, files, exec, metrics and admin, such as verbs: [view, operate]";

const ADDRESS: &str = "give an address of this machine, such as 127.0.0.1:1055";

pub(super) fn seconds(duration: Duration) -> String {
    duration.as_secs_f64().to_string()
}

/// A value of the page's, where there is one.
fn of_tailnet<T: ToString>(config: &Config, value: impl Fn(&Tailnet) -> Option<T>) -> String {
    config.tailnet.as_ref().and_then(value).map(|value| value.to_string()).unwrap_or_default()
}

fn address(address: Option<SocketAddr>) -> String {
    address.map(|address| address.to_string()).unwrap_or_default()
}

impl Key {
    const fn new(name: &'static str, remedy: &'static str) -> Key {
        Key {
            name,
            label: name,
            variables: &[],
            flag: None,
            show: None,
            shows_default: true,
            needs_restart: false,
            remedy,
        }
    }

    const fn shown_as(mut self, label: &'static str) -> Key {
        self.label = label;
        self
    }

    const fn variables(mut self, names: &'static [&'static str]) -> Key {
        self.variables = names;
        self
    }

    const fn flag(mut self, name: &'static str) -> Key {
        self.flag = Some(name);
        self
    }

    const fn show(mut self, show: fn(&Config) -> String) -> Key {
        self.show = Some(show);
        self
    }

    const fn only_if_given(mut self) -> Key {
        self.shows_default = false;
        self
    }

    const fn at_start(mut self) -> Key {
        self.needs_restart = true;
        self
    }
}

impl CloudKey {
    const fn new(name: &'static str, remedy: &'static str) -> CloudKey {
        CloudKey { name, show: None, remedy }
    }

    const fn show(mut self, show: fn(&CloudConfig, &file::Cloud) -> Option<String>) -> CloudKey {
        self.show = Some(show);
        self
    }
}

/// The row of a key.
pub(super) fn of(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// The remedy for a wrong value at a path such as `clouds[0].address`.
pub(super) fn remedy_of(path: &str) -> &'static str {
    let plain: String = path.split(']').map(|part| part.split('[').next().unwrap_or(part)).collect();
    let plain = plain.trim_matches('.');
    let of_cloud =
        plain.strip_prefix("clouds.").and_then(|name| CLOUD_KEYS.iter().find(|key| key.name == name));
    match (of(plain), of_cloud, plain.rsplit_once('.')) {
        (Some(key), ..) => key.remedy,
        (None, Some(key), _) => key.remedy,
        // A name that the user chooses, such as a link's.
        (None, None, Some((above, _))) => remedy_of(above),
        (None, None, None) => ELSEWHERE,
    }
}

impl Config {
    /// The keys that differ in a newer configuration and are read at the start only.
    pub(crate) fn needs_restart(&self, newer: &Config) -> Vec<String> {
        let differs =
            |key: &&Key| key.needs_restart && key.show.is_some_and(|show| show(self) != show(newer));
        KEYS.iter().filter(differs).map(|key| key.name.to_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_a_list_has_the_remedy_of_its_kind() {
        assert!(remedy_of("clouds[12].address").contains("host:port"));
        assert!(remedy_of("clouds[0].trust.fingerprint").contains("64 digits"));
    }

    #[test]
    fn every_key_of_the_schema_has_a_row_and_every_row_a_key() {
        fn collect(
            schema: &serde_json::Value,
            properties: &serde_json::Value,
            before: &str,
            found: &mut Vec<String>,
        ) {
            for (name, property) in properties.as_object().unwrap() {
                let path = if before.is_empty() { name.clone() } else { format!("{before}.{name}") };
                found.push(path.clone());
                let inner = property.to_string();
                if let Some(definition) =
                    inner.split("#/$defs/").nth(1).and_then(|rest| rest.split('"').next())
                    && let Some(below) = schema["$defs"][definition].get("properties")
                {
                    collect(schema, below, &path, found);
                }
            }
        }
        let schema: serde_json::Value = serde_json::from_str(crate::config::SCHEMA).unwrap();
        let mut written = Vec::new();
        collect(&schema, &schema["properties"], "", &mut written);
        let of_clouds = CLOUD_KEYS.iter().map(|key| format!("clouds.{}", key.name));
        let mut rows: Vec<String> = KEYS.iter().map(|key| key.name.to_owned()).chain(of_clouds).collect();
        rows.retain(|name| name != "auth_once"); // a variable alone gives it
        rows.sort();
        written.sort();
        assert_eq!(rows, written);
    }

    #[test]
    fn every_flag_of_the_configuration_has_a_row() {
        let command = <super::super::Flags as clap::Args>::augment_args(clap::Command::new("test"));
        let mut flags: Vec<&str> = command.get_arguments().filter_map(clap::Arg::get_long).collect();
        // They say where to read, or give a secret's file, whose value is shown as a credential.
        flags.retain(|flag| !["config", "env-file", "auth-key-file"].contains(flag));
        let mut rows: Vec<&str> = KEYS.iter().filter_map(|key| key.flag).collect();
        flags.sort_unstable();
        rows.sort_unstable();
        assert_eq!(rows, flags);
    }

    #[test]
    fn every_variable_of_a_row_is_one_of_the_known_names() {
        for name in KEYS.iter().flat_map(|key| key.variables) {
            assert!(crate::config::names::is_read(name), "{name}");
        }
    }
}
