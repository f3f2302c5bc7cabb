//! `lxd list`: the instances of all clouds, with the filters and columns of `lxc list`.

mod columns;
mod direct;
mod filter;
mod known;
mod wanted;

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::Arc;

use self::columns::Column;
use self::filter::Filter;
use self::wanted::Wanted;
use crate::cli::exit::{Failure, usage};
use crate::cli::lxd::fleet::Fleet;
use crate::cli::lxd::words;
use crate::cli::output::{Colour, Format, Out, Table, report};
use crate::inventory::InstanceRow;

const COLUMNS: &str = "\
Filters:
  web                  the name begins with web
  '.*web.*01$'         the name is matched by a regular expression
  status=running       also architecture, cloud, description, location, name, project and type;
                       several values have commas between them
  ipv4=10.1.2.0/24     also ipv6; a network or an address
  user.role=web        a setting; its value may be a regular expression, its key shortened (u.role)
Of several filters all have to fit; those of CLOUD:FILTER are for that cloud.

Columns:
  r  cloud             4  IPv4 addresses       c  created at       m  memory in use
  n  name              6  IPv6 addresses       l  last used at     M  of its limit, in percent
  s  state             S  snapshots            a  architecture     D  its root disk, while it runs
  t  type              P  profiles             b  storage pool     u  CPU time in seconds
  e  project           d  description          f  base image       N  processes
  L  cluster member                            F  the same, long   p  number of its first process
  KEY[:HEAD[:WIDTH]]   a setting, such as user.role:ROLE
  devices:NAME.KEY     a setting of a device, such as devices:eth0.parent:BRIDGE";

/// What `lxd list` is asked for.
#[derive(Debug, clap::Args)]
#[command(after_long_help = COLUMNS)]
pub(crate) struct List {
    /// Of which clouds (berlin:), and which instances (a filter, or berlin:web). Default: all.
    #[arg(value_name = "CLOUD:|FILTER")]
    targets: Vec<String>,
    /// The columns, a letter for each; the default is rns46tS.
    #[arg(short, long, value_name = "COLUMNS")]
    columns: Option<String>,
    /// What the servers answer fastest: the columns rnsacPt.
    #[arg(long, conflicts_with = "columns")]
    fast: bool,
    /// Of all projects.
    #[arg(long)]
    all_projects: bool,
    /// The columns by which it is sorted, the most important one first; -m is by memory, most first.
    #[arg(long, value_name = "COLUMNS", allow_hyphen_values = true)]
    sort: Option<String>,
}

/// What a look has found.
#[derive(Default)]
struct Found {
    rows: Vec<Arc<InstanceRow>>,
    /// The clouds whose rows are old.
    stale: Vec<String>,
    failures: Vec<Failure>,
}

pub(super) async fn list(fleet: &Fleet, options: &List, out: &Out) -> anyhow::Result<ExitCode> {
    let wanted = Wanted::parse(fleet, &options.targets, options.all_projects)?;
    let mut columns = match (&options.columns, options.fast) {
        (Some(columns), _) => Column::parse(columns)?,
        (None, fast) => {
            let (first, rest) = if fast { ("rn", "sacPt") } else { ("rn", "s46tS") };
            let project = if options.all_projects { "e" } else { "" };
            Column::parse(&format!("{first}{project}{rest}"))?
        }
    };
    let order = options.sort.as_deref().map(Order::parse).transpose()?;
    let needs = Needs::of(&columns, &wanted, order.as_ref(), out);
    let found = match fleet.node().await? {
        Some(node) if !needs.direct => known::look(fleet, node, &wanted, &needs).await?,
        _ => direct::look(fleet, &wanted, &wanted.clouds(), &needs).await,
    };

    let rows: Vec<Arc<InstanceRow>> = found.rows.into_iter().filter(|row| wanted.fits(row)).collect();
    if options.columns.is_none() && rows.iter().any(|row| !matches!(row.location.as_str(), "" | "none")) {
        columns.extend(Column::of_letter('L'));
    }
    let mut rows: Vec<Shown> = rows.into_iter().map(|row| Shown::of(row, &columns)).collect();
    rows.sort_by(|a, b| Order::compare(order.as_ref(), a, b));
    for failure in &found.failures {
        report(failure); // the others are shown all the same
    }
    if !rows.is_empty() || found.failures.is_empty() {
        let nothing = match wanted.only_project() {
            Some(project) => format!("no instances in the project {project}"),
            None => "no instances".to_owned(),
        };
        print(rows, &found.stale, &columns, &nothing, out)?;
    }
    Ok(found.failures.first().map_or(ExitCode::SUCCESS, |failure| ExitCode::from(failure.code)))
}

/// An instance, and what stands in the columns.
struct Shown {
    row: Arc<InstanceRow>,
    cells: Vec<String>,
}

impl Shown {
    fn of(row: Arc<InstanceRow>, columns: &[Column]) -> Shown {
        let cells = columns.iter().map(|column| column.cell(&row)).collect();
        Shown { row, cells }
    }
}

fn print(
    rows: Vec<Shown>,
    stale: &[String],
    columns: &[Column],
    nothing: &str,
    out: &Out,
) -> std::io::Result<()> {
    let heads: Vec<&str> = columns.iter().map(|column| column.head.as_str()).collect();
    let mut table = Table::new(&heads);
    let mut values = Vec::with_capacity(rows.len());
    for Shown { row, cells } in rows {
        let stale = stale.contains(&row.key.cloud);
        table.row(columns.iter().zip(cells).map(|(column, cell)| match out.format {
            Format::Table if cell.is_empty() => cell,
            Format::Table if stale => out.paint(Colour::Dim, &in_one_line(cell)),
            Format::Table if column.is_status() => out.paint(colour(&row.status), &cell),
            Format::Table => in_one_line(cell),
            _ => cell,
        }));
        values.push(row);
    }
    out.list(&values, &table, nothing)
}

/// Several things of a cell, which stand in lines of their own for programs.
fn in_one_line(cell: String) -> String {
    if cell.contains('\n') { cell.replace('\n', ", ") } else { cell }
}

fn colour(status: &str) -> Colour {
    match status {
        "Running" => Colour::Green,
        "Error" => Colour::Red,
        _ => Colour::Yellow,
    }
}

/// What of the instances has to be known.
struct Needs {
    /// The fields of a row; all where there is none.
    fields: BTreeSet<String>,
    /// Whether the servers have to be asked: the inventory leaves something out.
    direct: bool,
}

impl Needs {
    fn of(columns: &[Column], wanted: &Wanted, order: Option<&Order>, out: &Out) -> Needs {
        let ordered = order.iter().flat_map(|order| order.columns());
        let shown: Vec<&Column> = columns.iter().chain(ordered).collect();
        let direct =
            shown.iter().any(|column| column.is_left_out()) || wanted.filters().any(Filter::is_left_out);
        if matches!(out.format, Format::Json | Format::Yaml) {
            return Needs { fields: BTreeSet::new(), direct };
        }
        let mut fields = BTreeSet::from(["status".to_owned(), "location".to_owned()]);
        for needs in
            shown.iter().map(|column| column.needs()).chain(wanted.filters().map(|f| f.needs().to_owned()))
        {
            fields.extend(needs.split(',').map(str::to_owned));
        }
        Needs { fields, direct }
    }

    /// Whether all that is needed of an instance is known.
    fn are_met_by(&self, row: &InstanceRow) -> bool {
        let needed = |field: &str| self.fields.is_empty() || self.fields.contains(field);
        (row.state.is_some() || !row.is_running() || !needed("state"))
            && (row.snapshots.is_some() || !needed("snapshots"))
    }

    /// Whether the state of the instances is needed, or their snapshots, which a server is slower to tell.
    fn state(&self) -> bool {
        self.fields.is_empty() || self.fields.contains("state") || self.fields.contains("snapshots")
    }
}

/// The order of a list.
struct Order(Vec<(Column, bool)>);

impl Order {
    /// Letters, each with `-` before it for the opposite order.
    fn parse(text: &str) -> anyhow::Result<Order> {
        let mut columns = Vec::new();
        let mut backward = false;
        for letter in text.chars().filter(|letter| *letter != ',') {
            if letter == '-' {
                backward = true;
                continue;
            }
            let column = Column::of_letter(letter).ok_or_else(|| {
                usage(format!("{letter:?} in --sort {text} is no column: `lxd list --help` lists them"))
            })?;
            columns.push((column, std::mem::take(&mut backward)));
        }
        if columns.is_empty() || backward {
            return Err(usage(format!("--sort {text} names no column: `lxd list --help` lists them")));
        }
        Ok(Order(columns))
    }

    fn columns(&self) -> impl Iterator<Item = &Column> {
        self.0.iter().map(|(column, _)| column)
    }

    /// By this order, and then by what is shown, from left to right.
    fn compare(order: Option<&Order>, a: &Shown, b: &Shown) -> Ordering {
        let mut by = order.iter().flat_map(|order| &order.0).map(|(column, backward)| {
            let ordering = column.order(&a.row, &b.row);
            if *backward { ordering.reverse() } else { ordering }
        });
        let shown = || a.cells.iter().zip(&b.cells).map(|(a, b)| words::natural(a, b));
        by.find(|ordering| ordering.is_ne())
            .or_else(|| shown().find(|ordering| ordering.is_ne()))
            .unwrap_or_else(|| a.row.key.cmp(&b.row.key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::{InstanceAddress, InstanceKey, InstanceUsage};

    /// An instance that runs.
    pub(super) fn row(cloud: &str, name: &str) -> InstanceRow {
        let address = |interface: &str, address: &str| InstanceAddress {
            interface: interface.to_owned(),
            address: address.to_owned(),
        };
        InstanceRow {
            key: InstanceKey {
                cloud: cloud.to_owned(),
                project: "default".to_owned(),
                name: name.to_owned(),
            },
            kind: "container".to_owned(),
            status: "Running".to_owned(),
            pool: "local".to_owned(),
            snapshots: Some(2),
            state: Some(InstanceUsage {
                addresses: vec![
                    address("eth0", "10.1.2.3"),
                    address("eth0", "fd42::1"),
                    address("eth1", "fd42::1"),
                ],
                pid: 77,
                processes: 4,
                cpu_seconds: 3.9,
                memory: 512 << 10,
                ..InstanceUsage::default()
            }),
            ..InstanceRow::default()
        }
    }

    fn sorted(by: &str) -> Vec<String> {
        let mut rows = [row("paris", "c2"), row("berlin", "c10"), row("berlin", "c2"), row("berlin", "c1")];
        for (row, memory) in rows.iter_mut().zip([700 << 10, 9, 1 << 20, 800]) {
            row.state.as_mut().unwrap().memory = memory;
        }
        let columns = Column::parse("rn").unwrap();
        let order = (!by.is_empty()).then(|| Order::parse(by).unwrap());
        let mut rows = rows.map(|row| Shown::of(Arc::new(row), &columns));
        rows.sort_by(|a, b| Order::compare(order.as_ref(), a, b));
        rows.iter().map(|Shown { row, .. }| format!("{}:{}", row.key.cloud, row.key.name)).collect()
    }

    #[test]
    fn a_list_is_sorted_as_people_count_and_by_what_is_asked_for() {
        assert_eq!(sorted(""), ["berlin:c1", "berlin:c2", "berlin:c10", "paris:c2"]);
        assert_eq!(sorted("n"), ["berlin:c1", "berlin:c2", "paris:c2", "berlin:c10"]);
        assert_eq!(sorted("m"), ["berlin:c10", "berlin:c1", "paris:c2", "berlin:c2"]);
        assert_eq!(sorted("-m"), ["berlin:c2", "paris:c2", "berlin:c1", "berlin:c10"]);
        assert_eq!(sorted("n,-r"), ["berlin:c1", "paris:c2", "berlin:c2", "berlin:c10"]);
        for wrong in ["", "-", "n-", "Q"] {
            assert!(Order::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
