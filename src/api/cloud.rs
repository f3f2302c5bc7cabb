//! The clouds that requests are about.

use std::time::Duration;

use lxd_client::Client;

use super::problem::{Code, Problem};
use super::state::Api;
use crate::actions::copy::{Place, reach};

/// A client of a cloud without a project.
pub(in crate::api) fn bare_client(api: &Api, cloud: &str) -> Result<Client, Problem> {
    let known = api.node.cloud(cloud);
    let known =
        known.ok_or_else(|| Problem::not_found(format!("there is no cloud {cloud}")).of_cloud(cloud))?;
    known
        .bare_client()
        .ok_or_else(|| Problem::invalid("it is of kind tcp, and only forwarded").of_cloud(cloud))
}

/// A client of a cloud in a project.
pub(in crate::api) fn client(api: &Api, cloud: &str, project: &str) -> Result<Client, Problem> {
    Ok(bare_client(api, cloud)?.project(project))
}

/// Awaits what a cloud is asked, for so long.
pub(in crate::api) async fn within<T>(
    deadline: Duration,
    asked: impl Future<Output = Result<T, Problem>>,
) -> Result<T, Problem> {
    let late = || Problem::new(Code::Timeout, format!("no answer within {} s", deadline.as_secs()));
    tokio::time::timeout(deadline, asked).await.unwrap_or_else(|_| Err(late()))
}

/// One side of a copy. `between` is whether the other side is another cloud, whose server has to reach this one then.
pub(in crate::api) async fn place(
    api: &Api,
    cloud: &str,
    project: &str,
    between: bool,
) -> Result<Place, Problem> {
    let client = client(api, cloud, project)?;
    let url = match api.node.cloud(cloud) {
        Some(known) if between => {
            let status = api.node.status().await;
            let status = status.map_err(|error| Problem::new(Code::Unavailable, error.to_string()))?;
            let node = api.node.clone();
            reach::url(known.config(), &status, async move |request| node.ping(&request).await).await
        }
        _ => Err("both are one cloud".to_owned()), // and nobody asks for it
    };
    Ok(Place { cloud: cloud.to_owned(), project: project.to_owned(), client, url })
}
