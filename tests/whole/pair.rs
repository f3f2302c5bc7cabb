//! Two real LXDs that are two clouds of one tailnet, in a network namespace of their own: there they reach each other at the
//! addresses that the tailnet gives their machines, as servers with Tailscale on their hosts do.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tailnet_sandbox::Peer;

use crate::node::{Service, World, until};
use crate::program::{HANG, Printed, finish, finish_within};

/// Set for a test that runs in a namespace of its own.
const INSIDE: &str = "KOLABOREE_TEST_OWN_NETWORK";

/// Tailscale waits for an interface that is up, other than loopback. Nothing leads out of here all the same.
const NETWORK: &str = "ip link set lo up && ip link add up0 type veth peer name up1 \
    && ip addr add 192.0.2.1/24 dev up0 && ip link set up0 up && ip link set up1 up && exec \"$0\" \"$@\"";

/// Runs the body of the test of this name in namespaces of its own: network, mounts and processes. All that it starts ends
/// with it.
pub(crate) fn in_own_network(test: &str, body: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some() {
        return body();
    }
    let mut inside = Command::new("unshare");
    inside.args(["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--"]);
    inside.args(["sh", "-c", NETWORK]).arg(std::env::current_exe().unwrap());
    inside.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(INSIDE, "1");
    inside.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let printed = finish_within(inside.spawn().expect("unshare is installed"), 3 * HANG);
    assert!(
        printed.code == Some(0) && printed.stdout.contains("1 passed"),
        "{}\n{}",
        printed.stdout,
        printed.stderr
    );
}

/// A daemon in a folder of its own.
pub(crate) struct Server {
    pub(crate) name: &'static str,
    port: u16,
    folder: tempfile::TempDir,
    daemon: Option<Child>,
}

impl Server {
    /// Starts one that listens on all addresses, with a pool of this name in a folder, or of `size` MiB in memory.
    pub(crate) fn start(name: &'static str, port: u16, pool: &'static str, size: Option<u32>) -> Server {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o711)).unwrap();
        std::fs::create_dir(folder.path().join("lxd")).unwrap();
        std::fs::create_dir(folder.path().join("pool")).unwrap();
        let mut server = Server { name, port, folder, daemon: None };
        server.run();
        server.lxc(&["config", "set", "core.https_address", &format!("0.0.0.0:{port}")]);
        let source = server.folder.path().join("pool");
        if let Some(size) = size {
            let mounted = Command::new("mount")
                .args(["-t", "tmpfs", "-o", &format!("size={size}m"), "tmpfs"])
                .arg(&source)
                .status();
            assert!(mounted.unwrap().success());
        }
        server.lxc(&["storage", "create", pool, "dir", &format!("source={}", source.display())]);
        server.lxc(&[
            "profile",
            "device",
            "add",
            "default",
            "root",
            "disk",
            "path=/",
            &format!("pool={pool}"),
        ]);
        server
    }

    /// The peer that leads to it.
    pub(crate) fn peer(&self) -> Peer {
        Peer::new(self.name).forward(self.port, ([127, 0, 0, 1], self.port).into())
    }

    /// Its LXD_DIR.
    pub(crate) fn dir(&self) -> PathBuf {
        self.folder.path().join("lxd")
    }

    pub(crate) fn run(&mut self) {
        let mut daemon = Command::new("lxd");
        daemon.args(["--group", "root"]).env("LXD_DIR", self.dir());
        let log = std::fs::File::create(self.folder.path().join("log")).unwrap();
        daemon.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.daemon = Some(daemon.spawn().expect("lxd is installed"));
        let ready =
            Command::new("lxd").args(["waitready", "--timeout=60"]).env("LXD_DIR", self.dir()).status();
        assert!(ready.unwrap().success(), "{} does not start", self.name);
    }

    /// Stops it, so that it answers nothing, and lets it go on (`STOP`, `CONT`).
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.daemon.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Kills it, as a machine that fails.
    pub(crate) fn kill(&mut self) {
        let mut daemon = self.daemon.take().unwrap();
        daemon.kill().unwrap();
        daemon.wait().unwrap();
    }

    /// What `lxc` prints there.
    pub(crate) fn lxc(&self, arguments: &[&str]) -> String {
        let output = Command::new("lxc")
            .args(arguments)
            .env("LXD_DIR", self.dir())
            .env("HOME", self.dir())
            .stdin(Stdio::null())
            .output()
            .expect("lxc is installed");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: lxc {arguments:?}: {stderr}", self.name);
        String::from_utf8(output.stdout).unwrap()
    }

    /// Gives it the image `busybox`.
    pub(crate) fn import_busybox(&self) {
        let image = self.folder.path().join("busybox.tar.gz");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(".ci/busybox-image");
        assert!(Command::new(script).arg(&image).status().unwrap().success());
        self.lxc(&["image", "import", image.to_str().unwrap(), "--alias", "busybox"]);
    }

    /// An instance that runs, and does not hear that it is to stop.
    pub(crate) fn make_deaf(&self, name: &str) {
        self.lxc(&["init", "busybox", name]);
        self.lxc(&["config", "set", name, "raw.lxc=lxc.signal.halt=SIGCONT"]);
        self.lxc(&["start", name]);
    }

    /// A token by which a node gets trusted.
    pub(crate) fn token(&self) -> String {
        let told = self.lxc(&["config", "trust", "add", "--name", "test"]);
        told.lines().last().unwrap().to_owned()
    }

    /// The names of its instances, in their order.
    pub(crate) fn instances(&self) -> Vec<String> {
        let names = self.lxc(&["list", "--format", "csv", "--columns", "n"]);
        names.lines().map(str::to_owned).collect()
    }

    /// The root file system of an instance that does not run.
    pub(crate) fn root(&self, instance: &str) -> PathBuf {
        self.folder.path().join("pool/containers").join(instance).join("rootfs")
    }

    /// The files of a custom volume.
    pub(crate) fn volume(&self, volume: &str) -> PathBuf {
        self.folder.path().join("pool/custom").join(format!("default_{volume}"))
    }

    /// How many MiB of an instance are there.
    pub(crate) fn size(&self, instance: &str) -> u64 {
        let output = Command::new("du").args(["-sm"]).arg(self.root(instance)).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or_default()
    }

    /// Limits what it sends in a copy to 1 MB a second.
    pub(crate) fn slow(&self, pool: &str) {
        self.lxc(&["storage", "set", pool, "rsync.bwlimit", "1MB"]);
    }

    /// An instance that does not run, with a file of this many MiB in it.
    pub(crate) fn make(&self, name: &str, size: usize) {
        self.lxc(&["init", "busybox", name]);
        self.fill(name, "big", size);
    }

    pub(crate) fn fill(&self, instance: &str, file: &str, size: usize) {
        let mut random = std::fs::File::open("/dev/urandom").unwrap();
        let mut file = std::fs::File::create(self.root(instance).join("root").join(file)).unwrap();
        std::io::copy(&mut std::io::Read::take(&mut random, (size << 20) as u64), &mut file).unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
        // What it has mounted would be in the way of the folder's end.
        let mounts = std::fs::read_to_string("/proc/mounts").unwrap_or_default();
        let folder = self.folder.path().display().to_string();
        let below =
            mounts.lines().filter_map(|line| line.split(' ').nth(1)).filter(|p| p.starts_with(&folder));
        for path in below {
            let _ = Command::new("umount").args(["-l", path]).status();
        }
    }
}

/// A tailnet with the clouds `oslo` and `rome`, each a real LXD, and a node that both trust.
pub(crate) struct Pair {
    pub(crate) service: Option<Service>,
    pub(crate) world: World,
    pub(crate) oslo: Server,
    pub(crate) rome: Server,
}

impl Pair {
    /// Where the servers reach each other by the tailnet.
    pub(crate) fn start() -> Pair {
        Pair::start_with(None)
    }

    /// The same, where the pool of `rome` has this many MiB.
    pub(crate) fn start_with(size: Option<u32>) -> Pair {
        let pair = Pair::apart(size);
        for peer in ["oslo", "rome"] {
            let address = format!("{}/32", pair.world.sandbox.peer(peer).ipv4);
            let status = Command::new("ip").args(["addr", "add", &address, "dev", "lo"]).status();
            assert!(status.expect("ip is installed").success());
        }
        pair
    }

    /// Where they do not. The pool of `rome` has this many MiB, if there is a limit.
    pub(crate) fn apart(size: Option<u32>) -> Pair {
        Pair::with(size, &[], "")
    }

    /// The same, with nodes of these people, and more in the configuration.
    pub(crate) fn with(size: Option<u32>, people: &[&str], more: &str) -> Pair {
        let oslo = Server::start("oslo", 8443, "default", None);
        let rome = Server::start("rome", 8444, "other", size);
        oslo.import_busybox();
        let peers = [oslo.peer(), rome.peer()].into_iter();
        let world = World::with(peers.chain(people.iter().map(|name| Peer::new(*name).socks5())));
        world.give_users(people);
        let mut clouds = String::new();
        for Server { name, port, .. } in [&oslo, &rome] {
            clouds += &format!(
                "  - {{name: {name}, address: '{name}:{port}', trust: {{token: 'file:{name}'}}, checks: {{silence: 20}}}}\n"
            );
        }
        for server in [&oslo, &rome] {
            world.write(server.name, &server.token());
        }
        world.configure(&format!("local: {{listen: none}}\n{more}clouds:\n{clouds}"));
        let mut service = world.start();
        service.joins();
        until(
            || world.json(&["status"])["clouds"].clone(),
            |clouds| {
                clouds
                    .as_array()
                    .is_some_and(|all| all.iter().all(|c| c["health"]["trusted"] == Value::Bool(true)))
            },
        );
        Pair { service: Some(service), world, oslo, rome }
    }

    /// A command that goes on.
    pub(crate) fn spawn(&self, arguments: &[&str]) -> Child {
        self.world.program().args(arguments).spawn().unwrap()
    }
}

/// Ends a command by a signal.
pub(crate) fn end(child: Child, signal: &str) -> Printed {
    let status = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
    finish(child)
}
