//! The result as a table.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use crate::figure::Figure;
use crate::machine::{arguments, machine};
use crate::world::Program;

/// What a process needed: its time, and its most memory in KB where that was measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Needed {
    pub(crate) time: Duration,
    pub(crate) memory: Option<u64>,
}

/// By way, by the figure's number, and by program.
pub(crate) type Results = BTreeMap<(u64, usize, Program), Vec<Needed>>;

fn median<T: Copy + Ord>(values: impl Iterator<Item = T>) -> Option<T> {
    let mut sorted: Vec<T> = values.collect();
    sorted.sort();
    sorted.get(sorted.len() / 2).copied()
}

pub(crate) fn markdown(results: &Results, ways: &[u64], figures: &[Figure]) -> String {
    let mut text = String::new();
    for way in ways {
        let _ = writeln!(
            text,
            "\n## Added round trip to each server: {way} ms\n\n| ms | `kolaboree-node lxd` | `lxc` | `lxc` : ours | memory, MB |\n|---|---|---|---|---|"
        );
        for (number, figure) in figures.iter().enumerate().filter(|(_, figure)| figure.goes(*way)) {
            let of = |program| results.get(&(*way, number, program)).into_iter().flatten();
            let time = |program| median(of(program).map(|needed| needed.time)).map(|t| t.as_secs_f64() * 1e3);
            let memory = |program| median(of(program).filter_map(|needed| needed.memory));
            let cell = |ms: Option<f64>| ms.map_or("failed".to_owned(), |ms| format!("{ms:.0}"));
            let (ours, lxc) = (time(Program::Ours), time(Program::Lxc));
            let ratio = ours.zip(lxc).map(|(ours, lxc)| format!("{:.2}", lxc / ours)).unwrap_or_default();
            let memory = memory(Program::Ours).zip(memory(Program::Lxc));
            let memory = memory.map_or(String::new(), |(ours, lxc)| {
                format!("{:.0} : {:.0}", ours as f64 / 1e3, lxc as f64 / 1e3)
            });
            let _ =
                writeln!(text, "| {} | {} | {} | {ratio} | {memory} |", figure.name, cell(ours), cell(lxc));
        }
    }
    text
}

/// Where and how the result came about.
pub(crate) fn head() -> String {
    format!(
        "# The commands beside `lxc`\n\nMade by `LXD_MORE=4 .ci/with-lxd cargo bench --bench commands -- {}` {}.\n\n\
         Servers, clients, tailnet and forwarders share the cores, so only the ratios within one run mean something. Medians \
         of whole processes that take turns. `lxc` goes straight to a delaying forwarder; ours goes through a tailnet to one, by a \
         running node. A list of 5 clouds is compared with five lists of `lxc` in a row; the five clouds of the node are names of \
         one server. The starts are compared with a loop of `lxc start` at each server's own socket, all loops at once; they \
         are of five servers. Memory is the most that the process had resident, ours and that of `lxc`.\n",
        arguments(),
        machine(),
    )
}
