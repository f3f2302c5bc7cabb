//! Why an action did not do what it was asked for.

use std::fmt;

/// Why an action did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ActionError {
    /// A cloud refused it, or cannot be reached. Nothing of the action is left.
    #[error(transparent)]
    Cloud(#[from] lxd_client::Error),
    /// What was asked for makes no sense, or contradicts what is there. Nothing was changed.
    #[error("{0}")]
    Refused(String),
    /// The thing is not there.
    #[error("{0}")]
    NotFound(String),
    /// What was made is not what was asked for. It was removed again.
    #[error("{0}")]
    Unverified(String),
    /// Somebody else changed the thing after it was read. Nothing was changed by this action.
    #[error("{0}")]
    Conflict(String),
    /// It was cancelled.
    #[error("cancelled{0}")]
    Cancelled(Left),
    /// It failed on its way, and not all that it made could be removed.
    #[error("{error}{left}")]
    HalfDone {
        /// What failed.
        #[source]
        error: Box<ActionError>,
        /// What is left of it.
        left: Left,
    },
}

/// What an action left behind, a sentence for each thing; usually nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Left(pub(crate) Vec<String>);

/// The end of an error's text.
impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|left| write!(f, "; left behind: {left}"))
    }
}

impl ActionError {
    /// It was cancelled, and nothing is left of it.
    pub(crate) fn cancelled() -> ActionError {
        ActionError::Cancelled(Left::default())
    }

    /// The same, which left this behind.
    pub(crate) fn leaving(self, left: impl Into<String>) -> ActionError {
        let left = left.into();
        match self {
            ActionError::Cancelled(mut all) => {
                all.0.push(left);
                ActionError::Cancelled(all)
            }
            ActionError::HalfDone { error, left: mut all } => {
                all.0.push(left);
                ActionError::HalfDone { error, left: all }
            }
            error => ActionError::HalfDone { error: Box::new(error), left: Left(vec![left]) },
        }
    }

    /// Whether it was cancelled.
    pub(crate) fn is_cancelled(&self) -> bool {
        matches!(self, ActionError::Cancelled(_))
    }
}
