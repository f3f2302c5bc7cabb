//! Clients and `lxd_ping` against a real LXD, the one of `LXD_DIR`, through a sandbox tailnet.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use lxd_client::{Auth, Client, Error, Identity, ServerTrust, TrustToken, fetch_fingerprint};
use tailnet::Tailnet;
use tailnet_sandbox::{Peer, Sandbox};

use crate::program::{command, lxd_ping, run};

pub(crate) fn lxd_dir() -> PathBuf {
    std::env::var_os("LXD_DIR").expect("LXD_DIR").into()
}

/// What `lxc` prints.
pub(crate) fn lxc(args: &[&str]) -> String {
    let output = Command::new("lxc").args(args).output().expect("lxc is installed");
    assert!(output.status.success(), "lxc {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

pub(crate) fn new_token() -> String {
    lxc(&["config", "trust", "add", "--name", "test"]).lines().last().unwrap().to_owned()
}

/// A tailnet whose peer `lxd` leads to the daemon, a node in it, and the daemon's version.
async fn joined() -> (Sandbox, Tailnet, String) {
    let local = Client::unix(&lxd_dir().join("unix.socket"), Duration::from_secs(10)).unwrap();
    let server = local.server().await.unwrap();
    let addr =
        server.config["core.https_address"].as_str().expect("core.https_address is set").parse().unwrap();
    let sandbox = Sandbox::start([Peer::new("lxd").forward(8443, addr)]).await.unwrap();
    let node = Tailnet::builder()
        .control_url(sandbox.control_url())
        .auth_key(sandbox.auth_key().parse().unwrap())
        .ephemeral(true)
        .port_mapping(false)
        .up()
        .await
        .unwrap();
    (sandbox, node, server.environment.unwrap().server_version)
}

const SERVER: &str = "https://lxd:8443";

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
async fn a_token_opens_a_real_lxd_and_its_instances() {
    let (sandbox, node, version) = joined().await;
    let server = || SERVER.parse().unwrap();
    let pin = fetch_fingerprint(server(), node.connector(), Duration::from_secs(10)).await.unwrap();
    let (certificate, key) = Identity::generate_pem("test").unwrap();
    let client = Client::builder(server(), node.connector())
        .trust(ServerTrust::Fingerprint(pin))
        .identity(Identity::from_pem(&certificate, &key).unwrap())
        .build()
        .unwrap();

    let stranger = client.server().await.unwrap();
    assert_eq!(stranger.auth, Auth::Untrusted);
    assert!(client.instances().await.unwrap_err().is_not_trusted());

    let token: TrustToken = new_token().parse().unwrap();
    assert_eq!(token.fingerprint(), pin);
    client.trust(&token).await.unwrap();
    client.trust(&token).await.unwrap(); // it is trusted already
    let friend = client.server().await.unwrap();
    assert_eq!(friend.auth, Auth::Trusted);
    assert_eq!(friend.environment.unwrap().server_version, version);
    let instances = client.instances().await.unwrap();
    assert!(instances.iter().any(|i| i.name == "c1" && i.status == "Running"), "{instances:?}");

    node.close().await.unwrap();
    sandbox.stop().await.unwrap();
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
async fn a_real_lxd_refuses_a_token_that_was_used_and_another_pin_refuses_it() {
    let (sandbox, node, _) = joined().await;
    let token: TrustToken = new_token().parse().unwrap();
    let as_new = || {
        let (certificate, key) = Identity::generate_pem("test").unwrap();
        Client::builder(SERVER.parse().unwrap(), node.connector())
            .identity(Identity::from_pem(&certificate, &key).unwrap())
    };
    let pinned = ServerTrust::Fingerprint(token.fingerprint());
    as_new().trust(pinned.clone()).build().unwrap().trust(&token).await.unwrap();
    let error = as_new().trust(pinned).build().unwrap().trust(&token).await.unwrap_err();
    assert!(matches!(error, Error::TokenRefused { .. }), "{error:?}");

    let other = ServerTrust::Fingerprint("ab".repeat(32).parse().unwrap());
    let error = as_new().trust(other).build().unwrap().server().await.unwrap_err();
    assert!(matches!(error, Error::WrongFingerprint { .. }), "{error:?}");

    node.close().await.unwrap();
    sandbox.stop().await.unwrap();
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn lxd_ping_finds_the_lxd_of_lxd_dir_and_shows_its_version_and_instances() {
    let home = tempfile::tempdir().unwrap();
    let ping = |token: &str| {
        let mut ping = command(lxd_ping(), home.path());
        ping.args(["--json", "-c", "1"]).env("LXD_DIR", lxd_dir()).env("LXD_TRUST_TOKEN", token);
        run(&mut ping)
    };
    let version = lxc(&["query", "/1.0"]).parse::<serde_json::Value>().unwrap();
    let version = &version["environment"]["server_version"];

    let stranger = ping("");
    let reply = &stranger.events()[1];
    assert_eq!((&reply["server"], &reply["server_version"]), (&"lxd".into(), version), "{}", stranger.stderr);
    assert_eq!((&reply["auth"], &reply["standin"]), (&"untrusted".into(), &false.into()));

    let friend = ping(&new_token());
    assert_eq!(friend.event_names(), ["joined", "reply", "instances", "summary"], "{}", friend.stderr);
    assert_eq!(friend.events()[1]["auth"], "trusted");
    // Other tests have instances there meanwhile.
    let events = friend.events();
    let c1 = events[2]["instances"].as_array().unwrap().iter().find(|instance| instance["name"] == "c1");
    assert_eq!(c1.expect("c1 is listed")["status"], "Running");

    // One that is confined to a project sees what is there.
    lxc(&["project", "create", "pinged"]);
    std::fs::remove_dir_all(home.path()).unwrap();
    std::fs::create_dir(home.path()).unwrap();
    let token = lxc(&["config", "trust", "add", "--name", "test", "--restricted", "--projects", "pinged"]);
    let confined = ping(token.lines().last().unwrap());
    assert_eq!(confined.event_names(), ["joined", "reply", "instances", "summary"], "{}", confined.stderr);
    assert_eq!(confined.events()[2]["instances"], serde_json::json!([]));
    lxc(&["project", "delete", "pinged"]);
}
