//! TS_EXTRA_ARGS, which Tailscale's image gives to `tailscale up`: each flag sets the variable that says the same, or is
//! refused with what replaces it.

use super::environment::EXTRA_ARGS;
use super::{Environment, Problem, check};

/// How a flag is treated.
#[derive(Clone, Copy)]
enum Meaning {
    /// It sets this variable.
    Sets(&'static str),
    /// There is nothing to set, whatever its value.
    Nothing,
    /// It can have this value alone; what to do instead of the other one.
    Only(bool, &'static str),
    /// It cannot be honoured; what to do instead.
    Refused(&'static str),
}

use Meaning::{Nothing, Only, Refused, Sets};

struct Flag {
    name: &'static str,
    /// Its value is true where none is given, and is given with `=` alone.
    is_bool: bool,
    meaning: Meaning,
}

const fn bool(name: &'static str, meaning: Meaning) -> Flag {
    Flag { name, is_bool: true, meaning }
}

const fn text(name: &'static str, meaning: Meaning) -> Flag {
    Flag { name, is_bool: false, meaning }
}

const NOT_HERE: &str = "this node does not do that: remove it, or use Tailscale's own image for it";

/// The flags of `tailscale up` (tailscale.com v1.102.5, cmd/tailscale/cli/up.go).
const FLAGS: [Flag; 31] = [
    bool("--accept-dns", Nothing), // names are looked up in the tailnet always, and the machine's DNS stays as it is
    text("--accept-risk", Nothing),
    bool("--accept-routes", Sets("TS_ACCEPT_ROUTES")),
    bool("--advertise-connector", Only(false, NOT_HERE)),
    bool("--advertise-exit-node", Only(false, NOT_HERE)),
    text("--advertise-routes", Refused(NOT_HERE)),
    text("--advertise-tags", Sets("KOLABOREE_TAGS")),
    text("--audience", Refused("give the token itself, best as TS_ID_TOKEN=file:PATH")),
    text("--auth-key", Sets("TAILSCALE_AUTH_KEY")),
    text("--authkey", Sets("TAILSCALE_AUTH_KEY")),
    text("--client-id", Sets("TS_CLIENT_ID")),
    text("--client-secret", Sets("TS_CLIENT_SECRET")),
    text("--exit-node", Sets("KOLABOREE_EXIT_NODE")),
    bool(
        "--exit-node-allow-lan-access",
        Only(
            false,
            "nothing leaves by the host's network here, and so nothing reaches its neighbours: remove it",
        ),
    ),
    bool("--force-reauth", Only(false, "TS_AUTH_ONCE=false uses the key at each start")),
    bool("--host-routes", Nothing),
    text("--hostname", Sets("TS_HOSTNAME")),
    text("--id-token", Sets("TS_ID_TOKEN")),
    bool("--json", Only(false, "KOLABOREE_LOG_FORMAT=json writes the log as JSON")),
    text("--login-server", Sets("KOLABOREE_CONTROL_URL")),
    text("--netfilter-mode", Nothing), // the kernel routes nothing for this node
    text("--operator", Refused("the user that runs the node may ask it: remove it")),
    bool("--qr", Nothing),
    text("--qr-format", Nothing),
    bool("--report-posture", Only(false, NOT_HERE)),
    bool("--reset", Nothing),      // each start sets everything
    bool("--shields-up", Nothing), // nothing listens in the tailnet
    bool("--snat-subnet-routes", Nothing),
    bool("--ssh", Only(false, NOT_HERE)),
    bool("--stateful-filtering", Nothing),
    text("--timeout", Sets("TS_BOOT_TIMEOUT")),
];

/// The environment with what the flags say in it; a flag beats the variable of the same meaning, as in the image.
pub(super) fn expand(environment: &Environment) -> (Environment, Vec<Problem>) {
    let mut expanded = environment.clone();
    let mut problems = Vec::new();
    let mut add = |message: String, remedy: &str| {
        problems.push(Problem::of_variable(environment, EXTRA_ARGS, message, remedy.to_owned()));
    };
    let mut words = environment.get(EXTRA_ARGS).unwrap_or_default().split_whitespace().peekable();
    while let Some(word) = words.next() {
        let Some(dashed) = word.strip_prefix('-') else {
            add("there is a value that belongs to no flag".to_owned(), "write --flag=value");
            continue;
        };
        let (name, given) = match dashed.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (dashed, None),
        };
        let name = format!("--{}", name.trim_start_matches('-'));
        let Some(flag) = FLAGS.iter().find(|flag| flag.name == name) else {
            add(format!("{name} is not known"), "remove it; kolaboree-node run --help lists what can be set");
            while words.next_if(|word| !word.starts_with('-')).is_some() {} // its value
            continue;
        };
        let value = match given {
            Some(value) => value,
            None if flag.is_bool => "true",
            None => match words.next() {
                Some(value) => value,
                None => {
                    add(format!("{name} has no value"), "write --flag=value");
                    continue;
                }
            },
        };
        match flag.meaning {
            Nothing => {}
            Sets(variable) => expanded.set_by_flag(variable, flag.name, value.to_owned()),
            Refused(_) if value.is_empty() => {}
            Refused(instead) => add(format!("{name} is not read from here"), instead),
            Only(allowed, instead) => match check::truth(value) {
                Ok(value) if value == allowed => {}
                Ok(value) => add(format!("{name} cannot be {value} here"), instead),
                Err(message) => add(format!("{name}: {message}"), "give true or false"),
            },
        }
    }
    (expanded, problems)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str) -> (Environment, Vec<String>) {
        let (environment, problems) =
            expand(&[(EXTRA_ARGS, text), ("TS_HOSTNAME", "before")].into_iter().collect());
        (environment, problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn flags_set_what_their_variables_set_in_both_forms() {
        let (environment, problems) = expanded(
            "--advertise-tags=tag:a,tag:b --exit-node 100.120.166.95 -accept-routes --login-server=https://c.example \
             --hostname new --reset --accept-dns=false --ssh=false --timeout 90s --netfilter-mode=off --authkey k",
        );
        assert_eq!(problems, [] as [String; 0]);
        for (name, value, written) in [
            ("KOLABOREE_TAGS", "tag:a,tag:b", "TS_EXTRA_ARGS --advertise-tags"),
            ("KOLABOREE_EXIT_NODE", "100.120.166.95", "TS_EXTRA_ARGS --exit-node"),
            ("TS_ACCEPT_ROUTES", "true", "TS_EXTRA_ARGS --accept-routes"),
            ("KOLABOREE_CONTROL_URL", "https://c.example", "TS_EXTRA_ARGS --login-server"),
            ("TS_HOSTNAME", "new", "TS_EXTRA_ARGS --hostname"),
            ("TS_BOOT_TIMEOUT", "90s", "TS_EXTRA_ARGS --timeout"),
            ("TAILSCALE_AUTH_KEY", "k", "TS_EXTRA_ARGS --authkey"),
        ] {
            assert_eq!((environment.get(name), &*environment.written(name)), (Some(value), written));
        }
    }

    #[test]
    fn flags_that_mean_nothing_here_are_refused_with_what_replaces_them() {
        for (text, expected) in [
            ("--ssh", "--ssh cannot be true here"),
            ("--advertise-exit-node", "use Tailscale's own image"),
            ("--advertise-routes=192.0.2.0/24", "--advertise-routes is not read"),
            ("--exit-node-allow-lan-access", "nothing leaves by the host's network"),
            ("--force-reauth", "TS_AUTH_ONCE=false"),
            ("--hostname", "--hostname has no value"),
            ("--nosuch value", "--nosuch is not known"),
            ("--ssh=perhaps", "neither true nor false"),
            ("--reset tskey-auth-hush", "a value that belongs to no flag"),
        ] {
            let (_, problems) = expanded(text);
            assert_eq!(problems.len(), 1, "{text}: {problems:?}");
            assert!(
                problems[0].starts_with("TS_EXTRA_ARGS: ") && problems[0].contains(expected),
                "{problems:?}"
            );
            assert!(!problems[0].contains("hush"), "{problems:?}");
        }
    }

    #[test]
    fn each_flag_sets_a_variable_that_is_read_here() {
        use super::super::names::is_read;
        for flag in &FLAGS {
            let Sets(name) = flag.meaning else { continue };
            let read = is_read(name);
            assert!(read || ["TAILSCALE_AUTH_KEY", "TS_ACCEPT_ROUTES"].contains(&name), "{name}");
        }
    }
}
