//! The program that is measured, as a process of its own.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tailnet_sandbox::{Sandbox, free_port};

use crate::process;
use crate::program::{ask, command};

/// A cloud of a node.
#[derive(Clone, Debug)]
pub(crate) struct Cloud {
    pub(crate) name: String,
    /// In the tailnet.
    pub(crate) address: String,
    pub(crate) pin: String,
}

/// How long a node may take until it knows all instances: a real server is slow.
const PATIENCE: Duration = Duration::from_secs(240);

/// A running node, which ends with this.
pub(crate) struct Node {
    child: Child,
    pub(crate) name: String,
    home: PathBuf,
    program: PathBuf,
    /// Where the API is for development.
    pub(crate) loopback: std::net::SocketAddr,
    pub(crate) began: Instant,
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill().and_then(|()| self.child.wait());
    }
}

impl Node {
    /// Starts it with a folder of its own below `home`. It shows the certificate of the folder `conf`.
    pub(crate) fn start(
        program: &Path,
        home: &Path,
        name: &str,
        sandbox: &Sandbox,
        clouds: &[Cloud],
    ) -> Node {
        let state = home.join(name);
        std::fs::create_dir_all(&state).unwrap();
        for file in ["client.crt", "client.key"] {
            std::fs::copy(home.join("conf").join(file), state.join(file)).unwrap();
        }
        let control_url = sandbox.control_url();
        let loopback = std::net::SocketAddr::from(([127, 0, 0, 1], free_port()));
        let may = "clouds: ['*'], projects: ['*'], verbs: [view, operate, edit, files, exec]";
        let mut text = format!(
            "state_dir: {name}\nhostname: {name}\ncontrol_url: {control_url}\nlocal: {{listen: none}}\ntailnet:\n  listen: 80\n  \
             access: [{{who: ['user:*'], {may}}}]\n  \
             development: {{listen: '{loopback}', user: bench@example.com, {may}}}\nclouds:\n"
        );
        for Cloud { name, address, pin } in clouds {
            let _ =
                writeln!(text, "  - {{name: {name}, address: '{address}', trust: {{fingerprint: {pin}}}}}");
        }
        std::fs::write(home.join(format!("{name}.yaml")), text).unwrap();
        let log = std::fs::File::create(home.join(format!("{name}.log"))).unwrap();
        let mut command = command(program, home, name, sandbox.auth_key());
        let began = Instant::now();
        let child = command.arg("run").stdin(Stdio::null()).stderr(log).spawn().unwrap();
        Node {
            child,
            name: name.to_owned(),
            home: home.to_owned(),
            program: program.to_owned(),
            loopback,
            began,
        }
    }

    /// A command that asks this node.
    pub(crate) fn command(&self) -> Command {
        command(&self.program, &self.home, &self.name, "")
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its memory now, in MB.
    pub(crate) fn resident(&self) -> f64 {
        process::status(self.pid(), "VmRSS").unwrap() * 1.024e-3
    }

    /// The most memory that it had since it began, or since `reset_peak`, in MB.
    pub(crate) fn peak(&self) -> f64 {
        process::status(self.pid(), "VmHWM").unwrap() * 1.024e-3
    }

    pub(crate) fn reset_peak(&self) {
        process::reset_peak(self.pid()).unwrap();
    }

    pub(crate) fn cpu_seconds(&self) -> f64 {
        process::cpu_seconds(self.pid()).unwrap()
    }

    /// Waits until it knows all instances of all clouds, and gives how long after its start that was.
    pub(crate) async fn filled(&mut self, clouds: usize, instances: usize) -> Duration {
        loop {
            // The clouds' rows alone, so that the question does not weigh.
            let rows = self.ask("/v1/inventory?kinds=operations");
            let fresh = |row: &&Value| row["filled"] == true && row["stale_since"].is_null();
            if rows["clouds"].as_array().into_iter().flatten().filter(fresh).count() >= clouds {
                let time = self.began.elapsed();
                let all = self.ask("/v1/inventory?kinds=instances&fields=snapshots");
                let known = all["instances"].as_array().map_or(0, Vec::len);
                assert!(known >= instances, "{}: {known} of {instances} instances", self.name);
                return time;
            }
            let ended = self.child.try_wait().unwrap();
            assert!(
                ended.is_none() && self.began.elapsed() < PATIENCE,
                "{}: {ended:?}\n{}",
                self.name,
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Asks by its control socket; nothing before it serves that.
    fn ask(&self, path: &str) -> Value {
        ask(&self.home.join(&self.name), path)
    }

    /// The end of what it says.
    fn log(&self) -> String {
        let log = std::fs::read_to_string(self.home.join(format!("{}.log", self.name))).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}
