//! The result as a table.

use std::collections::HashMap;
use std::fmt::Write;
use std::time::Duration;

use crate::Figure;
use crate::kind::Kind;
use crate::machine::{arguments, machine};

#[derive(Default)]
pub(crate) struct Results {
    cells: HashMap<(Kind, Figure, u64), Cell>,
    limits: HashMap<Figure, Vec<Duration>>,
}

#[derive(Default)]
struct Cell {
    times: Vec<Duration>,
    trips: Vec<u64>,
    connections: Vec<u64>,
    failed: usize,
}

impl Results {
    pub(crate) fn add(
        &mut self,
        kind: Kind,
        figure: Figure,
        way: u64,
        took: Duration,
        trips: u64,
        connections: u64,
    ) {
        let cell = self.cells.entry((kind, figure, way)).or_default();
        cell.times.push(took);
        cell.trips.push(trips);
        cell.connections.push(connections);
    }

    pub(crate) fn failed(&mut self, kind: Kind, figure: Figure, way: u64) {
        self.cells.entry((kind, figure, way)).or_default().failed += 1;
    }

    pub(crate) fn limit(&mut self, figure: Figure, took: Duration) {
        self.limits.entry(figure).or_default().push(took);
    }
}

fn median<T: Copy + Ord>(values: &[T]) -> Option<T> {
    let mut sorted = values.to_vec();
    sorted.sort();
    sorted.get(sorted.len() / 2).copied()
}

/// The table: times in milliseconds, with how many times as fast as each rival this crate is by the tailnet.
pub(crate) fn markdown(results: &Results, ways: &[u64], figures: &[Figure]) -> String {
    let mut text = String::new();
    for way in ways {
        let _ = writeln!(text, "\n## Added round trip: {way} ms\n\n| ms |{}", columns(Kind::name));
        let _ = writeln!(text, "|---|{}", "---|".repeat(Kind::ALL.len()));
        for figure in figures {
            let ours = results.cells.get(&(Kind::Tailnet, *figure, *way)).and_then(|c| median(&c.times));
            let row = columns(|kind| {
                let cell = results.cells.get(&(kind, *figure, *way));
                let Some(took) = cell.and_then(|c| median(&c.times)) else { return "failed".to_owned() };
                let mut shown = format!("{:.0}", took.as_secs_f64() * 1e3);
                if matches!(kind, Kind::Lxc | Kind::Pylxd)
                    && let Some(ours) = ours
                {
                    let _ = write!(shown, " (x {:.1})", took.as_secs_f64() / ours.as_secs_f64());
                }
                let (failed, times) = cell.map_or((0, 0), |c| (c.failed, c.times.len() + c.failed));
                if failed > 0 {
                    let _ = write!(shown, ", failed or hung {failed} of {times}");
                }
                shown
            });
            let _ = writeln!(text, "| {} |{row}", figure.name());
        }
    }
    if let Some(way) = ways.last() {
        let _ = writeln!(
            text,
            "\n## Round trips / connections, at {way} ms\n\n| |{}\n|---|{}",
            columns(Kind::name),
            "---|".repeat(Kind::ALL.len())
        );
        for figure in figures {
            let row = columns(|kind| {
                let Some(cell) = results.cells.get(&(kind, *figure, *way)) else { return String::new() };
                let (trips, connections) = (median(&cell.trips), median(&cell.connections));
                format!("{} / {}", trips.unwrap_or_default(), connections.unwrap_or_default())
            });
            let _ = writeln!(text, "| {} |{row}", figure.name());
        }
    }
    for figure in [Figure::Push, Figure::Pull] {
        if let Some(limit) = results.limits.get(&figure).and_then(|times| median(times)) {
            let ours = ways.first().and_then(|way| results.cells.get(&(Kind::Warm, figure, *way)));
            let ours = ours.and_then(|cell| median(&cell.times)).unwrap_or_default();
            let _ = writeln!(
                text,
                "\nThe server's own limit for a {}: {:.0} ms (curl, straight, no delay); this crate, straight: {:.0} ms.",
                figure.name(),
                limit.as_secs_f64() * 1e3,
                ours.as_secs_f64() * 1e3
            );
        }
    }
    text
}

fn columns<T: std::fmt::Display>(cell: impl Fn(Kind) -> T) -> String {
    Kind::ALL.iter().map(|kind| format!(" {} |", cell(*kind))).collect()
}

/// Where and how the result came about.
pub(crate) fn head() -> String {
    format!(
        "# Benchmark\n\nMade by `PYLXD_PYTHON=$(.ci/pylxd) .ci/with-lxd cargo bench --bench lxd -- {}` {}, pylxd 2.4.2.\n\
         Server, clients, tailnet and forwarders share the cores, so only the ratios within one run mean something.\n\
         Medians. In brackets: how many times as long as this crate by the tailnet. The stock clients go straight \
         to the delaying forwarder and have no tailnet's encryption to do. `lxc` is a process for each figure, pylxd one \
         process with its connections kept.\n",
        arguments(),
        machine(),
    )
}
