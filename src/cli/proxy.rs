//! `proxy`: a cloud on a Unix socket or an address of this machine, for as long as the command runs.

use std::process::ExitCode;
use std::sync::Arc;

use lxd_client::{Client, Facade};
use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional};
use tokio::signal::unix::{SignalKind, signal};

use super::args::{Place, Proxy};
use super::output::tell;
use crate::cloud::{establish_trust, one_line};
use crate::config::{CloudConfig, CloudKind, Config};
use crate::listen::{Opens, bind_tcp, bind_unix};
use crate::uplink::Uplink;

pub(super) async fn run(options: &Proxy, config: Config) -> anyhow::Result<ExitCode> {
    let cloud = super::lxd::named(&config, &options.cloud)?.clone();
    let Place { unix, listen } = &options.place;
    let unix = unix.as_deref().map(|path| bind_unix("the proxy", path, Opens::OWNER)).transpose()?;
    let listen = listen.map(|address| bind_tcp("the proxy", address)).transpose()?;
    let mut terminate = signal(SignalKind::terminate())?;
    let uplink = Arc::new(Uplink::either(&config).await?);
    let client = match cloud.kind {
        CloudKind::Tcp => None,
        _ => Some(uplink.bare_client(&config, &cloud).await?),
    };
    if let Some(client) = &client
        && let Err(error) = establish_trust(client, &cloud).await
    {
        tell(&format!("{}: {}", cloud.name, one_line(&error))); // it may come back
    }
    if let Some(socket) = &unix {
        eprintln!("{} is at {}", cloud.name, socket.path().display());
        if client.is_some() && socket.path().file_name().is_some_and(|name| name == "unix.socket") {
            let folder =
                socket.path().parent().map(|folder| folder.display().to_string()).unwrap_or_default();
            eprintln!("for example: LXD_DIR={folder} lxc list");
        }
    }
    if let Some(listener) = &listen {
        let address = listener.local_addr()?;
        eprintln!("{} is at {address}", cloud.name);
        if client.is_some() {
            eprintln!("for example: lxc remote add {} https://{address}", cloud.name);
        }
    }
    let serve = async {
        loop {
            let of = Served { uplink: Arc::clone(&uplink), cloud: cloud.clone() };
            let accepted = tokio::select! {
                accepted = async { unix.as_ref()?.listener.accept().await.ok() }, if unix.is_some() => {
                    accepted.map(|(stream, _)| tokio::spawn(of.api(client.clone(), stream)))
                }
                accepted = async { listen.as_ref()?.accept().await.ok() }, if listen.is_some() => {
                    accepted.map(|(stream, _)| tokio::spawn(of.forward(stream)))
                }
            };
            if accepted.is_none() {
                tokio::time::sleep(std::time::Duration::from_millis(100)).await; // out of descriptors
            }
        }
    };
    tokio::select! {
        () = serve => {}
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
    if let Uplink::Own(node) = &*uplink {
        node.stop().await;
    }
    Ok(ExitCode::SUCCESS)
}

struct Served {
    uplink: Arc<Uplink>,
    cloud: CloudConfig,
}

impl Served {
    async fn api(self, client: Option<Client>, stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) {
        match client {
            Some(client) => Facade::new(client).serve(stream).await,
            None => self.forward(stream).await,
        }
    }

    async fn forward(self, mut local: impl AsyncRead + AsyncWrite + Unpin) {
        match self.uplink.connect(&self.cloud.address.to_string()).await {
            Ok(mut stream) => {
                let _ = copy_bidirectional(&mut local, &mut stream).await; // both ends have seen it break
            }
            Err(error) => tell(&format!("{}: {}", self.cloud.name, one_line(error.as_ref()))),
        }
    }
}
