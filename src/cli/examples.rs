//! Examples of each command, which `--help` shows. A test runs each through the parser.

use clap::{Arg, Command};

/// The examples of a command, by its path below `kolaboree-node`: those of the table, or one that is made of its arguments. A
/// command with subcommands has examples of the first of them.
pub(super) fn of(command: &Command, path: &str) -> Vec<String> {
    if let Some((_, written)) = EXAMPLES.iter().find(|(of, _)| *of == path) {
        return written.iter().map(|&example| example.to_owned()).collect();
    }
    let mut subs = command.get_subcommands().filter(|sub| sub.get_name() != "help").peekable();
    if subs.peek().is_some() {
        return subs.take(2).flat_map(|sub| of(sub, &format!("{path} {}", sub.get_name()))).collect();
    }
    let positional = command.get_positionals().filter(|argument| argument.is_required_set());
    let options = command.get_opts().filter(|argument| argument.is_required_set());
    let options = options.flat_map(|option| {
        let flag = option.get_long().map(|long| format!("--{long}"));
        flag.into_iter().chain(words(option))
    });
    let words = positional.flat_map(words).chain(options);
    vec![std::iter::once(path.to_owned()).chain(words).collect::<Vec<_>>().join(" ")]
}

/// What somebody may write for an argument.
fn words(argument: &Arg) -> Vec<String> {
    if let Some(possible) = argument.get_possible_values().first() {
        return vec![possible.get_name().to_owned()];
    }
    let names = argument.get_value_names().unwrap_or_default();
    names.iter().map(|name| word(name)).collect()
}

fn word(name: &str) -> String {
    let upper = name.to_uppercase();
    let singular = upper.strip_suffix('S').unwrap_or(&upper);
    let known = WORDS.iter().find(|(of, _)| [&*upper, singular].contains(of));
    known.map_or_else(|| name.to_lowercase(), |(_, word)| (*word).to_owned())
}

/// Words for arguments, by their names in the help.
const WORDS: &[(&str, &str)] = &[
    ("CLOUD", "berlin"),
    ("CLOUD:", "berlin:"),
    ("INSTANCE", "berlin:web"),
    ("SNAPSHOT", "berlin:web/snap0"),
    ("TARGET", "berlin:web"),
    ("SOURCE", "berlin:web"),
    ("IMAGE", "berlin:debian"),
    ("ALIA", "berlin:debian"), // the singular of ALIAS, by the rule above
    ("FINGERPRINT", "0123456789ab"),
    ("PROFILE", "berlin:large"),
    ("PROJECT", "berlin:team"),
    ("NETWORK", "berlin:lxdbr0"),
    ("POOL", "berlin:default"),
    ("VOLUME", "data"),
    ("ACL", "berlin:web"),
    ("ZONE", "berlin:example.net"),
    ("RECORD", "www"),
    ("MEMBER", "berlin:node1"),
    ("ADDRESS", "192.0.2.1"),
    ("PORT", "80"),
    ("DEVICE", "eth0"),
    ("KEY", "limits.cpu"),
    ("VALUE", "2"),
    ("KEY=VALUE", "limits.cpu=2"),
    ("NAME", "other"),
    ("PATH", "/1.0"),
    ("FILE", "file"),
];

const EXAMPLES: &[(&str, &[&str])] = &[
    ("", &["run", "status", "lxd list", "lxd copy berlin:web paris:web"]),
    ("run", &["run", "run --config /etc/kolaboree.yaml --state-dir /var/lib/kolaboree"]),
    ("status", &["status", "status --no-peers -o json", "status --qr"]),
    ("ip", &["ip -4", "ip berlin"]),
    ("ping", &["ping berlin", "ping berlin -c 3 --kind icmp"]),
    ("whois", &["whois 100.64.0.7", "whois berlin"]),
    ("access", &["access list", "access explain alice@example.com --verb exec"]),
    ("access list", &["access list", "access list -o csv"]),
    (
        "access explain",
        &["access explain laptop", "access explain alice@example.com --verb exec --cloud berlin"],
    ),
    ("netcheck", &["netcheck"]),
    ("nc", &["nc berlin 22"]),
    ("up", &["up", "up --key-from - < key"]),
    ("down", &["down"]),
    ("logout", &["logout"]),
    ("reload", &["reload"]),
    ("doctor", &["doctor", "doctor berlin -o json"]),
    ("proxy", &["proxy berlin --unix /tmp/berlin/unix.socket", "proxy berlin --listen 127.0.0.1:8443"]),
    ("config", &["config check", "config show"]),
    ("config check", &["config check --config kolaboree.yaml"]),
    ("config show", &["config show -o yaml"]),
    ("config schema", &["config schema > kolaboree.schema.json"]),
    ("health", &["health", "health --ready"]),
    ("completions", &["completions bash > /etc/bash_completion.d/kolaboree-node"]),
    ("man", &["man", "man --to /usr/local/share/man/man1"]),
    ("lxd", &["lxd list", "lxd launch busybox berlin:web", "lxd exec berlin:web -- uptime"]),
    ("lxd ping", &["lxd ping", "lxd ping berlin -c 5"]),
    ("lxd list", &["lxd list", "lxd list berlin paris -f csv"]),
    ("lxd info", &["lxd info berlin:", "lxd info berlin:web"]),
    ("lxd events", &["lxd events", "lxd events berlin -o json"]),
    (
        "lxd launch",
        &["lxd launch busybox berlin:web", "lxd launch busybox berlin:web --profile default --ephemeral"],
    ),
    ("lxd start", &["lxd start berlin:web paris:web"]),
    ("lxd stop", &["lxd stop berlin:web paris:web", "lxd stop berlin:web --force"]),
    ("lxd restart", &["lxd restart berlin:web"]),
    ("lxd delete", &["lxd delete berlin:web", "lxd delete --force berlin:web paris:web"]),
    ("lxd copy", &["lxd copy berlin:web paris:web", "lxd copy berlin:web/snap0 berlin:again"]),
    ("lxd move", &["lxd move berlin:web paris:web", "lxd move berlin:web berlin:www"]),
    ("lxd exec", &["lxd exec berlin:web -- uptime", "lxd exec berlin:web sh"]),
    ("lxd file", &["lxd file push notes.txt berlin:web/root/", "lxd file pull berlin:web/etc/hostname ."]),
    ("lxd file push", &["lxd file push notes.txt berlin:web/root/"]),
    ("lxd file pull", &["lxd file pull berlin:web/etc/hostname ."]),
    ("lxd file delete", &["lxd file delete berlin:web/root/notes.txt"]),
    ("lxd init", &["lxd init busybox berlin:web", "lxd init --empty berlin:web"]),
    ("lxd pause", &["lxd pause berlin:web"]),
    ("lxd rename", &["lxd rename berlin:web www", "lxd rename berlin:web/snap0 berlin:web/before"]),
    ("lxd rebuild", &["lxd rebuild busybox berlin:web"]),
    ("lxd snapshot", &["lxd snapshot berlin:web", "lxd snapshot berlin:web before"]),
    ("lxd restore", &["lxd restore berlin:web before"]),
    ("lxd config", &["lxd config set berlin:web limits.cpu=2", "lxd config edit berlin:web"]),
    ("lxd config get", &["lxd config get berlin:web limits.cpu"]),
    (
        "lxd config set",
        &["lxd config set berlin:web limits.cpu=2", "lxd config set berlin: core.https_address :8443"],
    ),
    ("lxd config unset", &["lxd config unset berlin:web limits.cpu"]),
    ("lxd config show", &["lxd config show berlin:web --expanded", "lxd config show berlin:"]),
    ("lxd config edit", &["lxd config edit berlin:web"]),
    ("lxd export", &["lxd export berlin:web web.tar.gz"]),
    (
        "lxd warning delete",
        &[
            "lxd warning delete berlin:3f1c8b5e-8d4a-4a57-9a4e-0c2b6f7d9e11",
            "lxd warning delete --all berlin:",
        ],
    ),
    ("lxd import", &["lxd import berlin: web.tar.gz"]),
    ("lxd trust", &["lxd trust berlin --token-from token"]),
];
