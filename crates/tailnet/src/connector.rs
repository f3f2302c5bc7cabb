use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Uri;
use hyper_util::rt::TokioIo;

use crate::address::Address;
use crate::{Tailnet, TailnetStream};

/// Connects hyper clients through the tailnet: a [`tower_service::Service`] from a URI to a stream.
///
/// It has no other way: where the tailnet cannot reach the URI's host, the request fails. The error is an
/// [`io::Error`] that holds a [`ConnectError`](crate::ConnectError). TLS goes around it, as hyper-rustls does.
///
/// ```no_run
/// # async fn example(tailnet: tailnet::Tailnet) -> Result<(), Box<dyn std::error::Error>> {
/// use hyper_util::{client::legacy::Client, rt::TokioExecutor};
/// use http_body_util::Empty;
///
/// let client = Client::builder(TokioExecutor::new()).build::<_, Empty<hyper::body::Bytes>>(tailnet.connector());
/// let response = client.get("http://grafana/api/health".parse()?).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Connector {
    tailnet: Tailnet,
}

impl Connector {
    pub(crate) fn new(tailnet: Tailnet) -> Connector {
        Connector { tailnet }
    }
}

impl tower_service::Service<Uri> for Connector {
    type Response = TokioIo<TailnetStream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let tailnet = self.tailnet.clone();
        Box::pin(async move {
            let address = address_of(&uri)?;
            Ok(TokioIo::new(tailnet.connect(address).await?))
        })
    }
}

fn address_of(uri: &Uri) -> io::Result<Address> {
    let invalid = |e: String| io::Error::new(io::ErrorKind::InvalidInput, e);
    let host = uri.host().ok_or_else(|| invalid(format!("the URI {uri} names no host")))?;
    let port = match (uri.port_u16(), uri.scheme_str()) {
        (Some(port), _) => port,
        (None, Some("https" | "wss")) => 443,
        (None, Some("http" | "ws")) => 80,
        (None, _) => return Err(invalid(format!("the URI {uri} names no port"))),
    };
    Address::new(host, port).map_err(|e| invalid(e.to_string()))
}
