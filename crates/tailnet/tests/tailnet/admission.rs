//! A person's login, an administrator's approval, and keys that expire.

use std::time::Duration;

use tailnet::{BackendState, ConnectError, Tailnet, UpError};

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
async fn a_node_whose_key_has_expired_dials_nothing_until_somebody_logs_in() {
    let (sandbox, node, _) = joined().await;
    sandbox.require_login().await.unwrap();
    sandbox.expire_keys().await.unwrap();
    awaits(&node, BackendState::NeedsLogin).await;
    let error = soon(node.connect(("tools", ECHO))).await.unwrap_err();
    assert!(matches!(error, ConnectError::NotRunning { .. }), "{error:?}");
    done(sandbox, node).await;
}
