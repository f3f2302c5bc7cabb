//! A look at the servers themselves.

use std::sync::Arc;

use anyhow::Context;
use futures_util::future::join_all;

use super::wanted::{Wanted, project};
use super::{Found, Needs};
use crate::cli::exit::Failure;
use crate::cli::lxd::fleet::Fleet;
use crate::clock;
use crate::config::CloudConfig;
use crate::inventory::ListedInstance;

/// Asks these clouds for their instances. Each fails alone.
pub(super) async fn look(
    fleet: &Fleet,
    wanted: &Wanted<'_>,
    clouds: &[&CloudConfig],
    needs: &Needs,
) -> Found {
    let answers =
        join_all(clouds.iter().map(|cloud| instances(fleet, cloud, wanted.all_projects, needs))).await;
    let mut found = Found::default();
    for (cloud, answer) in clouds.iter().zip(answers) {
        match answer.with_context(|| cloud.name.clone()) {
            Ok(instances) => {
                let now = clock::now();
                let row = |listed: ListedInstance| match needs.direct {
                    true => listed.whole_row(&cloud.name, project(cloud), now),
                    false => listed.row(&cloud.name, project(cloud), now),
                };
                found.rows.extend(instances.into_iter().map(|listed| Arc::new(row(listed))));
            }
            Err(error) => found.failures.push(Failure::of(&error)),
        }
    }
    found
}

async fn instances(
    fleet: &Fleet,
    cloud: &CloudConfig,
    all_projects: bool,
    needs: &Needs,
) -> anyhow::Result<Vec<ListedInstance>> {
    let client = fleet.client(cloud).await?;
    let mut list = client.get(["instances"]).query("recursion", if needs.state() { 2 } else { 1 });
    if all_projects {
        list = list.query("all-projects", true);
    }
    Ok(list.list().await?)
}
