//! The speed and memory of this crate beside other ways into a tailnet, in one run on one sandbox:
//! `cargo bench -p tailnet`, `cargo bench -p tailnet -- --help`.
//!
//! Each client is a child process, so that its processor time and memory are its own. They take turns at each
//! figure, round by round. The table shows medians; a ratio is the median of the ratios within each round.

mod client;
mod figure;
#[allow(unreachable_pub, reason = "shared with the client of the libtailscale crate")]
mod load;
mod process;
mod rival;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use figure::{Figure, Results};
use load::{Join, Load};
use rival::{Client, PlainServer, Rival};
use tailnet_sandbox::{Peer, Sandbox};

const ECHO: u16 = 7;
const DISCARD: u16 = 9;
const GENERATE: u16 = 19;

/// The speed and memory of the tailnet crate beside other ways into a tailnet.
#[derive(Debug, Parser)]
struct Args {
    /// One short round, to see that everything runs
    #[arg(long)]
    quick: bool,
    /// Only these clients
    #[arg(long, value_delimiter = ',', value_enum)]
    only: Vec<Rival>,
    /// Only write anew the profile by which the archive is optimised, vendor/libtailscale/profile.pgo
    #[arg(long, conflicts_with_all = ["only", "quick", "save"])]
    profile: bool,
    /// How often everything is measured
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Write the result to this file, too
    #[arg(long)]
    save: Option<PathBuf>,
    /// Given by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let result = match std::env::var(rival::ROLE).as_deref() {
        Ok("ours") => client::ours().await.map_err(anyhow::Error::msg),
        Ok("loopback") => client::loopback().await.map_err(anyhow::Error::msg),
        Ok("server") => client::server().await.map_err(anyhow::Error::msg),
        _ => coordinate(Args::parse()).await,
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// How much is measured. A transfer has to be longer than what the queues on the way can take at once.
struct Extent {
    rounds: usize,
    starts: usize,
    seconds: f64,
    held: usize,
}

async fn coordinate(args: Args) -> anyhow::Result<()> {
    let extent = match args.quick {
        true => Extent { rounds: 1, starts: 1, seconds: 0.3, held: 500 },
        false if args.profile => Extent { rounds: args.rounds, starts: 1, seconds: 1.2, held: 0 },
        false => Extent { rounds: args.rounds, starts: 5, seconds: 2.4, held: 10_000 },
    };
    let all = [Rival::Ours, Rival::Native, Rival::Crate, Rival::Socks5, Rival::Loopback];
    let rivals: Vec<Rival> =
        all.into_iter().filter(|r| args.only.is_empty() || args.only.contains(r)).collect();
    let rivals = if args.profile { vec![Rival::Node] } else { rivals };
    let mut results = Results::default();
    for rival in &rivals {
        eprintln!("building: {}", rival.name());
        rival.build().await.with_context(|| format!("building {}", rival.name()))?;
        if let Ok(file) = rival.program().metadata() {
            results.add(figure::SIZE, *rival, 0, file.len() as f64 / 1e6);
        }
    }
    let peer = Peer::new("peer").echo(ECHO).discard(DISCARD).generate(GENERATE);
    let sandbox = Sandbox::start([peer]).await?;
    let plain = PlainServer::start().await?;
    let profile = args.profile.then(rival::profile);
    let began = std::time::SystemTime::now();
    let mut bench = Bench { sandbox, plain, extent, results, clients: Vec::new(), joined: 0, profile };
    bench.start(&rivals).await;
    for round in 0..bench.extent.rounds {
        eprintln!("round {} of {}", round + 1, bench.extent.rounds);
        bench.round(round).await;
    }
    if let Some(path) = bench.profile.clone() {
        bench.end().await?;
        anyhow::ensure!(path.metadata()?.modified()? >= began, "{} was not written", path.display());
        return Ok(());
    }
    bench.memory().await;
    bench.large_tailnet().await?;
    let text = format!("{}\n{}", figure::table(&bench.results, &rivals), figure::goals(&bench.results));
    println!("{text}");
    if let Some(path) = args.save {
        std::fs::write(&path, report(&text)).with_context(|| path.display().to_string())?;
    }
    bench.end().await
}

/// The result with where and how it came about.
fn report(text: &str) -> String {
    let said = |program: &str, args: &[&str]| {
        let output = std::process::Command::new(program).args(args).output();
        output.map_or_else(|_| "?".into(), |o| String::from_utf8_lossy(&o.stdout).trim().to_owned())
    };
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("?");
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    format!(
        "# Benchmark\n\nMade by `cargo bench -p tailnet -- {}` on {} at commit {}: {cores} cores, {}; Linux {}; {}; {}.\n\
         All clients and the peer share the cores, so only the ratios within one run mean something.\n\n{text}",
        args.join(" "),
        said("date", &["-u", "+%Y-%m-%d"]),
        said("git", &["rev-parse", "--short", "HEAD"]),
        model.trim_start_matches([' ', '\t', ':']),
        said("uname", &["-r"]),
        said("go", &["version"]),
        said("rustc", &["--version"]),
    )
}

struct Bench {
    sandbox: Sandbox,
    plain: PlainServer,
    extent: Extent,
    results: Results,
    clients: Vec<(Rival, Client)>,
    joined: usize,
    /// Where the client writes its profile.
    profile: Option<PathBuf>,
}

impl Bench {
    fn join(&mut self, rival: Rival) -> Join {
        self.joined += 1;
        let to = |port: u16, plain: u16| match rival {
            Rival::Loopback => SocketAddr::from(([127, 0, 0, 1], plain)),
            _ => SocketAddr::from((self.sandbox.peer("peer").ipv4, port)),
        };
        let [echo, discard, generate] = self.plain.ports;
        Join {
            control_url: self.sandbox.control_url().to_string(),
            auth_key: self.sandbox.auth_key().to_owned(),
            hostname: format!("bench-{}", self.joined),
            echo: to(ECHO, echo),
            discard: to(DISCARD, discard),
            generate: to(GENERATE, generate),
            socks: None,
        }
    }

    /// Starts every client several times, and keeps those of the last time.
    async fn start(&mut self, rivals: &[Rival]) {
        for i in 0..self.extent.starts {
            for rival in rivals {
                let join = self.join(*rival);
                match rival.start(join, self.profile.as_deref()).await {
                    Err(error) => eprintln!("{}: {error:#}", rival.name()),
                    Ok(client) => {
                        let ms = client.first_byte.as_secs_f64() * 1e3;
                        self.results.add(figure::FIRST_BYTE, *rival, i, ms);
                        if i + 1 == self.extent.starts {
                            self.clients.push((*rival, client));
                        } else if let Err(error) = client.stop().await {
                            eprintln!("{}: {error:#}", rival.name());
                        }
                    }
                }
            }
        }
        tokio::time::sleep(Duration::from_secs_f64(self.extent.seconds)).await;
        for (rival, client) in &self.clients {
            if let Ok(resident) = client.resident() {
                self.results.add(figure::IDLE, *rival, 0, resident);
            }
            if let Err(error) = client.reset_peak() {
                eprintln!("{}: {error:#}", rival.name());
            }
        }
    }

    /// One round: at each figure every client has its turn, and each round another one begins.
    async fn round(&mut self, round: usize) {
        let seconds = self.extent.seconds;
        let transfer = |up, down| Load::Transfer { up, down, warm_up: seconds / 3.0, seconds };
        let transfers = [
            (transfer(1, 0), figure::UPLOAD, figure::UPLOAD_CPU),
            (transfer(0, 1), figure::DOWNLOAD, figure::DOWNLOAD_CPU),
            (transfer(1, 1), figure::BOTH, figure::BOTH_CPU),
            (transfer(32, 32), figure::MANY, figure::MANY_CPU),
        ];
        for (load, speed, cost) in transfers {
            for (rival, answer, cpu) in self.each(&load).await {
                self.results.add(speed, rival, round, answer.done as f64 * 8e-6 / answer.seconds);
                self.results.add(cost, rival, round, cpu / (answer.done as f64 * 1e-9));
            }
        }
        let echoes = [
            (Load::Echo { size: 1, count: 2000 }, figure::SMALL_P50, figure::SMALL_P99),
            (Load::Echo { size: 16 << 10, count: 1000 }, figure::LARGE_P50, figure::LARGE_P99),
        ];
        for (load, p50, p99) in echoes {
            for (rival, answer, _) in self.each(&load).await {
                self.results.add(p50, rival, round, answer.p50);
                self.results.add(p99, rival, round, answer.p99);
            }
        }
        for (count, parallel, figure) in [(300, 1, figure::DIALS_1), (1500, 32, figure::DIALS_32)] {
            for (rival, answer, cpu) in self.each(&Load::Dial { count, parallel }).await {
                self.results.add(figure, rival, round, answer.done as f64 / answer.seconds);
                self.results.add(figure::FAILED, rival, round, answer.failed as f64);
                if parallel == 1 {
                    self.results.add(figure::DIAL_P50, rival, round, answer.p50);
                } else {
                    self.results.add(figure::DIAL_CPU, rival, round, cpu * 1e6 / answer.done as f64);
                }
            }
        }
        self.clients.rotate_left(1);
    }

    /// Has every client do the same, one after the other.
    async fn each(&mut self, load: &Load) -> Vec<(Rival, load::Answer, f64)> {
        let mut answers = Vec::new();
        for (rival, client) in &mut self.clients {
            match client.run(load).await {
                Ok((answer, cpu)) => answers.push((*rival, answer, cpu)),
                Err(error) => eprintln!("{}: {load:?}: {error:#}", rival.name()),
            }
            // What was under way when the streams were closed gets out of the next client's way.
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        answers
    }

    /// The memory under load and with many open streams.
    async fn memory(&mut self) {
        let add = |results: &mut Results, figure: Figure, rival, value: anyhow::Result<f64>| match value {
            Ok(value) => results.add(figure, rival, 0, value),
            Err(error) => eprintln!("{}: {}: {error:#}", rival.name(), figure.name),
        };
        for (rival, client) in &self.clients {
            add(&mut self.results, figure::LOADED, *rival, client.peak());
        }
        // In processes that have done nothing before.
        let hold = Load::Hold { count: self.extent.held };
        let rivals: Vec<Rival> = self.clients.iter().map(|(rival, _)| *rival).collect();
        for rival in rivals {
            let join = self.join(rival);
            let mut client = match rival.start(join, None).await {
                Ok(client) => client,
                Err(error) => {
                    eprintln!("{}: {error:#}", rival.name());
                    continue;
                }
            };
            match client.run(&hold).await {
                Err(error) => eprintln!("{}: {hold:?}: {error:#}", rival.name()),
                Ok((answer, _)) => {
                    if answer.failed > 0 {
                        let failed = answer.failed;
                        eprintln!("{}: {failed} of the held streams failed (ulimit -n?)", rival.name());
                    }
                    tokio::time::sleep(Duration::from_secs_f64(self.extent.seconds)).await;
                    add(&mut self.results, figure::HELD, rival, client.resident());
                    add(&mut self.results, figure::HELD_THREADS, rival, client.threads());
                }
            }
            if let Err(error) = client.stop().await {
                eprintln!("{}: {error:#}", rival.name());
            }
        }
    }

    /// Joins a tailnet with many other nodes.
    async fn large_tailnet(&mut self) -> anyhow::Result<()> {
        self.sandbox.add_nodes(self.extent.held).await?;
        let rivals: Vec<Rival> = self.clients.iter().map(|(rival, _)| *rival).collect();
        for round in 0..self.extent.rounds {
            for rival in rivals.iter().filter(|rival| **rival != Rival::Loopback) {
                let join = self.join(*rival);
                match rival.start(join, None).await {
                    Err(error) => eprintln!("{}: {error:#}", rival.name()),
                    Ok(client) => {
                        let ms = client.first_byte.as_secs_f64() * 1e3;
                        self.results.add(figure::LARGE_FIRST_BYTE, *rival, round, ms);
                        tokio::time::sleep(Duration::from_secs_f64(self.extent.seconds)).await;
                        self.results.add(figure::LARGE_IDLE, *rival, round, client.resident()?);
                        client.stop().await?;
                    }
                }
            }
        }
        Ok(())
    }

    async fn end(self) -> anyhow::Result<()> {
        for (_, client) in self.clients {
            client.stop().await?;
        }
        self.sandbox.stop().await?;
        Ok(())
    }
}
