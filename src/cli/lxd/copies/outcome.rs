//! What a copy or a move prints.

use std::fmt::Write;
use std::process::ExitCode;

use indicatif::HumanBytes;
use serde_json::{Value, json};

use super::place::Sides;
use crate::actions::copy::{Copied, Counted, Way};
use crate::cli::output::Out;

/// What was done with an instance or a volume.
pub(in crate::cli::lxd) enum Done<'a> {
    Copied(&'a Copied),
    /// Moved by a copy.
    Moved(&'a Copied),
    /// Moved by its server.
    MovedThere,
}

pub(super) fn print(sides: &Sides, done: &Done<'_>, out: &Out) -> anyhow::Result<ExitCode> {
    let Sides { from, source, to, name } = sides;
    let value = json!({
        "from": {"cloud": from.cloud, "project": from.project, "name": source.text()},
        "to": {"cloud": to.cloud, "project": to.project, "name": name},
    });
    print_of(value, &format!("{}:{}", from.cloud, source.text()), &format!("{}:{name}", to.cloud), done, out)
}

/// Prints what was done; `value` has both sides, which `from` and `to` name for people.
pub(in crate::cli::lxd) fn print_of(
    mut value: Value,
    from: &str,
    to: &str,
    done: &Done<'_>,
    out: &Out,
) -> anyhow::Result<ExitCode> {
    value["moved"] = json!(!matches!(done, Done::Copied(_)));
    value["way"] = json!(Way::Server);
    if let (Done::Copied(copied) | Done::Moved(copied), Value::Object(value)) = (done, &mut value) {
        if let Value::Object(more) = json!(copied) {
            value.extend(more);
        }
        value.insert("bytes_per_second".to_owned(), json!(copied.rate()));
    }
    out.print(&value, || text(from, to, done))?;
    Ok(ExitCode::SUCCESS)
}

fn text(from: &str, to: &str, done: &Done<'_>) -> String {
    let (copied, verb) = match done {
        Done::Copied(copied) => (copied, "copied"),
        Done::Moved(copied) => (copied, "moved"),
        Done::MovedThere => return format!("{from} is {to} now\n"),
    };
    let mut text = format!("{from} {verb} to {to}");
    match copied.snapshots.len() {
        0 => {}
        1 => text += " with 1 snapshot",
        number => text += &format!(" with {number} snapshots"),
    }
    text += match copied.way {
        Way::Server => ", by the server itself",
        Way::Pull => ", by pull: the target fetched it",
        Way::Push => ", by push: the source sent it",
        Way::Relay => ", by relay: through this node",
    };
    if let (Some(bytes), Some(rate)) = (copied.bytes, copied.rate()) {
        let _ = write!(
            text,
            ", {} in {:.1} s ({}/s)",
            HumanBytes(bytes),
            copied.seconds,
            HumanBytes(rate as u64)
        );
    }
    match &copied.counted {
        Some(Counted::Alike(count)) => {
            let _ = write!(text, "; {} files, {}, counted at both", count.entries, HumanBytes(count.bytes));
        }
        Some(Counted::No(why)) => {
            let _ = write!(text, "; files not counted: {why}");
        }
        None => {}
    }
    text.push('\n');
    for refused in &copied.not_by {
        let _ = writeln!(text, "not by {}: {}", refused.way.as_str(), refused.why);
    }
    text
}
