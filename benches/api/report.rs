//! What came out.

use std::fmt::Write;
use std::time::Duration;

use crate::machine::{arguments, machine};

/// What a figure has shown: a table, and what of it was wanted.
#[derive(Default)]
pub(crate) struct Report {
    text: String,
    goals: Vec<Goal>,
}

struct Goal {
    what: String,
    wanted: String,
    is: String,
    is_met: bool,
}

impl Report {
    pub(crate) fn title(&mut self, title: &str) {
        let _ = writeln!(self.text, "\n## {title}\n");
    }

    pub(crate) fn text(&mut self, text: &str) {
        let _ = writeln!(self.text, "{text}\n");
    }

    /// A table, whose first row is its head.
    pub(crate) fn table(&mut self, rows: &[Vec<String>]) {
        for (number, row) in rows.iter().enumerate() {
            let _ = writeln!(self.text, "| {} |", row.join(" | "));
            if number == 0 {
                let _ = writeln!(self.text, "|{}", "---|".repeat(row.len()));
            }
        }
        self.text.push('\n');
    }

    pub(crate) fn goal(&mut self, what: &str, wanted: &str, is: String, is_met: bool) {
        self.goals.push(Goal { what: what.to_owned(), wanted: wanted.to_owned(), is, is_met });
    }

    /// The whole, with the goals first.
    pub(crate) fn markdown(self) -> String {
        let mut goals = String::from("| goal | wanted | is | |\n|---|---|---|---|\n");
        for Goal { what, wanted, is, is_met } in &self.goals {
            let met = if *is_met { "met" } else { "**MISSED**" };
            let _ = writeln!(goals, "| {what} | {wanted} | {is} | {met} |");
        }
        goals + &self.text
    }
}

/// Where and how the result came about.
pub(crate) fn head() -> String {
    format!(
        "# The API in the tailnet\n\nMade by `.ci/with-lxd cargo bench --bench api -- {}` {}.\n\n\
         Nodes, callers, clouds and tailnet share the cores, so only what is beside each other in one table means something. \
         Callers are nodes of this process, whose requests cross the tailnet; a node is a process of its own.\n\n",
        arguments(),
        machine(),
    )
}

/// Cells of a row.
#[macro_export]
macro_rules! row {
    ($($cell:expr),* $(,)?) => { vec![$($cell.to_string()),*] };
}

/// Times in order, for what a part of them is below of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) fn of(times: impl IntoIterator<Item = Duration>) -> Times {
        let mut times: Vec<Duration> = times.into_iter().collect();
        times.sort();
        Times(times)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// In milliseconds.
    pub(crate) fn at(&self, part: f64) -> f64 {
        let last = self.0.len().saturating_sub(1);
        self.0.get((last as f64 * part).round() as usize).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
    }

    pub(crate) fn p50(&self) -> f64 {
        self.at(0.5)
    }

    pub(crate) fn p99(&self) -> f64 {
        self.at(0.99)
    }
}

/// Milliseconds, with as many digits as mean something.
pub(crate) fn ms(value: f64) -> String {
    if value < 10.0 {
        format!("{value:.2}")
    } else if value < 100.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.0}")
    }
}

/// The one in the middle.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
