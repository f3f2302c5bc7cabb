//! How far a transfer is, and what goes wrong with it on this machine.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::Progress;
use crate::Error;

/// Counts what is transferred, and reports it.
pub(super) struct Counter {
    progress: Mutex<Progress>,
    left_out: Mutex<Vec<String>>,
    report: Box<dyn Fn(&Progress) + Send + Sync>,
}

impl Counter {
    pub(super) fn new(start: Progress, report: impl Fn(&Progress) + Send + Sync + 'static) -> Arc<Counter> {
        Arc::new(Counter {
            progress: Mutex::new(start),
            left_out: Mutex::default(),
            report: Box::new(report),
        })
    }

    pub(super) fn add(&self, change: impl FnOnce(&mut Progress)) {
        let now = {
            let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
            change(&mut progress);
            progress.clone()
        };
        (self.report)(&now);
    }

    pub(super) fn leave_out(&self, path: &str, why: &str) {
        let left_out = format!("{path}: {why}");
        self.left_out.lock().unwrap_or_else(PoisonError::into_inner).push(left_out);
    }

    /// All of it, at the end.
    pub(super) fn end(&self) -> Progress {
        let progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let left_out = std::mem::take(&mut *self.left_out.lock().unwrap_or_else(PoisonError::into_inner));
        Progress { left_out, ..progress }
    }
}

/// The error with the path that it is about.
pub(super) fn local(path: &Path, source: io::Error) -> Error {
    Error::Local { message: path.display().to_string(), source }
}
