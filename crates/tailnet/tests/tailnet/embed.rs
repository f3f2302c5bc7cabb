//! What a program of somebody else's expects of the types: no panic outside tokio, streams, and serde.

use futures_util::{FutureExt, StreamExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tailnet::{AcceptError, BackendState, ConnectError, Counters, ListenError, State};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::common::{ECHO, builder, done, joined, soon};

/// Polls outside tokio until it is ready.
fn outside<F: Future + Send>(future: F) -> F::Output
where
    F::Output: Send,
{
    std::thread::scope(|scope| scope.spawn(|| block_on(future)).join()).expect("it panicked")
}

fn block_on<F: Future>(future: F) -> F::Output {
    struct Thread(std::thread::Thread);
    impl std::task::Wake for Thread {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = std::sync::Arc::new(Thread(std::thread::current())).into();
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut std::task::Context::from_waker(&waker)) {
            std::task::Poll::Ready(output) => return output,
            std::task::Poll::Pending => std::thread::park_timeout(std::time::Duration::from_millis(100)),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outside_tokio_what_needs_it_is_an_error_before_anything_is_sent_and_the_rest_works() {
    let (sandbox, node, tools) = joined().await;
    let mut listener = soon(node.listen(0)).await.unwrap();
    let dials = node.counters().dials;
    let error = outside(node.connect((tools.ipv4, ECHO))).unwrap_err();
    assert!(matches!(error, ConnectError::NoRuntime { .. }), "{error:?}");
    assert!(error.to_string().contains("tokio runtime"), "{error}");
    assert_eq!(node.counters().dials, dials, "nothing was dialled");
    let error = outside(listener.accept()).unwrap_err();
    assert!(matches!(error, AcceptError::NoRuntime), "{error:?}");
    let error = outside(node.bind_udp(0)).unwrap_err();
    assert!(matches!(error, ListenError::NoRuntime), "{error:?}");
    let error = outside(node.connect_udp((tools.ipv4, ECHO).into())).unwrap_err();
    assert!(matches!(error, ListenError::NoRuntime), "{error:?}");
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let error = outside(async { node.forward(socket, ("tools", ECHO)) }).unwrap_err();
    assert!(matches!(error, ConnectError::NoRuntime { .. }), "{error:?}");

    assert_eq!(outside(node.lookup_host(("tools", ECHO))).unwrap()[0].ip(), tools.ipv4);
    assert_eq!(outside(node.status()).unwrap().backend_state, BackendState::Running);
    assert_eq!(outside(node.watch().changed()).unwrap().backend, BackendState::Running);
    assert_eq!(outside(node.listen(0)).map(|listener| listener.local_addr().port() > 0).ok(), Some(true));
    assert_eq!(outside(node.whois((tools.ipv4, ECHO).into())).unwrap().node.name, tools.name);
    done(sandbox, node).await;
}

#[tokio::test]
async fn a_listener_and_a_watch_are_streams_that_end_with_the_node() {
    let (sandbox, node, _) = joined().await;
    let other = soon(builder(&sandbox).hostname("other").up()).await.unwrap();
    let listener = soon(node.listen(80)).await.unwrap();
    let mut states = node.watch();
    assert_eq!(soon(states.next()).await.unwrap().unwrap().backend, BackendState::Running);
    // A wait that was given up, and then by the method: the state is given once.
    assert!(states.next().now_or_never().is_none());
    let newest = soon(states.newest()).await.unwrap();
    assert_eq!(newest.backend, BackendState::Running);

    let serving = tokio::spawn(listener.for_each(async |stream| {
        // One that was dialled beside another may have ended.
        let _ = stream.unwrap().write_all(b"hello").await;
    }));
    for _ in 0..3 {
        let mut text = String::new();
        let mut stream = soon(other.connect("node:80")).await.unwrap();
        soon(stream.read_to_string(&mut text)).await.unwrap();
        assert_eq!(text, "hello");
    }
    let following = tokio::spawn(async move { states.filter_map(async |state| state.err()).count().await });
    soon(node.close()).await.unwrap();
    soon(serving).await.unwrap();
    assert_eq!(soon(following).await.unwrap(), 0, "its end is no error");
    done(sandbox, other).await;
}

/// What is written is read back as it was, by the names that it came with.
fn same_again<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: &T, names: &[&str]) {
    let json = serde_json::to_value(value).unwrap();
    assert_eq!(&serde_json::from_value::<T>(json.clone()).unwrap(), value);
    for name in names {
        assert!(json.pointer(name).is_some(), "{name} in {json}");
    }
}

#[tokio::test]
async fn what_a_node_tells_is_serde_of_its_own_names() {
    let (sandbox, node, tools) = joined().await;
    let status = node.status().await.unwrap();
    assert!(status.peers().next().is_some());
    let names =
        ["/BackendState", "/TailscaleIPs/0", "/MagicDNSSuffix", "/Self/DNSName", "/Self/HostName", "/Peer"];
    same_again(&status, &names);
    for peer in status.peers() {
        same_again(peer, &["/TailscaleIPs/0", "/Online"]);
        same_again(&peer.path(), &[]);
        peer.routes().for_each(|route| same_again(&route, &[]));
    }
    let whois = node.whois((tools.ipv4, 1).into()).await.unwrap();
    same_again(
        &whois,
        &["/Node/StableID", "/Node/Name", "/Node/Tags", "/Node/Addresses", "/Node/AllowedIPs"],
    );
    same_again(&whois, &["/UserProfile/ID", "/UserProfile/LoginName", "/UserProfile/DisplayName"]);
    let mapped = std::net::SocketAddr::new(tools.ipv4.to_ipv6_mapped().into(), 1);
    assert_eq!(node.whois(mapped).await.unwrap(), whois, "the sender of a datagram may be mapped");
    assert_eq!(status.peer(mapped.ip()), status.peer(tools.ipv4.into()));
    same_again(
        &soon(node.watch().changed()).await.unwrap(),
        &["/state", "/login_url", "/key_expiry", "/health"],
    );
    same_again(&soon(node.netcheck()).await.unwrap(), &["/UDP", "/GlobalV4", "/PreferredDERP"]);
    same_again(&soon(node.derp_map()).await.unwrap(), &["/Regions"]);
    same_again(&soon(node.prefs()).await.unwrap(), &["/RouteAll", "/ExitNodeIP", "/AdvertiseTags"]);
    drop(soon(node.connect((tools.ipv4, ECHO))).await.unwrap());
    let pong = soon(node.ping(tools.ipv4.into(), tailnet::PingKind::Disco)).await.unwrap();
    same_again(&pong, &["/latency", "/path", "/node", "/node_ip"]);
    same_again(&node.counters(), &["/dials", "/bytes_sent"]);
    assert_ne!(node.counters(), Counters::default());
    done(sandbox, node).await;
}

#[test]
fn a_state_is_written_as_it_came() {
    let json = serde_json::json!({
        "seq": 3, "state": "NeedsLogin", "login_url": "https://login.example", "error": "refused", "health": ["sick"],
        "key_expiry": 1_700_000_000, "expired": true, "forgotten": false, "netmap_version": 2,
    });
    let state: State = serde_json::from_value(json.clone()).unwrap();
    assert!(state.login_url.is_some() && state.key_expiry.is_some() && state.error.is_some());
    assert_eq!(serde_json::to_value(&state).unwrap(), json);
}
