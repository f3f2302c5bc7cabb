//! What is measured, and what is wanted of it.

use std::collections::HashMap;

use crate::rival::Rival;

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    /// Whether more is better.
    more: bool,
    /// How many times as good as a rival's it has to be; 1 leaves 5 % for the noise.
    goals: &'static [(Rival, f64)],
    /// What it has to stay below.
    below: Option<f64>,
}

const NATIVE: (Rival, f64) = (Rival::Native, 1.0);
const CRATE: (Rival, f64) = (Rival::Crate, 1.0);
const THROUGHPUT: &[(Rival, f64)] = &[NATIVE, CRATE, (Rival::Socks5, 1.2)];
const LATENCY: &[(Rival, f64)] = &[NATIVE, CRATE, (Rival::Socks5, 1.0 / 0.6)];
const DIALS: &[(Rival, f64)] = &[NATIVE, (Rival::Crate, 1.5)];

const fn more(name: &'static str, unit: &'static str, goals: &'static [(Rival, f64)]) -> Figure {
    Figure { name, unit, more: true, goals, below: None }
}

const fn less(name: &'static str, unit: &'static str, goals: &'static [(Rival, f64)]) -> Figure {
    Figure { name, unit, more: false, goals, below: None }
}

const fn below(name: &'static str, unit: &'static str, limit: Option<f64>) -> Figure {
    Figure { name, unit, more: false, goals: &[], below: limit }
}

pub(crate) const UPLOAD: Figure = more("upload", "Mbit/s", THROUGHPUT);
pub(crate) const UPLOAD_CPU: Figure = less("upload, CPU", "s/GB", &[NATIVE, CRATE]);
pub(crate) const DOWNLOAD: Figure = more("download", "Mbit/s", THROUGHPUT);
pub(crate) const DOWNLOAD_CPU: Figure = less("download, CPU", "s/GB", &[NATIVE, CRATE]);
pub(crate) const BOTH: Figure = more("both at once, sum", "Mbit/s", THROUGHPUT);
pub(crate) const BOTH_CPU: Figure = less("both at once, CPU", "s/GB", &[NATIVE, CRATE]);
pub(crate) const MANY: Figure = more("32 up and 32 down, sum", "Mbit/s", THROUGHPUT);
pub(crate) const MANY_CPU: Figure = less("32 up and 32 down, CPU", "s/GB", &[NATIVE, CRATE]);
pub(crate) const SMALL_P50: Figure = less("1 B there and back, p50", "µs", LATENCY);
pub(crate) const SMALL_P99: Figure = less("1 B there and back, p99", "µs", &[]);
pub(crate) const LARGE_P50: Figure = less("16 KiB there and back, p50", "µs", LATENCY);
pub(crate) const LARGE_P99: Figure = less("16 KiB there and back, p99", "µs", &[]);
pub(crate) const DIALS_1: Figure = more("dials, 1 at once", "/s", DIALS);
pub(crate) const DIALS_32: Figure = more("dials, 32 at once", "/s", DIALS);
pub(crate) const DIAL_P50: Figure = less("dial and 1 B, p50", "µs", &[NATIVE]);
pub(crate) const DIAL_CPU: Figure = less("dial, CPU", "µs", &[NATIVE]);
pub(crate) const IDLE: Figure = below("memory, idle", "MB", Some(40.0));
pub(crate) const LOADED: Figure = below("memory, most under load", "MB", Some(150.0));
pub(crate) const HELD: Figure = below("memory, 10,000 open streams", "MB", Some(1000.0));
pub(crate) const HELD_THREADS: Figure = below("threads, 10,000 open streams", "", Some(100.0));
pub(crate) const FIRST_BYTE: Figure = less("start to first byte", "ms", &[NATIVE]);
pub(crate) const LARGE_FIRST_BYTE: Figure = less("start to first byte, 10,000 nodes", "ms", &[NATIVE]);
pub(crate) const LARGE_IDLE: Figure = less("memory, 10,000 nodes", "MB", &[NATIVE]);
pub(crate) const SIZE: Figure = below("program", "MB", Some(25.0));
pub(crate) const FAILED: Figure = below("dials without an answer in 2 s", "", None);

/// In the order of the table.
pub(crate) const ALL: &[Figure] = &[
    UPLOAD,
    UPLOAD_CPU,
    DOWNLOAD,
    DOWNLOAD_CPU,
    BOTH,
    BOTH_CPU,
    MANY,
    MANY_CPU,
    SMALL_P50,
    SMALL_P99,
    LARGE_P50,
    LARGE_P99,
    DIALS_1,
    DIALS_32,
    DIAL_P50,
    DIAL_CPU,
    FAILED,
    IDLE,
    LOADED,
    HELD,
    HELD_THREADS,
    FIRST_BYTE,
    LARGE_FIRST_BYTE,
    LARGE_IDLE,
    SIZE,
];

/// What was measured, each value with its round.
#[derive(Debug, Default)]
pub(crate) struct Results(HashMap<(&'static str, &'static str), Vec<(usize, f64)>>);

impl Results {
    pub(crate) fn add(&mut self, figure: Figure, rival: Rival, round: usize, value: f64) {
        self.0.entry((figure.name, rival.name())).or_default().push((round, value));
    }

    fn values(&self, figure: Figure, rival: Rival) -> &[(usize, f64)] {
        self.0.get(&(figure.name, rival.name())).map_or(&[], Vec::as_slice)
    }

    /// The median of all rounds.
    pub(crate) fn median(&self, figure: Figure, rival: Rival) -> Option<f64> {
        median(self.values(figure, rival).iter().map(|(_, value)| *value).collect())
    }

    /// How many times as good ours is as the rival's: the median of the ratios within each round.
    pub(crate) fn ratio(&self, figure: Figure, rival: Rival) -> Option<f64> {
        let theirs: HashMap<usize, f64> = self.values(figure, rival).iter().copied().collect();
        let ratios = self.values(figure, Rival::Ours).iter().filter_map(|(round, ours)| {
            let theirs = theirs.get(round)?;
            Some(if figure.more { ours / theirs } else { theirs / ours })
        });
        median(ratios.filter(|ratio| ratio.is_finite()).collect())
    }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    Some(if values.len() % 2 == 1 { upper } else { (values[middle - 1] + upper) / 2.0 })
}

/// The result as Markdown.
pub(crate) fn table(results: &Results, rivals: &[Rival]) -> String {
    let mut text = String::from("| |");
    for rival in rivals {
        text += &format!(" {} |", rival.name());
    }
    text += &format!("\n|---|{}\n", "---|".repeat(rivals.len()));
    for figure in ALL {
        let unit = if figure.unit.is_empty() { String::new() } else { format!(", {}", figure.unit) };
        text += &format!("| {}{unit} |", figure.name);
        for rival in rivals {
            text += &results.median(*figure, *rival).map_or(" |".to_owned(), |v| format!(" {} |", short(v)));
        }
        text += "\n";
    }
    text
}

/// What is wanted, and whether it is so, as Markdown.
pub(crate) fn goals(results: &Results) -> String {
    let mut text = String::from("| goal | wanted | is | |\n|---|---|---|---|\n");
    for figure in ALL {
        for (rival, wanted) in figure.goals {
            let Some(ratio) = results.ratio(*figure, *rival) else { continue };
            // A goal of 1 is to be as good, which noise of a few percent hides.
            let verdict = match ratio / wanted {
                r if r >= 1.0 => "met",
                r if r >= 0.95 && *wanted == 1.0 => "level within 5 %",
                _ => "**MISSED**",
            };
            let (name, rival) = (figure.name, rival.name());
            text += &format!("| {name}: as good as {rival} | {wanted:.2} | {ratio:.2} | {verdict} |\n");
        }
        let is = results.median(*figure, Rival::Ours);
        if let (Some(limit), Some(is)) = (figure.below, is) {
            let verdict = if is < limit { "met" } else { "**MISSED**" };
            let (name, unit) = (figure.name, figure.unit);
            text += &format!("| {name} | below {limit} {unit} | {} | {verdict} |\n", short(is));
        }
    }
    text
}

fn short(value: f64) -> String {
    match value.abs() {
        v if v >= 100.0 || v == 0.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}
