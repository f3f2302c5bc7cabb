use std::collections::HashSet;
use std::io;
use std::time::Duration;

use tailnet::{AcceptError, ListenError, ListenOptions, Tailnet};
use tailnet_sandbox::Sandbox;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::common::{accept_of, builder, joined, sandbox, soon};

/// A tailnet with two nodes.
async fn two() -> (Sandbox, Tailnet, Tailnet) {
    let sandbox = sandbox().await;
    let server = soon(builder(&sandbox).hostname("server").up()).await.unwrap();
    let client = soon(builder(&sandbox).hostname("client").up()).await.unwrap();
    (sandbox, server, client)
}

async fn done(sandbox: Sandbox, nodes: [Tailnet; 2]) {
    for node in nodes {
        soon(node.close()).await.unwrap();
    }
    sandbox.stop().await.unwrap();
}

#[tokio::test]
async fn an_accepted_stream_knows_both_ends_and_carries_half_closes() {
    let (sandbox, server, client) = two().await;
    let mut listener = soon(server.listen(0)).await.unwrap();
    let port = listener.local_addr().port();
    let ips = server.status().await.unwrap().ips;
    for ip in ips {
        let mut dialled = soon(client.connect((ip, port))).await.unwrap();
        let mut accepted = accept_of(&mut listener, &dialled).await;
        assert_eq!(accepted.local_addr(), (ip, port).into());
        // The way there ends first, and the way back still works.
        dialled.write_all(b"question").await.unwrap();
        dialled.shutdown().await.unwrap();
        let mut text = String::new();
        soon(accepted.read_to_string(&mut text)).await.unwrap();
        assert_eq!(text, "question");
        accepted.write_all(&vec![b'x'; 1 << 20]).await.unwrap();
        drop(accepted);
        text.clear();
        soon(dialled.read_to_string(&mut text)).await.unwrap();
        assert_eq!(text.len(), 1 << 20);
    }
    done(sandbox, [server, client]).await;
}

#[tokio::test]
async fn streams_that_come_at_once_are_told_apart() {
    let (sandbox, server, client) = two().await;
    let mut listener = soon(server.listen(0)).await.unwrap();
    let (ips, port) = (client.status().await.unwrap().ips, listener.local_addr().port());
    let dials: Vec<_> = (0..100)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move {
                let mut stream = soon(client.connect(("server", port))).await.unwrap();
                stream.write_all(stream.local_addr().to_string().as_bytes()).await.unwrap();
                stream.shutdown().await.unwrap();
                soon(stream.read_to_end(&mut Vec::new())).await.unwrap();
            })
        })
        .collect();
    let mut peers = HashSet::new();
    while peers.len() < 100 {
        let mut stream = soon(listener.accept()).await.unwrap();
        let mut said = String::new();
        let read = soon(stream.read_to_string(&mut said)).await;
        if read.is_err() || said.is_empty() {
            continue; // a dial beside another one, which ends at once
        }
        assert_eq!(said, stream.peer_addr().to_string());
        // Of a hundred at once the second address wins some.
        assert!(ips.contains(&stream.peer_addr().ip()), "{}", stream.peer_addr());
        assert!(peers.insert(said), "told twice");
    }
    for dial in dials {
        dial.await.unwrap();
    }
    done(sandbox, [server, client]).await;
}

#[tokio::test]
async fn an_accept_that_is_dropped_loses_no_stream() {
    let (sandbox, server, client) = two().await;
    let mut listener = soon(server.listen(0)).await.unwrap();
    let port = listener.local_addr().port();
    for i in 0..50_u8 {
        assert!(tokio::time::timeout(Duration::from_millis(1), listener.accept()).await.is_err());
        let mut dialled = soon(client.connect(("server", port))).await.unwrap();
        dialled.write_all(&[i]).await.unwrap();
        // Whatever the dropped future had taken comes to the next one.
        let mut accepted = accept_of(&mut listener, &dialled).await;
        assert_eq!(soon(accepted.read_u8()).await.unwrap(), i);
    }
    done(sandbox, [server, client]).await;
}

#[tokio::test]
async fn a_port_is_given_out_once_and_is_free_again_after_the_drop() {
    let (sandbox, server, client) = two().await;
    let listener = soon(server.listen(8080)).await.unwrap();
    let error = soon(server.listen(8080)).await.unwrap_err();
    assert!(matches!(error, ListenError::InUse { .. }), "{error:?}");
    assert_eq!(io::Error::from(error).kind(), io::ErrorKind::AddrInUse);
    let own = server.status().await.unwrap().ips[0];
    let error = soon(server.listen_at((own, 8080).into())).await.unwrap_err();
    assert!(matches!(error, ListenError::InUse { .. }), "{error:?}");
    let error = soon(server.listen_at(([192, 0, 2, 1], 80).into())).await.unwrap_err();
    assert!(matches!(error, ListenError::Address { .. }), "{error:?}");
    drop(listener);
    let again = async {
        while soon(server.listen_at((own, 8080).into())).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    soon(again).await;
    done(sandbox, [server, client]).await;
}

#[tokio::test]
async fn closing_the_node_wakes_whoever_accepts() {
    let (sandbox, server, client) = two().await;
    let mut listener = soon(server.listen(0)).await.unwrap();
    let accepting = tokio::spawn(async move { listener.accept().await });
    tokio::task::yield_now().await;
    soon(server.close()).await.unwrap();
    let error = soon(accepting).await.unwrap().unwrap_err();
    assert!(matches!(error, AcceptError::Closed), "{error:?}");
    done(sandbox, [server, client]).await;
}

#[tokio::test]
async fn a_listener_for_all_ports_takes_those_that_no_other_has() {
    let (sandbox, node, _) = joined().await;
    let client = soon(builder(&sandbox).hostname("client").up()).await.unwrap();
    let ip = node.status().await.unwrap().ips[0];
    let mut own = soon(node.listen(80)).await.unwrap();
    let mut rest = soon(node.listen_with(&ListenOptions::all_ports())).await.unwrap();
    let error = soon(node.listen_with(&ListenOptions::all_ports())).await.unwrap_err();
    assert!(matches!(error, ListenError::InUse { .. }), "{error:?}");
    for port in [81, 12_345] {
        let dialled = soon(client.connect((ip, port))).await.unwrap();
        assert_eq!(accept_of(&mut rest, &dialled).await.local_addr().port(), port);
    }
    let dialled = soon(client.connect((ip, 80))).await.unwrap();
    assert_eq!(accept_of(&mut own, &dialled).await.local_addr().port(), 80);
    drop(rest);
    let refused = async { while client.connect((ip, 81)).await.is_ok() {} };
    soon(refused).await;
    done(sandbox, [client, node]).await;
}

#[tokio::test]
async fn what_the_tailnet_does_not_allow_is_refused_with_the_reason() {
    let (sandbox, node, _) = joined().await;
    for (options, reason) in [
        (ListenOptions::port(9).funnel(), "9"),
        (ListenOptions::port(80).service("svc:web"), "tag"),
        (ListenOptions::port(80).service("web"), "svc:"),
        (ListenOptions::port(0).service("svc:web"), "port"),
        (ListenOptions::all_ports().funnel(), "Funnel"),
    ] {
        let error = soon(node.listen_with(&options)).await.unwrap_err();
        assert!(error.to_string().contains(reason), "{options:?}: {error}");
    }
    crate::common::done(sandbox, node).await;
}
