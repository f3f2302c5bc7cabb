//! What was changed by whom: lines of JSON on disk, which are only ever added to.
//!
//! A change has a line when it begins, which is on the disk before anything is changed, and one when it ends; where the node
//! died before that, the next start writes one. What was denied has one. [`Audit::records`] makes one record of the lines
//! that belong together.

mod died;
mod entry;
mod files;
mod flood;
mod line;
mod read;
#[cfg(test)]
mod tests;
mod writer;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use tokio::sync::oneshot;

pub(crate) use entry::{Entry, Outcome};
pub(crate) use read::{Cursor, Filter, InvalidCursor, Page, Record, RecordResult};

use line::Line;
use writer::{Open, Order, Writer};

use crate::node::blocking;

/// How long a line may take to the disk.
const PATIENCE: Duration = Duration::from_secs(10);

/// The audit of a node. Clones write to the same.
#[derive(Clone, Debug)]
pub(crate) struct Audit(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    folder: PathBuf,
    writer: mpsc::Sender<Order>,
    open: Open,
}

/// Why something could not be written to the audit, or read from it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AuditError {
    /// The disk refuses.
    #[error("cannot use the audit in {folder}: {source}")]
    Disk {
        /// Where it is.
        folder: String,
        /// Why.
        source: io::Error,
    },
    /// The disk takes too long.
    #[error("the audit in {folder} was not written to within {} s", PATIENCE.as_secs())]
    Timeout {
        /// Where it is.
        folder: String,
    },
}

impl Audit {
    /// The audit in a state folder. This waits for the disk.
    ///
    /// # Errors
    /// When it cannot be written to.
    pub(crate) fn open(state_dir: &Path) -> Result<Audit, AuditError> {
        let (folder, open) = (state_dir.join("audit"), Open::default());
        let writer = Writer::open(&folder, open.clone()).and_then(Writer::start);
        match writer {
            Ok(writer) => Ok(Audit(Arc::new(Inner { folder, writer, open }))),
            Err(source) => Err(AuditError::Disk { folder: folder.display().to_string(), source }),
        }
    }

    /// Writes that a change begins. It may begin once this has returned: then the line is on the disk. Cancel safe: a
    /// change for which nobody waits any more is one that was cancelled.
    ///
    /// # Errors
    /// When the line cannot be written. The change must not begin then.
    pub(crate) async fn begin(&self, entry: Entry) -> Result<Pending, AuditError> {
        let (id, line) = Line::begun(entry);
        self.0.open.add(&id);
        let pending = Pending { audit: self.clone(), id: Some(id), operations: Vec::new() };
        let written = self.ask(|written| Order::Write(line, Some(written))).await;
        match written {
            Ok(()) => Ok(pending),
            Err(error) => {
                if let AuditError::Disk { .. } = error {
                    pending.forget(); // it has no line, which would need an end
                }
                Err(error)
            }
        }
    }

    /// Writes that somebody was not let do something. The same caller with the same action has one record a minute, with a
    /// count.
    ///
    /// # Errors
    /// When the line cannot be written.
    pub(crate) async fn denied(&self, entry: Entry) -> Result<(), AuditError> {
        self.ask(|written| Order::Denied(Box::new(entry), written)).await
    }

    /// The newest records before a cursor, `limit` at the most.
    ///
    /// # Errors
    /// When they cannot be read.
    pub(crate) async fn records(
        &self,
        before: Option<Cursor>,
        limit: usize,
        filter: Filter,
    ) -> Result<Page, AuditError> {
        let inner = Arc::clone(&self.0);
        let read = blocking(move || {
            // Before the files, so that a change that ends meanwhile is not one without an end.
            let open = inner.open.all();
            read::page(&inner.folder, before, limit, &filter, &open)
        });
        read.await.map_err(|source| self.failed(source))
    }

    /// Gives the writer an order, and waits until it is on the disk.
    async fn ask(&self, order: impl FnOnce(Written) -> Order) -> Result<(), AuditError> {
        let (written, answer) = oneshot::channel();
        self.order(order(written));
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(Ok(written)) => written.map_err(|source| self.failed(source)),
            Ok(Err(_)) => Err(self.failed(io::Error::other("its thread has ended"))),
            Err(_) => Err(AuditError::Timeout { folder: self.0.folder.display().to_string() }),
        }
    }

    fn order(&self, order: Order) {
        // The writer goes on for as long as somebody can send. If it has panicked, nobody answers.
        let _ = self.0.writer.send(order);
    }

    fn failed(&self, source: io::Error) -> AuditError {
        AuditError::Disk { folder: self.0.folder.display().to_string(), source }
    }
}

/// Where the writer tells whether a line is on the disk.
type Written = oneshot::Sender<io::Result<()>>;

/// A change that has begun. Dropped without an end, it was cancelled.
#[must_use = "a change that is dropped counts as cancelled"]
#[derive(Debug)]
pub(crate) struct Pending {
    audit: Audit,
    /// None once it has ended.
    id: Option<String>,
    operations: Vec<String>,
}

impl Pending {
    /// Notes the ID of an operation of the cloud's that makes the change, so that it is known even if the node dies.
    pub(crate) fn operation(&mut self, operation: impl Into<String>) {
        let Some(id) = &self.id else { return };
        self.operations.push(operation.into());
        self.audit.order(Order::Write(Line::operations(id, &self.operations), None));
    }

    /// Writes how the change has ended. What the disk does not take now is written with what comes next.
    pub(crate) async fn end(mut self, outcome: Outcome) {
        let Some(id) = self.id.take() else { return };
        let line = Line::end(id, std::mem::take(&mut self.operations), outcome);
        let _ = self.audit.ask(|written| Order::Write(line, Some(written))).await; // the writer logs it
    }

    fn forget(mut self) {
        if let Some(id) = self.id.take() {
            self.audit.0.open.remove(&id);
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if let Some(id) = self.id.take() {
            let line = Line::end(id, std::mem::take(&mut self.operations), Outcome::Cancelled);
            self.audit.order(Order::Write(line, None));
        }
    }
}
