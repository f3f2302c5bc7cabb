//! `proxy`: a cloud on a Unix socket or an address of this machine, for as long as the command runs.

use std::process::ExitCode;
use std::sync::Arc;

use futures_util::future::join_all;
use lxd_client::Client;
use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::args::{self, Proxy};
use super::output::report;
use crate::cloud::{establish_trust, one_line};
use crate::config::{CloudConfig, CloudKind, Config};
use crate::listen::Opens;
use crate::local::cloud_proxy::{self, Place, Upstream};
use crate::uplink::Uplink;

pub(super) async fn run(options: &Proxy, config: Config) -> anyhow::Result<ExitCode> {
    let cloud = super::lxd::named(&config, &options.cloud)?.clone();
    let args::Place { unix, listen } = &options.place;
    let places = cloud_proxy::bind("the proxy", unix.as_deref(), Opens::OWNER, *listen)?;
    let mut terminate = signal(SignalKind::terminate())?;
    let uplink = Arc::new(Uplink::either(&config).await?);
    let client = match cloud.kind {
        CloudKind::Tcp => None,
        _ => Some(uplink.bare_client(&config, &cloud).await?),
    };
    if let Some(client) = &client
        && let Err(error) = establish_trust(client, &cloud).await
    {
        report(&format!("{}: {}", cloud.name, one_line(&error))); // it may come back
    }
    for place in &places {
        announce(place, &cloud)?;
    }
    let upstream = OfUplink { uplink: Arc::clone(&uplink), client, cloud };
    let serve = places.into_iter().map(|place| {
        // The connections end with the process.
        cloud_proxy::serve(place, upstream.clone(), TaskTracker::new(), CancellationToken::new())
    });
    tokio::select! {
        _ = join_all(serve) => {}
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
    if let Uplink::Own(node) = &*uplink {
        node.stop().await;
    }
    Ok(ExitCode::SUCCESS)
}

/// Says where the cloud is, and how a stock client gets there.
fn announce(place: &Place, cloud: &CloudConfig) -> anyhow::Result<()> {
    let has_api = cloud.kind != CloudKind::Tcp;
    match place {
        Place::Unix(socket) => {
            let path = socket.path();
            eprintln!("{} is at {}", cloud.name, path.display());
            if has_api && path.file_name().is_some_and(|name| name == "unix.socket") {
                let folder = path.parent().map(|folder| folder.display().to_string()).unwrap_or_default();
                eprintln!("for example: LXD_DIR={folder} lxc list");
            }
        }
        Place::Tcp(listener) => {
            let address = listener.local_addr()?;
            eprintln!("{} is at {address}", cloud.name);
            if has_api {
                eprintln!("for example: lxc remote add {} https://{address}", cloud.name);
            }
        }
    }
    Ok(())
}

/// A cloud that the command reaches by its uplink.
#[derive(Clone)]
struct OfUplink {
    uplink: Arc<Uplink>,
    client: Option<Client>,
    cloud: CloudConfig,
}

impl Upstream for OfUplink {
    async fn api(&self) -> Option<Client> {
        self.client.clone()
    }

    async fn forward(&self, client: &mut (impl AsyncRead + AsyncWrite + Send + Unpin)) -> bool {
        match self.uplink.connect(&self.cloud.address.to_string()).await {
            Ok(mut stream) => copy_bidirectional(client, &mut stream).await.is_ok(),
            Err(error) => {
                report(&format!("{}: {}", self.cloud.name, one_line(error.as_ref())));
                false
            }
        }
    }
}
