//! The clients: how each is built and started, and how it is told what to do.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::UnixStream;
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::load::{Answer, Join, Load};
use crate::process;

/// No load takes that long unless something hangs.
const DEADLINE: Duration = Duration::from_secs(40);

/// Names the role of this program when it is one of the children.
pub(crate) const ROLE: &str = "TAILNET_BENCH_ROLE";

#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub(crate) enum Rival {
    /// This project's crate.
    Ours,
    /// tsnet in a Go program.
    Native,
    /// The Go side of this project's crate, without the C boundary and Rust.
    Node,
    /// The libtailscale crate from crates.io.
    Crate,
    /// A userspace tailscaled's SOCKS5 server.
    Socks5,
    /// TCP on loopback without a tailnet: the limit.
    Loopback,
}

impl Rival {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Rival::Ours => "this crate",
            Rival::Native => "native Go",
            Rival::Node => "Go side alone",
            Rival::Crate => "libtailscale 0.2.2",
            Rival::Socks5 => "tailscaled SOCKS5",
            Rival::Loopback => "plain loopback",
        }
    }

    /// Builds what it needs.
    pub(crate) async fn build(self) -> anyhow::Result<()> {
        match self {
            Rival::Ours => {
                let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
                let cargo =
                    ["build", "--release", "--locked", "--example", "dial", "--manifest-path", manifest];
                run(Command::new(env!("CARGO")).args(cargo).arg("--target-dir").arg(target())).await
            }
            Rival::Native | Rival::Node => go_build("./cmd/bench", &self.program()).await,
            Rival::Crate => {
                let manifest = rivals().join("libtailscale-crate/Cargo.toml");
                let mut cargo = Command::new(env!("CARGO"));
                cargo.args(["build", "--release", "--locked", "--manifest-path"]).arg(manifest);
                run(cargo.arg("--target-dir").arg(tmp().join("libtailscale-crate"))).await
            }
            Rival::Socks5 => go_build("tailscale.com/cmd/tailscaled", &self.program()).await,
            Rival::Loopback => Ok(()),
        }
    }

    /// The program whose size is told; for ours one that only dials, which is not the one that is measured.
    pub(crate) fn program(self) -> PathBuf {
        match self {
            Rival::Ours => target().join("release/examples/dial"),
            Rival::Native | Rival::Node => tmp().join("native"),
            Rival::Crate => tmp().join("libtailscale-crate/release/libtailscale-crate"),
            Rival::Socks5 => tmp().join("tailscaled"),
            Rival::Loopback => PathBuf::new(),
        }
    }

    /// Starts it and waits for its first byte.
    pub(crate) async fn start(self, mut join: Join, profile: Option<&Path>) -> anyhow::Result<Client> {
        let began = Instant::now();
        let folder = tempfile::Builder::new().prefix("tailnet-bench-").tempdir()?;
        let mut daemon = None;
        let mut command = match self {
            Rival::Ours => this_program("ours")?,
            Rival::Native | Rival::Node | Rival::Crate => with_descriptors(&self.program()),
            Rival::Socks5 | Rival::Loopback => this_program("loopback")?,
        };
        if self == Rival::Socks5 {
            let (child, socks) = tailscaled(&self.program(), folder.path(), &join).await?;
            join.socks = Some(socks);
            daemon = Some(child);
        }
        if self == Rival::Node {
            command.env("BENCH_NODE", "1");
        }
        if let Some(path) = profile {
            command.env("BENCH_CPU", path);
        }
        let mut child = command
            .env("TS_NO_LOGS_NO_SUPPORT", "true")
            .env("TS_DISABLE_PORTMAPPER", "true")
            .env("BENCH_FOLDER", folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let stdin = child.stdin.take().context("no pipe")?;
        let lines = BufReader::new(child.stdout.take().context("no pipe")?).lines();
        let mut client = Client { child, stdin, lines, daemon, first_byte: Duration::ZERO, _folder: folder };
        client.send(&serde_json::to_string(&join)?).await?;
        client.answer().await?;
        client.first_byte = began.elapsed();
        Ok(client)
    }
}

/// A client that has joined.
pub(crate) struct Client {
    child: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    daemon: Option<Child>,
    /// From its start to the first byte that the peer sent back.
    pub(crate) first_byte: Duration,
    _folder: TempDir,
}

impl Client {
    async fn send(&mut self, line: &str) -> anyhow::Result<()> {
        self.stdin.write_all(format!("{line}\n").as_bytes()).await.context("the client has gone")
    }

    async fn answer(&mut self) -> anyhow::Result<Answer> {
        let line = tokio::time::timeout(DEADLINE, self.lines.next_line()).await.context("it hangs")??;
        let answer: Answer = serde_json::from_str(&line.context("the client has gone")?)?;
        match answer.error {
            Some(error) => bail!("{error}"),
            None => Ok(answer),
        }
    }

    /// Has it do something: what it says of it, and the processor seconds it took.
    pub(crate) async fn run(&mut self, load: &Load) -> anyhow::Result<(Answer, f64)> {
        self.send(&serde_json::to_string(load)?).await?;
        let begin = self.answer().await?;
        ensure!(begin.begin, "the client is out of step");
        let before = self.cpu_seconds()?;
        let answer = self.answer().await?;
        Ok((answer, self.cpu_seconds()? - before))
    }

    fn pids(&self) -> impl Iterator<Item = u32> {
        self.child.id().into_iter().chain(self.daemon.as_ref().and_then(Child::id))
    }

    fn cpu_seconds(&self) -> anyhow::Result<f64> {
        self.pids().map(|pid| Ok(process::cpu_seconds(pid)?)).sum()
    }

    /// The process with the node: its memory and threads are those that count.
    fn node(&self) -> anyhow::Result<u32> {
        self.daemon.as_ref().unwrap_or(&self.child).id().context("the client has gone")
    }

    /// Resident memory in MB.
    pub(crate) fn resident(&self) -> anyhow::Result<f64> {
        Ok(process::status(self.node()?, "VmRSS")? * 1024e-6)
    }

    /// The most resident memory since [`reset_peak`](Self::reset_peak), in MB.
    pub(crate) fn peak(&self) -> anyhow::Result<f64> {
        Ok(process::status(self.node()?, "VmHWM")? * 1024e-6)
    }

    pub(crate) fn reset_peak(&self) -> anyhow::Result<()> {
        Ok(process::reset_peak(self.node()?)?)
    }

    pub(crate) fn threads(&self) -> anyhow::Result<f64> {
        Ok(process::status(self.node()?, "Threads")?)
    }

    /// Ends it, by the end of its input if it heeds that.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        drop(self.stdin);
        let _ = tokio::time::timeout(Duration::from_secs(5), self.child.wait()).await;
        for child in [Some(self.child), self.daemon.take()].into_iter().flatten() {
            let mut child = child;
            child.kill().await?;
        }
        Ok(())
    }
}

/// What the loopback client talks to.
pub(crate) struct PlainServer {
    _child: Child,
    /// Of echo, discard and generate.
    pub(crate) ports: [u16; 3],
}

impl PlainServer {
    pub(crate) async fn start() -> anyhow::Result<PlainServer> {
        let mut command = this_program("server")?;
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("no pipe")?).lines();
        let line = lines.next_line().await?.context("no ports")?;
        Ok(PlainServer { _child: child, ports: serde_json::from_str(&line)? })
    }
}

fn this_program(role: &str) -> anyhow::Result<Command> {
    let mut command = with_descriptors(&std::env::current_exe()?);
    command.env(ROLE, role);
    Ok(command)
}

/// The program with as many descriptors as 10,000 streams can need, where that may be had.
fn with_descriptors(program: &Path) -> Command {
    let mut command = Command::new("sh");
    let script = r#"ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -Hn)"; exec "$0""#;
    command.args(["-c", script]).arg(program);
    command
}

/// Starts a userspace tailscaled, and has it join as `tailscale up` would.
async fn tailscaled(program: &Path, folder: &Path, join: &Join) -> anyhow::Result<(Child, SocketAddr)> {
    let socks = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?; // free for now
    let socket = folder.join("tailscaled.sock");
    let script = r#"ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -Hn)"; exec "$0" "$@""#;
    let child = Command::new("sh")
        .args(["-c", script])
        .arg(program)
        .args(["--tun=userspace-networking", "--state=mem:", "--port=0", "--no-logs-no-support"])
        .arg(format!("--socks5-server={socks}"))
        .arg(format!("--socket={}", socket.display()))
        .arg(format!("--statedir={}", folder.display()))
        .env("TS_DISABLE_PORTMAPPER", "true")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let prefs = serde_json::json!({
        "ControlURL": join.control_url.trim_end_matches('/'), "Hostname": join.hostname, "WantRunning": true,
    });
    let options = serde_json::json!({ "AuthKey": join.auth_key, "UpdatePrefs": prefs }).to_string();
    let deadline = Instant::now() + DEADLINE;
    while local_api(&socket, "POST", "start", &options).await.is_err() {
        ensure!(Instant::now() < deadline, "tailscaled does not start");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    local_api(&socket, "POST", "login-interactive", "").await?;
    loop {
        let status = local_api(&socket, "GET", "status?peers=false", "").await?;
        if status.contains(r#""BackendState": "Running""#) {
            return Ok((child, socks));
        }
        ensure!(Instant::now() < deadline, "tailscaled does not join: {status}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

async fn local_api(socket: &Path, method: &str, path: &str, body: &str) -> anyhow::Result<String> {
    let mut stream = UnixStream::connect(socket).await?;
    let length = body.len();
    let request = format!(
        "{method} /localapi/v0/{path} HTTP/1.0\r\nHost: local-tailscaled.sock\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let status = answer.lines().next().unwrap_or_default();
    ensure!(status.contains(" 20"), "tailscaled said {answer}");
    Ok(answer)
}

async fn go_build(package: &str, output: &Path) -> anyhow::Result<()> {
    let source = go_source();
    let tags = std::fs::read_to_string(source.join("build-tags.txt"))?;
    // tailscaled needs them, for its SOCKS5 server and to trust its owner; the native client shares what is compiled.
    let needed = ["ts_omit_outboundproxy", "ts_omit_unixsocketidentity"];
    let tags: Vec<&str> = tags.lines().filter(|tag| !needed.contains(tag)).collect();
    let go = std::env::var_os("GO").unwrap_or_else(|| "go".into());
    let mut command = Command::new(go);
    command.current_dir(source).args(["build", "-trimpath", "-mod=readonly", "-buildvcs=false"]);
    run(command.args(["-ldflags", "-s -w", "-tags", &tags.join(","), "-o"]).arg(output).arg(package)).await
}

async fn run(command: &mut Command) -> anyhow::Result<()> {
    let output = command.stdin(Stdio::null()).output().await?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{:?}: {}\n{stderr}", command.as_std(), output.status);
    Ok(())
}

fn rivals() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/rivals")
}

/// Where the archive's build finds what its Go code does under load.
pub(crate) fn profile() -> PathBuf {
    go_source().join("profile.pgo")
}

fn go_source() -> PathBuf {
    rivals().join("../../../../vendor/libtailscale")
}

fn tmp() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

fn target() -> PathBuf {
    tmp().parent().unwrap_or(tmp()).to_owned()
}
