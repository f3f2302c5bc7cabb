//! Ways of several lengths to the servers, a node for each that runs in a sandbox tailnet, and a home for `lxc`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use lxd_client::Identity;
use tailnet_sandbox::{Peer, Sandbox};
use tokio::runtime::Runtime;

use crate::figure::{CLOUDS, Figure, Rival, STARTED, started};
use crate::forwarder::Forwarder;
use crate::program::{ask, command};
use crate::servers::Server;
use crate::stock::{Stock, starting};
use crate::table::Needed;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Program {
    Ours,
    Lxc,
}

pub(crate) struct World {
    runtime: Runtime,
    sandbox: Sandbox,
    home: tempfile::TempDir,
    program: PathBuf,
    servers: Vec<Server>,
    /// A node for each way, so that a list of all its clouds goes one way.
    nodes: Vec<Node>,
}

/// A running node, which ends with this, also when the benchmark breaks off.
struct Node(Child);

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}

impl World {
    pub(crate) fn new(program: PathBuf, ways: &[u64], stock: &[Stock]) -> World {
        let runtime = Runtime::new().unwrap();
        let home = tempfile::tempdir().unwrap();
        let conf = home.path().join("conf");
        drop(Identity::load_or_generate(&conf, "bench").unwrap());
        let certificate = std::fs::read_to_string(conf.join("client.crt")).unwrap();
        let stock: BTreeSet<Stock> = stock.iter().copied().collect();
        let (servers, sandbox) = runtime.block_on(async {
            let servers = Server::all(&certificate).await;
            for stock in &stock {
                stock.create(&servers).await;
            }
            let sandbox = lead(&servers, home.path(), ways).await;
            (servers, sandbox)
        });
        let many =
            stock.iter().find_map(|stock| if let Stock::Many(many) = stock { Some(*many) } else { None });
        let mut world = World { runtime, sandbox, home, program, servers, nodes: Vec::new() };
        for way in 0..ways.len() {
            let log = std::fs::File::create(world.home.path().join(format!("way{way}.log"))).unwrap();
            let mut node = world.node(way);
            world.nodes.push(Node(node.arg("run").stderr(log).spawn().unwrap()));
            world.wait_for(way, many);
        }
        world
    }

    /// Waits until the node of a way sees all instances, and has looked at them: a list then asks no server. A command before
    /// that would ask the servers itself, or start a node of its own.
    fn wait_for(&mut self, way: usize, many: Option<usize>) {
        let (project, expected) = many.map_or(("default", 1), |many| ("many", many));
        let began = Instant::now();
        loop {
            let rows = self.inventory(way, project);
            let known = rows["instances"].as_array().into_iter().flatten();
            if known.filter(|row| row["snapshots"].is_u64()).count() >= CLOUDS * expected {
                return;
            }
            let ended = self.nodes[way].0.try_wait().unwrap();
            if ended.is_some() || began.elapsed() > Duration::from_secs(240) {
                let log = std::fs::read_to_string(self.home.path().join(format!("way{way}.log"))).unwrap();
                panic!("the node does not see all instances, {ended:?}:\n{log}");
            }
            std::thread::sleep(Duration::from_millis(500));
        }
    }

    /// What the node of a way knows of a project; nothing before it serves its socket.
    fn inventory(&self, way: usize, project: &str) -> serde_json::Value {
        let path = format!("/v1/inventory?kinds=instances&projects={project}&fields=snapshots");
        ask(&self.home.path().join(format!("way{way}")), &path)
    }

    /// Our program, for the node of a way.
    fn node(&self, way: usize) -> Command {
        command(&self.program, self.home.path(), &format!("way{way}"), self.sandbox.auth_key())
    }

    /// Runs a figure's command to its end, or the rival's commands.
    pub(crate) fn run(&self, program: Program, way: usize, figure: &Figure) -> Result<Needed, String> {
        let lxc = |arguments: &[String]| {
            let mut lxc = Command::new("lxc");
            lxc.env("LXD_CONF", self.home.path().join("conf")).env_remove("LXD_DIR");
            lxc.args(led(arguments, &format!("first{way}:"), &format!("second{way}:")));
            lxc
        };
        let commands: Vec<Command> = match (program, &figure.lxc) {
            (Program::Ours, _) => {
                let mut command = self.node(way);
                command.arg("lxd").args(led(&figure.ours, "cloud0:", "second:"));
                vec![command]
            }
            (Program::Lxc, Rival::Lxc(arguments, times)) => (0..*times).map(|_| lxc(arguments)).collect(),
            (Program::Lxc, Rival::Loops) => return self.loops(),
        };
        let (began, mut memory) = (Instant::now(), 0);
        for command in commands {
            let (output, most) = run(command, figure.memory);
            memory = memory.max(most);
            succeeded(&output)?;
        }
        Ok(Needed { time: began.elapsed(), memory: figure.memory.then_some(memory) })
    }

    /// A loop in each server's own shell, all at once.
    fn loops(&self) -> Result<Needed, String> {
        let began = Instant::now();
        let shells = starting(&self.servers).enumerate().map(|(number, server)| {
            let names: Vec<String> = (0..STARTED).map(|instance| started(number, instance)).collect();
            let mut shell = Command::new("sh");
            shell.args(["-ec", &format!("for name in {}; do lxc start $name; done", names.join(" "))]);
            shell.env("LXD_DIR", &server.folder).stdin(Stdio::null()).stdout(Stdio::piped());
            shell.stderr(Stdio::piped()).spawn().unwrap()
        });
        let shells: Vec<Child> = shells.collect();
        for shell in shells {
            succeeded(&shell.wait_with_output().unwrap())?;
        }
        Ok(Needed { time: began.elapsed(), memory: None })
    }

    /// Runs `lxc` on the first server's socket, or after the words SECOND and ALL on others'.
    pub(crate) fn prepare(&self, command: &str) {
        let (servers, arguments) = match command.split_once(' ') {
            Some(("SECOND", arguments)) => (&self.servers[1..2], arguments),
            Some(("ALL", arguments)) => (&self.servers[..], arguments),
            _ => (&self.servers[..1], command),
        };
        for server in servers {
            let mut lxc = Command::new("lxc");
            let lxc = lxc.args(arguments.split(' ')).env("LXD_DIR", &server.folder).stdin(Stdio::null());
            let _ = lxc.output().unwrap();
        }
    }

    /// The most memory of the nodes.
    pub(crate) fn memory(&self) -> String {
        let most = |Node(node): &Node| format!("{:.0} MB", most_memory(node.id()).unwrap_or(0) as f64 / 1e3);
        self.nodes.iter().map(most).collect::<Vec<_>>().join(", ")
    }

    /// The instances go with the servers.
    pub(crate) fn end(self) {
        drop(self.nodes);
        self.runtime.block_on(self.sandbox.stop()).unwrap();
    }
}

/// The arguments with the names that lead to the servers.
fn led<'a>(arguments: &'a [String], first: &'a str, second: &'a str) -> impl Iterator<Item = String> + 'a {
    arguments.iter().map(move |argument| argument.replace("CLOUD:", first).replace("SECOND:", second))
}

/// Runs a command, and gives the most memory that it had in KB, if that is wanted.
fn run(mut command: Command, with_memory: bool) -> (Output, u64) {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let (id, ended) = (child.id(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let most = with_memory.then(|| {
            scope.spawn(|| {
                let mut most = 0;
                while !ended.load(Ordering::Relaxed) {
                    most = most.max(most_memory(id).unwrap_or(0));
                    std::thread::sleep(Duration::from_millis(20));
                }
                most
            })
        });
        let output = child.wait_with_output().unwrap();
        ended.store(true, Ordering::Relaxed);
        (output, most.map_or(0, |most| most.join().unwrap()))
    })
}

/// The most memory that a process had resident, in KB.
fn most_memory(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

fn succeeded(output: &Output) -> Result<(), String> {
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Makes the ways, the tailnet, and the configurations of both programs.
async fn lead(servers: &[Server], home: &Path, ways: &[u64]) -> Sandbox {
    let conf = home.join("conf");
    std::fs::create_dir(conf.join("servercerts")).unwrap();
    let mut peer = Peer::new("lxd");
    let mut remotes = String::from("default-remote: local\nremotes:\n  local: {addr: 'unix://'}\n");
    for (way, milliseconds) in ways.iter().enumerate() {
        let delay = Duration::from_millis(*milliseconds) / 2;
        for (number, server) in servers.iter().enumerate() {
            peer = peer.forward(port(way, number), Forwarder::to(server.address, delay).await.addr);
        }
        for (name, server) in ["first", "second"].into_iter().zip(servers) {
            let straight = Forwarder::to(server.address, delay).await.addr;
            remotes += &format!(
                "  {name}{way}: {{addr: 'https://{straight}', auth_type: tls, protocol: lxd, public: false}}\n"
            );
            std::fs::write(conf.join(format!("servercerts/{name}{way}.crt")), &server.pem).unwrap();
        }
    }
    std::fs::write(conf.join("config.yml"), remotes).unwrap();
    let sandbox = Sandbox::start([peer]).await.unwrap();
    for way in 0..ways.len() {
        configure(servers, home, way, &sandbox.control_url().to_string());
    }
    sandbox
}

/// Makes the configuration of our program for a way.
fn configure(servers: &[Server], home: &Path, way: usize, control_url: &str) {
    let folder: PathBuf = home.join(format!("way{way}"));
    std::fs::create_dir_all(&folder).unwrap();
    for name in ["client.crt", "client.key"] {
        std::fs::copy(home.join("conf").join(name), folder.join(name)).unwrap();
    }
    let mut text = format!(
        "state_dir: way{way}\nhostname: way{way}\ncontrol_url: {control_url}\nlocal: {{listen: none}}\nclouds:\n"
    );
    let mut cloud = |name: &str, number: usize| {
        let (port, pin) = (port(way, number), &servers[number].pin);
        text += &format!("  - {{name: {name}, address: 'lxd:{port}', trust: {{fingerprint: {pin}}}}}\n");
    };
    (0..CLOUDS).for_each(|number| cloud(&format!("cloud{number}"), 0));
    cloud("second", 1);
    if way == 0 {
        (0..servers.len()).filter(|server| *server != 1).enumerate().for_each(|(number, server)| {
            cloud(&format!("start{number}"), server);
        });
    }
    std::fs::write(home.join(format!("way{way}.yaml")), text).unwrap();
}

fn port(way: usize, server: usize) -> u16 {
    8443 + 10 * u16::try_from(way).unwrap() + u16::try_from(server).unwrap()
}
