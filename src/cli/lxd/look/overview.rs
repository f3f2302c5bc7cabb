//! `lxd overview`: how much each cloud has.

use std::process::ExitCode;
use std::time::Duration;

use crate::cli::lxd::fleet::Fleet;
use crate::cli::output::{Out, Table};
use crate::inventory::{Counts, Overview, Query};

/// How long a cloud that does not answer is waited for, where no node runs.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) async fn overview(fleet: &Fleet, clouds: &[String], out: &Out) -> anyhow::Result<ExitCode> {
    let names: Vec<String> = fleet.clouds(clouds)?.into_iter().map(|cloud| cloud.name.clone()).collect();
    let mut overview = match fleet.node().await? {
        Some(node) => node.overview().await?,
        None => read(fleet, &names).await?,
    };
    overview.clouds.retain(|counts| names.contains(&counts.name));
    let mut table = Table::new(&["CLOUD", "INSTANCES", "RUNNING", "STOPPED", "OPERATIONS", "IMAGES", "ROWS"]);
    for counts in &overview.clouds {
        table.row(cells(counts));
    }
    out.list(&overview.clouds, &table, "no clouds")?;
    Ok(ExitCode::SUCCESS)
}

/// Reads all of these clouds.
async fn read(fleet: &Fleet, clouds: &[String]) -> anyhow::Result<Overview> {
    let query = Query { clouds: clouds.to_vec(), ..Query::default() };
    let inventory = fleet.uplink().await?.inventory(&fleet.config, &query).await?;
    let _ = tokio::time::timeout(PATIENCE, inventory.settled()).await; // what is known then is shown
    Ok(inventory.overview())
}

fn cells(counts: &Counts) -> [String; 7] {
    let of = |status: &str| counts.statuses.get(status).copied().unwrap_or_default().to_string();
    [
        counts.name.clone(),
        counts.instances.to_string(),
        of("Running"),
        of("Stopped"),
        counts.operations.to_string(),
        counts.images.to_string(),
        if counts.stale { "old" } else { "current" }.to_owned(),
    ]
}
