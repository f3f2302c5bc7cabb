//! What the running node's inventory has: no server is asked.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::task::JoinHandle;

use super::wanted::{Wanted, project};
use super::{Found, Needs, direct};
use crate::cli::exit::Failure;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::lxd::words;
use crate::config::CloudConfig;
use crate::control::client::{Client, ControlError};
use crate::inventory::{CloudRow, Kind, Query, Snapshot};

/// How long a cloud that the node cannot read may take to answer: the others are not to wait for it.
const PATIENCE: Duration = Duration::from_secs(5);

/// The rows that the node has. A cloud that it has never read, or of which it does not know all that is asked for, is asked
/// itself.
pub(super) async fn look(
    fleet: &Fleet,
    node: &Client,
    wanted: &Wanted<'_>,
    needs: &Needs,
) -> anyhow::Result<Found> {
    // Long lists are written and read cloud by cloud, side by side.
    let clouds = wanted.clouds().into_iter().map(|cloud| (cloud, asked(node, cloud, wanted, needs)));
    let clouds: Vec<_> = clouds.collect();
    let looks = clouds.into_iter().map(async |(cloud, asked)| {
        let snapshot = asked.await??;
        anyhow::Ok(match known(snapshot, cloud, wanted, needs) {
            Ok(found) => found,
            Err(row) => unknown(fleet, cloud, row.as_deref(), wanted, needs).await,
        })
    });
    let mut all = Found::default();
    for found in join_all(looks).await {
        let found = found?;
        all.rows.extend(found.rows);
        all.stale.extend(found.stale);
        all.failures.extend(found.failures);
    }
    Ok(all)
}

/// Asks the node for what it has of a cloud.
fn asked(
    node: &Client,
    cloud: &CloudConfig,
    wanted: &Wanted<'_>,
    needs: &Needs,
) -> JoinHandle<Result<Snapshot, ControlError>> {
    let mut query =
        Query { kinds: vec![Kind::Instances], clouds: vec![cloud.name.clone()], projects: vec![] };
    if !wanted.all_projects {
        query.projects.push(project(cloud).to_owned());
    }
    let (node, fields) = (node.clone(), needs.fields.clone());
    tokio::spawn(async move {
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        node.inventory(&query, &fields).await
    })
}

/// What was found, if the node knows all that is needed; or else what it says of the cloud.
fn known(
    snapshot: Snapshot,
    cloud: &CloudConfig,
    wanted: &Wanted<'_>,
    needs: &Needs,
) -> Result<Found, Option<Arc<CloudRow>>> {
    let Some(row) = snapshot.clouds.into_iter().find(|row| row.name == cloud.name) else {
        return Err(None);
    };
    let is_seen = wanted.all_projects || row.projects.iter().any(|name| name == project(cloud));
    let is_whole = || snapshot.instances.iter().all(|instance| needs.are_met_by(instance));
    if !row.filled || !is_seen || (row.stale_since.is_none() && !is_whole()) {
        return Err(Some(row));
    }
    let mut found = Found { rows: snapshot.instances, ..Found::default() };
    if let Some(since) = row.stale_since {
        found.stale.push(row.name.clone());
        found.failures.push(old(&row, since));
    }
    Ok(found)
}

/// Asks the cloud itself.
async fn unknown(
    fleet: &Fleet,
    cloud: &CloudConfig,
    row: Option<&CloudRow>,
    wanted: &Wanted<'_>,
    needs: &Needs,
) -> Found {
    let look = direct::look(fleet, wanted, std::slice::from_ref(&cloud), needs);
    match row.and_then(troubled) {
        Some(known) => tokio::time::timeout(PATIENCE, look).await.unwrap_or(known),
        None => look.await,
    }
}

/// What is said of a cloud that the node cannot read, where it does not answer now either.
fn troubled(row: &CloudRow) -> Option<Found> {
    let reason = row.stale_reason.as_deref().filter(|_| row.stale_since.is_some())?;
    let failure = Failure { code: 7, message: format!("{}: {reason}", row.name), hint: None };
    Some(Found { failures: vec![failure], ..Found::default() })
}

/// What is said of a cloud whose rows are old.
fn old(row: &CloudRow, since: u64) -> Failure {
    let (name, reason) = (&row.name, row.stale_reason.as_deref().unwrap_or("it does not answer"));
    let message = format!("{name}: these are its instances of {}: {reason}", words::minute_of(since));
    Failure { code: 7, message, hint: None }
}
