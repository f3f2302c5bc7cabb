//! The names in the environment: those of Tailscale's container image, our own, and misspellings of our own.

use super::keys::KEYS;
use super::{Environment, Problem, check, nearest};

const PREFIX: &str = "KOLABOREE_";

/// Our own names that give no key of the configuration.
const OWN: [&str; 2] = ["KOLABOREE_CONFIG", "KOLABOREE_OUTPUT"];

/// Our own names, for what Tailscale's image has none for.
pub(super) fn own() -> impl Iterator<Item = &'static str> {
    let of_keys = KEYS.iter().flat_map(|key| key.variables).copied().filter(|name| name.starts_with(PREFIX));
    OWN.into_iter().chain(of_keys)
}

/// How a name of Tailscale's image is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// It sets something here.
    Read,
    /// There is nothing to set, whatever its value: why.
    Nothing(&'static str),
    /// It can have this value alone, which is what the node does anyway; what to do instead of the other one.
    Only(bool, &'static str),
    /// It cannot be honoured; what to do instead.
    Refused(&'static str),
}

const FORWARDS_NOTHING: &str = "this node forwards nothing into the host's network: remove it";
const TO_ONE_TARGET: &str = "forward a port instead: a cloud of kind tcp with its address and proxy: {listen: ADDRESS} in kolaboree.yaml";
const OPERATOR: &str =
    "that is for the proxies of Tailscale's Kubernetes operator: use Tailscale's own image for them";
const NO_SERVICES: &str = "this node offers no services to the tailnet: remove it";

/// Every name that Tailscale's image reads (tailscale.com v1.102.5, cmd/containerboot).
pub(super) const IMAGE: [(&str, Use); 45] = [
    ("EXPERIMENTAL_ALLOW_PROXYING_CLUSTER_TRAFFIC_VIA_INGRESS", Use::Only(false, OPERATOR)),
    ("KUBERNETES_SERVICE_HOST", Use::Nothing("Kubernetes sets it")),
    ("KUBERNETES_SERVICE_PORT_HTTPS", Use::Nothing("Kubernetes sets it")),
    ("POD_IP", Use::Nothing("it tells of the pod, for other variables to use")),
    ("POD_IPS", Use::Nothing("it tells of the pod, for other variables to use")),
    ("POD_NAME", Use::Nothing("it tells of the pod, for other variables to use")),
    ("POD_UID", Use::Nothing("it tells of the pod, for other variables to use")),
    (
        "TS_ACCEPT_DNS",
        Use::Nothing("names are looked up in the tailnet always, and the machine's DNS stays as it is"),
    ),
    (
        "TS_AUDIENCE",
        Use::Refused(
            "no provider is asked for a token here: give the token itself, best as TS_ID_TOKEN=file:PATH",
        ),
    ),
    ("TS_AUTHKEY", Use::Read),
    ("TS_AUTH_KEY", Use::Read),
    ("TS_AUTH_ONCE", Use::Read),
    ("TS_BOOT_TIMEOUT", Use::Read),
    ("TS_CLIENT_ID", Use::Read),
    ("TS_CLIENT_SECRET", Use::Read),
    (
        "TS_DEBUG_ADDR_PORT",
        Use::Refused("there is no such server here: TS_LOCAL_ADDR_PORT gives the metrics a place"),
    ),
    ("TS_DEST_IP", Use::Refused(FORWARDS_NOTHING)),
    ("TS_EGRESS_PROXIES_CONFIG_PATH", Use::Refused(TO_ONE_TARGET)),
    ("TS_ENABLE_HEALTH_CHECK", Use::Read),
    ("TS_ENABLE_METRICS", Use::Read),
    ("TS_EXPERIMENTAL_CERT_SHARE", Use::Only(false, OPERATOR)),
    ("TS_EXPERIMENTAL_DEST_DNS_NAME", Use::Refused(FORWARDS_NOTHING)),
    ("TS_EXPERIMENTAL_ENABLE_FORWARDING_OPTIMIZATIONS", Use::Only(false, FORWARDS_NOTHING)),
    ("TS_EXPERIMENTAL_SERVICE_AUTO_ADVERTISEMENT", Use::Only(false, NO_SERVICES)),
    (
        "TS_EXPERIMENTAL_VERSIONED_CONFIG_DIR",
        Use::Refused("write kolaboree.yaml instead, and name it in KOLABOREE_CONFIG"),
    ),
    ("TS_EXTRA_ARGS", Use::Read),
    ("TS_HEALTHCHECK_ADDR_PORT", Use::Read),
    ("TS_HOSTNAME", Use::Read),
    ("TS_ID_TOKEN", Use::Read),
    ("TS_INGRESS_PROXIES_CONFIG_PATH", Use::Refused(OPERATOR)),
    ("TS_KUBERNETES_READ_API_SERVER_ADDRESS_FROM_ENV", Use::Nothing("Kubernetes is not asked for anything")),
    ("TS_KUBE_SECRET", Use::Refused("the state is in a folder here: give TS_STATE_DIR on a volume")),
    ("TS_LOCAL_ADDR_PORT", Use::Read),
    ("TS_OUTBOUND_HTTP_PROXY_LISTEN", Use::Read),
    (
        "TS_ROUTES",
        Use::Refused("this node offers no subnet routes: run a subnet router with Tailscale's own image"),
    ),
    (
        "TS_SERVE_CONFIG",
        Use::Refused("serving by a file is not supported: embed the crate and use Tailnet::set_serve_config"),
    ),
    (
        "TS_SOCKET",
        Use::Refused("there is no tailscaled: commands find control.sock in the state folder; remove it"),
    ),
    ("TS_SOCKS5_SERVER", Use::Read),
    ("TS_STATE_DIR", Use::Read),
    ("TS_TAILNET_TARGET_FQDN", Use::Refused(TO_ONE_TARGET)),
    ("TS_TAILNET_TARGET_IP", Use::Refused(TO_ONE_TARGET)),
    ("TS_TAILSCALED_EXTRA_ARGS", Use::Refused("there is no tailscaled here: see kolaboree-node run --help")),
    ("TS_TEST_FAKE_NETFILTER", Use::Nothing("it is for the tests of Tailscale's image")),
    ("TS_TEST_ONLY_ROOT", Use::Nothing("it is for the tests of Tailscale's image")),
    ("TS_USERSPACE", Use::Only(true, "this node runs in user space always, without privileges: remove it")),
];

/// Names that are read here and are not in Tailscale's image.
const OTHERS: [&str; 2] = ["TAILSCALE_AUTH_KEY", "TS_ACCEPT_ROUTES"];

/// Whether a variable sets something here.
#[cfg(test)]
pub(super) fn is_read(name: &str) -> bool {
    IMAGE.contains(&(name, Use::Read)) || OTHERS.contains(&name) || own().any(|own| own == name)
}

/// The variables that cannot be honoured.
pub(super) fn refused(environment: &Environment) -> Vec<Problem> {
    let problem = |name: &str, message: &str, remedy: &str| {
        Problem::of_variable(environment, name, message.to_owned(), remedy.to_owned())
    };
    let mut problems = Vec::new();
    for (name, used) in IMAGE {
        let Some(value) = environment.get(name) else { continue };
        match used {
            Use::Read if in_quotes(value) => problems.push(problem(name, QUOTED, UNQUOTE)),
            Use::Read | Use::Nothing(_) => {}
            Use::Refused(instead) => problems.push(problem(name, "this variable is not used here", instead)),
            Use::Only(allowed, instead) => match check::truth(value) {
                Ok(value) if value == allowed => {}
                Ok(value) => problems.push(problem(name, &format!("it cannot be {value} here"), instead)),
                Err(message) => problems.push(problem(name, &message, "give true or false")),
            },
        }
    }
    for name in own().chain(OTHERS) {
        if environment.get(name).is_some_and(in_quotes) {
            problems.push(problem(name, QUOTED, UNQUOTE));
        }
    }
    for name in environment.names().filter(|name| own().all(|own| own != *name)) {
        // Others set names that begin like ours too, such as cargo for what it runs.
        let Some(rest) = name.strip_prefix(PREFIX) else { continue };
        let known = own().filter_map(|own| own.strip_prefix(PREFIX));
        if let Some(nearest) = nearest(rest, known) {
            let remedy = format!("write {PREFIX}{nearest}, if that was meant, or remove it");
            problems.push(problem(name, "this variable is not known", &remedy));
        }
    }
    problems
}

const QUOTED: &str = "the quotes are a part of the value";

const UNQUOTE: &str = "write NAME=value without them: where no shell reads the file, as with docker run --env-file, quotes are not taken off";

/// Whether the text has quotes around it, as no value of a variable here has.
pub(super) fn in_quotes(text: &str) -> bool {
    let text = text.trim();
    ['"', '\''].iter().any(|quote| text.len() > 1 && text.starts_with(*quote) && text.ends_with(*quote))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;
    use std::process::Command;

    use super::*;

    fn told(pairs: &[(&str, &str)]) -> Vec<String> {
        refused(&pairs.iter().copied().collect()).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_cannot_be_honoured_is_named_with_what_replaces_it() {
        let problems =
            told(&[("TS_ROUTES", "192.0.2.0/24"), ("KOLABOREE_CONTROL_URI", "x"), ("TS_USERSPACE", "0")]);
        for expected in
            ["TS_ROUTES: ", "write KOLABOREE_CONTROL_URL", "TS_USERSPACE: it cannot be false here"]
        {
            assert!(problems.iter().any(|p| p.contains(expected)), "{expected}: {problems:?}");
        }
        let kubernetes = [
            ("KOLABOREE_CONTROL_SERVICE_HOST", "10.0.0.11"),
            ("KOLABOREE_CONTROL_SERVICE_PORT", "80"),
            ("KOLABOREE_CONTROL_PORT", "tcp://10.0.0.11:80"),
            ("KOLABOREE_CONTROL_PORT_80_TCP_ADDR", "10.0.0.11"),
        ];
        assert_eq!(told(&kubernetes), [] as [String; 0]);
    }

    #[test]
    fn quotes_that_were_kept_are_told_and_the_value_is_not() {
        for name in
            IMAGE.into_iter().filter(|(_, used)| *used == Use::Read).map(|(name, _)| name).chain(OTHERS)
        {
            for value in ["\"tskey-auth-hush\"", "'tskey-auth-hush'"] {
                let problems = told(&[(name, value)]);
                assert_eq!(problems.len(), 1, "{problems:?}");
                let start = format!("{name}: the quotes are a part of the value");
                assert!(problems[0].starts_with(&start) && !problems[0].contains("hush"), "{problems:?}");
            }
        }
    }

    /// The names in the sources of Tailscale's image, of the version that is linked.
    fn names_of_the_image() -> BTreeSet<String> {
        let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("vendor/libtailscale");
        let list = ["list", "-m", "-f", "{{.Dir}}", "tailscale.com"];
        let found = Command::new("go").args(list).current_dir(module).output().unwrap();
        assert!(found.status.success(), "{}", String::from_utf8_lossy(&found.stderr));
        let folder = Path::new(String::from_utf8(found.stdout).unwrap().trim()).join("cmd/containerboot");
        let mut names = BTreeSet::new();
        for file in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if file.extension().is_none_or(|e| e != "go") || file.to_string_lossy().ends_with("_test.go") {
                continue;
            }
            let text = std::fs::read_to_string(&file).unwrap();
            // Whole string literals, and words of the documentation.
            let word = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
            for found in text.split(|c| !word(c)).filter(|w| !w.ends_with('_')) {
                let read = text.contains(&format!("\"{found}\"")) || text.contains(&format!("- {found}: "));
                let prefix =
                    ["TS_", "POD_", "KUBERNETES_", "EXPERIMENTAL_"].iter().any(|p| found.starts_with(p));
                if read && prefix {
                    names.insert(found.to_owned());
                }
            }
        }
        names
    }

    #[test]
    fn every_name_of_tailscales_image_is_in_the_table() {
        let table: BTreeSet<String> = IMAGE.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(table.len(), IMAGE.len(), "each once");
        assert_eq!(table, names_of_the_image());
    }
}
