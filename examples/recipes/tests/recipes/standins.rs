//! Stand-ins for servers that are too large to be started in a test.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use futures_util::{SinkExt, StreamExt};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::Result;

/// What the API server of Kubernetes asks for.
pub const TOKEN: &str = "a-service-account's";

/// What the API server of Kubernetes answers to two requests, over TLS with a certificate for `server`, which it gives.
pub async fn kubernetes() -> Result<(CertificateDer<'static>, SocketAddr)> {
    let made = rcgen::generate_simple_self_signed(["server".to_owned()])?;
    let (certificate, key) =
        (made.cert.der().clone(), PrivateKeyDer::try_from(made.signing_key.serialize_der())?);
    let mut config = ServerConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];

    let api = Router::new()
        .route("/version", get(async || Json(version())))
        .route("/api/v1/namespaces", get(async || Json(namespaces())))
        .layer(from_fn(authorize))
        .route("/healthz", get("ok"));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let listener = TlsListener { listener, acceptor: Arc::new(config).into() };
    tokio::spawn(async { axum::serve(listener, api).await });
    Ok((certificate, address))
}

async fn authorize(request: Request, next: Next) -> std::result::Result<Response, StatusCode> {
    let token = request.headers().get(header::AUTHORIZATION);
    match token.is_some_and(|token| *token == format!("Bearer {TOKEN}")) {
        true => Ok(next.run(request).await),
        false => Err(StatusCode::UNAUTHORIZED),
    }
}

fn version() -> Value {
    json!({
        "major": "1", "minor": "34", "gitVersion": "v1.34.0", "gitCommit": "0", "gitTreeState": "clean",
        "buildDate": "2025-08-27T10:17:53Z", "goVersion": "go1.24.6", "compiler": "gc", "platform": "linux/amd64",
    })
}

fn namespaces() -> Value {
    let items: Vec<_> = ["default", "kube-system"].map(|name| json!({"metadata": {"name": name}})).into();
    json!({"kind": "NamespaceList", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": items})
}

struct TlsListener {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl axum::serve::Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            let Ok((stream, from)) = self.listener.accept().await else { continue };
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, from);
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// Sends back each message of one client.
pub async fn websocket_echo() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await?;
        let mut socket = tokio_tungstenite::accept_async(stream).await.map_err(io::Error::other)?;
        while let Some(Ok(message)) = socket.next().await {
            socket.send(message).await.map_err(io::Error::other)?;
        }
        io::Result::Ok(())
    });
    Ok(address)
}
