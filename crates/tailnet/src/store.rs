//! A store of the program's own for the node's state.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::runtime::Handle;

/// Where a node keeps its identity, in place of a folder: a database, a secret store, an encrypted file.
///
/// What it keeps is small (some kilobytes), secret, and must not be used by two nodes at once. A start waits, for ten
/// seconds at the most, until no node of this process with a store is closing: one store cannot be told from another.
/// A node whose writes fail goes on and says so in its health.
///
/// A store must not
/// - hold the [`Tailnet`](crate::Tailnet) whose state it keeps, or anything that keeps that node open: the node holds the
///   store, so neither would ever be dropped;
/// - wait in [`write`](Self::write) for an operation of that node, which may itself wait for the write;
/// - block without a deadline: the node waits for each write, and so does its close;
/// - rely on a tokio runtime in [`write`](Self::write): it is called on a thread of Go's;
/// - log or print the values: they are keys.
///
/// A panic in [`write`](Self::write) counts as an error.
///
/// ```
/// use std::{collections::HashMap, io, sync::Mutex};
///
/// #[derive(Default)]
/// struct InMemory(Mutex<HashMap<String, Vec<u8>>>);
///
/// impl tailnet::StateStore for InMemory {
///     fn read_all(&self) -> io::Result<HashMap<String, Vec<u8>>> {
///         Ok(self.0.lock().unwrap().clone())
///     }
///
///     fn write(&self, id: &str, value: Option<&[u8]>) -> io::Result<()> {
///         let mut kept = self.0.lock().unwrap();
///         match value {
///             Some(value) => kept.insert(id.to_owned(), value.to_vec()),
///             None => kept.remove(id),
///         };
///         Ok(())
///     }
/// }
/// ```
pub trait StateStore: Send + Sync + 'static {
    /// Gives all that was written, once at the start of a node, on a thread where it may block.
    ///
    /// # Errors
    /// When it cannot; then the node does not start.
    fn read_all(&self) -> io::Result<HashMap<String, Vec<u8>>>;

    /// Keeps a value under an id, or forgets the id when there is none. It should be durable when this returns. It is
    /// called on a thread where it may block, and never twice at once.
    ///
    /// # Errors
    /// When it cannot.
    fn write(&self, id: &str, value: Option<&[u8]>) -> io::Result<()>;
}

/// The nodes with a store whose close has begun.
static CLOSING: Mutex<BTreeSet<u64>> = Mutex::new(BTreeSet::new());

/// Records that a node with a store closes or has closed.
pub(crate) fn closes(node: u64) {
    CLOSING.lock().unwrap_or_else(PoisonError::into_inner).insert(node);
}

/// The nodes with a store that are closing, or have closed since somebody waited for them.
pub(crate) fn closing() -> BTreeSet<u64> {
    CLOSING.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Forgets a node that has closed.
pub(crate) fn has_closed(node: u64) {
    CLOSING.lock().unwrap_or_else(PoisonError::into_inner).remove(&node);
}

/// What the store holds, as `tailscale_set_store` takes it. It holds keys: not for printing.
pub(crate) async fn read(store: Arc<dyn StateStore>) -> io::Result<String> {
    let runtime = Handle::try_current().map_err(io::Error::other)?;
    let all = runtime.spawn_blocking(move || store.read_all()).await.map_err(io::Error::other)??;
    let encoded: HashMap<_, _> = all.into_iter().map(|(id, value)| (id, STANDARD.encode(value))).collect();
    Ok(serde_json::to_string(&encoded)?)
}
