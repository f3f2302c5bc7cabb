//! Every public future may be dropped after any number of polls.

use std::fs;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::Method;
use tailnet::{PingKind, Tailnet};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::common::{CLOSED, DIGEST, ECHO, GENERATE, builder, done, joined, sandbox, soon};

/// Polls `future` until it ends, or at most `polls` times with a pause after each, and drops it then. Says whether
/// it had ended.
pub(crate) async fn drop_after<F: Future>(polls: usize, pause: Duration, future: F) -> bool {
    let mut future = pin!(future);
    for _ in 0..polls {
        let poll = std::future::poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await;
        if poll.is_ready() {
            return true;
        }
        tokio::time::sleep(pause).await;
    }
    false
}

/// Drops what `make` gives at once, after one poll, after two and so on, with several paces, until it ends in time.
async fn drop_everywhere<F: Future>(what: &str, make: impl AsyncFn() -> F) {
    drop(make().await); // never polled
    // Polled once, with nobody to wake.
    let _ = pin!(make().await).poll(&mut Context::from_waker(Waker::noop()));
    let mut dropped = 0;
    for pause in [0, 20, 300, 3000].map(Duration::from_micros) {
        for polls in 1..60 {
            if drop_after(polls, pause, make().await).await {
                break;
            }
            dropped += 1;
        }
    }
    println!("{what}: dropped {dropped} times on its way");
}

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

#[test]
fn every_future_may_be_dropped_after_any_poll() {
    crate::life::alone("cancel::every_future");
}

#[tokio::test]
#[ignore = "counts what the whole process holds: run by every_future_may_be_dropped_after_any_poll"]
async fn every_future() {
    let (sandbox, node, tools) = joined().await;
    let (node, tools) = (&node, &tools);
    #[allow(clippy::async_yields_async, reason = "the inner future is the one to be dropped")]
    let round = async || {
        drop_everywhere("connect", async || node.connect((tools.ipv4, ECHO))).await;
        drop_everywhere("connect to a name", async || node.connect(("tools", ECHO))).await;
        drop_everywhere("connect, refused", async || node.connect((tools.ipv4, CLOSED))).await;
        drop_everywhere("connect to nobody", async || node.connect("100.64.0.250:7")).await;
        drop_everywhere("status", async || node.status()).await;
        drop_everywhere("up", async || node.up()).await;
        drop_everywhere("whois", async || node.whois((tools.ipv4, ECHO).into())).await;
        drop_everywhere("ping", async || node.ping(tools.ip(), PingKind::Tsmp)).await;
        drop_everywhere("local_api", async || node.local_api(Method::GET, "/localapi/v0/prefs", "")).await;
        drop_everywhere("listen", async || node.listen(0)).await;
        drop_everywhere("bind_udp", async || node.bind_udp(0)).await;
        drop_everywhere("recv_from", async || async {
            let socket = node.bind_udp(0).await.unwrap();
            socket.send_to(b"x", (tools.ipv4, ECHO).into()).await.unwrap();
            tokio::time::timeout(Duration::from_millis(20), socket.recv_from(&mut [0; 9])).await.unwrap_err();
        })
        .await;
        drop_everywhere("prefs", async || node.prefs()).await;
        drop_everywhere("netcheck", async || node.netcheck()).await;
        drop_everywhere("accept", async || async {
            node.listen(0).await.unwrap().accept().await.unwrap();
        })
        .await;
        drop_everywhere("watch", async || {
            let mut watch = node.watch();
            async move {
                watch.changed().await.unwrap();
                watch.newest().await.unwrap();
                watch.changed().await.unwrap();
            }
        })
        .await;
        drop_everywhere("write and read", async || {
            let stream = soon(node.connect((tools.ipv4, DIGEST))).await.unwrap();
            async move {
                let mut stream = stream;
                stream.write_all(&vec![0; 1 << 20]).await?;
                stream.flush().await?;
                stream.shutdown().await?;
                stream.read_to_end(&mut Vec::new()).await?;
                Ok::<_, io::Error>(())
            }
        })
        .await;
        drop_everywhere("read", async || {
            let stream = soon(node.connect((tools.ipv4, GENERATE))).await.unwrap();
            async move {
                let mut stream = stream;
                stream.read_exact(&mut vec![0; 1 << 20]).await
            }
        })
        .await;
    };
    round().await; // what is made once and kept
    crate::life::settles("descriptors", descriptors(), descriptors).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let fds = descriptors();
    round().await;
    crate::life::settles("descriptors", fds, descriptors).await;
    // It still works, and has nothing to wait for.
    let mut stream = soon(node.connect((tools.ipv4, ECHO))).await.unwrap();
    stream.write_all(b"x").await.unwrap();
    assert_eq!(soon(stream.read_u8()).await.unwrap(), b'x');
    drop(stream);
    done(sandbox, node.clone()).await;
}

#[tokio::test]
async fn a_start_and_a_close_may_be_dropped_after_any_poll() {
    let sandbox = sandbox().await;
    for pause in [0, 100, 2000, 20_000].map(Duration::from_micros) {
        for polls in 0..6 {
            drop_after(polls, pause, builder(&sandbox).start()).await;
            drop_after(polls, pause, builder(&sandbox).up()).await;
            let node: Tailnet = soon(builder(&sandbox).start()).await.unwrap();
            drop_after(polls, pause, node.close()).await;
            soon(node.close()).await.unwrap();
        }
    }
    sandbox.stop().await.unwrap();
}
