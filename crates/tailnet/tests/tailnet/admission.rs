//! A person's login, an administrator's approval, and keys that expire.

use std::time::Duration;

use tailnet::{BackendState, ConnectError, StateWatch, Tailnet, UpError};

use crate::common::{ECHO, builder, done, joined, sandbox, soon};

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
async fn a_node_whose_key_has_expired_joins_again_by_itself_with_its_auth_key() {
    let (sandbox, node, _) = joined().await;
    let mut watch = node.watch();
    sandbox.expire_keys().await.unwrap();
    while soon(watch.changed()).await.unwrap().backend == BackendState::Running {}
    let came_back = async {
        while sandbox.renew_rotated_keys().await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    soon(came_back).await;
    awaits(&node, BackendState::Running).await;
    assert!(!soon(watch.newest()).await.unwrap().expired);
    soon(node.connect(("tools", ECHO))).await.unwrap();
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
