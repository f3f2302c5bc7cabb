//! The clients that are this program itself, and the plain server, each a child process.

use std::net::{Ipv4Addr, SocketAddr};

use tailnet::{Tailnet, TailnetStream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::load::{Network, input, serve, text};

/// This project's crate.
pub(crate) async fn ours() -> Result<(), String> {
    let (join, lines) = input().await?;
    let up = async {
        Tailnet::builder()
            .hostname(&join.hostname)
            .control_url(join.control_url.parse().map_err(text)?)
            .auth_key(join.auth_key.parse().map_err(text)?)
            .ephemeral(true)
            .port_mapping(false)
            .up()
            .await
            .map_err(text)
    };
    let network = up.await.map(Ours);
    serve(join, lines, network).await
}

#[derive(Clone)]
struct Ours(Tailnet);

impl Network for Ours {
    type Stream = TailnetStream;

    async fn dial(&self, to: SocketAddr) -> Result<TailnetStream, String> {
        self.0.connect(to).await.map_err(text)
    }
}

/// TCP on loopback, through a SOCKS5 server or straight to the plain server.
pub(crate) async fn loopback() -> Result<(), String> {
    let (join, lines) = input().await?;
    let network = Loopback { socks: join.socks };
    serve(join, lines, Ok(network)).await
}

#[derive(Clone)]
struct Loopback {
    socks: Option<SocketAddr>,
}

impl Network for Loopback {
    type Stream = TcpStream;

    async fn dial(&self, to: SocketAddr) -> Result<TcpStream, String> {
        let mut stream = connect(self.socks.unwrap_or(to)).await.map_err(text)?;
        stream.set_nodelay(true).map_err(text)?;
        if self.socks.is_some() {
            // RFC 1928: no authentication, then CONNECT.
            let SocketAddr::V4(to) = to else { return Err("an IPv4 address is needed".to_owned()) };
            stream.write_all(&[5, 1, 0]).await.map_err(text)?;
            stream.read_exact(&mut [0; 2]).await.map_err(text)?;
            let mut request = vec![5, 1, 0, 1];
            request.extend(to.ip().octets());
            request.extend(to.port().to_be_bytes());
            stream.write_all(&request).await.map_err(text)?;
            let mut reply = [0; 10];
            stream.read_exact(&mut reply).await.map_err(text)?;
            if reply[1] != 0 {
                return Err(format!("SOCKS5 reply {}", reply[1]));
            }
        }
        Ok(stream)
    }
}

#[allow(clippy::disallowed_methods, reason = "to this machine's loopback only")]
async fn connect(to: SocketAddr) -> std::io::Result<TcpStream> {
    assert!(to.ip().is_loopback(), "{to} is not on loopback");
    TcpStream::connect(to).await
}

/// What the sandbox's peer serves, on loopback: the limit that no way through a tailnet can pass. Prints the
/// ports of echo, discard and generate.
pub(crate) async fn server() -> Result<(), String> {
    let mut listeners = Vec::new();
    let mut ports = Vec::new();
    for _ in 0..3 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(text)?;
        ports.push(listener.local_addr().map_err(text)?.port());
        listeners.push(listener);
    }
    println!("{}", serde_json::to_string(&ports).map_err(text)?);
    for (kind, listener) in listeners.into_iter().enumerate() {
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(kind, stream));
            }
        });
    }
    tokio::io::copy(&mut tokio::io::stdin(), &mut tokio::io::sink()).await.map(drop).map_err(text)
}

async fn answer(kind: usize, mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = vec![0; 64 << 10];
    loop {
        let mut n = buffer.len();
        if kind < 2 {
            n = stream.read(&mut buffer).await?;
            if n == 0 {
                return Ok(());
            }
        }
        if kind != 1 {
            stream.write_all(&buffer[..n]).await?;
        }
    }
}
