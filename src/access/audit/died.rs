//! What a node that died has left without an end. The next start tells it once, in the audit and in the log.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use serde::Deserialize;
use tracing::warn;

use super::entry::Outcome;
use super::files;
use super::line::{Event, Head, Line};

/// How many the log names.
const NAMED: usize = 20;

/// The event and the record of a line.
#[derive(Deserialize)]
struct Mark<'a> {
    event: &'a str,
    id: &'a str,
}

/// The lines that end the changes of a folder's files that have no end.
pub(super) fn endings(folder: &Path) -> io::Result<Vec<Line>> {
    let heads = open(folder)?;
    for head in heads.iter().take(NAMED) {
        warn!("the node died, so that it is not known how this change ended: {head}");
    }
    if let more @ 1.. = heads.len().saturating_sub(NAMED) {
        warn!("and {more} more; the audit has them");
    }
    Ok(heads.into_iter().map(|head| Line::end(head.id, Vec::new(), Outcome::Unknown)).collect())
}

/// The changes without an end, oldest first.
fn open(folder: &Path) -> io::Result<Vec<Head>> {
    let (mut begun, mut number) = (HashMap::<String, (u64, String)>::new(), 0);
    for (_, path) in files::all(folder)? {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        for line in BufReader::new(file.take(length)).split(b'\n') {
            // A torn line is none.
            let line = line?;
            let Ok(Mark { event, id }) = serde_json::from_slice(&line) else { continue };
            match event {
                "begun" => {
                    number += 1;
                    begun.insert(id.to_owned(), (number, String::from_utf8_lossy(&line).into_owned()));
                }
                "done" | "failed" | "cancelled" | "unknown" => drop(begun.remove(id)),
                _ => {}
            }
        }
    }
    let mut lines: Vec<(u64, String)> = begun.into_values().collect();
    lines.sort_unstable();
    let heads = lines.into_iter().filter_map(|(_, line)| match serde_json::from_str(&line) {
        Ok(Event::Begun(head)) => Some(head),
        _ => None,
    });
    Ok(heads.collect())
}
