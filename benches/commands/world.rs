//! Two real LXDs, ways of several lengths to them, a node that runs in a sandbox tailnet, and a home for `lxc`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use lxd_client::{Certificate, Client, FileOptions, Identity, NewInstance, Project};
use tailnet_sandbox::{Peer, Sandbox};
use tokio::runtime::Runtime;

use crate::forwarder::Forwarder;

pub(crate) const HEAD: &str = "\
# The commands beside `lxc`

Made by `.ci/with-lxd cargo bench --bench commands -- --save benches/commands/BENCHMARK.md`.
Servers, clients, tailnet and forwarders share two cores, so only the ratios within one run mean something. Medians of
whole processes. `lxc` goes straight to a delaying forwarder; ours goes through a tailnet to one, by a running node. A list
of 5 clouds has no like in `lxc`: it is compared with its list of one.
";

/// How many clouds of the node's lead to the first server by each way, for a list of several clouds.
const CLOUDS: usize = 5;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Program {
    Ours,
    Lxc,
}

pub(crate) struct World {
    runtime: Runtime,
    sandbox: Sandbox,
    home: tempfile::TempDir,
    servers: [PathBuf; 2],
    /// A node for each way, so that a list of all its clouds goes one way.
    nodes: Vec<Child>,
}

impl World {
    pub(crate) fn new(ways: &[u64], many: usize, copied: usize) -> World {
        let runtime = Runtime::new().unwrap();
        let folder = |name| PathBuf::from(std::env::var_os(name).expect("run it by .ci/with-lxd"));
        let servers = [folder("LXD_DIR"), folder("LXD_SECOND")];
        let home = tempfile::tempdir().unwrap();
        let sandbox = runtime.block_on(prepare(&servers, home.path(), ways, many, copied));
        let mut world = World { runtime, sandbox, home, servers, nodes: Vec::new() };
        for way in 0..ways.len() {
            let mut node = world.node(way);
            world.nodes.push(node.arg("run").stderr(Stdio::null()).spawn().unwrap());
            let began = Instant::now();
            let all_there = |output: &[u8]| {
                let rows: serde_json::Value = serde_json::from_slice(output).unwrap_or_default();
                rows.as_array().is_some_and(|rows| rows.len() >= CLOUDS * many)
            };
            let lists = || {
                let mut list = world.node(way);
                list.args(["lxd", "list", "--project", "many", "-o", "json"]).output().unwrap()
            };
            while !all_there(&lists().stdout) {
                assert!(began.elapsed() < Duration::from_secs(120), "the node does not see all instances");
                std::thread::sleep(Duration::from_secs(1));
            }
        }
        world
    }

    /// Our program, for the node of a way.
    fn node(&self, way: usize) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_kolaboree-node"));
        program
            .current_dir(self.home.path())
            .args(["--config", &format!("way{way}.yaml")])
            .env("TAILSCALE_AUTH_KEY", self.sandbox.auth_key())
            .env("TS_NO_LOGS_NO_SUPPORT", "true")
            .env("TS_DISABLE_PORTMAPPER", "true")
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        program
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, program: Program, way: usize, arguments: &str) -> Result<(), String> {
        let (first, second) = match program {
            Program::Ours => ("cloud0:".to_owned(), "second:".to_owned()),
            Program::Lxc => (format!("first{way}:"), format!("second{way}:")),
        };
        let arguments = arguments.replace("CLOUD:", &first).replace("SECOND:", &second);
        let mut command = match program {
            Program::Ours => {
                let mut command = self.node(way);
                command.arg("lxd");
                command
            }
            Program::Lxc => self.lxc(),
        };
        let output = command.args(arguments.split(' ')).output().unwrap();
        if output.status.success() {
            Ok(())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    fn lxc(&self) -> Command {
        let mut lxc = Command::new("lxc");
        lxc.env("LXD_CONF", self.home.path().join("conf")).env_remove("LXD_DIR").stdin(Stdio::null());
        lxc
    }

    /// Runs `lxc` on the first server's socket, or after the word SECOND on the other's.
    pub(crate) fn prepare(&self, command: &str) {
        let (server, arguments) = match command.strip_prefix("SECOND ") {
            Some(arguments) => (&self.servers[1], arguments),
            None => (&self.servers[0], command),
        };
        let mut lxc = Command::new("lxc");
        let _ = lxc.args(arguments.split(' ')).env("LXD_DIR", server).stdin(Stdio::null()).output().unwrap();
    }

    /// The memory of the nodes.
    pub(crate) fn memory(&self) -> String {
        let resident = |node: &Child| {
            let status = std::fs::read_to_string(format!("/proc/{}/status", node.id())).unwrap_or_default();
            let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("?");
            line.trim().to_owned()
        };
        self.nodes.iter().map(resident).collect::<Vec<_>>().join(", ")
    }

    pub(crate) fn end(mut self) {
        for node in &mut self.nodes {
            node.kill().unwrap();
            node.wait().unwrap();
        }
        self.prepare("delete bench-big bench-small");
        self.runtime.block_on(async {
            let local = local(&self.servers[0]);
            let inside = local.project("many");
            for instance in inside.instances().await.unwrap() {
                inside.instance(&instance.name).delete_forced().await.unwrap();
            }
            local.project_named("many").delete().await.unwrap();
            self.sandbox.stop().await.unwrap();
        });
    }
}

fn local(folder: &Path) -> Client {
    Client::unix(&folder.join("unix.socket"), Duration::from_secs(60)).unwrap()
}

/// Instances, certificates, ways, the tailnet and the configurations.
async fn prepare(servers: &[PathBuf; 2], home: &Path, ways: &[u64], many: usize, copied: usize) -> Sandbox {
    let conf = home.join("conf");
    drop(Identity::load_or_generate(&conf, "bench").unwrap());
    let certificate = std::fs::read_to_string(conf.join("client.crt")).unwrap();
    std::fs::create_dir(conf.join("servercerts")).unwrap();
    let mut targets = Vec::new();
    for folder in servers {
        let local = local(folder);
        let server = local.server().await.unwrap();
        local.create_certificate(&Certificate::new("bench", &certificate)).await.unwrap();
        let address: SocketAddr = server.config["core.https_address"].as_str().unwrap().parse().unwrap();
        let pem = server.environment.as_ref().unwrap().rest["certificate"].as_str().unwrap().to_owned();
        targets.push((address, server.fingerprint().unwrap(), pem));
    }
    instances(&local(&servers[0]), many, copied).await;

    let mut peer = Peer::new("lxd");
    let mut remotes = String::from("default-remote: local\nremotes:\n  local: {addr: 'unix://'}\n");
    for (way, milliseconds) in ways.iter().enumerate() {
        let delay = Duration::from_millis(*milliseconds) / 2;
        for (number, (address, _, pem)) in targets.iter().enumerate() {
            let name = ["first", "second"][number];
            peer = peer.forward(port(way, number), Forwarder::to(*address, delay).await.addr);
            let straight = Forwarder::to(*address, delay).await.addr;
            remotes += &format!(
                "  {name}{way}: {{addr: 'https://{straight}', auth_type: tls, protocol: lxd, public: false}}\n"
            );
            std::fs::write(conf.join(format!("servercerts/{name}{way}.crt")), pem).unwrap();
        }
    }
    std::fs::write(conf.join("config.yml"), remotes).unwrap();
    let sandbox = Sandbox::start([peer]).await.unwrap();
    let certificates = |to: &Path| {
        std::fs::create_dir_all(to).unwrap();
        for name in ["client.crt", "client.key"] {
            std::fs::copy(conf.join(name), to.join(name)).unwrap();
        }
    };
    for way in 0..ways.len() {
        certificates(&home.join(format!("way{way}")));
        let mut text = format!(
            "state_dir: way{way}\nhostname: way{way}\ncontrol_url: {}\nlocal: {{listen: none}}\nclouds:\n",
            sandbox.control_url()
        );
        let mut cloud = |name: &str, number: usize| {
            let (port, pin) = (port(way, number), &targets[number].1);
            text += &format!("  - {{name: {name}, address: 'lxd:{port}', trust: {{fingerprint: {pin}}}}}\n");
        };
        (0..CLOUDS).for_each(|number| cloud(&format!("cloud{number}"), 0));
        cloud("second", 1);
        std::fs::write(home.join(format!("way{way}.yaml")), text).unwrap();
    }
    sandbox
}

/// A project with many instances that have nothing in them, a small instance, and a big one.
async fn instances(local: &Client, many: usize, copied: usize) {
    eprintln!("creating {many} instances, and one of {copied} MB");
    let mut project = Project::new("many");
    project.config.insert("features.profiles".to_owned(), "false".to_owned());
    local.create_project(&project).await.unwrap();
    let inside = local.project("many");
    for number in 0..many {
        let new = NewInstance::empty(&format!("i{number}"));
        inside.create_instance(&new).await.unwrap().wait().await.unwrap();
    }
    for name in ["bench-small", "bench-big"] {
        let new = NewInstance::from_alias(name, "busybox");
        local.create_instance(&new).await.unwrap().wait().await.unwrap();
    }
    let files = local.instance("bench-big").files();
    for number in 0..copied.div_ceil(100) {
        let bytes: Vec<u8> = (0..100_000_000_u64)
            .map(|n| (n.wrapping_mul(0x9E37_79B9_7F4A_7C15 ^ number as u64) >> 40) as u8)
            .collect();
        let file = std::io::Cursor::new(bytes);
        files.write(&format!("/root/file{number}"), file, &FileOptions::default()).await.unwrap();
    }
}

fn port(way: usize, server: usize) -> u16 {
    8443 + 2 * u16::try_from(way).unwrap() + u16::try_from(server).unwrap()
}
