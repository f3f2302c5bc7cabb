//! How the client gets its streams: any `Service<Uri>`.

use http::Uri;
use hyper::rt::{Read, Write};
use hyper_util::client::legacy::connect::Connection;
use tower_service::Service;

pub(crate) use crate::error::BoxError;

/// Makes the client's streams: a hyper connector, such as that of the crate `tailnet`. Implemented for every
/// `Service<Uri>` that fits.
///
/// For a server at `https://host:port` it is called with `http://host:port`, since the client itself does TLS: called
/// with `https`, a connector might refuse, or do TLS as well.
pub trait Connect:
    Service<Uri, Response: Io, Error: Into<BoxError>, Future: Send> + Clone + Send + Sync + 'static
{
}

impl<C> Connect for C where
    C: Service<Uri, Response: Io, Error: Into<BoxError>, Future: Send> + Clone + Send + Sync + 'static
{
}

/// A byte stream as hyper wants it. Implemented for everything that fits.
pub trait Io: Read + Write + Connection + Send + Unpin + 'static {}

impl<T: Read + Write + Connection + Send + Unpin + 'static> Io for T {}
