//! A node that goes, and the next one with its identity.

use std::collections::HashMap;
use std::fs::File;
use std::future::Future;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use tailnet::{StateStore, Tailnet, TailnetBuilder, UpError};
use tailnet_sandbox::Sandbox;

use crate::cancel::drop_after;
use crate::common::{ECHO, builder, done, sandbox, soon};
use crate::store::Kept;

fn kept_in(sandbox: &Sandbox, folder: &Path) -> TailnetBuilder {
    builder(sandbox).ephemeral(false).state_dir(folder)
}

/// Whether nobody has the lock of a state folder.
fn is_free(folder: &Path) -> bool {
    let lock = File::open(folder.join("lock")).unwrap();
    flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok()
}

/// Numbers of polls, and pauses between them, after which a future is dropped.
fn moments() -> impl Iterator<Item = (usize, Duration)> {
    let pauses = [0, 100, 2000, 20_000].map(Duration::from_micros);
    pauses.into_iter().flat_map(|pause| (0..5).map(move |polls| (polls, pause)))
}

#[tokio::test]
async fn a_close_waits_until_the_node_has_gone_even_after_one_that_was_dropped() {
    let sandbox = sandbox().await;
    let folder = tempfile::tempdir().unwrap();
    for (polls, pause) in moments() {
        let node = soon(kept_in(&sandbox, folder.path()).up()).await.unwrap();
        drop_after(polls, pause, node.close()).await;
        soon(node.close()).await.unwrap();
        assert!(is_free(folder.path()), "the close before was dropped after {polls} polls each {pause:?}");
        soon(node.close()).await.unwrap();
    }
    sandbox.stop().await.unwrap();
}

#[tokio::test]
async fn each_of_several_closes_waits_until_the_node_has_gone() {
    let sandbox = sandbox().await;
    let folder = tempfile::tempdir().unwrap();
    let node = soon(kept_in(&sandbox, folder.path()).up()).await.unwrap();
    let close = || {
        let (node, folder) = (node.clone(), folder.path());
        async move {
            soon(node.close()).await.unwrap();
            assert!(is_free(folder));
        }
    };
    tokio::join!(close(), close(), close());
    sandbox.stop().await.unwrap();
}

#[tokio::test]
async fn a_node_can_be_started_again_at_once_after_the_one_before_was_dropped() {
    let sandbox = sandbox().await;
    let folder = tempfile::tempdir().unwrap();
    let mut ips = None;
    for _ in 0..10 {
        let node = soon(kept_in(&sandbox, folder.path()).up()).await.unwrap();
        let now = node.status().await.unwrap().ips;
        assert_eq!(*ips.get_or_insert(now.clone()), now);
        drop(soon(node.connect(("tools", ECHO))).await.unwrap());
    }
    sandbox.stop().await.unwrap();
}

#[tokio::test]
async fn a_node_can_be_started_again_at_once_after_a_start_or_a_close_was_dropped() {
    let sandbox = sandbox().await;
    let folder = tempfile::tempdir().unwrap();
    for (polls, pause) in moments() {
        drop_after(polls, pause, kept_in(&sandbox, folder.path()).start()).await;
        drop_after(polls, pause, kept_in(&sandbox, folder.path()).up()).await;
        let node = soon(kept_in(&sandbox, folder.path()).start()).await.unwrap();
        drop_after(polls + 1, pause, node.close()).await;
        drop(soon(kept_in(&sandbox, folder.path()).up()).await.unwrap()); // `node` is still there
    }
    sandbox.stop().await.unwrap();
}

#[tokio::test]
async fn a_folder_whose_node_stays_is_refused_at_once() {
    let sandbox = sandbox().await;
    let folder = tempfile::tempdir().unwrap();
    let node = soon(kept_in(&sandbox, folder.path()).up()).await.unwrap();
    let since = Instant::now();
    let refused = soon(kept_in(&sandbox, folder.path()).start()).await.unwrap_err();
    assert!(
        matches!(&refused, UpError::StateFolder { message, .. } if message.contains("in use by another node"))
    );
    assert!(since.elapsed() < Duration::from_secs(5), "{:?}", since.elapsed());
    done(sandbox, node).await;
}

#[tokio::test]
async fn the_next_node_serves_the_local_api_where_the_one_before_did() {
    let sandbox = sandbox().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tailscaled.sock");
    for _ in 0..5 {
        let node = soon(kept_in(&sandbox, folder.path()).start()).await.unwrap();
        soon(node.serve_local_api(&path)).await.unwrap();
        soon(tokio::net::UnixStream::connect(&path)).await.unwrap();
    }
    sandbox.stop().await.unwrap();
}

/// A store that knows of the others with the same content.
struct Shared {
    kept: Kept,
    here: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    read: AtomicBool,
}

impl StateStore for Shared {
    fn read_all(&self) -> io::Result<HashMap<String, Vec<u8>>> {
        self.read.store(true, Ordering::SeqCst);
        self.most.fetch_max(self.here.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        self.kept.read_all()
    }

    fn write(&self, id: &str, value: Option<&[u8]>) -> io::Result<()> {
        self.kept.write(id, value)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if *self.read.get_mut() {
            self.here.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

/// Starts nodes with one store after each other, each by `once`, and counts how many used it at a time.
async fn most_at_a_time<F: Future>(once: impl Fn(TailnetBuilder, usize, Duration) -> F) -> usize {
    let sandbox = sandbox().await;
    let kept = Kept::default();
    let (here, most) = <(Arc<AtomicUsize>, Arc<AtomicUsize>)>::default();
    for (polls, pause) in moments() {
        let store = Shared {
            kept: kept.clone(),
            here: here.clone(),
            most: most.clone(),
            read: AtomicBool::new(false),
        };
        once(builder(&sandbox).ephemeral(false).state_store(store), polls, pause).await;
    }
    sandbox.stop().await.unwrap();
    most.load(Ordering::SeqCst)
}

#[tokio::test]
async fn a_store_is_read_once_the_node_before_has_gone() {
    let dropped = most_at_a_time(|node, _, _| async { drop(soon(node.up()).await.unwrap()) });
    assert_eq!(dropped.await, 1);
    let closed = most_at_a_time(|node, polls, pause| async move {
        let node: Tailnet = soon(node.start()).await.unwrap();
        drop_after(polls, pause, node.close()).await;
    });
    assert_eq!(closed.await, 1);
    let begun = most_at_a_time(|node, polls, pause| async move {
        drop_after(polls, pause, node.start()).await;
    });
    assert!(begun.await <= 1);
}
