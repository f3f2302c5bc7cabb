//! The clients that are measured.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use futures_util::StreamExt;
use lxd_client::{Client, FileOptions, Identity, ImageOptions, NewInstance, ServerTrust};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::Figure;
use crate::forwarder::Forwarder;
use crate::kind::Kind;
use crate::setup::{FILE, IMAGE, NAME, Setup, port, project};
use crate::to::To;

type Done = Result<(), Box<dyn std::error::Error>>;

/// One client at the beginning of one way.
pub(crate) struct Runner {
    pub(crate) kind: Kind,
    forwarder: Forwarder,
    conf: PathBuf,
    file: PathBuf,
    image: PathBuf,
    make: Box<dyn Fn() -> Client>,
    client: Client,
    pylxd: Option<Pylxd>,
}

struct Pylxd {
    _process: Child,
    stdin: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Runner {
    /// A client of each kind at the beginning of a way; with nothing to warm up that a user would not have warm.
    pub(crate) async fn all(setup: &Setup, way: usize) -> Vec<Runner> {
        let mut runners = Vec::new();
        for kind in Kind::ALL {
            runners.push(Runner::new(setup, kind, way).await);
        }
        runners
    }

    async fn new(setup: &Setup, kind: Kind, way: usize) -> Runner {
        let forwarder = setup.forwarder(way, kind);
        let conf = setup.folder.path().join("conf");
        let (pin, addr, node) = (setup.pin, forwarder.addr, setup.node.clone());
        let identity = Identity::load_or_generate(&conf, "bench").unwrap();
        let make = move || {
            let uri = format!("https://lxd:{}", port(way)).parse().unwrap();
            let builder = match kind {
                Kind::Tailnet => Client::builder(uri, node.connector()),
                _ => Client::builder(uri, To(addr)),
            };
            let trust = ServerTrust::Fingerprint(pin);
            builder.trust(trust).identity(identity.clone()).timeout(Duration::from_secs(60)).build().unwrap()
        };
        let client = make();
        let mut runner = Runner {
            kind,
            forwarder,
            conf,
            file: setup.file(),
            image: setup.image(),
            make: Box::new(make),
            client,
            pylxd: None,
        };
        if kind == Kind::Lxc {
            // Its trust store is warm.
            let url = format!("https://{addr}");
            let _ = runner.lxc(&["remote", "remove", "far"]).await;
            runner.lxc(&["remote", "add", "far", &url, "--accept-certificate"]).await.unwrap();
        }
        runner.restart().await;
        runner
    }

    /// After something hung, too.
    pub(crate) async fn restart(&mut self) {
        match self.kind {
            Kind::Tailnet | Kind::Warm => {
                self.client = (self.make)();
                self.client.server().await.unwrap();
                // The streams of a first command: their connections are what a warm pool has.
                self.client.instance("c1").exec(["true"]).status().await.unwrap();
            }
            Kind::Pylxd => self.pylxd = Some(self.start_pylxd()),
            Kind::Cold | Kind::Lxc => {}
        }
    }

    /// Round trips and connections so far.
    pub(crate) fn counted(&self) -> (u64, u64) {
        (self.forwarder.round_trips(), self.forwarder.connections())
    }

    pub(crate) async fn run(&mut self, figure: Figure) -> Done {
        match self.kind {
            Kind::Tailnet | Kind::Warm => self.ours(&self.client, figure).await,
            Kind::Cold => self.ours(&(self.make)(), figure).await,
            Kind::Lxc => self.stock_lxc(figure).await,
            Kind::Pylxd => self.stock_pylxd(figure).await,
        }
    }

    async fn ours(&self, client: &Client, figure: Figure) -> Done {
        let c1 = client.instance("c1");
        match figure {
            Figure::List => drop(client.instances().with_state().await?),
            Figure::ListMany(n) => {
                let listed = client.project(&project(n)).instances().with_state().await?;
                assert_eq!(listed.len(), n);
            }
            Figure::Exec => assert!(c1.exec(["true"]).status().await?.success()),
            Figure::Exec32 => {
                for status in
                    futures_util::future::join_all((0..32).map(|_| c1.exec(["true"]).status())).await
                {
                    assert!(status?.success());
                }
            }
            Figure::Launch => drop(client.launch(&NewInstance::from_alias(NAME, "busybox")).await?),
            Figure::Delete => client.instance(NAME).delete_forced().await?,
            Figure::Push => {
                let file = tokio::fs::File::open(&self.file).await?;
                c1.files().write(FILE, file, &FileOptions::default()).await?;
            }
            Figure::Pull => {
                let lxd_client::Entry::File(_, mut file) = c1.files().read(FILE).await? else {
                    return Err("no file".into());
                };
                let mut here = tokio::fs::File::create(self.conf.join("pulled")).await?;
                let mut length = 0;
                while let Some(piece) = file.next().await {
                    let piece = piece?;
                    length += piece.len();
                    here.write_all(&piece).await?;
                }
                here.flush().await?;
                assert_eq!(length, 100_000_000);
            }
            Figure::Import => {
                let file = tokio::fs::File::open(&self.image).await?;
                client.import_image(file, &ImageOptions::default()).await?.wait().await?;
            }
        }
        Ok(())
    }

    async fn lxc(&self, args: &[&str]) -> Done {
        let mut command = Command::new("lxc");
        command.args(args).env("LXD_CONF", &self.conf).env_remove("LXD_DIR").kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let output = command.spawn()?.wait_with_output().await?;
        match output.status.success() {
            true => Ok(()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned().into()),
        }
    }

    async fn stock_lxc(&self, figure: Figure) -> Done {
        let (c1, name, image) = ("far:c1", format!("far:{NAME}"), self.image.display().to_string());
        let (file, there) = (self.file.display().to_string(), format!("far:c1{FILE}"));
        let pulled = self.conf.join("pulled").display().to_string();
        match figure {
            Figure::List => self.lxc(&["list", "far:", "--format", "json"]).await,
            Figure::ListMany(n) => {
                self.lxc(&["list", "far:", "--project", &project(n), "--format", "json"]).await
            }
            Figure::Exec => self.lxc(&["exec", c1, "--", "true"]).await,
            Figure::Exec32 => {
                let exec = ["exec", c1, "--", "true"];
                let all = (0..32).map(|_| self.lxc(&exec));
                futures_util::future::join_all(all).await.into_iter().collect()
            }
            Figure::Launch => self.lxc(&["launch", "far:busybox", &name]).await,
            Figure::Delete => self.lxc(&["delete", "--force", &name]).await,
            Figure::Push => self.lxc(&["file", "push", &file, &there]).await,
            Figure::Pull => self.lxc(&["file", "pull", &there, &pulled]).await,
            Figure::Import => self.lxc(&["image", "import", &image, "far:", "--alias", IMAGE]).await,
        }
    }

    fn start_pylxd(&self) -> Pylxd {
        let python = std::env::var("PYLXD_PYTHON").expect("PYLXD_PYTHON=$(.ci/pylxd)");
        let mut command = Command::new(python);
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/benches/lxd/pylxd_client.py"));
        command.arg(format!("https://{}", self.forwarder.addr)).args([&self.conf, &self.file, &self.image]);
        // These would have it verify the server after all.
        command.env_remove("REQUESTS_CA_BUNDLE").env_remove("CURL_CA_BUNDLE");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().unwrap();
        let (stdin, stdout) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        Pylxd { _process: process, stdin, answers: BufReader::new(stdout).lines() }
    }

    async fn stock_pylxd(&mut self, figure: Figure) -> Done {
        let pylxd = self.pylxd.as_mut().ok_or("not started")?;
        let line = match figure {
            Figure::ListMany(n) => format!("ListMany {}\n", project(n)),
            other => format!("{other:?} {NAME}\n"),
        };
        pylxd.stdin.write_all(line.as_bytes()).await?;
        match pylxd.answers.next_line().await?.as_deref() {
            Some("ok") => Ok(()),
            Some(other) => Err(other.to_owned().into()),
            None => {
                self.pylxd = Some(self.start_pylxd());
                Err("it ended".into())
            }
        }
    }
}
