//! Callers as a running node knows them, in a sandbox tailnet.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tailnet_sandbox::{Peer, Sandbox, User};
use tokio::sync::watch;

use super::*;
use crate::config::{AccessRule, Config, Development, Grant, KeySource, Secret, Tailnet, Verb};

/// No step takes that long unless it hangs.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), future).await.expect("it hangs")
}

/// A tailnet with the node `alice` of a user, and a node with what knows callers.
async fn world(folder: &std::path::Path) -> (Sandbox, Node, Access, SocketAddr) {
    let sandbox = soon(Sandbox::start([Peer::new("alice")])).await.unwrap();
    soon(sandbox.set_user("alice", &User::new(1001, "alice@example.com"))).await.unwrap();
    let value = sandbox.auth_key().parse().unwrap();
    let tailnet = Tailnet {
        development: Some(Development::new("127.0.0.1:8080".parse().unwrap(), "dev@example.com")),
        ..Tailnet::new()
    };
    let config = Config {
        control_url: Some(sandbox.control_url()),
        key: KeySource::AuthKey(Secret::Value { name: "test".to_owned(), value }),
        tailnet: Some(tailnet),
        ..Config::new(folder)
    };
    let node = soon(Node::builder(config).serve_nothing().up()).await.unwrap();
    let access = Access::start(&node);
    let alice = SocketAddr::new(sandbox.peer("alice").ip(), 40_000);
    until(&mut access.changes(), async || access.caller(alice).await.is_ok()).await;
    (sandbox, node, access, alice)
}

/// Waits for changes until it is so.
async fn until(changes: &mut watch::Receiver<u64>, is_so: impl AsyncFn() -> bool) {
    let so = async {
        while !is_so().await {
            changes.changed().await.unwrap();
        }
    };
    soon(so).await;
}

async fn may(access: &Access, peer: SocketAddr, verb: Verb) -> bool {
    access.caller(peer).await.unwrap().rights.everywhere(verb)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_that_comes_or_goes_is_told_at_once_and_until_then_nobody_is_asked_again() {
    let folder = tempfile::tempdir().unwrap();
    let (sandbox, node, access, alice) = world(folder.path()).await;
    let mut changes = access.changes();
    until(&mut changes, async || access.caller(alice).await.unwrap().login() == Some("alice@example.com"))
        .await;
    // The peers' last words about themselves may come yet; then it is the same caller, not an equal one.
    until(&mut changes, async || {
        let first = access.caller(alice).await.unwrap();
        Arc::ptr_eq(&first, &access.caller(SocketAddr::new(alice.ip(), 50_000)).await.unwrap())
    })
    .await;

    // By the policy.
    let values = [json!({"clouds": ["*"], "projects": ["*"], "verbs": ["view"]})];
    soon(sandbox.grant("alice", "kolaboree-node", CAPABILITY, &values)).await.unwrap();
    until(&mut changes, async || may(&access, alice, Verb::View).await).await;
    soon(sandbox.revoke("alice", "kolaboree-node", CAPABILITY)).await.unwrap();
    until(&mut changes, async || !may(&access, alice, Verb::View).await).await;

    // By the configuration.
    changes.mark_unchanged();
    let mut config = Config::clone(&node.config());
    let rule = AccessRule::new(vec!["user:alice@example.com".parse().unwrap()], Grant::ALL);
    config.tailnet.as_mut().unwrap().access.push(rule);
    soon(node.reconfigure(config.clone())).await.unwrap();
    assert!(may(&access, alice, Verb::Exec).await, "from the next question on");
    soon(changes.changed()).await.unwrap();
    config.tailnet.as_mut().unwrap().access.clear();
    soon(node.reconfigure(config)).await.unwrap();
    assert!(!may(&access, alice, Verb::Exec).await);
    node.stop().await;
    drop(sandbox);
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_nobody_and_a_node_that_is_down_knows_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let (sandbox, node, access, alice) = world(folder.path()).await;
    for address in ["100.64.99.99", "192.0.2.1", "127.0.0.1", "::1", "fd7a:115c:a1e0::99"] {
        let address: IpAddr = address.parse().unwrap();
        let error = access.caller(SocketAddr::new(address, 40_000)).await.unwrap_err();
        assert!(matches!(error, AccessError::Stranger(stranger) if stranger == address), "{error}");
    }
    let mapped: IpAddr = match alice.ip() {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().into(),
        ip => ip,
    };
    assert_eq!(access.caller(SocketAddr::new(mapped, 1)).await.unwrap().node.name, "alice.sandbox.ts.net");

    let dev = access.development_caller().unwrap();
    assert!(dev.rights.everywhere(Verb::Admin) && dev.login() == Some("dev@example.com"));

    let mut changes = access.changes();
    soon(node.bring_down()).await.unwrap();
    until(&mut changes, async || access.caller(alice).await.is_err()).await;
    let error = access.caller(alice).await.unwrap_err();
    assert!(matches!(error, AccessError::Unavailable { .. }), "{error}");
    node.stop().await;
    drop(sandbox);
}
