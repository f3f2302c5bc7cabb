//! Another control server than the sandbox's: headscale. `.ci/check-headscale` builds it and runs these.

use std::time::Duration;

use serde_json::Value;
use tailnet::{AuthKey, BackendState, ConnectError, State, Tailnet, TailnetBuilder, UpError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::common::{ECHO, HANG, soon, until};
use crate::headscale_server::Headscale;

fn builder(headscale: &Headscale, name: &str) -> TailnetBuilder {
    Tailnet::builder()
        .hostname(name)
        .control_url(headscale.url.parse().unwrap())
        .ephemeral(true)
        .port_mapping(false)
}

async fn key(headscale: &Headscale, options: &[&str]) -> AuthKey {
    headscale.key(options).await.parse().unwrap()
}

/// A node that sends back what it receives, for as long as it lives.
async fn serve_echo(node: &Tailnet) {
    let mut listener = soon(node.listen(ECHO)).await.unwrap();
    tokio::spawn(async move {
        while let Ok(stream) = listener.accept().await {
            let (mut reader, mut writer) = tokio::io::split(stream);
            tokio::spawn(async move { tokio::io::copy(&mut reader, &mut writer).await });
        }
    });
}

async fn echoes(node: &Tailnet, to: &str) {
    let mut stream = soon(node.connect((to, ECHO))).await.unwrap();
    stream.write_all(b"hello").await.unwrap();
    soon(stream.read_exact(&mut [0; 5])).await.unwrap();
}

#[tokio::test]
#[ignore = "needs headscale: .ci/check-headscale"]
async fn headscale_joins_nodes_which_reach_each_other_at_once_and_by_every_name() {
    let headscale = Headscale::start().await;
    let server = builder(&headscale, "server").auth_key(key(&headscale, &[]).await).up();
    let server = soon(server).await.unwrap();
    serve_echo(&server).await;
    let client = builder(&headscale, "client").auth_key(key(&headscale, &["--ephemeral"]).await);
    // Less than the five seconds that a handshake would take of which the server had not heard yet.
    let client = soon(client.connect_timeout(Duration::from_millis(4500)).up()).await.unwrap();
    let [v4, v6] = server.status().await.unwrap().ips[..] else { panic!("two addresses") };
    for to in [v4.to_string(), v6.to_string(), "server".into(), "server.tail.test".into()] {
        echoes(&client, &to).await;
    }
    let error = soon(client.connect(("nobody", ECHO))).await.unwrap_err();
    assert!(matches!(error, ConnectError::NoSuchHost { .. }), "{error:?}");
    let error = soon(client.connect((v4, 1))).await.unwrap_err();
    assert!(matches!(error, ConnectError::Refused { .. }), "{error:?}");
    assert_eq!(soon(client.whois((v4, 1).into())).await.unwrap().node.name, "server.tail.test.");

    soon(client.logout()).await.unwrap();
    until(async || server.status().await.unwrap().peer_named("client").is_none()).await;
    for node in [client, server] {
        soon(node.close()).await.unwrap();
    }
}

#[tokio::test]
#[ignore = "needs headscale: .ci/check-headscale"]
async fn headscale_refuses_bad_keys_and_a_joined_node_goes_on_without_them() {
    let headscale = Headscale::start().await;
    let once = key(&headscale, &[]).await;
    let node = soon(builder(&headscale, "node").auth_key(once.clone()).up()).await.unwrap();
    for bad in [once, "hskey-auth-nobody".parse().unwrap()] {
        let error = soon(builder(&headscale, "other").auth_key(bad.clone()).up()).await.unwrap_err();
        assert!(matches!(error, UpError::AuthRejected { .. }), "{error:?}");
        let error = soon(node.login(&bad)).await.unwrap_err();
        assert!(matches!(error, UpError::AuthRejected { .. }), "{error:?}");
    }
    // It hears of those that come.
    let other = soon(builder(&headscale, "other").auth_key(key(&headscale, &[]).await).up()).await.unwrap();
    serve_echo(&other).await;
    until(async || node.status().await.unwrap().peer_named("other").is_some()).await;
    echoes(&node, "other").await;
    let ips = node.status().await.unwrap().ips;
    let again = soon(node.login(&key(&headscale, &[]).await)).await.unwrap();
    assert_eq!(again.ips, ips);
    for node in [node, other] {
        soon(node.close()).await.unwrap();
    }
}

#[tokio::test]
#[ignore = "needs headscale: .ci/check-headscale"]
async fn headscale_expires_a_key_and_the_node_comes_back_with_its_auth_key_each_time() {
    let headscale = Headscale::start().await;
    let node = builder(&headscale, "node").auth_key(key(&headscale, &["--reusable"]).await).up();
    let node = soon(node).await.unwrap();
    let (ips, id) = (node.status().await.unwrap().ips, headscale.id_of("node").await);
    for _ in 0..3 {
        let mut watch = node.watch();
        headscale.run(&["nodes", "expire", "-i", &id]).await.unwrap();
        let (mut left, mut back) = (false, false);
        tokio::time::timeout(HANG, async {
            while !(left && back) {
                let now = watch.changed().await.unwrap().backend;
                left |= now == BackendState::NeedsLogin;
                back = left && now == BackendState::Running;
            }
        })
        .await
        .expect("it comes back");
        assert_eq!(soon(node.up()).await.unwrap().ips, ips);
    }
    soon(node.close()).await.unwrap();
}

#[tokio::test]
#[ignore = "needs headscale: .ci/check-headscale"]
async fn headscale_lets_a_person_log_in() {
    let headscale = Headscale::start().await;
    let node = soon(builder(&headscale, "node").start()).await.unwrap();
    let Err(UpError::NeedsLogin { url }) = soon(node.up()).await else { panic!("no login is asked for") };
    let (_, code) = url.rsplit_once('/').unwrap();
    headscale.run(&["nodes", "register", "-u", "somebody", "-k", code]).await.unwrap();
    until(async || node.up().await.is_ok()).await;
    assert_eq!(headscale.id_of("node").await, "1");
    soon(node.close()).await.unwrap();
}

/// Waits until the node is in a state that is right.
async fn follow(node: &Tailnet, right: impl Fn(&State) -> bool) -> State {
    let mut watch = node.watch();
    soon(async {
        loop {
            let state = watch.changed().await.unwrap();
            if right(&state) {
                return state;
            }
        }
    })
    .await
}

#[tokio::test]
#[ignore = "needs headscale: .ci/check-headscale"]
async fn headscale_deletes_a_node_which_says_so_and_comes_back_with_its_key() {
    let mut headscale = Headscale::start().await;
    let key = key(&headscale, &["--reusable"]).await;
    let node = soon(builder(&headscale, "node").auth_key(key).up()).await.unwrap();
    let id = headscale.id_of("node").await;
    headscale.run(&["nodes", "delete", "-i", &id, "--force"]).await.unwrap();
    headscale.restart().await;
    follow(&node, |state| state.forgotten && state.backend == BackendState::NeedsLogin).await;
    follow(&node, |state| !state.forgotten && state.backend == BackendState::Running).await;
    assert_ne!(headscale.id_of("node").await, id);
    soon(node.close()).await.unwrap();
}

#[tokio::test]
#[ignore = "needs headscale: .ci/check-headscale"]
async fn headscale_deletes_a_node_without_a_key_which_needs_a_login_and_dials_nobody() {
    let mut headscale = Headscale::start().await;
    let node = soon(builder(&headscale, "node").auth_key(key(&headscale, &[]).await).up()).await.unwrap();
    let id = headscale.id_of("node").await;
    headscale.run(&["nodes", "delete", "-i", &id, "--force"]).await.unwrap();
    headscale.restart().await;
    follow(&node, |state| state.forgotten && state.error.is_some()).await;
    assert_eq!(soon(node.status()).await.unwrap().backend_state, BackendState::NeedsLogin);
    let error = soon(node.connect(("node", ECHO))).await.unwrap_err();
    assert!(matches!(error, ConnectError::NotRunning { .. }), "{error:?}");
    soon(node.login(&key(&headscale, &[]).await)).await.unwrap();
    follow(&node, |state| !state.forgotten && state.backend == BackendState::Running).await;
    soon(node.close()).await.unwrap();
}

#[tokio::test]
#[ignore = "needs headscale: .ci/check-headscale"]
async fn headscale_forgets_an_ephemeral_node_as_soon_as_it_is_closed_and_lets_it_in_again() {
    let headscale = Headscale::start().await;
    let folder = tempfile::tempdir().unwrap();
    let key = key(&headscale, &["--reusable", "--ephemeral"]).await;
    for _ in 0..2 {
        let node = builder(&headscale, "node").auth_key(key.clone()).state_dir(folder.path()).up();
        let node = soon(node).await.unwrap();
        headscale.id_of("node").await;
        soon(node.close()).await.unwrap();
        assert_eq!(headscale.json(&["nodes", "list"]).await, Value::Null);
    }
}
