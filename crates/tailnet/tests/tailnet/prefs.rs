//! What the node is set to, and what that changes: exit node, routes, shields.

use std::io;
use std::time::Duration;

use tailnet::{ConnectError, PrefsEdit};
use tailnet_sandbox::{Peer, Sandbox};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::common::{ECHO, builder, done, joined, soon, until};

#[tokio::test]
async fn prefs_are_read_and_changed_one_by_one() {
    let (sandbox, node, _) = joined().await;
    let before = soon(node.prefs()).await.unwrap();
    assert!(before.want_running && !before.accept_routes && !before.shields_up);
    let edit = PrefsEdit::new().accept_routes(true).hostname("renamed").advertise_routes(["192.0.2.0/24"]);
    let after = soon(node.edit_prefs(&edit)).await.unwrap();
    assert!(after.accept_routes && after.want_running);
    assert_eq!(
        (after.hostname.as_str(), &after.advertise_routes[..]),
        ("renamed", &["192.0.2.0/24".to_owned()][..])
    );
    let again = soon(node.prefs()).await.unwrap();
    assert_eq!(again.hostname, "renamed");
    let error = soon(node.edit_prefs(&PrefsEdit::new().advertise_routes(["rubbish"]))).await.unwrap_err();
    assert!(error.to_string().contains("rubbish"), "{error}");
    done(sandbox, node).await;
}

#[tokio::test]
async fn what_is_outside_is_reached_through_a_chosen_exit_node_and_only_then() {
    let exit = Peer::new("exit").echo(ECHO).route("0.0.0.0/0").route("::/0");
    let sandbox = soon(Sandbox::start([exit])).await.unwrap();
    let node = soon(builder(&sandbox).up()).await.unwrap();
    let outside = ("203.0.113.7", ECHO); // for documentation (RFC 5737)
    let error = soon(node.connect(outside)).await.unwrap_err();
    assert!(matches!(error, ConnectError::NotInTailnet { .. }), "{error:?}");

    let exit_ip = sandbox.peer("exit").ipv4.into();
    soon(node.edit_prefs(&PrefsEdit::new().exit_node(Some(exit_ip)))).await.unwrap();
    let mut stream = soon(async {
        loop {
            match node.connect(outside).await {
                Ok(stream) => break stream,
                Err(ConnectError::NotInTailnet { .. }) => tokio::time::sleep(Duration::from_millis(20)).await,
                Err(e) => panic!("{e}"),
            }
        }
    })
    .await;
    stream.write_all(b"hello").await.unwrap();
    let mut answer = [0; 5];
    soon(stream.read_exact(&mut answer)).await.unwrap();
    assert_eq!(&answer, b"hello");

    soon(node.edit_prefs(&PrefsEdit::new().exit_node(None))).await.unwrap();
    until(async || matches!(node.connect(outside).await, Err(ConnectError::NotInTailnet { .. }))).await;
    done(sandbox, node).await;
}

#[tokio::test]
async fn shields_up_keeps_other_nodes_out() {
    let (sandbox, node, _) = joined().await;
    let client = soon(builder(&sandbox).hostname("client").connect_timeout(Duration::from_secs(3)).up())
        .await
        .unwrap();
    let mut listener = soon(node.listen(80)).await.unwrap();
    let ip = node.status().await.unwrap().ips[0];
    let dialled = soon(client.connect((ip, 80))).await.unwrap();
    drop(crate::common::accept_of(&mut listener, &dialled).await);
    soon(node.edit_prefs(&PrefsEdit::new().shields_up(true))).await.unwrap();
    let kept_out = async {
        loop {
            if let Err(e) = client.connect((ip, 80)).await {
                break io::Error::from(e);
            }
        }
    };
    let error = soon(kept_out).await;
    assert!(matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::HostUnreachable), "{error}");
    soon(client.close()).await.unwrap();
    done(sandbox, node).await;
}
