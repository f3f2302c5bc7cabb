//! A person's login, an administrator's approval, and keys that expire.

use std::time::Duration;

use tailnet::{BackendState, ConnectError, StateWatch, Tailnet, UpError};
use tailnet_sandbox::Sandbox;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::common::{ECHO, builder, done, joined, sandbox, soon, until};

/// Waits until the node's backend is in that state.
async fn awaits(node: &Tailnet, state: BackendState) {
    let mut watch = node.watch();
    while soon(watch.changed()).await.unwrap().backend != state {}
}

#[tokio::test]
async fn a_login_is_asked_for_by_its_url_and_completes_the_join() {
    let sandbox = sandbox().await;
    sandbox.require_login().await.unwrap();
    let node = soon(builder(&sandbox).start()).await.unwrap();
    let Err(UpError::NeedsLogin { url }) = soon(node.up()).await else { panic!("no login is asked for") };
    assert!(url.starts_with(&sandbox.control_url().to_string()), "{url}");
    sandbox.complete_login(&url).await.unwrap();
    awaits(&node, BackendState::Running).await;
    soon(node.up()).await.unwrap();
    soon(node.connect(("tools", ECHO))).await.unwrap();
    done(sandbox, node).await;
}

#[tokio::test]
async fn an_approval_is_waited_for_and_completes_the_join() {
    let sandbox = sandbox().await;
    sandbox.require_approval().await.unwrap();
    let node = soon(builder(&sandbox).join_timeout(Duration::from_secs(3)).start()).await.unwrap();
    let error = soon(node.up()).await.unwrap_err();
    assert!(matches!(error, UpError::NeedsApproval), "{error:?}");
    sandbox.approve().await.unwrap();
    awaits(&node, BackendState::Running).await;
    soon(node.connect(("tools", ECHO))).await.unwrap();
    done(sandbox, node).await;
}

#[tokio::test]
async fn a_node_whose_key_has_expired_joins_again_by_itself_with_its_auth_key_each_time() {
    let (sandbox, node, _) = joined().await;
    let mut watch = node.watch();
    for _ in 0..3 {
        sandbox.expire_keys().await.unwrap();
        while soon(watch.changed()).await.unwrap().backend == BackendState::Running {}
        until(async || sandbox.renew_rotated_keys().await.is_ok()).await;
        awaits(&node, BackendState::Running).await;
        soon(node.up()).await.unwrap();
        assert!(!soon(watch.newest()).await.unwrap().expired);
        soon(node.connect(("tools", ECHO))).await.unwrap();
    }
    done(sandbox, node).await;
}

#[tokio::test]
async fn a_node_without_an_auth_key_says_that_its_key_has_expired_and_waits_for_a_person() {
    let sandbox = sandbox().await;
    sandbox.require_login().await.unwrap();
    let keyless = Tailnet::builder()
        .control_url(sandbox.control_url())
        .ephemeral(true)
        .port_mapping(false)
        .join_timeout(Duration::from_secs(5))
        .start();
    let node = soon(keyless).await.unwrap();
    let mut watch = node.watch();
    let url = async |watch: &mut StateWatch| loop {
        if let Some(url) = soon(watch.changed()).await.unwrap().login_url {
            break url;
        }
    };
    sandbox.complete_login(&url(&mut watch).await).await.unwrap();
    awaits(&node, BackendState::Running).await;
    sandbox.expire_keys().await.unwrap();
    let expired = loop {
        let state = soon(watch.changed()).await.unwrap();
        if state.expired && state.backend == BackendState::NeedsLogin {
            break state;
        }
    };
    assert!(expired.key_expiry.is_some());
    let error = soon(node.up()).await.unwrap_err();
    assert!(matches!(error, UpError::KeyExpired { .. }), "{error:?}");
    soon(node.login_interactive()).await.unwrap();
    sandbox.complete_login(&url(&mut watch).await).await.unwrap();
    awaits(&node, BackendState::Running).await;
    done(sandbox, node).await;
}

#[tokio::test]
async fn a_node_that_is_logged_out_joins_again_with_a_key() {
    let (sandbox, node, _) = joined().await;
    soon(node.logout()).await.unwrap();
    awaits(&node, BackendState::NeedsLogin).await;
    let error = soon(node.connect(("tools", ECHO))).await.unwrap_err();
    assert!(matches!(error, ConnectError::NotRunning { .. }), "{error:?}");
    let wrong = "tskey-auth-wrong".parse().unwrap();
    let error = soon(node.login(&wrong)).await.unwrap_err();
    assert!(matches!(error, UpError::AuthRejected { .. }), "{error:?}");
    assert!(!error.to_string().contains("tskey-auth-wrong"), "{error}");
    soon(node.login(&sandbox.auth_key().parse().unwrap())).await.unwrap();
    soon(node.connect(("tools", ECHO))).await.unwrap();
    done(sandbox, node).await;
}

/// Waits for news of the tailnet, which only a node with a good login gets.
async fn hears_of_a_new_node(sandbox: &Sandbox, node: &Tailnet) {
    let peers = async || node.status().await.unwrap().peers().count();
    let before = peers().await;
    sandbox.add_nodes(1).await.unwrap();
    until(async || peers().await != before).await;
}

#[tokio::test]
async fn a_joined_node_is_told_that_a_key_is_refused_and_goes_on_as_before() {
    let (sandbox, node, _) = joined().await;
    let mut stream = soon(node.connect(("tools", ECHO))).await.unwrap();
    for _ in 0..3 {
        let error = soon(node.login(&"tskey-auth-wrong".parse().unwrap())).await.unwrap_err();
        assert!(matches!(error, UpError::AuthRejected { .. }), "{error:?}");
        soon(node.up()).await.unwrap();
    }
    stream.write_all(b"hello").await.unwrap();
    soon(stream.read_exact(&mut [0; 5])).await.unwrap();
    soon(node.connect(("tools", ECHO))).await.unwrap();
    // The sandbox wants the key each time, where other control servers are content with a node's own.
    sandbox.require_nothing().await.unwrap();
    hears_of_a_new_node(&sandbox, &node).await;
    assert_eq!(soon(node.watch().newest()).await.unwrap().error, None);
    done(sandbox, node).await;
}

#[tokio::test]
async fn a_joined_node_logs_in_anew_with_a_good_key_and_hears_of_its_tailnet_afterwards() {
    let (sandbox, node, _) = joined().await;
    let before = node.status().await.unwrap();
    for _ in 0..3 {
        let after = soon(node.login(&sandbox.auth_key().parse().unwrap())).await.unwrap();
        assert_eq!(after.ips, before.ips);
        assert!(after.this.online, "{after:?}");
    }
    hears_of_a_new_node(&sandbox, &node).await;
    done(sandbox, node).await;
}

#[tokio::test]
async fn logins_and_logouts_at_once_all_end_and_the_next_login_counts() {
    let sandbox = sandbox().await;
    let node = soon(builder(&sandbox).join_timeout(Duration::from_secs(6)).up()).await.unwrap();
    let (wrong, right) = ("tskey-auth-wrong".parse().unwrap(), sandbox.auth_key().parse().unwrap());
    for round in 0..8_u64 {
        let late = tokio::time::timeout(Duration::from_millis(round * 5), node.login(&right)); // and given up
        let (first, second) = (node.login(&wrong), node.login(&right));
        let _ = soon(async { tokio::join!(first, second, late, node.logout(), node.up()) }).await;
        soon(node.login(&right)).await.unwrap();
    }
    soon(node.connect(("tools", ECHO))).await.unwrap();
    done(sandbox, node).await;
}

#[tokio::test]
async fn a_joined_node_whose_person_is_to_log_in_says_so_until_that_is_done() {
    let (sandbox, node, _) = joined().await;
    sandbox.require_login().await.unwrap();
    soon(node.login_interactive()).await.unwrap();
    let Err(UpError::NeedsLogin { url }) = soon(node.up()).await else { panic!("no login is asked for") };
    let Err(UpError::NeedsLogin { .. }) = soon(node.up()).await else { panic!("the login is forgotten") };
    sandbox.complete_login(&url).await.unwrap();
    soon(async { while node.up().await.is_err() {} }).await;
    hears_of_a_new_node(&sandbox, &node).await;
    done(sandbox, node).await;
}

#[tokio::test]
async fn a_login_is_not_told_the_errors_of_the_one_before() {
    let (sandbox, node, _) = joined().await;
    let (wrong, right) = ("tskey-auth-wrong".parse().unwrap(), sandbox.auth_key().parse().unwrap());
    for round in 0..100_u64 {
        soon(node.logout()).await.unwrap();
        soon(node.login(&wrong)).await.unwrap_err();
        // The failed one is tried again meanwhile, at a random time.
        tokio::time::sleep(Duration::from_millis(round % 40 * 2)).await;
        soon(node.login(&right)).await.unwrap();
    }
    done(sandbox, node).await;
}

#[tokio::test]
async fn a_login_by_a_person_can_be_asked_for_at_any_time() {
    let (sandbox, node, _) = joined().await;
    soon(node.logout()).await.unwrap();
    sandbox.require_login().await.unwrap();
    soon(node.login_interactive()).await.unwrap();
    let mut watch = node.watch();
    let url = loop {
        if let Some(url) = soon(watch.changed()).await.unwrap().login_url {
            break url;
        }
    };
    sandbox.complete_login(&url).await.unwrap();
    awaits(&node, BackendState::Running).await;
    done(sandbox, node).await;
}

#[tokio::test]
async fn a_node_whose_key_has_expired_dials_nothing_until_somebody_logs_in() {
    let (sandbox, node, _) = joined().await;
    sandbox.require_login().await.unwrap();
    sandbox.expire_keys().await.unwrap();
    awaits(&node, BackendState::NeedsLogin).await;
    let error = soon(node.connect(("tools", ECHO))).await.unwrap_err();
    assert!(matches!(error, ConnectError::NotRunning { .. }), "{error:?}");
    done(sandbox, node).await;
}
