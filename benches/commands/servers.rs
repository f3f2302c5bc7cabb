//! The real servers, which `.ci/with-lxd` has started.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use futures_util::StreamExt;
use lxd_client::{Certificate, Client, Fingerprint, NewInstance, Project};

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

    /// The one of a folder; it trusts the certificate from now on.
    pub(crate) async fn new(folder: PathBuf, certificate: &str) -> Server {
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

    /// A project with so many instances, which have nothing in them. None are made where it is there already.
    pub(crate) async fn create_many(&self, name: &str, many: usize) {
        let local = self.local();
        let inside = local.project(name);
        if inside.instances().await.is_ok_and(|list| !list.is_empty()) {
            return;
        }
        let mut project = Project::new(name);
        project.config.insert("features.profiles".to_owned(), "false".to_owned());
        local.create_project(&project).await.unwrap();
        let creating = (0..many).map(|number| {
            let inside = inside.clone();
            async move {
                let new = NewInstance::empty(&format!("i{number}"));
                inside.create_instance(&new).await.unwrap().wait().await.unwrap();
            }
        });
        futures_util::stream::iter(creating).buffer_unordered(4).collect::<Vec<()>>().await;
    }
}
