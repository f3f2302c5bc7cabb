//! Prepares a benchmark: ways to the LXD, instances, files.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use lxd_client::{Client, FileOptions, Fingerprint, Identity, NewInstance, Project};
use tailnet::Tailnet;
use tailnet_sandbox::{Peer, Sandbox};

use crate::Figure;
use crate::forwarder::Forwarder;
use crate::kind::Kind;

/// The instance that launch makes and delete deletes, the image that is imported, and the file.
pub(crate) const NAME: &str = "bench-instance";
pub(crate) const IMAGE: &str = "bench-image";
pub(crate) const FILE: &str = "/root/bench-file";

pub(crate) struct Setup {
    local: Client,
    pub(crate) server: SocketAddr,
    pub(crate) pin: Fingerprint,
    pub(crate) folder: tempfile::TempDir,
    /// For each way, and each kind of client, a forwarder of its own, so that the counts are its own.
    forwarders: Vec<Vec<Forwarder>>,
    sandbox: Sandbox,
    pub(crate) node: Tailnet,
}

impl Setup {
    pub(crate) async fn new(ways: &[u64], many: &[usize]) -> Setup {
        let local = Client::local(Duration::from_secs(60)).expect("run it by .ci/with-lxd");
        let told = local.server().await.unwrap();
        let server = told.config["core.https_address"].as_str().unwrap().parse().unwrap();
        let pin = told.fingerprint().unwrap();
        let mut forwarders = Vec::new();
        for way in ways {
            let mut those = Vec::new();
            for _ in Kind::ALL {
                those.push(Forwarder::to(server, Duration::from_millis(*way) / 2).await);
            }
            forwarders.push(those);
        }
        let mut peer = Peer::new("lxd");
        for (way, those) in forwarders.iter().enumerate() {
            peer = peer.forward(port(way), those[Kind::Tailnet as usize].addr);
        }
        let sandbox = Sandbox::start([peer]).await.unwrap();
        let node = Tailnet::builder()
            .control_url(sandbox.control_url())
            .auth_key(sandbox.auth_key().parse().unwrap())
            .ephemeral(true)
            .port_mapping(false)
            .up()
            .await
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let identity = Identity::load_or_generate(&folder.path().join("conf"), "bench").unwrap();
        let pem = std::fs::read_to_string(folder.path().join("conf/client.crt")).unwrap();
        local.create_certificate(&lxd_client::Certificate::new("bench", &pem)).await.unwrap();
        drop(identity);
        let bytes: Vec<u8> = (0..100_000_000_u32).map(|n| (n % 251) as u8).collect();
        std::fs::write(folder.path().join("file"), &bytes).unwrap();
        let archive = tokio::fs::File::create(folder.path().join("image.tar.gz")).await.unwrap();
        export_busybox(&local, archive).await;
        let setup = Setup { local, server, pin, folder, forwarders, sandbox, node };
        for n in many {
            setup.many(*n).await;
        }
        setup
    }

    /// A project with this many instances, which have nothing in them.
    async fn many(&self, count: usize) {
        eprintln!("creating {count} instances");
        let mut project = Project::new(&project(count));
        project.config.insert("features.profiles".to_owned(), "false".to_owned());
        self.local.create_project(&project).await.unwrap();
        let inside = self.local.project(&project.name);
        let creating = (0..count).map(|n| {
            let inside = inside.clone();
            async move {
                let new = NewInstance::empty(&format!("i{n}"));
                inside.create_instance(&new).await.unwrap().wait().await.unwrap();
            }
        });
        futures_util::stream::iter(creating).buffer_unordered(4).collect::<Vec<()>>().await;
    }

    pub(crate) fn image(&self) -> PathBuf {
        self.folder.path().join("image.tar.gz")
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("file")
    }

    /// The forwarder of one way, for one kind of client.
    pub(crate) fn forwarder(&self, way: usize, kind: Kind) -> Forwarder {
        self.forwarders[way][kind as usize].clone()
    }

    /// What a figure needs to be there or not.
    pub(crate) async fn prepare(&self, figure: Figure) {
        match figure {
            Figure::Delete => drop(self.local.launch(&NewInstance::from_alias(NAME, "busybox")).await),
            Figure::Pull => {
                let file = tokio::fs::File::open(self.file()).await.unwrap();
                let files = self.local.instance("c1").files();
                files.write(FILE, file, &FileOptions::default()).await.unwrap();
            }
            _ => {}
        }
    }

    pub(crate) async fn tidy(&self, figure: Figure) {
        match figure {
            Figure::Launch | Figure::Delete => drop(self.local.instance(NAME).delete_forced().await),
            Figure::Push | Figure::Pull => drop(self.local.instance("c1").files().delete(FILE).await),
            Figure::Import => {
                for image in self.local.images().await.unwrap() {
                    if !image.aliases.iter().any(|alias| alias.name == "busybox") {
                        self.local.image(&image.fingerprint).delete().await.unwrap().wait().await.unwrap();
                    }
                }
            }
            _ => {}
        }
    }

    /// How fast the server itself is with a file: what curl needs, straight, without a delay.
    pub(crate) async fn limit(&self, figure: Figure) -> Duration {
        self.prepare(figure).await;
        let url = format!("https://{}/1.0/instances/c1/files?path={FILE}", self.server);
        let conf = self.folder.path().join("conf");
        let (file, crt, key) = (self.file(), conf.join("client.crt"), conf.join("client.key"));
        let mut command = tokio::process::Command::new("curl");
        command
            .args(["-sSfk", "--http1.1", "-o"])
            .arg(conf.join("pulled"))
            .arg("--cert")
            .arg(crt)
            .arg("--key")
            .arg(key);
        if figure == Figure::Push {
            command.args(["-X", "POST", "-H", "content-type: application/octet-stream", "-T"]).arg(file);
        }
        let began = Instant::now();
        assert!(command.arg(url).status().await.unwrap().success());
        let took = began.elapsed();
        self.tidy(figure).await;
        took
    }

    pub(crate) async fn end(self) {
        for project in self.local.projects().await.unwrap().iter().filter(|p| p.name != "default") {
            let inside = self.local.project(&project.name);
            for instance in inside.instances().await.unwrap() {
                inside.instance(&instance.name).delete_forced().await.unwrap();
            }
            self.local.project_named(&project.name).delete().await.unwrap();
        }
        self.node.close().await.unwrap();
        self.sandbox.stop().await.unwrap();
    }
}

/// An archive of the busybox image with another fingerprint, as a server that lacks it would get it.
async fn export_busybox(local: &Client, mut to: tokio::fs::File) {
    let image = local.image_alias("busybox").get().await.unwrap();
    let mut export = local.image(&image.target).export().await.unwrap();
    tokio::io::copy(&mut export, &mut to).await.unwrap();
    // What follows the end of a gzip stream changes the fingerprint and nothing else: an empty member.
    let empty = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    tokio::io::AsyncWriteExt::write_all(&mut to, &empty).await.unwrap();
    tokio::io::AsyncWriteExt::flush(&mut to).await.unwrap();
}

pub(crate) fn port(way: usize) -> u16 {
    8443 + u16::try_from(way).unwrap()
}

pub(crate) fn project(count: usize) -> String {
    format!("many-{count}")
}
