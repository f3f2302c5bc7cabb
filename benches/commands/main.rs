//! The speed of the `lxd` commands beside `lxc`, as whole processes, in one run over ways of several lengths:
//! `.ci/with-lxd cargo bench --bench commands`, and `-- --help`.
//!
//! Two real LXDs. A forwarder before each delays each direction. `kolaboree-node lxd` goes by a running node through a sandbox
//! tailnet, `lxc` goes straight to forwarders of its own. The two take turns at each figure. The table shows medians.

#![allow(clippy::unwrap_used, reason = "a benchmark ends by it")]

#[path = "../../crates/lxd-client/tests/shared/forwarder.rs"]
#[allow(dead_code, reason = "shared with tests, which use more of it")]
mod forwarder;
mod world;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Parser;

use world::{Program, World};

/// The speed of the lxd commands beside lxc.
#[derive(Debug, Parser)]
struct Args {
    /// How often everything is measured
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// The lengths of the ways: added round trips in milliseconds
    #[arg(long, value_delimiter = ',', default_values_t = [0, 100])]
    ways: Vec<u64>,
    /// How many instances the long lists have in each cloud
    #[arg(long, default_value_t = 1000)]
    many: usize,
    /// How many MB the instance has that is copied from one server to the other
    #[arg(long, default_value_t = 500)]
    copied: usize,
    /// Only the figures whose name contains this
    #[arg(long, default_value = "")]
    only: String,
    /// Write the result to this file, too
    #[arg(long)]
    save: Option<PathBuf>,
    /// Given by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

/// Something both programs do: what comes before, the arguments (with CLOUD: and SECOND: for the two servers), and what
/// comes after. Before and after are done by `lxc` on the servers' sockets.
struct Figure {
    name: String,
    before: Vec<&'static str>,
    ours: String,
    lxc: String,
    after: Vec<&'static str>,
}

impl Figure {
    fn same(name: &str, before: &[&'static str], arguments: &str, after: &[&'static str]) -> Figure {
        let (ours, lxc) = (arguments.to_owned(), arguments.to_owned());
        Figure { name: name.to_owned(), before: before.to_vec(), ours, lxc, after: after.to_vec() }
    }
}

fn figures(many: usize, copied: usize) -> Vec<Figure> {
    let relayed = "copy CLOUD:bench-big SECOND:bench-copy --mode relay";
    vec![
        Figure::same("list of few", &[], "list CLOUD:", &[]),
        Figure::same(&format!("list of {many}"), &[], "list CLOUD: --project many", &[]),
        Figure {
            name: format!("list of 5 x {many}"),
            before: vec![],
            ours: "list --project many".to_owned(),
            lxc: "list CLOUD: --project many".to_owned(),
            after: vec![],
        },
        Figure::same("config set", &[], "config set CLOUD:c1 user.bench=1", &[]),
        Figure::same("snapshot", &[], "snapshot CLOUD:bench-small s", &["delete bench-small/s"]),
        Figure::same(
            "restore",
            &["snapshot bench-small s"],
            "restore CLOUD:bench-small s",
            &["delete bench-small/s"],
        ),
        Figure::same(
            "image copy",
            &[],
            "image copy CLOUD:busybox SECOND: --alias bench --mode relay",
            &["SECOND image delete bench"],
        ),
        Figure::same(&format!("relay copy of {copied} MB"), &[], relayed, &["SECOND delete bench-copy"]),
    ]
}

fn main() {
    let args = Args::parse();
    let world = World::new(&args.ways, args.many, args.copied);
    let figures: Vec<Figure> =
        figures(args.many, args.copied).into_iter().filter(|f| f.name.contains(&args.only)).collect();
    let mut took: BTreeMap<(usize, usize, Program), Vec<Duration>> = BTreeMap::new();
    for (way, milliseconds) in args.ways.iter().enumerate() {
        for round in 0..args.rounds {
            eprintln!("way of {milliseconds} ms, round {} of {}", round + 1, args.rounds);
            for (number, figure) in figures.iter().enumerate() {
                for program in [Program::Ours, Program::Lxc] {
                    figure.before.iter().for_each(|command| world.prepare(command));
                    let arguments = if program == Program::Ours { &figure.ours } else { &figure.lxc };
                    let began = Instant::now();
                    let outcome = world.run(program, way, arguments);
                    let needed = began.elapsed();
                    figure.after.iter().for_each(|command| world.prepare(command));
                    match outcome {
                        Ok(()) => took.entry((way, number, program)).or_default().push(needed),
                        Err(error) => eprintln!("{program:?}: {}: {error}", figure.name),
                    }
                }
            }
        }
    }
    let memory = world.memory();
    world.end();
    let mut text = String::new();
    for (way, milliseconds) in args.ways.iter().enumerate() {
        writeln!(text, "\n## Added round trip: {milliseconds} ms\n").unwrap();
        writeln!(text, "| ms | `kolaboree-node lxd` | `lxc` | `lxc` : ours |\n|---|---|---|---|").unwrap();
        for (number, figure) in figures.iter().enumerate() {
            let median = |program| {
                let mut all = took.get(&(way, number, program))?.clone();
                all.sort();
                Some(all[all.len() / 2].as_secs_f64() * 1000.0)
            };
            let cell = |ms: Option<f64>| ms.map_or("failed".to_owned(), |ms| format!("{ms:.0}"));
            let (ours, lxc) = (median(Program::Ours), median(Program::Lxc));
            let ratio = ours.zip(lxc).map(|(ours, lxc)| format!("{:.1}", lxc / ours)).unwrap_or_default();
            writeln!(text, "| {} | {} | {} | {ratio} |", figure.name, cell(ours), cell(lxc)).unwrap();
        }
    }
    writeln!(text, "\nThe node's memory at the end: {memory}.").unwrap();
    println!("{text}");
    if let Some(path) = &args.save {
        std::fs::write(path, format!("{}{text}", world::HEAD)).unwrap();
    }
}
