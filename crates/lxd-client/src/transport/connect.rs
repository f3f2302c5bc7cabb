//! How the client gets its streams: any `Service<Uri>`.

use std::error::Error as StdError;

use http::Uri;
use hyper::rt::{Read, Write};
use hyper_util::client::legacy::connect::Connection;
use tower_service::Service;

pub(crate) type BoxError = Box<dyn StdError + Send + Sync>;

/// What makes the client's streams: a hyper connector, such as the one of the crate `tailnet`. Implemented
/// for every `Service<Uri>` that fits.
///
/// It is asked for `http://host:port` of a server at `https://host:port`: TLS is the client's own, and a connector that
/// is asked for `https` may refuse that, or do TLS too.
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
