//! What to do about what is wrong: for each key, what belongs there.

/// What belongs to the key at a path such as `clouds[0].address`.
pub(super) fn of(path: &str) -> &'static str {
    let plain: String = path.split(']').map(|part| part.split('[').next().unwrap_or(part)).collect();
    match plain.trim_matches('.') {
        "hostname" => "give a name of letters, digits and hyphens, such as hostname: kolaboree-node",
        "state_dir" => "give a folder, such as state_dir: /var/lib/kolaboree",
        "control_url" => {
            "give an URL, such as control_url: https://control.example, or leave it out for Tailscale's own"
        }
        "auth_key_file" => {
            "give the path of a file that holds the key, such as auth_key_file: /run/secrets/auth_key"
        }
        "client_secret_file" => {
            "give the path of a file that holds the secret, such as client_secret_file: /run/secrets/client_secret"
        }
        "client_id" => {
            "give the ID that the admin console shows for the client; a secret belongs into a file that client_secret_file names"
        }
        "id_token_file" => {
            "give the path of a file that holds the token, such as id_token_file: /var/run/secrets/tailnet/token"
        }
        "tags" => "give a list of tags, such as tags: [tag:cloud]",
        "exit_node" => {
            "give a node's MagicDNS name or its IP address in the tailnet, such as exit_node: gateway"
        }
        "accept_routes" | "ephemeral" | "auth_once" | "switch" | "clouds.required" => "give true or false",
        "join_timeout"
        | "connect_timeout"
        | "grace_timeout"
        | "interval"
        | "clouds.checks.interval"
        | "clouds.checks.timeout" => "give a number of seconds from 0.1 to 86400, such as 30",
        "clouds.checks.silence" => {
            "give a number of seconds from 20 to 86400, such as 30: LXD answers on some websockets every ten seconds only"
        }
        "log" => "give log: {format: text} or log: {format: json}",
        "log.format" => "give text or json",
        "local" => "give local: with listen, socks5 or http_proxy under it",
        "local.listen" => "give an address of this machine, such as 127.0.0.1:9002, or none",
        "local.hosts" => "give a list of names without ports, such as hosts: [metrics.example.com]",
        "local.socks5" | "local.http_proxy" | "clouds.proxy.listen" => {
            "give an address of this machine, such as 127.0.0.1:1055"
        }
        "clouds" => "give a list in which each item has at least name: and address:",
        "clouds.name" => {
            "give a name of letters, digits, hyphens, underscores and dots, such as name: berlin; each name once"
        }
        "clouds.kind" => "give lxd, incus, or tcp for anything that is only forwarded",
        "clouds.address" => {
            "give host:port, where the host is a MagicDNS name or an IP address, such as address: lxd-berlin:8443"
        }
        "clouds.project" => "give the name of a project, such as project: default",
        "clouds.trust" => "give trust: with fingerprint, certificate or token under it",
        "clouds.trust.fingerprint" => {
            "give the 64 digits that `lxc info` shows at the server as certificate_fingerprint"
        }
        "clouds.trust.certificate" => "give the path of the server's certificate, PEM",
        "clouds.trust.token" => {
            "give what `lxc config trust add` prints at the server, or file: and the path of a file with it"
        }
        "clouds.proxy" => "give proxy: with unix or listen under it",
        "clouds.proxy.unix" => {
            "give the path of a socket in a folder that is there, at most 100 bytes, such as unix: /run/kolaboree/berlin/unix.socket"
        }
        "clouds.proxy.mode" => "give octal digits that let the owner read and write, such as mode: \"0660\"",
        "clouds.proxy.group" => "give the name or number of a group of this machine, such as group: lxd",
        "clouds.checks" => "give checks: with interval, timeout or silence under it",
        _ => {
            "see kolaboree.schema.json for what belongs there; YAML indents with spaces, and quotes text that has a : or # in it"
        }
    }
}

/// What to say of a key that is not known, where others are.
pub(super) fn unknown_key(key: &str, known: &[String]) -> (String, String) {
    let nearest = nearest(key, known.iter().map(String::as_str));
    let remedy = match nearest {
        Some(nearest) => format!("write {nearest}, if that was meant"),
        None => format!("known here are {}", known.join(", ")),
    };
    (format!("the key {key} is not known"), remedy)
}

/// The name that is nearest to another one, if one is near at all.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |name: &str| name.to_lowercase().replace('-', "_");
    let likeness = |other: &str| strsim::jaro_winkler(&plain(name), &plain(other));
    known
        .map(|other| (likeness(other), other))
        .filter(|(l, _)| *l > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, n)| n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_and_nothing_where_none_is_near() {
        let known = ["hostname", "state_dir", "control_url", "clouds"];
        for (given, expected) in [
            ("hostnme", Some("hostname")),
            ("stateDir", Some("state_dir")),
            ("state-dir", Some("state_dir")),
            ("cloud", Some("clouds")),
            ("xyzzy", None),
        ] {
            assert_eq!(nearest(given, known.into_iter()), expected, "{given}");
        }
    }

    #[test]
    fn a_key_in_a_list_has_the_remedy_of_its_kind() {
        assert!(of("clouds[12].address").contains("host:port"));
        assert!(of("clouds[0].trust.fingerprint").contains("64 digits"));
    }
}
