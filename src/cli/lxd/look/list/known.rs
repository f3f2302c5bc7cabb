//! What the running node's inventory has: no server is asked.

use std::time::Duration;

use futures_util::future::join_all;

use super::wanted::{Wanted, project};
use super::{Found, Needs, direct};
use crate::cli::exit::Failure;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::lxd::words;
use crate::control::client::Client;
use crate::inventory::{CloudRow, Kind, Query};

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
    let clouds = wanted.clouds();
    let mut query = Query { kinds: vec![Kind::Instances], ..Query::default() };
    query.clouds = clouds.iter().map(|cloud| cloud.name.clone()).collect();
    if !wanted.all_projects {
        query.projects = clouds.iter().map(|cloud| project(cloud).to_owned()).collect();
    }
    let fields: Vec<&str> = needs.fields.iter().map(String::as_str).collect();
    let snapshot = node.inventory(&query, &fields).await?;

    let known = |name: &str| snapshot.clouds.iter().find(|row| row.name == name && row.filled);
    let is_whole = |name: &str| {
        let mut rows = snapshot.instances.iter().filter(|row| row.key.cloud == name);
        rows.all(|row| needs.are_met_by(row))
    };
    let (read, unread): (Vec<_>, Vec<_>) = clouds.into_iter().partition(|cloud| {
        known(&cloud.name).is_some_and(|row| {
            let is_seen = wanted.all_projects || row.projects.iter().any(|name| name == project(cloud));
            is_seen && (row.stale_since.is_some() || is_whole(&cloud.name))
        })
    });
    let mut found = Found::default();
    let looks = unread.into_iter().map(async |cloud| {
        let look = direct::look(fleet, wanted, std::slice::from_ref(&cloud), needs);
        match snapshot.clouds.iter().find(|row| row.name == cloud.name).and_then(|row| troubled(row)) {
            Some(known) => tokio::time::timeout(PATIENCE, look).await.unwrap_or(known),
            None => look.await,
        }
    });
    for look in join_all(looks).await {
        found.rows.extend(look.rows);
        found.failures.extend(look.failures);
    }
    let is_read = |name: &str| read.iter().any(|cloud| cloud.name == name);
    found.rows.extend(snapshot.instances.iter().filter(|row| is_read(&row.key.cloud)).cloned());
    for row in read.iter().filter_map(|cloud| known(&cloud.name)) {
        if let Some(since) = row.stale_since {
            found.stale.push(row.name.clone());
            found.failures.push(old(row, since));
        }
    }
    Ok(found)
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
