//! What changes a cloud: one function for each change, for the commands and the API alike.
//!
//! An action takes the client of a cloud, in the project that it works in, and a [`Job`]. Through the job it reports its
//! progress and learns that it is cancelled. It ends with an [`ActionError`] that says what is left behind, if anything is.
//!
//! ```text
//! let job = Job::new();
//! let copied = copy::copy(&from, &to, &wanted, &job).await?; // elsewhere: job.watch(), job.cancel()
//! ```

pub(crate) mod archive;
pub(crate) mod backups;
mod bulk;
pub(crate) mod certificates;
mod changed;
pub(crate) mod copy;
pub(crate) mod devices;
mod error;
pub(crate) mod files;
pub(crate) mod images;
pub(crate) mod instances;
mod job;
pub(crate) mod objects;
mod operation;
pub(crate) mod profiles;
pub(crate) mod server;
mod sink;
pub(crate) mod storage;
mod upload;

pub(crate) use bulk::bulk;
pub(crate) use changed::{Changed, changes, conflict};
pub(crate) use error::{ActionError, Left};
pub(crate) use job::{Job, Progress};
pub(crate) use sink::Sink;
pub(crate) use upload::Source;

/// How long the removal of something that is not wanted after all is waited for.
const REMOVAL: std::time::Duration = std::time::Duration::from_secs(60);
