//! A running `kolaboree-node` in a sandbox tailnet.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use serde_json::Value;
pub(crate) use tailnet_sandbox::free_port;
use tailnet_sandbox::{Peer, Sandbox, SandboxError, StandIn, User};
use tokio::runtime::Runtime;

use crate::program::{HANG, Printed, command, finish, run};

/// A tailnet whose peer `berlin` leads to a stand-in for LXD, and a home for a node.
pub(crate) struct World {
    runtime: Runtime,
    pub(crate) sandbox: Sandbox,
    pub(crate) standin: StandIn,
    pub(crate) home: tempfile::TempDir,
}

impl World {
    pub(crate) fn new() -> World {
        World::with([])
    }

    /// With more peers.
    pub(crate) fn with(peers: impl IntoIterator<Item = Peer>) -> World {
        World::with_peers_of(|_| peers)
    }

    /// With more peers, which may lead to the stand-in.
    pub(crate) fn with_peers_of<P: IntoIterator<Item = Peer>>(peers: impl FnOnce(SocketAddr) -> P) -> World {
        World::start_by(async |berlin, standin| {
            Sandbox::start([berlin].into_iter().chain(peers(standin))).await
        })
    }

    /// With no way to the peer but the relay.
    pub(crate) fn relayed() -> World {
        World::start_by(async |berlin, _| Sandbox::start_relayed([berlin]).await)
    }

    fn start_by(start: impl AsyncFnOnce(Peer, SocketAddr) -> Result<Sandbox, SandboxError>) -> World {
        let runtime = Runtime::new().unwrap();
        let (standin, sandbox) = runtime.block_on(async {
            let standin = StandIn::start().await.unwrap();
            let berlin = Peer::new("berlin").forward(8443, standin.addr()).echo(7);
            let sandbox = start(berlin, standin.addr()).await.unwrap();
            (standin, sandbox)
        });
        World { runtime, sandbox, standin, home: tempfile::tempdir().unwrap() }
    }

    /// Gives each of these peers a user of its own, NAME@example.com.
    pub(crate) fn give_users(&self, names: &[&str]) {
        for (number, name) in (1001..).zip(names) {
            let user = User::new(number, format!("{name}@example.com"));
            self.wait(self.sandbox.set_user(name, &user)).unwrap();
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Writes a file of the home.
    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// The configuration with what every test needs, and `more`.
    pub(crate) fn configure(&self, more: &str) {
        let control = self.sandbox.control_url();
        let text =
            format!("state_dir: state\ncontrol_url: {control}\ninterval: 0.2\ngrace_timeout: 2\n{more}");
        self.write("kolaboree.yaml", &text);
    }

    /// The configuration of the cloud `berlin`, as an item of `clouds`.
    pub(crate) fn berlin(&self) -> String {
        format!(
            "  - {{name: berlin, address: 'berlin:8443', trust: {{fingerprint: {}}}}}\n",
            self.standin.fingerprint()
        )
    }

    /// Configures the cloud `berlin` and an address for health on any port that is free.
    pub(crate) fn configure_berlin(&self) {
        self.configure(&format!(
            "local: {{listen: '127.0.0.1:{}'}}\nclouds:\n{}",
            free_port(),
            self.berlin()
        ));
    }

    /// The program, with the sandbox's key in its environment.
    pub(crate) fn program(&self) -> Command {
        let mut program = self.keyless();
        program.env("TAILSCALE_AUTH_KEY", self.sandbox.auth_key());
        program
    }

    pub(crate) fn keyless(&self) -> Command {
        let mut program = command(env!("CARGO_BIN_EXE_kolaboree-node"), self.home.path());
        program.env("TS_DISABLE_PORTMAPPER", "true");
        program
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Printed {
        run(self.program().args(arguments))
    }

    /// Runs a command to its end, which must be a good one, and gives what it printed.
    pub(crate) fn good(&self, arguments: &[&str]) -> String {
        let printed = self.run(arguments);
        assert_eq!(printed.code, Some(0), "{arguments:?}: {} {}", printed.stdout, printed.stderr);
        printed.stdout
    }

    /// The same of one that gives JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let printed = self.good(&[arguments, &["-o", "json"]].concat());
        serde_json::from_str(&printed).unwrap_or_else(|e| panic!("{e}: {printed}"))
    }

    /// What `status` prints; of a node that is down it exits with a code of its own.
    pub(crate) fn status(&self) -> Value {
        serde_json::from_str(&self.run(&["status", "-o", "json"]).stdout).unwrap()
    }

    /// Starts the service.
    pub(crate) fn start(&self) -> Service {
        Service::start(self.program())
    }

    pub(crate) fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(async { tokio::time::timeout(HANG, future).await.expect("it hangs") })
    }
}

fn forward(stream: impl std::io::Read + Send + 'static, to: Sender<String>) {
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let _ = to.send(line);
        }
    });
}

/// The service, and the log that it writes.
pub(crate) struct Service {
    child: Option<Child>,
    lines: Receiver<String>,
    pub(crate) log: String,
}

impl Service {
    pub(crate) fn start(mut program: Command) -> Service {
        let mut child = program.spawn().unwrap();
        let (sender, lines) = channel();
        forward(child.stderr.take().unwrap(), sender);
        Service { child: Some(child), lines, log: String::new() }
    }

    /// As [`start`](Service::start), of a program that says things on its standard output too.
    pub(crate) fn start_with_stdout(mut program: Command) -> Service {
        let mut child = program.spawn().unwrap();
        let (sender, lines) = channel();
        forward(child.stderr.take().unwrap(), sender.clone());
        forward(child.stdout.take().unwrap(), sender);
        Service { child: Some(child), lines, log: String::new() }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// Waits for a line that comes from now on and has the text in it, and gives it.
    pub(crate) fn says(&mut self, text: &str) -> String {
        let deadline = Instant::now() + HANG;
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.log += &(line.clone() + "\n");
                    if line.contains(text) {
                        return line;
                    }
                }
                Err(RecvTimeoutError::Timeout) => panic!("it never says {text:?}:\n{}", self.log),
                Err(RecvTimeoutError::Disconnected) => panic!("it ended without {text:?}:\n{}", self.log),
            }
        }
    }

    /// Waits until it has joined.
    pub(crate) fn joins(&mut self) {
        self.says("Tailscale connected successfully");
    }

    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.pid().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Ends it with a signal, and gives all that it said.
    pub(crate) fn ends_on(mut self, signal: &str) -> (Option<i32>, String) {
        self.signal(signal);
        self.ended()
    }

    /// Waits for its end.
    pub(crate) fn ended(&mut self) -> (Option<i32>, String) {
        let printed = finish(self.child.take().unwrap());
        self.log.extend(self.lines.iter().map(|line| line + "\n"));
        (printed.code, self.log.clone())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Asks again and again until the answer is the right one.
pub(crate) fn until<T: std::fmt::Debug>(mut ask: impl FnMut() -> T, right: impl Fn(&T) -> bool) -> T {
    let deadline = Instant::now() + HANG;
    loop {
        let answer = ask();
        if right(&answer) {
            return answer;
        }
        assert!(Instant::now() < deadline, "the last answer was {answer:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// `GET` by curl, which the guide uses too: the status and the body.
pub(crate) fn curl(arguments: &[&str]) -> (String, String) {
    let output = Command::new("curl")
        .args(["-sS", "--max-time", "30", "-w", "\n%{http_code}"])
        .args(arguments)
        .output()
        .expect("curl is installed");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (body, status) = text.rsplit_once('\n').unwrap_or(("", &text));
    (status.to_owned(), body.to_owned() + &String::from_utf8_lossy(&output.stderr))
}

/// The address of health in a home's configuration.
pub(crate) fn health_url(home: &Path, path: &str) -> String {
    let text = std::fs::read_to_string(home.join("kolaboree.yaml")).unwrap();
    let address = text.split("listen: '").nth(1).unwrap().split('\'').next().unwrap();
    format!("http://{address}{path}")
}
