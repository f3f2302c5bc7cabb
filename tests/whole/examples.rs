//! The examples, as their first lines say to run them.

use std::process::{Command, Stdio};

use crate::node::{Service, World, curl, free_port};
use crate::program::{command, example, run};

/// The example `sandbox` in a folder, whose node knows the clouds `lxd` and `echo`.
fn sandbox(home: &std::path::Path) -> Service {
    let mut program = command(example("sandbox"), home);
    program.arg(home).stderr(Stdio::piped()).env("TAILNET_SANDBOX_PROGRAM", tailnet_sandbox::program());
    let mut sandbox = Service::start_with_stdout(program);
    sandbox.says("ready: kolaboree-node --config");
    sandbox
}

fn node(home: &std::path::Path, program: impl Into<std::path::PathBuf>) -> Command {
    let mut node = command(program, home);
    node.env("TS_DISABLE_PORTMAPPER", "true");
    node
}

#[test]
fn the_sandbox_lets_the_node_be_tried_with_no_account() {
    let home = tempfile::tempdir().unwrap();
    let sandbox = sandbox(home.path());
    let program = || node(home.path(), env!("CARGO_BIN_EXE_kolaboree-node"));
    // With the token that the configuration names.
    let trusted = run(program().args(["lxd", "trust", "lxd"]));
    assert_eq!(trusted.code, Some(0), "{}", trusted.stderr);
    let listed = run(program().args(["lxd", "list"]));
    assert_eq!(listed.code, Some(0), "{}", listed.stderr);
    assert!(listed.stdout.contains("demo-web") && listed.stdout.contains("RUNNING"), "{}", listed.stdout);
    let doctor = run(program().args(["doctor"]));
    assert!(!doctor.stdout.contains("FAIL"), "{}", doctor.stdout);
    assert_eq!(sandbox.ends_on("TERM").0, Some(0));
}

#[test]
fn the_axum_service_answers_with_the_instances_of_all_clouds() {
    let home = tempfile::tempdir().unwrap();
    let sandbox = sandbox(home.path());
    let port = free_port().to_string();
    let mut program = node(home.path(), example("axum_service"));
    program.args(["kolaboree.yaml", &port]);
    // The address of health is not the example's.
    program.env("TS_LOCAL_ADDR_PORT", "none");
    let mut service = Service::start_with_stdout(program);
    service.says("/instances");
    let url = |path: &str| format!("http://127.0.0.1:{port}{path}");
    // The watcher makes the server trust the node, by its token.
    crate::node::until(|| curl(&[&url("/instances")]).1, |body| body.contains("demo-db"));
    let (status, body) = curl(&[&url("/clouds/echo")]);
    assert!(status == "200" && body.contains("lxd:7"), "{status} {body}");
    assert_eq!(curl(&[&url("/clouds/none")]).0, "404");
    assert_eq!(service.ends_on("TERM").0, Some(0));
    sandbox.ends_on("TERM");
}

#[test]
fn the_plain_crates_join_ping_and_list() {
    let world = World::new();
    let control = world.sandbox.control_url().to_string();
    let with = |name: &str| {
        let mut program = node(world.home.path(), example(name));
        program.env("TS_AUTHKEY", world.sandbox.auth_key());
        program
    };
    let pinged = run(with("tailnet_only").arg(&control));
    assert_eq!(pinged.code, Some(0), "{}", pinged.stderr);
    assert!(pinged.stdout.contains("berlin") && pinged.stdout.contains("Some("), "{}", pinged.stdout);
    let token = world.standin.trust_token("example");
    let listed = run(with("lxd_over_tailnet").args(["berlin:8443", &control]).env("LXD_TRUST_TOKEN", token));
    assert_eq!(listed.code, Some(0), "{}", listed.stderr);
    assert!(listed.stdout.contains("demo-web"), "{}", listed.stdout);
}
