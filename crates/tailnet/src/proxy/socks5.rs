//! SOCKS5 (RFC 1928).

use std::future::Future;
use std::io;

use fast_socks5::server::Socks5ServerProtocol;
use fast_socks5::util::target_addr::TargetAddr;
use fast_socks5::{ReplyError, Socks5Command};
use tokio::io::{AsyncRead, AsyncWrite};

use super::GREETING;
use super::datagrams::Association;
use crate::{ConnectError, ListenError, Tailnet};

impl Tailnet {
    /// Serves one client of a SOCKS5 proxy (RFC 1928, CONNECT and UDP ASSOCIATE without authentication), through the
    /// tailnet only: other addresses are answered with "connection not allowed". Names are looked up in the tailnet, so
    /// the client should leave them to the proxy (`socks5h://` in curl). Dropping the future ends the connection.
    ///
    /// Datagrams go by a socket on 127.0.0.1 that lives as long as the connection. What is not for the tailnet, is a
    /// fragment or is too large for the tailnet is dropped.
    ///
    /// ```no_run
    /// # async fn example(tailnet: tailnet::Tailnet, listener: tokio::net::TcpListener) -> std::io::Result<()> {
    /// loop {
    ///     let (client, _) = listener.accept().await?;
    ///     let tailnet = tailnet.clone();
    ///     tokio::spawn(async move { tailnet.serve_socks5(client).await });
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] when the client does not speak SOCKS5; every other kind when the connection broke, on
    /// either side. The peer's is reset then; reset the client's too (`set_zero_linger`), so that what was cut off does not
    /// look whole. The client is told why a dial failed, which is no error here.
    pub async fn serve_socks5(&self, client: impl AsyncRead + AsyncWrite + Send + Unpin) -> io::Result<()> {
        let (reply, command, target) =
            greeted(async { Socks5ServerProtocol::accept_no_auth(client).await?.read_command().await })
                .await?
                .map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))?;
        let refuse = match command {
            Socks5Command::TCPConnect => match self.dial(target).await {
                Ok(stream) => {
                    let mut client =
                        reply.reply_success(stream.local_addr()).await.map_err(io::Error::other)?;
                    return stream.carry(&mut client).await.map(drop);
                }
                Err(error) => {
                    tracing::debug!("SOCKS5: {error}");
                    code(&error)
                }
            },
            Socks5Command::UDPAssociate => match Association::new(self, &target).await {
                Ok(association) => {
                    let client =
                        reply.reply_success(association.address()?).await.map_err(io::Error::other)?;
                    return association.serve(client).await;
                }
                Err(error) => {
                    tracing::debug!("SOCKS5: {error}");
                    match error {
                        ListenError::NotRunning { .. } | ListenError::Closed => {
                            ReplyError::NetworkUnreachable
                        }
                        _ => ReplyError::GeneralFailure,
                    }
                }
            },
            Socks5Command::TCPBind => ReplyError::CommandNotSupported,
        };
        reply.reply_error(&refuse).await.map_err(io::Error::other)
    }

    async fn dial(&self, target: TargetAddr) -> Result<crate::TailnetStream, ConnectError> {
        match target {
            TargetAddr::Ip(address) => self.connect(address).await,
            TargetAddr::Domain(name, port) => self.connect((name.as_str(), port)).await,
        }
    }
}

async fn greeted<T>(greeting: impl Future<Output = T>) -> io::Result<T> {
    let late = |_| io::Error::new(io::ErrorKind::TimedOut, "the client did not say what it wants");
    tokio::time::timeout(GREETING, greeting).await.map_err(late)
}

/// RFC 1928, section 6.
fn code(error: &ConnectError) -> ReplyError {
    match error {
        ConnectError::NotInTailnet { .. } => ReplyError::ConnectionNotAllowed,
        ConnectError::NoSuchHost { .. } | ConnectError::InvalidAddress(_) => ReplyError::HostUnreachable,
        ConnectError::Refused { .. } => ReplyError::ConnectionRefused,
        ConnectError::Timeout { .. } => ReplyError::TtlExpired,
        ConnectError::NotRunning { .. } | ConnectError::Closed { .. } => ReplyError::NetworkUnreachable,
        _ => ReplyError::GeneralFailure,
    }
}
