//! What every test needs: a sandbox with the usual peer, and a node in it.

use std::future::Future;
use std::time::Duration;

use tailnet::{Tailnet, TailnetBuilder, TailnetListener, TailnetStream};
use tailnet_sandbox::{Peer, PeerInfo, Sandbox};
use tokio::io::AsyncReadExt;

/// No test takes that long unless something hangs.
pub(crate) const HANG: Duration = Duration::from_secs(60);

pub(crate) const ECHO: u16 = 7;
pub(crate) const DIGEST: u16 = 8;
pub(crate) const GENERATE: u16 = 19;
/// Behind `tools`. It is for documentation (RFC 5737), and so nowhere else.
pub(crate) const SUBNET: &str = "198.51.100.0/24";
/// Nothing listens there.
pub(crate) const CLOSED: u16 = 1;

/// Fails the test when `future` hangs.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(HANG, future).await.expect("it hangs")
}

/// Waits for what no event tells.
pub(crate) async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    soon(async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

/// A tailnet with the peer `tools`.
pub(crate) async fn sandbox() -> Sandbox {
    let tools = Peer::new("tools").echo(ECHO).digest(DIGEST).generate(GENERATE).route(SUBNET);
    soon(Sandbox::start([tools])).await.expect("the sandbox starts")
}

pub(crate) fn builder(sandbox: &Sandbox) -> TailnetBuilder {
    Tailnet::builder()
        .hostname("node")
        .control_url(sandbox.control_url())
        .auth_key(sandbox.auth_key().parse().expect("a key"))
        .ephemeral(true)
        .port_mapping(false)
}

/// A tailnet, a node in it, and the peer `tools`.
pub(crate) async fn joined() -> (Sandbox, Tailnet, PeerInfo) {
    let sandbox = sandbox().await;
    let node = soon(builder(&sandbox).up()).await.expect("the node joins");
    let tools = sandbox.peer("tools").clone();
    (sandbox, node, tools)
}

/// Accepts the stream of `dialled`. On a busy machine a dial may have another one beside it, which ends at once.
pub(crate) async fn accept_of(listener: &mut TailnetListener, dialled: &TailnetStream) -> TailnetStream {
    loop {
        let accepted = soon(listener.accept()).await.expect("a stream comes");
        if accepted.peer_addr() == dialled.local_addr() {
            return accepted;
        }
    }
}

/// Accepts the stream whose client has sent one byte, which is read here. As in [`accept_of`], another may come first.
pub(crate) async fn accept_that_sends(listener: &mut TailnetListener) -> TailnetStream {
    loop {
        let mut accepted = soon(listener.accept()).await.expect("a stream comes");
        if let Ok(1) = soon(accepted.read(&mut [0; 1])).await {
            return accepted;
        }
    }
}

/// Closes both.
pub(crate) async fn done(sandbox: Sandbox, node: Tailnet) {
    soon(node.close()).await.expect("the node closes in time");
    soon(sandbox.stop()).await.expect("the sandbox stops");
}
