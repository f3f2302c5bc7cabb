//! Nothing stays behind. These count the process's descriptors and threads, so each run has a process of
//! its own: the test starts itself again.

use std::fs;
use std::net::TcpListener;
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use tailnet::{AcceptError, BackendState, StatusError, Tailnet, UpError};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::common::{ECHO, accept_that_sends, builder, done, joined, sandbox, soon};

pub(crate) fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

pub(crate) fn threads() -> usize {
    fs::read_dir("/proc/self/task").unwrap().count()
}

/// Runs the ignored test of that name alone in a process of its own.
pub(crate) fn alone(test: &str) {
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture"])
        .output()
        .unwrap();
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

/// Waits until `count` is at most `limit`: the kernel and Go let go a little later.
pub(crate) async fn settles(what: &str, limit: usize, count: impl Fn() -> usize) {
    for _ in 0..600 {
        if count() <= limit {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{} {what}, should be at most {limit}", count());
}

#[test]
fn two_hundred_joins_and_closes_leave_nothing_behind() {
    alone("life::joins_and_closes");
}

#[tokio::test]
#[ignore = "counts what the whole process holds: run by two_hundred_joins_and_closes_leave_nothing_behind"]
async fn joins_and_closes() {
    let sandbox = sandbox().await;
    let once = async || {
        let node = soon(builder(&sandbox).up()).await.unwrap();
        let mut stream = soon(node.connect(("tools", ECHO))).await.unwrap();
        stream.write_all(b"x").await.unwrap();
        soon(node.close()).await.unwrap();
    };
    for _ in 0..20 {
        once().await; // what is made once and kept
    }
    let (fds, tasks) = (descriptors(), threads());
    println!("before: {fds} descriptors, {tasks} threads");
    for _ in 0..180 {
        once().await;
    }
    println!("after: {} descriptors, {} threads", descriptors(), threads());
    settles("descriptors", fds, descriptors).await;
    settles("threads", tasks + 2, threads).await; // Go adds a thread now and then, not one a node
    sandbox.stop().await.unwrap();
}

#[test]
fn two_thousand_streams_leave_nothing_behind() {
    alone("life::streams");
}

#[tokio::test]
#[ignore = "counts what the whole process holds: run by two_thousand_streams_leave_nothing_behind"]
async fn streams() {
    let (sandbox, node, tools) = joined().await;
    let burst = async || {
        let mut all = tokio::task::JoinSet::new();
        for _ in 0..100 {
            let (node, ip) = (node.clone(), tools.ipv4);
            all.spawn(async move {
                let mut stream = soon(node.connect((ip, ECHO))).await.unwrap();
                stream.write_all(b"hello").await.unwrap();
            });
        }
        while let Some(result) = all.join_next().await {
            result.unwrap();
        }
    };
    let before_any = descriptors();
    burst().await;
    settles("descriptors", before_any, descriptors).await;
    let (fds, tasks) = (descriptors(), threads());
    println!("before: {fds} descriptors, {tasks} threads");
    for _ in 0..20 {
        burst().await;
    }
    println!("after: {} descriptors, {} threads", descriptors(), threads());
    settles("descriptors", fds, descriptors).await;
    settles("threads", tasks + 4, threads).await;
    soon(node.close()).await.unwrap();
    sandbox.stop().await.unwrap();
}

#[tokio::test]
async fn two_nodes_of_one_process_reach_the_same_peer() {
    let (sandbox, first, tools) = joined().await;
    let second = soon(builder(&sandbox).hostname("second").up()).await.unwrap();
    for node in [&first, &second] {
        soon(node.connect((tools.ipv4, ECHO))).await.unwrap();
    }
    assert_ne!(first.status().await.unwrap().ips, second.status().await.unwrap().ips);
    soon(second.close()).await.unwrap();
    done(sandbox, first).await;
}

#[tokio::test]
async fn a_join_that_is_dropped_frees_its_state_folder() {
    let sandbox = sandbox().await;
    let folder = tempfile::tempdir().unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap(); // a control server that never answers
    let nowhere = format!("http://{}", silent.local_addr().unwrap()).parse().unwrap();
    let join = builder(&sandbox).state_dir(folder.path()).control_url(nowhere).up();
    assert!(tokio::time::timeout(Duration::from_millis(100), join).await.is_err());
    let again = async {
        loop {
            match builder(&sandbox).state_dir(folder.path()).up().await {
                Ok(node) => break node,
                Err(UpError::StateFolder { .. }) => tokio::time::sleep(Duration::from_millis(20)).await,
                Err(e) => panic!("{e}"),
            }
        }
    };
    let node = soon(again).await;
    done(sandbox, node).await;
}

/// Tailscale 1.102 would be up at once by a network map of the time before, and that one without a peer.
#[tokio::test]
async fn a_node_that_starts_again_is_up_once_the_control_server_has_answered_and_not_before() {
    let sandbox = sandbox().await;
    let folder = tempfile::tempdir().unwrap();
    let node = || builder(&sandbox).ephemeral(false).state_dir(folder.path());
    let first = soon(node().up()).await.unwrap();
    soon(first.netcheck()).await.unwrap(); // meanwhile it finds its relay
    soon(first.close()).await.unwrap();
    sandbox.stop_control().await.unwrap();
    let error = soon(node().join_timeout(Duration::from_secs(3)).up()).await.unwrap_err();
    assert!(matches!(error, UpError::ControlUnreachable { .. }), "{error:?}");
    sandbox.start_control().await.unwrap();
    let again = soon(node().up()).await.unwrap();
    soon(again.connect(("tools", ECHO))).await.unwrap();
    done(sandbox, again).await;
}

#[tokio::test]
async fn closing_twice_and_from_a_clone_is_one_closing() {
    let (sandbox, node, _) = joined().await;
    let clone = node.clone();
    let (a, b) = tokio::join!(soon(node.close()), soon(clone.close()));
    assert_eq!((a, b), (Ok(()), Ok(())));
    sandbox.stop().await.unwrap();
}

#[test]
fn a_runtime_that_ends_under_a_node_does_no_harm() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (sandbox, node): (_, Tailnet) = runtime.block_on(async {
        let (sandbox, node, tools) = joined().await;
        let dialer = node.clone();
        tokio::spawn(async move {
            loop {
                drop(dialer.connect((tools.ipv4, ECHO)).await);
            }
        });
        tokio::time::sleep(Duration::from_millis(50)).await;
        (sandbox, node)
    });
    drop(runtime); // dials are under way
    drop(node);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let node = soon(builder(&sandbox).up()).await.unwrap();
        soon(node.close()).await.unwrap();
    });
}

/// Has the peer answer for longer than a close in the background takes.
async fn goes_on(mut reader: impl AsyncRead + Unpin, mut writer: impl AsyncWrite + Unpin) {
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        soon(writer.write_all(b"x")).await.unwrap();
        assert_eq!(soon(reader.read_u8()).await.unwrap(), b'x');
    }
}

#[tokio::test]
async fn a_stream_and_its_halves_keep_the_node_open() {
    let (sandbox, node, tools) = joined().await;
    let mut stream = soon(node.connect((tools.ipv4, ECHO))).await.unwrap();
    drop(node);
    let (reader, writer) = tokio::io::split(&mut stream);
    goes_on(reader, writer).await;
    let (reader, writer) = stream.into_split();
    goes_on(reader, writer).await;
    sandbox.stop().await.unwrap();
}

#[tokio::test]
async fn a_listener_keeps_the_node_open() {
    let sandbox = sandbox().await;
    let mut listener = soon(soon(builder(&sandbox).up()).await.unwrap().listen(80)).await.unwrap();
    let other = soon(builder(&sandbox).hostname("other").up()).await.unwrap();
    let mut dialled = soon(other.connect("node:80")).await.unwrap();
    dialled.write_all(b"x").await.unwrap();
    accept_that_sends(&mut listener).await;
    done(sandbox, other).await;
}

#[tokio::test]
async fn a_watch_keeps_the_node_open() {
    let (sandbox, node, _) = joined().await;
    let mut watch = node.watch();
    drop(node);
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(soon(watch.newest()).await.unwrap().backend, BackendState::Running);
    sandbox.stop().await.unwrap();
}

/// A start is refused at once while another node has the folder, and waits while that one closes.
#[tokio::test]
async fn the_node_closes_once_the_last_that_keeps_it_open_is_dropped() {
    let sandbox = sandbox().await;
    let folder = tempfile::tempdir().unwrap();
    let node = || builder(&sandbox).state_dir(folder.path());
    let first = soon(node().up()).await.unwrap();
    let stream = soon(first.connect(("tools", ECHO))).await.unwrap();
    let mut listener = soon(first.listen(80)).await.unwrap();
    let mut watch = first.watch();
    soon(watch.changed()).await.unwrap();
    // Given up halfway: their operations go on.
    assert!(listener.accept().now_or_never().is_none());
    assert!(watch.next().now_or_never().is_none());
    let local = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let forwarder = first.forward(local, ("tools", ECHO)).unwrap();
    let (reader, writer) = stream.into_split();
    let connector = first.connector();
    drop(first);
    let keepers: [Box<dyn Send>; 6] = [
        Box::new(connector),
        Box::new(forwarder),
        Box::new(listener),
        Box::new(watch),
        Box::new(writer),
        Box::new(reader),
    ];
    for keeper in keepers {
        let error = soon(node().start()).await.unwrap_err();
        assert!(matches!(error, UpError::StateFolder { .. }), "{error:?}");
        drop(keeper);
    }
    let again = soon(node().up()).await.unwrap();
    done(sandbox, again).await;
}

#[tokio::test]
async fn a_close_ends_what_would_keep_the_node_open() {
    let (sandbox, node, tools) = joined().await;
    let mut stream = soon(node.connect((tools.ipv4, ECHO))).await.unwrap();
    let mut listener = soon(node.listen(80)).await.unwrap();
    let mut watch = node.watch();
    soon(node.close()).await.unwrap();
    drop(node);
    let error = soon(stream.read_u8()).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionAborted, "{error}");
    assert!(matches!(soon(listener.accept()).await, Err(AcceptError::Closed)));
    assert!(matches!(soon(watch.changed()).await, Err(StatusError::Closed)));
    sandbox.stop().await.unwrap();
}

/// The descriptors that a child process starts with.
fn inherited() -> usize {
    let listed = std::process::Command::new("ls").arg("/proc/self/fd").output().unwrap();
    String::from_utf8_lossy(&listed.stdout).lines().count()
}

#[tokio::test]
async fn a_child_process_inherits_no_descriptor_of_a_node() {
    let before = inherited();
    let (sandbox, node, tools) = joined().await;
    let streams = [(); 10].map(|()| node.connect((tools.ipv4, ECHO)));
    let mut open = Vec::new();
    for stream in streams {
        open.push(soon(stream).await.unwrap());
    }
    let socket = soon(node.bind_udp(0)).await.unwrap();
    assert_eq!(inherited(), before);
    drop((open, socket));
    done(sandbox, node).await;
}

#[tokio::test]
async fn signals_and_ended_children_still_reach_tokio_beside_go() {
    use tokio::signal::unix::{SignalKind, signal};
    let (sandbox, node, _) = joined().await;
    for (kind, name) in [(SignalKind::user_defined2(), "USR2"), (SignalKind::hangup(), "HUP")] {
        let mut received = signal(kind).unwrap();
        let pid = std::process::id().to_string();
        let sent = tokio::process::Command::new("kill").args(["-s", name, &pid]).status();
        assert!(soon(sent).await.unwrap().success());
        soon(received.recv()).await.unwrap();
    }
    done(sandbox, node).await;
}
