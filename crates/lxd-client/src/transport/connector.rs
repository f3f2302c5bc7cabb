//! Any connector as one type, and the one for this machine.

use std::future::{Future, poll_fn};
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::Uri;
use http::uri::Scheme;
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tower_service::Service;

use super::connect::{BoxError, Connect};
use super::read_ahead::ReadAhead;

pub(crate) type BoxFuture<T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>;

/// Any connector, as one type.
#[derive(Clone)]
pub(crate) struct BoxConnector(Arc<dyn Fn(Uri) -> BoxFuture<ReadAhead> + Send + Sync>);

impl BoxConnector {
    pub(crate) fn new(connector: impl Connect) -> BoxConnector {
        BoxConnector(Arc::new(move |uri| {
            let mut connector = connector.clone();
            Box::pin(async move {
                poll_fn(|cx| connector.poll_ready(cx)).await.map_err(Into::into)?;
                connector.call(uri).await.map(ReadAhead::new).map_err(Into::into)
            })
        }))
    }
}

impl Service<Uri> for BoxConnector {
    type Response = ReadAhead;
    type Error = BoxError;
    type Future = BoxFuture<ReadAhead>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        match without_tls(uri) {
            Ok(uri) => (self.0)(uri),
            Err(error) => Box::pin(async { Err(error.into()) }),
        }
    }
}

/// The same host and port, by `http`.
fn without_tls(uri: Uri) -> Result<Uri, http::Error> {
    let Some(authority) = uri.authority().filter(|_| uri.scheme() == Some(&Scheme::HTTPS)) else {
        return Ok(uri);
    };
    let port = if uri.port().is_some() { "" } else { ":443" };
    Uri::builder().scheme(Scheme::HTTP).authority(format!("{authority}{port}")).path_and_query("/").build()
}

/// Connects to a server on this machine, whatever the URI says.
#[derive(Clone)]
pub(crate) struct UnixConnector(Arc<PathBuf>);

impl UnixConnector {
    pub(crate) fn new(path: &Path) -> UnixConnector {
        UnixConnector(Arc::new(path.to_owned()))
    }
}

impl Service<Uri> for UnixConnector {
    type Response = TokioIo<UnixStream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let path = Arc::clone(&self.0);
        Box::pin(async move { UnixStream::connect(&*path).await.map(TokioIo::new) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connector_is_asked_for_a_host_and_a_port_and_for_no_tls() {
        for (server, asked) in [
            ("https://lxd.example.ts.net:8443", "http://lxd.example.ts.net:8443/"),
            ("https://lxd.example.ts.net", "http://lxd.example.ts.net:443/"),
            ("https://[fd7a::1]", "http://[fd7a::1]:443/"),
            ("http://lxd", "http://lxd/"),
        ] {
            assert_eq!(without_tls(server.parse().unwrap()).unwrap(), asked);
        }
    }
}
