//! Why a configuration cannot be used.

use crate::error::BoxError;
use crate::{Error, IdentityError};

/// Why a configuration of `lxc` cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LxcConfigError {
    /// A file cannot be read.
    #[error("{path}: {source}")]
    File {
        /// Which file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not what `lxc` writes.
    #[error("{path}: {message}")]
    Malformed {
        /// Which file.
        path: String,
        /// What is wrong, and where.
        message: String,
        /// The error behind it; not of a file that holds a secret.
        source: Option<BoxError>,
    },
    /// There is no remote of that name, or it is of a kind that this client does not speak.
    #[error("the remote {name:?}: {reason}")]
    Remote {
        /// Its name.
        name: String,
        /// Why.
        reason: String,
    },
    /// There is no home folder in which the configuration could be.
    #[error("HOME is not set: set {variable} to the folder of the configuration")]
    NoHome {
        /// The variable that names the folder.
        variable: &'static str,
    },
    /// A client's certificate cannot be used.
    #[error("{path}: {source}")]
    Identity {
        /// The certificate's file.
        path: String,
        /// Why.
        source: IdentityError,
    },
    /// The client could not be made.
    #[error(transparent)]
    Client(#[from] Error),
}
