//! The way to the server by a façade of it elsewhere, whose connections to the server are open already.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::{HeaderName, Uri};
use tower_service::Service;

use super::connect::Connect;
use super::connector::BoxConnector;
use super::read_ahead::ReadAhead;

/// The header of an answer that is the façade's own: it got none from the server.
pub(crate) const NO_ANSWER: HeaderName = HeaderName::from_static("x-facade-no-answer");

/// The header's value when the server has not got the request.
pub(crate) const UNSENT: &str = "unsent";

/// Makes streams to the façade, until it is given up. Clones share that.
#[derive(Clone)]
pub(crate) struct ByFacade {
    connector: BoxConnector,
    given_up: Arc<AtomicBool>,
}

impl ByFacade {
    pub(crate) fn new(connector: impl Connect) -> ByFacade {
        ByFacade { connector: BoxConnector::new(connector), given_up: Arc::default() }
    }

    /// A stream to the façade. There is none where it was given up, which is done when it cannot be reached.
    pub(super) async fn stream(&mut self, uri: Uri) -> Option<ReadAhead> {
        if self.given_up.load(Ordering::Relaxed) {
            return None;
        }
        match self.connector.call(uri).await {
            Ok(stream) => Some(stream),
            Err(error) => {
                tracing::debug!(error = %error, "there is no façade");
                self.give_up();
                None
            }
        }
    }

    /// Has the client make its own connections from now on.
    pub(crate) fn give_up(&self) {
        self.given_up.store(true, Ordering::Relaxed);
    }
}
