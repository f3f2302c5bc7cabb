//! HTTP/2 over TLS with hyper and rustls, one layer around the other.

use std::sync::Arc;

use anyhow::{Context, ensure};
use hyper::body::Body;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tailnet::Tailnet;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

/// Connects to `host`, whose certificate `tls` must trust.
pub async fn connect<B>(
    tailnet: &Tailnet,
    host: &str,
    port: u16,
    mut tls: ClientConfig,
) -> anyhow::Result<SendRequest<B>>
where
    B: Body + Unpin + Send + 'static,
    B::Data: Send,
    B::Error: std::error::Error + Send + Sync,
{
    tls.alpn_protocols = vec![b"h2".to_vec()];
    let name = ServerName::try_from(host.to_owned()).context("the name of the server")?;
    let stream =
        TlsConnector::from(Arc::new(tls)).connect(name, tailnet.connect((host, port)).await?).await?;
    ensure!(stream.get_ref().1.alpn_protocol() == Some(b"h2"), "{host} does not speak HTTP/2");
    let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
    tokio::spawn(connection); // ends with the sender
    Ok(sender)
}
