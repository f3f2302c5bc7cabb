//! The names in the environment that have nothing to set here, and what to do instead: those of Tailscale's container
//! image, and misspellings of our own.

use super::{Environment, Problem, nearest};

const PREFIX: &str = "KOLABOREE_";

/// Our own names, for what Tailscale's image has none for.
pub(super) const OWN: [&str; 4] =
    ["KOLABOREE_CONFIG", "KOLABOREE_CONTROL_URL", "KOLABOREE_LOG_FORMAT", "KOLABOREE_OUTPUT"];

/// Names of Tailscale's image that cannot be honoured, and what to do instead.
const REFUSED: [(&str, &str); 6] = [
    (
        "TS_AUDIENCE",
        "no provider is asked for a token here: give the token itself, best as TS_ID_TOKEN=file:PATH",
    ),
    ("TS_ROUTES", "this node offers no subnet routes: run a subnet router with Tailscale's own image"),
    ("TS_DEST_IP", "this node forwards nothing into the host's network: remove it"),
    (
        "TS_SERVE_CONFIG",
        "serving by a file is not supported: embed the crate and use Tailnet::set_serve_config",
    ),
    ("TS_KUBE_SECRET", "the state is in a folder here: give TS_STATE_DIR on a volume"),
    ("TS_TAILSCALED_EXTRA_ARGS", "there is no tailscaled here: see kolaboree-node run --help"),
];

/// Flags of `tailscale up` that people put into TS_EXTRA_ARGS, and what replaces them.
const REPLACED: [(&str, &str); 12] = [
    ("--accept-routes", "accept_routes: true in kolaboree.yaml, --accept-routes, or TS_ACCEPT_ROUTES=true"),
    ("--advertise-tags", "tags: [tag:name] in kolaboree.yaml, or --tag"),
    ("--authkey", "TAILSCALE_AUTH_KEY, or auth_key_file in kolaboree.yaml"),
    ("--auth-key", "TAILSCALE_AUTH_KEY, or auth_key_file in kolaboree.yaml"),
    ("--client-secret", "TS_CLIENT_SECRET, or client_secret_file in kolaboree.yaml"),
    ("--client-id", "TS_CLIENT_ID, or client_id in kolaboree.yaml"),
    ("--id-token", "TS_ID_TOKEN, or id_token_file in kolaboree.yaml"),
    ("--hostname", "hostname in kolaboree.yaml, --hostname, or TS_HOSTNAME"),
    ("--login-server", "control_url in kolaboree.yaml, --control-url, or KOLABOREE_CONTROL_URL"),
    ("--timeout", "join_timeout in kolaboree.yaml"),
    ("--accept-dns", "nothing: names are always looked up in the tailnet"),
    ("--reset", "nothing: each start sets everything"),
];

/// What in the environment cannot be honoured.
pub(super) fn refused(environment: &Environment) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut add = |name: &str, message: String, remedy: String| {
        problems.push(Problem { file: name.to_owned(), place: None, path: String::new(), message, remedy });
    };
    for (name, remedy) in REFUSED {
        if environment.get(name).is_some() {
            add(name, "this variable is not used here".to_owned(), remedy.to_owned());
        }
    }
    for argument in environment.get("TS_EXTRA_ARGS").unwrap_or_default().split_whitespace() {
        let flag = argument.split('=').next().unwrap_or(argument);
        if !flag.starts_with('-') {
            continue; // the value of the flag before it
        }
        let flag = format!("--{}", flag.trim_start_matches('-'));
        let replaced = REPLACED.iter().find(|(name, _)| *name == flag);
        let remedy = match replaced {
            Some((_, by)) => format!("its place is taken by {by}"),
            None => "remove it; kolaboree-node run --help lists what can be set".to_owned(),
        };
        add("TS_EXTRA_ARGS", format!("{flag} is not read from here"), remedy);
    }
    if environment.get("TS_USERSPACE").is_some_and(|value| value == "false") {
        let remedy = "there is no other way here: remove it".to_owned();
        add("TS_USERSPACE", "this node runs in user space always".to_owned(), remedy);
    }
    for name in environment.names().filter(|name| !OWN.contains(name)) {
        // Others set names that begin like ours too: Kubernetes for a service, cargo for what it runs.
        let Some(rest) = name.strip_prefix(PREFIX) else { continue };
        let known = OWN.into_iter().filter_map(|own| own.strip_prefix(PREFIX));
        if let Some(nearest) = nearest(rest, known) {
            let remedy = format!("write {PREFIX}{nearest}, if that was meant, or remove it");
            add(name, "this variable is not known".to_owned(), remedy);
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_honoured_is_named_with_what_replaces_it() {
        let environment: Environment = [
            ("TS_EXTRA_ARGS", "--accept-routes --login-server=https://control.example -ssh"),
            ("TS_ROUTES", "192.0.2.0/24"),
            ("KOLABOREE_CONTROL_URI", "x"),
            ("KOLABOREE_NODE_SERVICE_HOST", "192.0.2.1"),
        ]
        .into_iter()
        .collect();
        let problems: Vec<String> = refused(&environment).iter().map(ToString::to_string).collect();
        for expected in [
            "accept_routes: true",
            "control_url in",
            "--ssh is not read",
            "TS_ROUTES",
            "write KOLABOREE_CONTROL_URL",
        ] {
            assert!(problems.iter().any(|p| p.contains(expected)), "{expected}: {problems:?}");
        }
        assert!(
            !problems.iter().any(|p| p.contains("SERVICE_HOST")),
            "that one is Kubernetes': {problems:?}"
        );
    }
}
