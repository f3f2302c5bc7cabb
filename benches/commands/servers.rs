//! The real servers, which `.ci/with-lxd` has started.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use lxd_client::{Certificate, Client, Fingerprint};

pub(crate) struct Server {
    pub(crate) folder: PathBuf,
    pub(crate) address: SocketAddr,
    pub(crate) pin: Fingerprint,
    pub(crate) pem: String,
}

impl Server {
    /// All of them; they trust the certificate from now on.
    pub(crate) async fn all(certificate: &str) -> Vec<Server> {
        let folder = |name: &str| std::env::var(name).expect("run it by LXD_MORE=4 .ci/with-lxd");
        let (first, second, further) = (folder("LXD_DIR"), folder("LXD_SECOND"), folder("LXD_FURTHER"));
        let mut servers = Vec::new();
        for folder in [&*first, &*second].into_iter().chain(further.split_whitespace()) {
            servers.push(Server::new(folder.into(), certificate).await);
        }
        servers
    }

    async fn new(folder: PathBuf, certificate: &str) -> Server {
        let local = Client::unix(&folder.join("unix.socket"), Duration::from_secs(60)).unwrap();
        let told = local.server().await.unwrap();
        local.create_certificate(&Certificate::new("bench", certificate)).await.unwrap();
        let address = told.config["core.https_address"].as_str().unwrap().parse().unwrap();
        let pem = told.environment.as_ref().unwrap().rest["certificate"].as_str().unwrap().to_owned();
        Server { folder, address, pin: told.fingerprint().unwrap(), pem }
    }

    /// A client on its socket.
    pub(crate) fn local(&self) -> Client {
        Client::unix(&self.folder.join("unix.socket"), Duration::from_secs(60)).unwrap()
    }
}
