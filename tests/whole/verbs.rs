//! The verbs of `lxc` as commands: each takes the arguments that `lxc` takes, and says what is wrong with others.

use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::path::Path;

use crate::program::{Printed, command, run};

/// What users of `lxc` type, with a cloud in the place of a remote.
const LINES: &[&str] = &[
    "launch busybox berlin:c1 -e -p default -n lxdbr0 -s pool -t c2-m4 -d root,size=5GiB -c user.a=b",
    "init busybox berlin:c1 --profile default --storage pool",
    "start berlin:c1 paris:c1",
    "stop berlin:c1 paris:c1 --force --timeout 5",
    "restart berlin:c1 -f",
    "pause berlin:c1",
    "delete berlin:c1 berlin:c1/snap0 --force",
    "rename berlin:c1 c2",
    "rebuild busybox berlin:c1",
    "snapshot berlin:c1 snap0",
    "restore berlin:c1 snap0",
    "config get berlin:c1 limits.cpu",
    "config set berlin:c1 limits.cpu=2 limits.memory=1GiB",
    "config set berlin:c1 limits.cpu 2",
    "config unset berlin:c1 limits.cpu",
    "config show berlin:c1 --expanded",
    "config edit berlin:c1",
    "config device add berlin:c1 data disk source=/srv path=/srv",
    "config device list berlin:c1",
    "config device remove berlin:c1 data",
    "config metadata show berlin:c1",
    "config template list berlin:c1",
    "copy berlin:c1 paris:c1 --instance-only --stateless",
    "copy berlin:c1/snap0 berlin:c2 --profile default --storage pool",
    "move berlin:c1 paris:c1 --mode relay",
    "list berlin: -f csv -c ns4",
    "list --all-projects --format json",
    "list berlin: status=running web",
    "info berlin:c1",
    "info berlin:",
    "exec berlin:c1 --env A=b --cwd /root --user 1000 -- ls -l",
    "file push file berlin:c1/root/",
    "file pull berlin:c1/root/file .",
    "file delete berlin:c1/root/file",
    "publish berlin:c1/snap0 --alias made",
    "export berlin:c1 c1.tar.gz --instance-only",
    "import berlin: c1.tar.gz -s pool",
    "image list berlin: -f json",
    "image info berlin:busybox",
    "image export berlin:busybox folder",
    "image import image.tar.gz berlin: --alias mine",
    "image delete berlin:busybox",
    "image alias create berlin:mine 0123456789ab",
    "image alias list berlin:",
    "image copy berlin:debian paris: --copy-aliases --auto-update --mode pull",
    "image get-property berlin:busybox os",
    "launch busybox berlin:c1 --console",
    "start berlin:c1 --console=vga",
    "restart berlin:c1 --console",
    "shell berlin:c1",
    "console berlin:c1 --show-log",
    "console berlin:c1 -t vga",
    "logs berlin:c1 lxc.log",
    "file edit berlin:c1/etc/hosts",
    "file create berlin:c1/root/l /etc/hosts --type=symlink",
    "file push -r -p folder berlin:c1/root/ --mode 0644 --uid 1 --gid 2",
    "operation list berlin:",
    "operation show berlin:0123",
    "operation delete berlin:0123",
    "warning list berlin: --all -c ut -f csv",
    "warning ack berlin:0123",
    "warning delete berlin: --all",
    "query -X PATCH -d {} --wait --raw berlin:/1.0/instances/c1",
    "events berlin --type=lifecycle -f json",
    "profile create berlin:web",
    "profile set berlin:web limits.cpu=2",
    "profile device add berlin:web eth0 nic network=br0",
    "profile assign berlin:c1 web,default",
    "network create berlin:br0 ipv4.address=none -t bridge --target m1",
    "network list-leases berlin:br0",
    "network forward port add berlin:br0 192.0.2.1 tcp 80 10.0.0.2 8080",
    "network load-balancer backend add berlin:ovn0 192.0.2.1 web 10.0.0.2 80",
    "network load-balancer port remove berlin:ovn0 192.0.2.1 tcp 80 --force",
    "network acl rule add berlin:web ingress action=allow",
    "storage create berlin:fast zfs size=5GiB",
    "storage volume create berlin:fast data size=1GiB --type block",
    "storage volume attach berlin:fast data c1 /srv",
    "project create berlin:shop",
    "cluster list berlin:",
    "cluster evacuate berlin:m1 --force",
    "cluster group assign berlin:m1 default,fast",
    "config trust list berlin:",
    "trust berlin",
    "trust remove berlin:0123456789ab",
];

/// Exit codes that `kolaboree-node --help` documents.
const DOCUMENTED: [i32; 13] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 130];

fn words(line: &str) -> impl Iterator<Item = &str> {
    ["kolaboree-node", "lxd"].into_iter().chain(line.split(' '))
}

#[test]
fn each_verb_takes_the_arguments_of_lxc() {
    for line in LINES {
        let parsed = kolaboree_node::cli::command().try_get_matches_from(words(line));
        assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
    }
}

#[test]
fn each_verb_is_in_the_help_of_lxd() {
    let home = tempfile::tempdir().unwrap();
    let help = run(command(env!("CARGO_BIN_EXE_kolaboree-node"), home.path()).args(["lxd", "--help"]));
    assert_eq!(help.code, Some(0));
    for line in LINES {
        let verb = line.split(' ').next().unwrap();
        let shown = help.stdout.lines().filter(|line| line.starts_with(&format!("  {verb} "))).count();
        assert_eq!(shown, 1, "{verb}: {}", help.stdout);
    }
}

/// A home with two clouds, and a node that runs there and has not joined.
fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let clouds = ["berlin", "paris"].map(|name| format!("  - {{name: {name}, address: '{name}:8443'}}\n"));
    // Nobody listens on that port of this machine.
    let text = format!("state_dir: state\ncontrol_url: http://127.0.0.1:1\nclouds:\n{}", clouds.concat());
    std::fs::write(home.path().join("kolaboree.yaml"), text).unwrap();
    std::fs::create_dir(home.path().join("state")).unwrap();
    let socket = UnixListener::bind(home.path().join("state/control.sock")).unwrap();
    std::thread::spawn(move || {
        for mut stream in socket.incoming().map_while(Result::ok) {
            let body = r#"{"error": "the node has not joined", "code": "not_running"}"#;
            let answer = format!(
                "HTTP/1.1 503 x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            std::thread::spawn(move || {
                let mut request = [0; 4096];
                if stream.read(&mut request).is_ok_and(|length| length > 0) {
                    let _ = stream.write_all(answer.as_bytes());
                }
            });
        }
    });
    home
}

fn lxd(home: &Path, arguments: &[&str]) -> Printed {
    run(command(env!("CARGO_BIN_EXE_kolaboree-node"), home).arg("lxd").args(arguments))
}

#[test]
fn rubbish_for_arguments_is_told_in_a_line_and_never_a_panic() {
    let home = home();
    let long = "n".repeat(10_000);
    let rubbish =
        ["", ":", "::", "berlin:", "a:b:c", "nowhere:c1", "berlin:ä 東\u{202e}", "--", "-", "/", "c1", &long];
    let mut verbs: Vec<Vec<&str>> = LINES
        .iter()
        .map(|line| line.split(' ').take_while(|word| word.chars().all(|c| c.is_ascii_lowercase())).collect())
        .map(|words: Vec<&str>| match words[0] {
            "config" | "file" | "image" => words.into_iter().take(2).collect(),
            _ => words.into_iter().take(1).collect(),
        })
        .collect();
    verbs.dedup();
    std::thread::scope(|scope| {
        for verbs in verbs.chunks(verbs.len().div_ceil(4)) {
            let (home, rubbish) = (home.path(), &rubbish);
            scope.spawn(move || {
                for verb in verbs {
                    for word in rubbish {
                        let printed = lxd(home, &[&verb[..], &[word]].concat());
                        let short: String = word.chars().take(20).collect();
                        let told = format!("{verb:?} {short:?}: {:?}\n{}", printed.code, printed.stderr);
                        assert!(printed.code.is_some_and(|code| DOCUMENTED.contains(&code)), "{told}");
                        assert!(!printed.stderr.contains("panicked"), "{told}");
                        // A command that lacks its subcommand shows its help.
                        let is_told =
                            printed.stderr.starts_with("error: ") || printed.stderr.contains("Usage: ");
                        assert!(printed.code == Some(0) || is_told, "{told}");
                    }
                }
            });
        }
    });
}

#[test]
fn wrong_names_are_told_with_what_was_meant() {
    let home = home();
    for (arguments, told) in [
        (&["start", "berln:c1"][..], "did you mean berlin?"),
        (&["info", "pari:"], "did you mean paris?"),
        (&["start", "xyzzy:c1"], "known are berlin, paris"),
        (&["start", "c1"], "does not say in which cloud: write CLOUD:c1"),
        (&["start", "berlin:"], "names no instance"),
        (&["start"], "required"),
        (&["lsit"], "similar subcommand"),
    ] {
        let printed = lxd(home.path(), arguments);
        assert_eq!(printed.code, Some(2), "{arguments:?}: {}", printed.stderr);
        assert!(printed.stderr.contains(told), "{arguments:?}: {}", printed.stderr);
    }
}
