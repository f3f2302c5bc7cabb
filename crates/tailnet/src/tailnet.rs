//! The handle to a node.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tracing::Instrument;

use crate::ffi::{self, Failure, Library, Node, Operation};
use crate::{
    Address, AuthKey, CloseTimeout, ConnectError, Counters, IntoAddress, ListenError, ListenOptions,
    StateWatch, Status, StatusError, TailnetBuilder, TailnetListener, TailnetStream, TailnetUdpSocket,
    UpError, go_json, log, store, stream,
};

/// How long [`Tailnet::close`] waits.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a start waits for the nodes with a store that are closing.
const STORES_TIMEOUT: Duration = Duration::from_secs(10);

/// Waits until the nodes with a store that are closing have written what they had to. Cancel safe.
async fn wait_for_closing_stores() {
    let closes: Vec<_> =
        store::closing().into_iter().map(|node| (node, ffi::close(node, STORES_TIMEOUT))).collect();
    for (node, close) in closes {
        let gone = match close {
            Ok(operation) => operation.await.is_ok(),
            Err(_) => true,
        };
        if gone {
            store::has_closed(node);
        } else {
            tracing::warn!("a node is started though another one with a store has not closed");
        }
    }
}

/// A node of a tailnet, inside this process. Clones share the node.
///
/// The node stays in the tailnet until [`close`](Self::close), or until the last clone is dropped, and with it the last
/// `Connector`, [`TailnetStream`] (or half of one), [`TailnetListener`], [`TailnetUdpSocket`], [`StateWatch`] and
/// [`Forwarder`](crate::Forwarder): each keeps the node open. The last drop closes the node in the background.
#[derive(Clone, Debug)]
pub struct Tailnet {
    pub(crate) node: Arc<Node>,
    join_timeout: Duration,
    pub(crate) connect_timeout: Duration,
}

impl Tailnet {
    /// A builder, which takes the node's settings and starts it.
    pub fn builder() -> TailnetBuilder {
        TailnetBuilder::new()
    }

    pub(crate) async fn start(builder: TailnetBuilder) -> Result<Tailnet, UpError> {
        let up_error = |failure| UpError::of(failure, builder.join_timeout);
        let config = builder.to_json()?;
        let library = Library::check().map_err(UpError::wrong_library)?;
        let node = Node::new(library).map_err(up_error)?;
        log::name(node.id(), builder.name());
        if let Some(store) = builder.state_store.clone() {
            wait_for_closing_stores().await;
            let state = store::read(store.clone()).await.map_err(|e| UpError::StateFolder {
                message: format!("the state store cannot be read: {e}"),
                source: Some(e),
            })?;
            node.set_store(&state, store).map_err(up_error)?;
        }
        node.configure(&config).map_err(up_error)?.await.map_err(up_error)?;
        node.start().map_err(up_error)?.await.map_err(up_error)?;
        Ok(Tailnet {
            node: Arc::new(node),
            join_timeout: builder.join_timeout,
            connect_timeout: builder.connect_timeout,
        })
    }

    /// Waits until the node has joined, for as long as the builder's
    /// [`join_timeout`](TailnetBuilder::join_timeout).
    ///
    /// Cancel safe. After an error the node goes on trying, so this can be called again.
    ///
    /// # Errors
    /// Says what the node was waiting for. What waiting does not mend is told at once: a refused key, a login that is
    /// needed, a control server that is not to be trusted ([`UpError::ControlUntrusted`]; called again, this waits for the
    /// node's next try, half a minute at the most).
    pub async fn up(&self) -> Result<Status, UpError> {
        self.join().instrument(log::up_span(&log::name_of(self.node.id()))).await
    }

    /// [`up`](Self::up) without its span.
    pub(crate) async fn join(&self) -> Result<Status, UpError> {
        self.up_by(self.node.up(self.join_timeout)).await
    }

    /// Waits for an operation that ends with the node's status.
    async fn up_by(&self, operation: Result<Operation, Failure>) -> Result<Status, UpError> {
        let up_error = |failure| UpError::of(failure, self.join_timeout);
        let success = operation.map_err(up_error)?.await.map_err(up_error)?;
        Ok(go_json::read(&success.data)?)
    }

    /// Connects by TCP to an address of the tailnet: `"lxd:8443"`, `(ip, port)`, `(name, port)`, a `SocketAddr`, an [`Address`].
    ///
    /// Names are looked up in the tailnet only, and the stream goes through the tailnet only: neither the
    /// host's network nor its DNS is ever used. A name is a node's, or one that a DNS server in the tailnet or the
    /// chosen exit node knows. Cancel safe: dropping the future ends the attempt.
    ///
    /// The first dial to a peer within ten seconds of the join waits until the peer has heard of the node, ten seconds at
    /// the most: the peer drops what comes before, and WireGuard would begin anew only after five.
    ///
    /// A dial that stays silent gets another one beside it after 0.4 seconds, if there were streams to that peer
    /// within two minutes; the first to be answered is taken. The peer may then see another stream, which ends at once.
    ///
    /// [`Address`]: crate::Address
    ///
    /// # Errors
    /// [`ConnectError::NotInTailnet`] for every address that no node, service or accepted route has; the
    /// others say what the peer or the network did within the builder's
    /// [`connect_timeout`](TailnetBuilder::connect_timeout).
    ///
    /// # Panics
    /// In a tokio runtime without I/O, as tokio's own sockets do.
    pub async fn connect(&self, address: impl IntoAddress) -> Result<TailnetStream, ConnectError> {
        let address = address.into_address()?;
        if Handle::try_current().is_err() {
            return Err(ConnectError::NoRuntime { addr: address });
        }
        let span = log::connect_span(&address);
        self.connect_to(address).instrument(span).await
    }

    async fn connect_to(&self, address: Address) -> Result<TailnetStream, ConnectError> {
        let timeout = self.connect_timeout;
        let dial = self.node.dial(&address.to_string(), timeout);
        let result = match dial {
            Ok(operation) => operation.await,
            Err(failure) => Err(failure),
        };
        match result {
            Ok(success) => {
                let raw = success.stream.ok_or_else(stream::none);
                raw.and_then(|raw| TailnetStream::new(raw, self.node.clone()))
                    .map_err(|source| ConnectError::Socket { addr: address, source })
            }
            Err(failure) => Err(ConnectError::of(failure, address, timeout)),
        }
    }

    /// Gives the addresses that [`connect`](Self::connect) would dial, IPv4 first and at least one: to send datagrams to a
    /// name, or to ask who has it. Names are looked up as there, in the tailnet only. Cancel safe.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn lookup_host(&self, address: impl IntoAddress) -> Result<Vec<SocketAddr>, ConnectError> {
        let address = address.into_address()?;
        let timeout = self.connect_timeout;
        let looked_up = match self.node.resolve(&address.host(), timeout) {
            Ok(operation) => operation.await,
            Err(failure) => Err(failure),
        };
        let found = looked_up.map_err(|failure| ConnectError::of(failure, address.clone(), timeout))?;
        let ips: Vec<IpAddr> = go_json::read(&found.data)
            .map_err(|source| ConnectError::Malformed { addr: address.clone(), source })?;
        Ok(ips.into_iter().map(|ip| SocketAddr::new(ip, address.port())).collect())
    }

    /// Listens for TCP streams from other nodes, on a port of all the node's addresses; 0 means any that is free.
    ///
    /// Cancel safe.
    ///
    /// # Errors
    /// When the node has not joined, or another listener of it has the port.
    pub async fn listen(&self, port: u16) -> Result<TailnetListener, ListenError> {
        self.listen_with(&ListenOptions::port(port)).await
    }

    /// As [`listen`](Self::listen), on one of the node's own addresses; an unspecified one is all of them.
    ///
    /// # Errors
    /// As [`listen`](Self::listen), and when the address is not the node's.
    pub async fn listen_at(&self, address: SocketAddr) -> Result<TailnetListener, ListenError> {
        self.listen_with(&ListenOptions::port(address.port()).ip(address.ip())).await
    }

    /// As [`listen`](Self::listen), with TLS, from the Internet, for a service or for all ports: as the options say.
    ///
    /// Cancel safe.
    ///
    /// # Errors
    /// As [`listen`](Self::listen), and when the tailnet does not allow what the options ask for.
    pub async fn listen_with(&self, options: &ListenOptions) -> Result<TailnetListener, ListenError> {
        let success = self.node.listen(&options.to_json()?)?.await?;
        let none = || ListenError::Other { message: "the node gave no listener".to_owned() };
        TailnetListener::new(success.listener.ok_or_else(none)?, self.node.clone())
    }

    /// Binds a UDP socket to a port of all the node's addresses; 0 means any that is free. Senders are told as IPv6
    /// addresses, those of IPv4 mapped: [`TailnetUdpSocket`] says more. Cancel safe.
    ///
    /// # Errors
    /// When the node has not joined, or another socket of it has the port.
    pub async fn bind_udp(&self, port: u16) -> Result<TailnetUdpSocket, ListenError> {
        self.bind_udp_at(SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), port)).await
    }

    /// As [`bind_udp`](Self::bind_udp), to one of the node's own addresses, or to `0.0.0.0` for its IPv4 address, whichever
    /// that is; `[::]` is all of its addresses. A mapped IPv4 address counts as plain.
    ///
    /// # Errors
    /// As [`bind_udp`](Self::bind_udp), and when the address is not the node's.
    pub async fn bind_udp_at(&self, address: SocketAddr) -> Result<TailnetUdpSocket, ListenError> {
        let ip = address.ip().to_canonical();
        self.bind_udp_for(SocketAddr::new(ip, address.port()), None).await
    }

    /// A UDP socket on any free port that sends to one address of the tailnet and receives from it alone. Cancel safe.
    ///
    /// # Errors
    /// When the node has not joined. Whether the tailnet has the address, the first datagram finds out.
    pub async fn connect_udp(&self, peer: SocketAddr) -> Result<TailnetUdpSocket, ListenError> {
        let any: IpAddr = match peer {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        self.bind_udp_for(SocketAddr::new(any, 0), Some(SocketAddr::new(peer.ip(), peer.port()))).await
    }

    async fn bind_udp_for(
        &self,
        address: SocketAddr,
        peer: Option<SocketAddr>,
    ) -> Result<TailnetUdpSocket, ListenError> {
        if Handle::try_current().is_err() {
            return Err(ListenError::NoRuntime);
        }
        let raw = self.node.listen_packet(&address.to_string())?.await?.stream.ok_or_else(stream::none);
        raw.and_then(|raw| TailnetUdpSocket::new(raw, self.node.clone(), peer)).map_err(ListenError::Socket)
    }

    /// What the node has carried since its start; all zero once it is closed.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.node.counters().into()
    }

    /// Lets the node in anew with a key, as after the node's own key has expired, and waits until it has joined, as
    /// [`up`](Self::up) does. Streams go on if the node stays the same. The secret of an OAuth client makes a key first, for
    /// the tags of the node.
    ///
    /// Cancel safe: once begun, the login goes on in the background.
    ///
    /// # Errors
    /// As [`up`](Self::up); [`UpError::AuthRejected`] when the control server refuses the key. A node that was in its
    /// tailnet then goes on with the login that it had.
    pub async fn login(&self, key: &AuthKey) -> Result<Status, UpError> {
        self.up_by(self.node.login(key.reveal(), self.join_timeout)).await
    }

    /// Asks for a login by a person: [`State::login_url`](crate::State::login_url) of [`watch`](Self::watch) is then the URL to
    /// open, and the node joins once somebody has logged in there. Until then a node that was in its tailnet hears no
    /// news of it. Cancel safe.
    ///
    /// # Errors
    /// When the node is closed.
    pub async fn login_interactive(&self) -> Result<(), UpError> {
        let up_error = |failure| UpError::of(failure, self.join_timeout);
        self.node.login("", self.join_timeout).map_err(up_error)?.await.map(drop).map_err(up_error)
    }

    /// The node's view of itself and its peers at this moment, which takes milliseconds, and 30 seconds at the most.
    /// Cancel safe.
    ///
    /// # Errors
    /// [`StatusError::Closed`] once the node is closed.
    pub async fn status(&self) -> Result<Status, StatusError> {
        Ok(go_json::read(&self.node.status()?.await?.data)?)
    }

    /// Follows the node's state. The watch keeps the node open, as a clone does.
    #[must_use]
    pub fn watch(&self) -> StateWatch {
        StateWatch::new(self.node.clone())
    }

    /// Closes the node for every clone, with its streams and what else is under way, and waits until it has
    /// gone and left its state folder. So does every other call, also after one that was dropped or took too long.
    ///
    /// Cancel safe: once begun, closing goes on in the background.
    ///
    /// # Errors
    /// [`CloseTimeout`] when it took more than ten seconds; it goes on in the background.
    pub async fn close(&self) -> Result<(), CloseTimeout> {
        match self.node.close(CLOSE_TIMEOUT) {
            Ok(operation) => operation.await.map(drop).map_err(|_| CloseTimeout { after: CLOSE_TIMEOUT }),
            Err(_) => Ok(()), // it has gone
        }
    }
}
