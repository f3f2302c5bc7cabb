//! The columns of `lxd list`, with the letters of `lxc list`.

use std::cmp::Ordering;

use crate::cli::exit::usage;
use crate::cli::lxd::words;
use crate::inventory::{InstanceRow, InstanceUsage};

/// A column that has a letter.
struct Known {
    letter: char,
    head: &'static str,
    /// The field of a row that it shows.
    needs: &'static str,
    /// What it shows, several things in lines of their own.
    cell: fn(&InstanceRow) -> String,
    /// By what it is sorted where the text does not do.
    number: Option<fn(&InstanceRow) -> f64>,
}

const fn text(
    letter: char,
    head: &'static str,
    needs: &'static str,
    cell: fn(&InstanceRow) -> String,
) -> Known {
    Known { letter, head, needs, cell, number: None }
}

const fn number(
    letter: char,
    head: &'static str,
    needs: &'static str,
    cell: fn(&InstanceRow) -> String,
    number: fn(&InstanceRow) -> f64,
) -> Known {
    Known { letter, head, needs, cell, number: Some(number) }
}

const KNOWN: &[Known] = &[
    text('4', "IPV4", "state", |row| addresses(row, false)),
    text('6', "IPV6", "state", |row| addresses(row, true)),
    text('a', "ARCHITECTURE", "architecture", |row| row.architecture.clone()),
    text('b', "STORAGE POOL", "pool", |row| row.pool.clone()),
    text('c', "CREATED AT", "created_at", |row| words::minute(&row.created_at)),
    text('d', "DESCRIPTION", "description", |row| row.description.clone()),
    number(
        'D',
        "DISK USAGE",
        "state",
        |row| bytes(row, |usage| usage.disk),
        |row| used(row, |usage| usage.disk),
    ),
    text('e', "PROJECT", "project", |row| row.key.project.clone()),
    text('f', "BASE IMAGE", BASE_IMAGE, |row| setting(row, "volatile.base_image").chars().take(12).collect()),
    text('F', "BASE IMAGE", BASE_IMAGE, |row| setting(row, "volatile.base_image").to_owned()),
    text('l', "LAST USED AT", "last_used_at", |row| words::minute(&row.last_used_at)),
    text('L', "LOCATION", "location", |row| row.location.clone()),
    number(
        'm',
        "MEMORY USAGE",
        "state",
        |row| bytes(row, |usage| usage.memory),
        |row| used(row, |usage| usage.memory),
    ),
    number(
        'M',
        "MEMORY USAGE%",
        "state,config.limits.memory",
        |row| share(row).map(|share| format!("{share:.1}%")).unwrap_or_default(),
        |row| share(row).unwrap_or_default(),
    ),
    text('n', "NAME", "name", |row| row.key.name.clone()),
    text('N', "PROCESSES", "state", |row| {
        active(row).map(|usage| usage.processes.to_string()).unwrap_or_default()
    }),
    text('p', "PID", "state", |row| active(row).map(|usage| usage.pid.to_string()).unwrap_or_default()),
    text('P', "PROFILES", "profiles", |row| row.profiles.join("\n")),
    text('r', "CLOUD", "cloud", |row| row.key.cloud.clone()),
    text('s', "STATE", "status", |row| row.status.to_uppercase()),
    text('S', "SNAPSHOTS", "snapshots", |row| row.snapshots.unwrap_or_default().to_string()),
    text('t', "TYPE", "type,ephemeral", kind),
    number(
        'u',
        "CPU USAGE",
        "state",
        |row| cpu_seconds(row).map(|seconds| format!("{}s", seconds.trunc())).unwrap_or_default(),
        |row| cpu_seconds(row).unwrap_or_default(),
    ),
];

const BASE_IMAGE: &str = "config.volatile.base_image";

/// One column of a list.
#[derive(Clone)]
pub(super) struct Column {
    pub(super) head: String,
    what: What,
}

#[derive(Clone)]
enum What {
    Known(&'static Known),
    /// A setting of the instance, or of a device `devices:NAME.KEY`.
    Setting {
        key: String,
        width: Option<usize>,
    },
}

impl Column {
    /// Reads `ns4,user.role:ROLE`: letters, and keys of settings with a head and a width after them.
    pub(super) fn parse(text: &str) -> anyhow::Result<Vec<Column>> {
        let mut columns = Vec::new();
        for entry in text.split(',') {
            if entry.is_empty() {
                return Err(usage(format!("{text:?} has an empty column: leave the comma out")));
            }
            if entry.contains('.') {
                columns.push(Column::of_setting(entry)?);
                continue;
            }
            for letter in entry.chars() {
                columns.push(Column::of_letter(letter).ok_or_else(|| {
                    usage(format!("{letter:?} in {entry:?} is no column: `lxd list --help` lists them"))
                })?);
            }
        }
        Ok(columns)
    }

    pub(super) fn of_letter(letter: char) -> Option<Column> {
        let known = KNOWN.iter().find(|known| known.letter == letter)?;
        Some(Column { head: known.head.to_owned(), what: What::Known(known) })
    }

    /// `[config:|devices:]KEY[:HEAD][:WIDTH]`.
    fn of_setting(entry: &str) -> anyhow::Result<Column> {
        let wrong = |why: &str| usage(format!("the column {entry:?} {why}"));
        let (key, rest) = match (entry.strip_prefix("config:"), entry.strip_prefix("devices:")) {
            (Some(rest), _) => split(rest, ""),
            (_, Some(rest)) => split(rest, "devices:"),
            (None, None) => split(entry, ""),
        };
        let (head, width) = match rest.as_deref().map(|rest| rest.split_once(':').unwrap_or((rest, ""))) {
            None => (key.trim_start_matches("devices:").to_owned(), ""),
            Some(("", "")) => {
                return Err(wrong("has an empty head: leave the colon out, or name a width too"));
            }
            Some((head, width)) => (head.to_owned(), width),
        };
        let width = match width {
            "" | "-1" => None,
            "0" => Some(head.chars().count()),
            width => Some(width.parse().map_err(|_| wrong("has a width that is no number"))?),
        };
        Ok(Column { head, what: What::Setting { key, width } })
    }

    /// What it shows of an instance; several things in lines of their own.
    pub(super) fn cell(&self, row: &InstanceRow) -> String {
        match &self.what {
            What::Known(known) => (known.cell)(row),
            What::Setting { key, width } => {
                let value = setting(row, key);
                value.chars().take(width.unwrap_or(usize::MAX)).collect()
            }
        }
    }

    /// Whether it shows the state of an instance, which has a colour on a terminal.
    pub(super) fn is_status(&self) -> bool {
        matches!(self.what, What::Known(Known { letter: 's', .. }))
    }

    /// The fields of a row that it looks at, with commas between them.
    pub(super) fn needs(&self) -> String {
        match &self.what {
            What::Known(known) => known.needs.to_owned(),
            What::Setting { key, .. } => format!("config.{key}"),
        }
    }

    /// Whether it shows what the inventory leaves out: settings of devices, and those that the server keeps for itself.
    pub(super) fn is_left_out(&self) -> bool {
        match &self.what {
            What::Known(_) => false,
            What::Setting { key, .. } => {
                key.starts_with("devices:") || (key.starts_with("volatile.") && key != "volatile.base_image")
            }
        }
    }

    /// The order of two instances by this column.
    pub(super) fn order(&self, a: &InstanceRow, b: &InstanceRow) -> Ordering {
        match &self.what {
            What::Known(Known { number: Some(number), .. }) => number(a).total_cmp(&number(b)),
            _ => words::natural(&self.cell(a), &self.cell(b)),
        }
    }
}

/// A key, and what stands behind its colon.
fn split(entry: &str, prefix: &str) -> (String, Option<String>) {
    match entry.split_once(':') {
        Some((key, rest)) => (format!("{prefix}{key}"), Some(rest.to_owned())),
        None => (format!("{prefix}{entry}"), None),
    }
}

fn setting<'a>(row: &'a InstanceRow, key: &str) -> &'a str {
    row.config.get(key).map_or("", String::as_str)
}

/// What it uses, while it runs.
fn active(row: &InstanceRow) -> Option<&InstanceUsage> {
    row.state.as_ref().filter(|_| !matches!(row.status.as_str(), "Stopped" | "Error"))
}

fn addresses(row: &InstanceRow, v6: bool) -> String {
    let all = active(row).into_iter().flat_map(|usage| &usage.addresses);
    let mut mine: Vec<String> = all
        .filter(|address| address.address.contains(':') == v6)
        .map(|address| format!("{} ({})", address.address, address.interface))
        .collect();
    mine.sort_unstable_by(|a, b| b.cmp(a));
    mine.join("\n")
}

fn used(row: &InstanceRow, of: fn(&InstanceUsage) -> u64) -> f64 {
    active(row).map(of).unwrap_or_default() as f64
}

fn bytes(row: &InstanceRow, of: fn(&InstanceUsage) -> u64) -> String {
    active(row).map(of).filter(|count| *count > 0).map(words::bytes).unwrap_or_default()
}

/// How much of its memory it uses, in percent, where it has a limit.
fn share(row: &InstanceRow) -> Option<f64> {
    let limit = words::size(setting(row, "limits.memory")).filter(|limit| *limit > 0)?;
    let used = active(row)?.memory;
    (used > 0).then(|| used as f64 / limit as f64 * 100.0)
}

fn cpu_seconds(row: &InstanceRow) -> Option<f64> {
    active(row).map(|usage| usage.cpu_seconds).filter(|seconds| *seconds > 0.0)
}

fn kind(row: &InstanceRow) -> String {
    let kind = if row.kind.is_empty() { "container" } else { &row.kind }.to_uppercase();
    if row.ephemeral { format!("{kind} (EPHEMERAL)") } else { kind }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::tests::row;
    use super::*;

    fn cells(columns: &str, row: &InstanceRow) -> Vec<String> {
        Column::parse(columns).unwrap().iter().map(|column| column.cell(row)).collect()
    }

    #[test]
    fn cells_are_those_of_lxc() {
        let mut row = row("berlin", "web");
        let config =
            [("limits.memory", "1MiB"), ("user.role", "front"), ("volatile.base_image", "0123456789abcdef")];
        row.config = Arc::new(config.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
        assert_eq!(
            cells("rnst46SmMuNpfeb", &row),
            [
                "berlin",
                "web",
                "RUNNING",
                "CONTAINER",
                "10.1.2.3 (eth0)",
                "fd42::1 (eth1)\nfd42::1 (eth0)",
                "2",
                "512.00KiB",
                "50.0%",
                "3s",
                "4",
                "77",
                "0123456789ab",
                "default",
                "local"
            ]
        );
        assert_eq!(
            cells("user.role:ROLE,user.none,user.role::0,user.role:R:2", &row),
            ["front", "", "", "fr"]
        );
        row.ephemeral = true;
        row.status = "Stopped".to_owned();
        assert_eq!(cells("st4m", &row), ["STOPPED", "CONTAINER (EPHEMERAL)", "", ""]);
    }

    #[test]
    fn heads_are_as_asked_for() {
        let heads =
            |text| Column::parse(text).unwrap().into_iter().map(|column| column.head).collect::<Vec<_>>();
        assert_eq!(
            heads("n,user.role:ROLE,config:a.b,devices:eth0.parent:ETH"),
            ["NAME", "ROLE", "a.b", "ETH"]
        );
        assert_eq!(heads("devices:eth0.parent"), ["eth0.parent"]);
        assert_eq!(heads("user.role:R:5"), ["R"]);
    }

    #[test]
    fn what_is_no_column_is_told() {
        for (text, part) in [
            ("nQ", "'Q'"),
            ("n,,s", "empty"),
            (",", "empty"),
            ("a.b:", "head"),
            ("a.b:c:d", "width"),
            ("a.b:c:-2", "width"),
        ] {
            let error = Column::parse(text).err().unwrap().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn each_letter_stands_for_one_column() {
        let mut letters: Vec<char> = KNOWN.iter().map(|known| known.letter).collect();
        letters.sort_unstable();
        letters.dedup();
        assert_eq!(letters.len(), KNOWN.len());
    }
}
