//! A way to the server that is long, that breaks, and that counts.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::Instant;

/// Carries connections to a server, each direction with a delay.
///
/// It counts round trips by what had been said before what: a piece that one side sends is one step later
/// than the last piece that had arrived there, on any connection. Two steps are a round trip. With a delay
/// that is long against the time that both sides need to answer, that is what a clock would show, without a
/// clock.
#[derive(Clone)]
pub(crate) struct Forwarder {
    pub(crate) addr: SocketAddr,
    state: Arc<State>,
}

struct State {
    delay: Duration,
    connections: AtomicU64,
    /// The step of the latest piece that arrived at the client, and at the server.
    at_client: AtomicU64,
    at_server: AtomicU64,
    carrying: Mutex<Vec<AbortHandle>>,
    silent: AtomicBool,
}

impl Forwarder {
    pub(crate) async fn to(server: SocketAddr, delay: Duration) -> Forwarder {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let state = Arc::new(State {
            delay,
            connections: AtomicU64::new(0),
            at_client: AtomicU64::new(0),
            at_server: AtomicU64::new(0),
            carrying: Mutex::default(),
            silent: AtomicBool::new(false),
        });
        let forwarder = Forwarder { addr: listener.local_addr().unwrap(), state: Arc::clone(&state) };
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                state.connections.fetch_add(1, Ordering::SeqCst);
                let carrying = tokio::spawn(carry(client, server, Arc::clone(&state))).abort_handle();
                state.carrying.lock().unwrap().push(carrying);
            }
        });
        forwarder
    }

    /// Breaks all connections. New ones work.
    pub(crate) fn cut(&self) {
        self.state.carrying.lock().unwrap().drain(..).for_each(|carrying| carrying.abort());
    }

    /// Loses whatever comes from now on, and breaks nothing: as a line does that was cut.
    pub(crate) fn fall_silent(&self) {
        self.state.silent.store(true, Ordering::SeqCst);
    }

    pub(crate) fn connections(&self) -> u64 {
        self.state.connections.load(Ordering::SeqCst)
    }

    /// How many round trips lie behind what the client has heard so far.
    pub(crate) fn round_trips(&self) -> u64 {
        self.state.at_client.load(Ordering::SeqCst).div_ceil(2)
    }
}

#[allow(clippy::disallowed_methods, reason = "loopback only: there is no tailnet in these tests")]
async fn carry(client: TcpStream, server: SocketAddr, state: Arc<State>) {
    // A connection is there one round trip after it was asked for: SYN, and SYN with ACK.
    let asked = state.at_client.load(Ordering::SeqCst);
    tokio::time::sleep(2 * state.delay).await;
    state.at_client.fetch_max(asked + 2, Ordering::SeqCst);
    let Ok(server) = TcpStream::connect(server).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    let (delay, silent) = (state.delay, &state.silent);
    let up = pump(from_client, to_server, delay, silent, &state.at_client, &state.at_server);
    let down = pump(from_server, to_client, delay, silent, &state.at_server, &state.at_client);
    tokio::join!(up, down);
}

async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    delay: Duration,
    silent: &AtomicBool,
    here: &AtomicU64,
    there: &AtomicU64,
) {
    let (sender, mut pieces) = mpsc::channel::<(Instant, u64, Vec<u8>)>(1024);
    let read = async move {
        let mut buf = vec![0; 64 << 10];
        while let Ok(n) = from.read(&mut buf).await {
            if n == 0
                || sender
                    .send((Instant::now() + delay, here.load(Ordering::SeqCst) + 1, buf[..n].to_vec()))
                    .await
                    .is_err()
            {
                return;
            }
        }
    };
    let write = async move {
        while let Some((due, step, piece)) = pieces.recv().await {
            tokio::time::sleep_until(due).await;
            if silent.load(Ordering::SeqCst) {
                continue;
            }
            there.fetch_max(step, Ordering::SeqCst);
            if to.write_all(&piece).await.is_err() {
                return;
            }
        }
        if silent.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        let _ = to.shutdown().await;
    };
    tokio::join!(read, write);
}
