//! The speed of `lxd-client` beside the stock clients, in one run on one LXD over ways of several lengths:
//! `.ci/with-lxd cargo bench --bench lxd`, and `-- --help`.
//!
//! A forwarder before the LXD delays each direction, and counts connections and round trips. This crate goes
//! through a sandbox tailnet to it, and also straight, as `lxc` and pylxd do, which have no tailnet. The clients
//! take turns at each figure. The table shows medians.

#![allow(clippy::unwrap_used, reason = "a benchmark ends by it")]

mod clients;
#[path = "../../crates/lxd-client/tests/shared/forwarder.rs"]
#[allow(dead_code, reason = "shared with tests, which use more of it")]
mod forwarder;
mod kind;
mod machine;
mod setup;
mod table;
#[path = "../../crates/lxd-client/tests/shared/to.rs"]
mod to;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Parser;

use clients::Runner;
use setup::Setup;
use table::Results;

/// The speed of lxd-client beside the stock clients.
#[derive(Debug, Parser)]
struct Args {
    /// How often everything is measured
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// The lengths of the ways: added round trips in milliseconds
    #[arg(long, value_delimiter = ',', default_values_t = [0, 20, 100])]
    ways: Vec<u64>,
    /// How many instances the longer lists have
    #[arg(long, value_delimiter = ',', default_values_t = [100])]
    many: Vec<usize>,
    /// Write the result to this file, too
    #[arg(long)]
    save: Option<PathBuf>,
    /// Given by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Figure {
    List,
    ListMany(usize),
    Exec,
    Exec32,
    Launch,
    Delete,
    Push,
    Pull,
    Import,
}

impl Figure {
    fn name(self) -> String {
        match self {
            Figure::List => "list of few".to_owned(),
            Figure::ListMany(n) => format!("list of {n}"),
            Figure::Exec => "exec of `true`".to_owned(),
            Figure::Exec32 => "32 execs at once".to_owned(),
            Figure::Launch => "launch".to_owned(),
            Figure::Delete => "delete of a running one".to_owned(),
            Figure::Push => "push of 100 MB".to_owned(),
            Figure::Pull => "pull of 100 MB".to_owned(),
            Figure::Import => "import of an image".to_owned(),
        }
    }

    /// How often it is measured in a round: what is short more often.
    fn times(self) -> usize {
        match self {
            Figure::List | Figure::Exec => 5,
            _ => 1,
        }
    }
}

/// What hangs for longer than this is counted as hung.
const HANGS: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() {
    let args = Args::parse();
    let setup = Setup::new(&args.ways, &args.many).await;
    let mut figures = vec![Figure::List];
    figures.extend(args.many.iter().map(|n| Figure::ListMany(*n)));
    figures.extend([Figure::Exec, Figure::Exec32, Figure::Launch, Figure::Delete]);
    figures.extend([Figure::Push, Figure::Pull, Figure::Import]);

    let mut results = Results::default();
    for (way, milliseconds) in args.ways.iter().enumerate() {
        let mut runners = Runner::all(&setup, way).await;
        for round in 0..args.rounds {
            eprintln!("way of {milliseconds} ms, round {} of {}", round + 1, args.rounds);
            for figure in &figures {
                for runner in &mut runners {
                    for _ in 0..figure.times() {
                        measure(&setup, runner, *figure, *milliseconds, &mut results).await;
                    }
                }
            }
        }
    }
    for _ in 0..args.rounds.max(3) {
        for figure in [Figure::Push, Figure::Pull] {
            results.limit(figure, setup.limit(figure).await);
        }
    }
    setup.end().await;
    let text = table::markdown(&results, &args.ways, &figures);
    println!("{text}");
    if let Some(path) = &args.save {
        std::fs::write(path, format!("{}{text}", table::head())).unwrap();
    }
}

async fn measure(setup: &Setup, runner: &mut Runner, figure: Figure, way: u64, results: &mut Results) {
    setup.prepare(figure).await;
    let (trips, connections) = runner.counted();
    let began = Instant::now();
    let done = tokio::time::timeout(HANGS, runner.run(figure)).await;
    let took = began.elapsed();
    let (trips, connections) = (runner.counted().0 - trips, runner.counted().1 - connections);
    match done {
        Ok(Ok(())) => results.add(runner.kind, figure, way, took, trips, connections),
        Ok(Err(error)) => {
            eprintln!("{}: {}: {error}", runner.kind.name(), figure.name());
            results.failed(runner.kind, figure, way);
        }
        Err(_) => {
            eprintln!("{}: {}: hangs", runner.kind.name(), figure.name());
            runner.restart().await;
            results.failed(runner.kind, figure, way);
        }
    }
    setup.tidy(figure).await;
}
