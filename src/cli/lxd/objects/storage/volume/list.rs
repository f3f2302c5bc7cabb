//! `lxd storage volume list`.

use std::process::ExitCode;

use lxd_client::Client;
use serde_json::Value;

use crate::actions::objects::{self, Fields, POOL, VOLUME, text};
use crate::actions::{ActionError, Job, bulk};
use crate::cli::lxd::fleet::Fleet;
use crate::cli::lxd::objects::lists::{self, Columns, column};
use crate::cli::output::Out;

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// The pool, such as berlin:default; berlin: for all pools of a cloud. Default: all pools of all clouds.
    pool: Option<String>,
    /// Only those whose name begins so, or that have a value, such as type=custom.
    filters: Vec<String>,
    /// Of all projects.
    #[arg(long)]
    all_projects: bool,
}

const COLUMNS: &Columns = &[
    ("POOL", |volume| text(volume, "pool").to_owned()),
    ("TYPE", kind),
    column::NAME,
    column::DESCRIPTION,
    ("CONTENT-TYPE", |volume| text(volume, "content_type").to_owned()),
    column::USED_BY,
];

/// The type of a volume, and whether it is a snapshot, as `lxc` writes it.
fn kind(volume: &Fields) -> String {
    let snapshot = if text(volume, "name").contains('/') { " (snapshot)" } else { "" };
    format!("{}{snapshot}", text(volume, "type"))
}

pub(super) async fn list(fleet: &Fleet, options: &List, out: &Out) -> anyhow::Result<ExitCode> {
    let (clouds, pool) = match options.pool.as_deref().map(|pool| fleet.place(pool)).transpose()? {
        Some((cloud, pool)) => (vec![cloud.name.clone()], Some(pool).filter(|pool| !pool.is_empty())),
        None => (Vec::new(), None),
    };
    let job = Job::new();
    let one = async |client: Client| volumes(&client, pool, &options.filters, &job).await;
    if !options.all_projects {
        return lists::list_by(fleet, &clouds, &VOLUME, COLUMNS, one, out).await;
    }
    let fetch = async |client: Client| objects::list_of_all_projects(&client, &VOLUME, one, &job).await;
    lists::list_by(fleet, &clouds, &VOLUME, &lists::with_project(COLUMNS), fetch, out).await
}

/// The volumes of a pool or of all pools, each with its pool.
async fn volumes(
    client: &Client,
    pool: Option<&str>,
    filters: &[String],
    job: &Job,
) -> Result<Vec<Fields>, ActionError> {
    let pools: Vec<String> = match pool {
        Some(pool) => vec![pool.to_owned()],
        None => {
            let pools = objects::list(client, &POOL, &[], job).await?;
            pools.iter().map(|pool| text(pool, "name").to_owned()).collect()
        }
    };
    let lists = bulk(pools, async |pool| {
        let request = client.get(["storage-pools", &pool, "volumes"]).query("recursion", 1);
        let mut volumes: Vec<Fields> = job.run(request.list()).await?;
        volumes.retain(|volume| fits(volume, filters));
        for volume in &mut volumes {
            volume.insert("pool".to_owned(), Value::from(pool.as_str()));
        }
        Ok::<_, ActionError>(volumes)
    });
    Ok(lists.await.into_iter().collect::<Result<Vec<_>, _>>()?.concat())
}

fn fits(volume: &Fields, filters: &[String]) -> bool {
    let (kind, name) = (text(volume, "type"), text(volume, "name"));
    filters.is_empty()
        || filters.iter().any(|filter| match filter.split_once('=') {
            Some((key, value)) => text(volume, key) == value,
            None => name.starts_with(filter) || format!("{kind}/{name}").starts_with(filter),
        })
}
