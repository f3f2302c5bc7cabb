//! The binary `kolaboree-node`.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use tailnet_sandbox::{Peer, Sandbox, StandIn};

use crate::program::{command, finish, run};

fn node(home: &Path) -> Command {
    command(env!("CARGO_BIN_EXE_kolaboree-node"), home)
}

#[test]
fn it_joins_watches_a_cloud_and_ends_on_sigterm() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (standin, sandbox) = runtime.block_on(async {
        let standin = StandIn::start().await.unwrap();
        let peer = Peer::new("berlin").forward(8443, standin.addr());
        (standin, Sandbox::start([peer]).await.unwrap())
    });
    let home = tempfile::tempdir().unwrap();
    let (control, pin) = (sandbox.control_url(), standin.fingerprint());
    let config = format!(
        "state_dir: state\ncontrol_url: {control}\ninterval: 0.2\nclouds:\n\
         - {{name: berlin, address: 'berlin:8443', fingerprint: {pin}}}\n\
         - {{name: paris, address: '192.0.2.1:8443', fingerprint: {pin}}}\n",
    );
    std::fs::write(home.path().join("kolaboree.yaml"), config).unwrap();
    let key = [("TAILSCALE_AUTH_KEY", sandbox.auth_key()), ("TS_DISABLE_PORTMAPPER", "true")];
    let mut child = node(home.path()).envs(key).spawn().unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let mut seen = String::new();
    while !(seen.contains("does not trust this node") && seen.contains("not in the tailnet")) {
        assert_ne!(log.read_line(&mut seen).unwrap(), 0, "it ended:\n{seen}");
    }
    for milestone in
        ["Starting with Tailscale", "Authenticating with Tailscale", "Tailscale connected successfully"]
    {
        assert!(seen.contains(milestone), "{seen}");
    }
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    assert_eq!(finish(child).code, Some(0), "{seen}");
    assert!(!seen.contains(sandbox.auth_key()), "{seen}");
}

#[test]
fn a_bad_configuration_is_one_readable_line() {
    let home = tempfile::tempdir().unwrap();
    let printed = run(&mut node(home.path()));
    assert_eq!(printed.code, Some(1));
    assert!(printed.stderr.starts_with("error: cannot read kolaboree.yaml"), "{}", printed.stderr);

    std::fs::write(home.path().join("kolaboree.yaml"), "state_dir: s\nhostnme: x\n").unwrap();
    let printed = run(&mut node(home.path()));
    assert_eq!((printed.code, printed.stderr.lines().count()), (Some(1), 1), "{}", printed.stderr);
    assert!(printed.stderr.contains("hostnme") && printed.stderr.contains("line 2"), "{}", printed.stderr);
}

#[test]
fn its_version_names_what_is_in_it() {
    let home = tempfile::tempdir().unwrap();
    let printed = run(node(home.path()).arg("--version").stderr(Stdio::inherit()));
    assert!(printed.stdout.starts_with("kolaboree-node 0.1.0 ("), "{}", printed.stdout);
    assert!(
        printed.stdout.contains("tailscale.com v1.") && printed.stdout.contains("Go 1."),
        "{}",
        printed.stdout
    );
}
