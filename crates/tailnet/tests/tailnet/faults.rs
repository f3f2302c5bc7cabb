//! The control server, the relay and the peer go away under load and come back.

use std::io;
use std::time::{Duration, Instant};

use tailnet::{ConnectError, Path, PingKind, Tailnet, TailnetStream, UpError};
use tailnet_sandbox::{Peer, Sandbox};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::common::{DIGEST, ECHO, builder, done, joined, sandbox, soon};

/// Echoes over several streams without a pause until it is told to end.
struct Load {
    ending: watch::Sender<bool>,
    streams: JoinSet<io::Result<u64>>,
}

impl Load {
    async fn start(node: &Tailnet) -> Load {
        let (ending, told) = watch::channel(false);
        let mut streams = JoinSet::new();
        for _ in 0..8 {
            let mut stream = soon(node.connect(("tools", ECHO))).await.unwrap();
            let told = told.clone();
            streams.spawn(async move {
                let mut rounds = 0;
                while !*told.borrow() {
                    echo(&mut stream, &[7; 4096]).await?;
                    rounds += 1;
                }
                Ok(rounds)
            });
        }
        Load { ending, streams }
    }

    /// What each stream came to.
    async fn end(self) -> Vec<io::Result<u64>> {
        self.ending.send_replace(true);
        soon(self.streams.join_all()).await
    }
}

/// Sends `bytes` and waits until they are back.
async fn echo(stream: &mut TailnetStream, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    let mut back = vec![0; bytes.len()];
    stream.read_exact(&mut back).await?;
    assert!(back == bytes, "other bytes came back");
    Ok(())
}

/// Dials until it succeeds, and says how long that took. Each try has the node's own deadline.
async fn dials_again(node: &Tailnet) -> Duration {
    let since = Instant::now();
    while let Err(e) = soon(node.connect(("tools", ECHO))).await {
        assert!(since.elapsed() < Duration::from_secs(60), "it still fails: {e}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    since.elapsed()
}

#[tokio::test]
async fn streams_and_dials_outlive_the_control_server() {
    let (sandbox, node, _) = joined().await;
    let load = Load::start(&node).await;
    for _ in 0..2 {
        sandbox.stop_control().await.unwrap();
        for _ in 0..20 {
            let mut stream = soon(node.connect(("tools", ECHO))).await.unwrap();
            soon(echo(&mut stream, b"control is away")).await.unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        sandbox.start_control().await.unwrap();
    }
    for rounds in load.end().await {
        assert!(rounds.unwrap() > 0);
    }
    // It hears from the control server again: of a node that joins only now.
    let later = soon(builder(&sandbox).hostname("later").up()).await.unwrap();
    let since = Instant::now();
    let refused = async {
        while !matches!(node.connect("later:1").await, Err(ConnectError::Refused { .. })) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    soon(refused).await;
    println!("news of another node after {:?}", since.elapsed());
    soon(later.close()).await.unwrap();
    done(sandbox, node).await;
}

#[tokio::test]
async fn a_join_completes_when_the_control_server_comes_back() {
    let sandbox = sandbox().await;
    sandbox.stop_control().await.unwrap();
    let node = soon(builder(&sandbox).join_timeout(Duration::from_secs(2)).start()).await.unwrap();
    let error = soon(node.up()).await.unwrap_err();
    assert!(matches!(error, UpError::ControlUnreachable { .. }), "{error:?}");
    sandbox.start_control().await.unwrap();
    let since = Instant::now();
    let joined = async {
        while let Err(e) = node.up().await {
            assert!(matches!(e, UpError::ControlUnreachable { .. } | UpError::Timeout { .. }), "{e:?}");
        }
    };
    soon(joined).await;
    println!("joined {:?} after the control server came back", since.elapsed());
    done(sandbox, node).await;
}

#[tokio::test]
async fn dials_recover_by_themselves_when_the_peer_returns() {
    let sandbox = sandbox().await;
    let node = soon(builder(&sandbox).connect_timeout(Duration::from_secs(2)).up()).await.unwrap();
    for round in 0..3 {
        let mut writing = soon(node.connect(("tools", ECHO))).await.unwrap();
        soon(echo(&mut writing, b"hello")).await.unwrap();
        sandbox.stop_peer("tools").await.unwrap();
        let error = soon(node.connect(("tools", ECHO))).await.unwrap_err();
        assert!(
            matches!(error, ConnectError::Timeout { .. } | ConnectError::Unreachable { .. }),
            "{error:?}"
        );
        writing.write_all(b"into the void").await.unwrap();
        sandbox.start_peer("tools").await.unwrap();
        println!("round {round}: dials work {:?} after the peer's return", dials_again(&node).await);
        // What it had forgotten it resets.
        let broken = soon(writing.read(&mut [0; 16])).await.unwrap_err();
        assert_eq!(broken.kind(), io::ErrorKind::ConnectionReset, "{broken:?}");
    }
    done(sandbox, node).await;
}

#[tokio::test]
async fn a_peer_without_udp_is_reached_through_the_relay_which_the_status_says() {
    let sandbox = soon(Sandbox::start_relayed([Peer::new("tools").echo(ECHO).digest(DIGEST)])).await.unwrap();
    let node = soon(builder(&sandbox).up()).await.unwrap();
    let tools = sandbox.peer("tools").clone();
    let mut stream = soon(node.connect(("tools", DIGEST))).await.unwrap();
    stream.write_all(&vec![0; 1 << 20]).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = String::new();
    soon(stream.read_to_string(&mut answer)).await.unwrap();
    assert_eq!(answer, "1048576 30e14955ebf1352266dc2ff8067e68104607e750abb9d3b36582b8af909fcb58\n");
    let relayed = Path::Relayed { region: "sandbox".to_owned() };
    assert_eq!(node.status().await.unwrap().peer(tools.ip()).unwrap().path(), relayed);
    let pong = soon(node.ping(tools.ip(), PingKind::Disco)).await.unwrap();
    assert_eq!(pong.path, Some(relayed));
    done(sandbox, node).await;
}

#[tokio::test]
async fn relayed_streams_outlive_a_restart_of_the_relay() {
    let sandbox = soon(Sandbox::start_relayed([Peer::new("tools").echo(ECHO)])).await.unwrap();
    let node = soon(builder(&sandbox).connect_timeout(Duration::from_secs(2)).up()).await.unwrap();
    let load = Load::start(&node).await;
    for round in 0..2 {
        sandbox.stop_relay().await.unwrap();
        let error = soon(node.connect(("tools", ECHO))).await.unwrap_err();
        assert!(
            matches!(error, ConnectError::Timeout { .. } | ConnectError::Unreachable { .. }),
            "{error:?}"
        );
        sandbox.start_relay().await.unwrap();
        println!("round {round}: dials work {:?} after the relay's return", dials_again(&node).await);
    }
    for rounds in load.end().await {
        assert!(rounds.unwrap() > 0);
    }
    done(sandbox, node).await;
}

#[tokio::test]
async fn direct_streams_do_without_the_relay() {
    let (sandbox, node, tools) = joined().await;
    let direct = async {
        while !matches!(
            node.ping(tools.ip(), PingKind::Disco).await.map(|pong| pong.path),
            Ok(Some(Path::Direct(_)))
        ) {}
    };
    soon(direct).await;
    let load = Load::start(&node).await;
    sandbox.stop_relay().await.unwrap();
    for _ in 0..20 {
        let mut stream = soon(node.connect(("tools", ECHO))).await.unwrap();
        soon(echo(&mut stream, b"the relay is away")).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for rounds in load.end().await {
        assert!(rounds.unwrap() > 0);
    }
    done(sandbox, node).await;
}

#[tokio::test]
async fn the_sandbox_says_what_it_cannot_do() {
    let sandbox = sandbox().await;
    for refused in [
        sandbox.start_control().await,
        sandbox.start_relay().await,
        sandbox.start_peer("tools").await,
        sandbox.stop_peer("nobody").await,
        sandbox.complete_login("http://127.0.0.1/auth/none").await,
    ] {
        let error = refused.unwrap_err().to_string();
        assert!(error.starts_with("the sandbox did not "), "{error}");
    }
    sandbox.stop().await.unwrap();
}
