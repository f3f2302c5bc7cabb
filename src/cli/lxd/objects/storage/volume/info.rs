//! `lxd storage volume info`: how a volume is right now, and its snapshots.

use std::fmt::Write;
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::actions::objects::{Fields, text};
use crate::cli::exit::usage;
use crate::cli::lxd::action;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::lxd::objects::names::{Names, VolumeName};
use crate::cli::lxd::words;
use crate::cli::output::{Out, Table};

pub(super) async fn info(fleet: &Fleet, volume: &VolumeName, out: &Out) -> anyhow::Result<ExitCode> {
    let (kind, name, None) = volume.parts() else {
        return Err(usage(format!("{:?} is no volume", volume.text())));
    };
    let (client, pool) = volume.client(fleet).await?;
    let object = volume.object(fleet).await?;
    let below = |last| client.get(["storage-pools", pool, "volumes", kind, name, last]);
    let (found, state, snapshots) = action::run(&volume.label(), async |job| {
        let found = object.get(job);
        let state = async { job.run(below("state").fetch::<Value>()).await };
        let snapshots = async { job.run(below("snapshots").query("recursion", 1).list::<Fields>()).await };
        let (found, state, snapshots) = tokio::join!(found, state, snapshots);
        // Drivers that cannot tell how a volume is refuse that.
        Ok((found?.value, state.unwrap_or_default(), snapshots?))
    })
    .await?;
    let value = json!({"volume": found, "state": state, "snapshots": snapshots});
    out.print(&value, || shown(&found, &state, &snapshots))?;
    Ok(ExitCode::SUCCESS)
}

fn shown(volume: &Fields, state: &Value, snapshots: &[Fields]) -> String {
    let mut shown = String::new();
    for (head, key) in [
        ("Name", "name"),
        ("Description", "description"),
        ("Type", "type"),
        ("Content type", "content_type"),
        ("Location", "location"),
    ] {
        match text(volume, key) {
            "" | "none" => {}
            value => drop(writeln!(shown, "{head}: {value}")),
        }
    }
    if let Some(used) = state["usage"]["used"].as_u64().filter(|used| *used > 0) {
        let _ = writeln!(shown, "Usage: {}", words::bytes(used));
    }
    if let Some(total) = state["usage"]["total"].as_u64().filter(|total| *total > 0) {
        let _ = writeln!(shown, "Total: {}", words::bytes(total));
    }
    if !snapshots.is_empty() {
        let mut table = Table::new(&["NAME", "DESCRIPTION", "EXPIRES AT"]);
        for snapshot in snapshots {
            let name = text(snapshot, "name");
            let name = name.rsplit('/').next().unwrap_or(name);
            let expires = text(snapshot, "expires_at");
            let expires = if expires.starts_with("0001-") { "" } else { expires };
            table.row([name, text(snapshot, "description"), expires].map(str::to_owned));
        }
        let _ = write!(shown, "\nSnapshots:\n{table}");
    }
    shown
}
