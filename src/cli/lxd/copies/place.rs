//! The two sides of a copy, from a command's arguments.

use super::options::Options;
use crate::actions::copy::{Place, Source, reach};
use crate::cli::exit::usage;
use crate::cli::lxd::fleet::Fleet;
use crate::config::CloudConfig;

/// What a command copies, and where it is to go.
pub(super) struct Sides {
    pub(super) from: Place,
    pub(super) source: Source,
    pub(super) to: Place,
    /// The name at the target, which may be left out where the place is another one.
    pub(super) name: String,
}

pub(super) async fn sides(
    fleet: &Fleet,
    source: &str,
    target: Option<&str>,
    options: &Options,
) -> anyhow::Result<Sides> {
    let (from, name) = fleet.target(source)?;
    let source = match name.split_once('/') {
        Some((instance, snapshot)) => {
            Source { instance: instance.to_owned(), snapshot: Some(snapshot.to_owned()) }
        }
        None => Source { instance: name.to_owned(), snapshot: None },
    };
    let (to, name) = match target {
        Some(target) => fleet.place(target)?,
        None => (from, ""),
    };
    let elsewhere = to.name != from.name
        || options.target_project.is_some()
        || options.target.is_some()
        || options.storage.is_some();
    if name.is_empty() && !elsewhere {
        return Err(usage(format!("name the new instance, such as {}:{}2", to.name, source.instance)));
    }
    let name = if name.is_empty() { source.instance.clone() } else { name.to_owned() };
    let between = from.name != to.name;
    let from = place(fleet, from, None, between).await?;
    let to = place(fleet, to, options.target_project.as_deref(), between).await?;
    Ok(Sides { from, source, to, name })
}

/// One side of a copy: a cloud, in its project or in another one. `between` is whether the other side is another cloud.
pub(in crate::cli::lxd) async fn place(
    fleet: &Fleet,
    cloud: &CloudConfig,
    project: Option<&str>,
    between: bool,
) -> anyhow::Result<Place> {
    let client = fleet.client(cloud).await?;
    let client = project.map_or(client.clone(), |project| client.project(project));
    let project = project.or(cloud.project.as_deref()).unwrap_or("default").to_owned();
    let url = if between {
        let uplink = fleet.uplink().await?;
        reach::url(cloud, &uplink.status().await?, async |request| uplink.ping(&request).await).await
    } else {
        Err("both are one cloud".to_owned()) // and nobody asks for it
    };
    Ok(Place { cloud: cloud.name.clone(), project, client, url })
}
