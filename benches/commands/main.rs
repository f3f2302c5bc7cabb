//! The speed of the `lxd` commands beside `lxc`, as whole processes, in one run over ways of several lengths:
//! `LXD_MORE=4 .ci/with-lxd cargo bench --bench commands`, and `-- --help`.
//!
//! Real LXDs. A forwarder before each delays each direction. `kolaboree-node lxd` goes by a running node through a sandbox
//! tailnet, `lxc` goes straight to forwarders of its own. The two take turns at each figure. The table shows medians.

#![allow(clippy::unwrap_used, reason = "a benchmark ends by it")]

mod figure;
#[path = "../../crates/lxd-client/tests/shared/forwarder.rs"]
#[allow(dead_code, reason = "shared with tests, which use more of it")]
mod forwarder;
#[path = "../lxd/machine.rs"]
mod machine;
mod program;
mod servers;
mod stock;
mod table;
mod world;

use std::path::PathBuf;

use clap::Parser;

use figure::{Figure, figures};
use table::Results;
use world::{Program, World};

/// The speed of the lxd commands beside lxc.
#[derive(Debug, Parser)]
struct Args {
    /// How often everything is measured
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// The lengths of the ways: added round trips in milliseconds
    #[arg(long, value_delimiter = ',', default_values_t = [0, 50, 100])]
    ways: Vec<u64>,
    /// How many instances the long lists have in each cloud
    #[arg(long, default_value_t = 1000)]
    many: usize,
    /// How many MB the instance has that is copied from one server to the other
    #[arg(long, default_value_t = 500)]
    copied: usize,
    /// Only the figures whose name contains one of these
    #[arg(long, value_delimiter = ',', default_value = "")]
    only: Vec<String>,
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

fn main() {
    let args = Args::parse();
    let mut figures = figures(args.many, args.copied);
    figures.retain(|figure| args.only.iter().any(|only| figure.name.contains(only)));
    let stock: Vec<_> = figures.iter().map(|figure| figure.stock).collect();
    let world = World::new(args.program.clone(), &args.ways, &stock);
    let mut results = Results::new();
    for (way, milliseconds) in args.ways.iter().enumerate() {
        for round in 0..args.rounds {
            eprintln!("way of {milliseconds} ms, round {} of {}", round + 1, args.rounds);
            for (number, figure) in figures.iter().enumerate() {
                if figure.goes(*milliseconds) && round < figure.rounds {
                    // What one leaves behind, such as warm files, may be of use to the other.
                    let mut programs = [Program::Ours, Program::Lxc];
                    programs.rotate_left(round % 2);
                    for program in programs {
                        match measure(&world, way, figure, program) {
                            Ok(needed) => {
                                eprintln!("{program:?}: {}: {:.0?}", figure.name, needed.time);
                                results.entry((*milliseconds, number, program)).or_default().push(needed)
                            }
                            Err(error) => eprintln!("{program:?}: {}: {error}", figure.name),
                        }
                    }
                }
            }
        }
    }
    let memory = world.memory();
    world.end();
    let mut text = table::markdown(&results, &args.ways, &figures);
    text += &format!("\nThe most memory that the running nodes had, one for each way: {memory}.\n");
    println!("{text}");
    if let Some(path) = &args.save {
        std::fs::write(path, table::head() + &text).unwrap();
    }
}

fn measure(world: &World, way: usize, figure: &Figure, program: Program) -> Result<table::Needed, String> {
    figure.before.iter().for_each(|command| world.prepare(command));
    let outcome = world.run(program, way, figure);
    figure.after.iter().for_each(|command| world.prepare(command));
    outcome
}
