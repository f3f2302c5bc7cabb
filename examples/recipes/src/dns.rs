//! DNS with hickory-resolver: records of every type, asked of a server in the tailnet. For addresses alone,
//! `Tailnet::lookup_host` is enough.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hickory_resolver::Resolver;
use hickory_resolver::config::{NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::runtime::iocompat::AsyncIoTokioAsStd;
use hickory_resolver::net::runtime::{DnsUdpSocket, RuntimeProvider, TokioHandle, TokioTime};
use tailnet::{Tailnet, TailnetStream, TailnetUdpSocket};
use tokio::io::ReadBuf;

/// A resolver that asks `server` only, by UDP and for long answers by TCP.
pub fn resolver(tailnet: &Tailnet, server: IpAddr) -> anyhow::Result<Resolver<Network>> {
    let network = Network { tailnet: tailnet.clone(), tasks: TokioHandle::default() };
    let config = ResolverConfig::from_name_servers(vec![NameServerConfig::udp_and_tcp(server)]);
    let mut builder = Resolver::builder_with_config(config, network);
    builder.options_mut().use_hosts_file = ResolveHosts::Never;
    Ok(builder.build()?)
}

#[derive(Clone)]
pub struct Network {
    tailnet: Tailnet,
    tasks: TokioHandle,
}

type Opening<T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send>>;

impl RuntimeProvider for Network {
    type Handle = TokioHandle;
    type Timer = TokioTime;
    type Udp = Socket;
    type Tcp = AsyncIoTokioAsStd<TailnetStream>;

    fn create_handle(&self) -> TokioHandle {
        self.tasks.clone()
    }

    fn connect_tcp(&self, to: SocketAddr, _: Option<SocketAddr>, _: Option<Duration>) -> Opening<Self::Tcp> {
        let tailnet = self.tailnet.clone();
        Box::pin(async move { Ok(AsyncIoTokioAsStd(tailnet.connect(to).await?)) })
    }

    fn bind_udp(&self, local: SocketAddr, _: SocketAddr) -> Opening<Socket> {
        let tailnet = self.tailnet.clone();
        Box::pin(async move { Ok(Socket(tailnet.bind_udp(local.port()).await?)) })
    }
}

pub struct Socket(TailnetUdpSocket);

impl DnsUdpSocket for Socket {
    type Time = TokioTime;

    fn poll_recv_from(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<(usize, SocketAddr)>> {
        let mut buf = ReadBuf::new(buf);
        let from = ready!(self.0.poll_recv_from(cx, &mut buf))?;
        Poll::Ready(Ok((buf.filled().len(), from)))
    }

    fn poll_send_to(&self, cx: &mut Context<'_>, buf: &[u8], to: SocketAddr) -> Poll<io::Result<usize>> {
        self.0.poll_send_to(cx, buf, to)
    }
}
