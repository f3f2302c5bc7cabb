//! The HTTP API in the tailnet under load, beside what LXD, the commands and the tailnet itself can do:
//! `.ci/with-lxd cargo bench --bench api`, and `-- --help`.
//!
//! Nodes are processes of their own in a sandbox tailnet; this process is the load, with many nodes as callers. What needs no
//! real LXD is of stand-ins for five clouds of 1,000 instances, and works without `.ci/with-lxd` too.

#![allow(clippy::unwrap_used, reason = "a benchmark ends by it")]

mod callers;
mod events;
mod exec;
mod files;
#[path = "../../crates/lxd-client/tests/shared/forwarder.rs"]
#[allow(dead_code, reason = "shared with tests, which use more of it")]
mod forwarder;
mod limit;
mod lists;
#[path = "../lxd/machine.rs"]
mod machine;
mod node;
#[path = "../../crates/tailnet/benches/rivals/process.rs"]
mod process;
#[path = "../commands/program.rs"]
mod program;
mod rate;
mod report;
#[path = "../commands/servers.rs"]
#[allow(dead_code, reason = "shared with the benchmark of the commands")]
mod servers;
mod start;
mod steady;
mod streams;
mod world;

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use report::Report;
use world::World;

/// The HTTP API in the tailnet under load.
#[derive(Debug, Parser)]
struct Args {
    /// Only these figures
    #[arg(long, value_delimiter = ',', value_enum)]
    only: Vec<Figure>,
    /// How often what takes long is measured
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// How many lists are asked for one after the other
    #[arg(long, default_value_t = 300)]
    lists: usize,
    /// How long the steady load lasts, in seconds
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// How many changes are followed to their events
    #[arg(long, default_value_t = 100)]
    changes: usize,
    /// How many MiB a command puts out
    #[arg(long, default_value_t = 512)]
    output: usize,
    /// How many MiB the file has that is sent and fetched
    #[arg(long, default_value_t = 2048)]
    file: usize,
    /// The program that is measured
    #[arg(long, default_value = env!("CARGO_BIN_EXE_kolaboree-node"))]
    program: PathBuf,
    /// Write the result to this file, too
    #[arg(long)]
    save: Option<PathBuf>,
    /// Given by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Figure {
    Lists,
    Events,
    Steady,
    Exec,
    Files,
    Start,
}

impl Figure {
    /// Whether it is of a real LXD alone.
    fn needs_lxd(self) -> bool {
        matches!(self, Figure::Exec | Figure::Files)
    }
}

#[tokio::main]
async fn main() {
    if limit::serve().await {
        return;
    }
    let args = Args::parse();
    let is_wanted = |figure: &Figure| args.only.is_empty() || args.only.contains(figure);
    let figures: Vec<Figure> = Figure::value_variants().iter().copied().filter(is_wanted).collect();
    let follows = figures.iter().any(|figure| matches!(figure, Figure::Steady | Figure::Events));
    let callers = if follows { steady::STREAMS / streams::EACH } else { 1 };
    let world = World::start(args.program.clone(), callers).await;
    let mut report = Report::default();
    for figure in figures {
        if figure.needs_lxd() && world.real.is_none() {
            eprintln!("{figure:?}: run it by .ci/with-lxd");
            continue;
        }
        eprintln!("{figure:?}");
        match figure {
            Figure::Lists => lists::measure(&world, args.lists, &mut report).await,
            Figure::Events => events::measure(&world, args.changes, &mut report).await,
            Figure::Steady => steady::measure(&world, args.seconds, &mut report).await,
            Figure::Exec => exec::measure(&world, args.rounds, args.output, &mut report).await,
            Figure::Files => files::measure(&world, args.rounds, args.file, &mut report).await,
            Figure::Start => start::measure(&world, args.rounds, &mut report).await,
        }
    }
    let text = report.markdown();
    println!("{text}");
    if let Some(path) = &args.save {
        std::fs::write(path, report::head() + &text).unwrap();
    }
    let World { sandbox, .. } = world;
    sandbox.stop().await.unwrap();
}
