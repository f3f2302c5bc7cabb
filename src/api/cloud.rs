//! The clouds that requests are about.

use std::time::Duration;

use lxd_client::Client;

use super::problem::{Code, Problem};
use super::state::Api;

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
