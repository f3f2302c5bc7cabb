//! What the server can do, and which dialect it speaks: remembered from what it said of itself.

use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::HeaderMap;
use tokio::time::Instant;

use super::Client;
use crate::{Error, Server};

/// How long the server is taken to be what it said of itself: it may be upgraded meanwhile.
const LIFETIME: Duration = Duration::from_secs(300);

/// A server that lacked something so short a time ago is not asked again.
const ASKED_LATELY: Duration = Duration::from_secs(10);

/// What the server said of itself, once it trusted this client, and when.
#[derive(Default)]
pub(super) struct Remembered(Mutex<Option<(Server, Instant)>>);

impl Remembered {
    fn get(&self) -> Option<(Server, Duration)> {
        let remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (server, since) = remembered.as_ref()?;
        let age = since.elapsed();
        (age < LIFETIME).then(|| (server.clone(), age))
    }

    fn set(&self, server: &Server) {
        let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *remembered = Some((server.clone(), Instant::now()));
    }
}

impl Client {
    /// What the server said of itself, which is asked anew after a while.
    pub(crate) async fn known_server(&self) -> Result<Server, Error> {
        match self.shared.remembered.get() {
            Some((server, _)) => Ok(server),
            None => self.ask_server().await,
        }
    }

    /// Remembers what the server said of itself, once it trusts this client: until then it says less.
    pub(crate) fn remember_server(&self, server: &Server) {
        if server.environment.is_some() {
            self.shared.remembered.set(server);
        }
    }

    /// Fails where the server lacks an API extension. One that lacked it may have been upgraded, and is asked anew.
    pub(crate) async fn need(&self, extension: &'static str) -> Result<(), Error> {
        let server = match self.shared.remembered.get() {
            Some((server, age)) if server.has_extension(extension) || age < ASKED_LATELY => server,
            _ => self.ask_server().await?,
        };
        if server.has_extension(extension) {
            return Ok(());
        }
        Err(Error::Unsupported { server: self.name().to_owned(), extension })
    }

    /// The beginning of a header's name in the server's dialect: `X-LXD-`, or `X-Incus-`.
    pub(crate) async fn header_prefix(&self) -> Result<&'static str, Error> {
        Ok(if self.known_server().await?.is_incus() { "X-Incus-" } else { "X-LXD-" })
    }

    /// What the server says of itself now. Boxed: each request may ask for it, and it is a request itself.
    fn ask_server(&self) -> Pin<Box<dyn Future<Output = Result<Server, Error>> + Send + '_>> {
        Box::pin(self.server())
    }
}

/// A header of an answer in either dialect.
pub(crate) fn dialect_header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    ["x-lxd-", "x-incus-"]
        .iter()
        .find_map(|prefix| headers.get(format!("{prefix}{name}")))
        .and_then(|value| value.to_str().ok())
}
