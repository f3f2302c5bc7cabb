//! Real servers, each a process of its own on loopback that ends with its test.

use std::ffi::OsStr;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::Result;

const NOBODY: u32 = 65534;

pub struct Server {
    pub address: SocketAddr,
    folder: TempDir,
    process: Child,
}

impl Server {
    /// Starts a program and waits until it listens.
    async fn start(folder: TempDir, address: SocketAddr, command: &mut Command) -> Result<Server> {
        let log = fs::File::create(folder.path().join("log"))?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let process =
            command.spawn().map_err(|e| format!("{command:?}: {e}: .ci/check-recipes installs it"))?;
        let mut server = Server { address, folder, process };
        for _ in 0..600 {
            if TcpStream::connect(address).await.is_ok() {
                return Ok(server);
            }
            if let Some(status) = server.process.try_wait()? {
                let log = fs::read_to_string(server.folder().join("log"))?;
                return Err(format!("{command:?} ended, {status}: {log}").into());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err(format!("{command:?} does not listen").into())
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An address of its own for each server, so that each has its usual port.
fn loopback(port: u16) -> SocketAddr {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let [_, _, high, low] = std::process::id().to_be_bytes();
    (Ipv4Addr::new(127, NEXT.fetch_add(1, Ordering::Relaxed), high, low), port).into()
}

pub async fn redis() -> Result<Server> {
    let (folder, address) = (TempDir::new()?, loopback(6379));
    let mut command = Command::new("redis-server");
    command.args(["--bind", &address.ip().to_string(), "--protected-mode", "no", "--save", "", "--dir"]);
    command.arg(folder.path());
    Server::start(folder, address, &mut command).await
}

pub async fn postgres() -> Result<Server> {
    let (folder, address) = (TempDir::new()?, loopback(5432));
    let data = folder.path().join("data");
    run(unprivileged(&folder, postgres_program("initdb")?)?
        .args(["--no-sync", "--auth=trust", "-U", "postgres", "-D"])
        .arg(&data))?;
    let mut command = unprivileged(&folder, postgres_program("postgres")?)?;
    command.args(["-F", "-k", "", "-h", &address.ip().to_string(), "-D"]).arg(&data);
    Server::start(folder, address, &mut command).await
}

/// Debian has it outside the `PATH`.
fn postgres_program(name: &str) -> Result<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").map_err(|e| format!("PostgreSQL is missing: {e}"))?;
    let mut programs = versions.filter_map(|version| Some(version.ok()?.path().join("bin").join(name)));
    Ok(programs.find(|program| program.is_file()).ok_or("PostgreSQL has no server here")?)
}

/// PostgreSQL refuses to run as root.
fn unprivileged(folder: &TempDir, program: PathBuf) -> Result<Command> {
    let mut command = Command::new(program);
    command.current_dir(folder.path());
    if user()? == "root" {
        chown(folder.path(), Some(NOBODY), Some(NOBODY))?;
        command.uid(NOBODY).gid(NOBODY);
    }
    Ok(command)
}

/// With the key pairs `host` and `client` in its folder.
pub async fn ssh() -> Result<Server> {
    let (folder, address) = (TempDir::new()?, loopback(2222));
    for name in ["host", "client"] {
        run(Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f"])
            .arg(folder.path().join(name)))?;
    }
    if user()? == "root" {
        fs::create_dir_all("/run/sshd")?;
    }
    let path = folder.path().display();
    let settings = format!(
        "ListenAddress {address}\nHostKey {path}/host\nAuthorizedKeysFile {path}/client.pub\nStrictModes no\n\
         PidFile none\nUsePAM no\n"
    );
    let file = folder.path().join("sshd_config");
    fs::write(&file, settings)?;
    let mut command = Command::new("/usr/sbin/sshd");
    command.args([OsStr::new("-D"), OsStr::new("-e"), OsStr::new("-f"), file.as_os_str()]);
    Server::start(folder, address, &mut command).await
}

/// A name server that knows the address of `db.example`, and a text of `long.example` that has no room in a datagram.
pub async fn dns() -> Result<Server> {
    let (folder, address) = (TempDir::new()?, loopback(53));
    let long = format!("--txt-record=long.example{}", format!(",{}", "x".repeat(200)).repeat(10));
    let mut command = Command::new("/usr/sbin/dnsmasq");
    command.args([
        "--keep-in-foreground",
        "--conf-file=/dev/null",
        "--pid-file=",
        "--user=",
        "--no-resolv",
        "--no-hosts",
    ]);
    command.args(["--bind-interfaces", "--address=/db.example/192.0.2.7", &long]);
    command.arg(format!("--listen-address={}", address.ip()));
    Server::start(folder, address, &mut command).await
}

/// Podman's own implementation of Docker's API.
pub async fn docker() -> Result<Server> {
    let (folder, address) = (TempDir::new()?, loopback(2375));
    let mut command = Command::new("podman");
    for (option, name) in [("--root", "root"), ("--runroot", "runroot"), ("--tmpdir", "tmp")] {
        command.arg(option).arg(folder.path().join(name));
    }
    command.args(["--storage-driver", "vfs", "system", "service", "--time", "0"]);
    command.arg(format!("tcp:{address}"));
    Server::start(folder, address, &mut command).await
}

pub fn user() -> Result<String> {
    let output = Command::new("id").arg("-un").output()?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.output().map_err(|e| format!("{command:?}: {e}: .ci/check-recipes installs it"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)).into())
}
