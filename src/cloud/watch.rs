//! The watcher of a cloud: probes it again and again, and logs how it is whenever that changes.

use std::convert::Infallible;

use tailnet::BackendState;
use tracing::{debug, info, warn};

use super::Cloud;
use super::backoff::Backoff;
use super::client::other_project;
use super::report::{Health, NetworkPath};
use crate::config::CloudConfig;

/// Watches the cloud for as long as the future lives.
pub(crate) async fn watch(cloud: Cloud) -> Infallible {
    let mut backoff = Backoff::new(cloud.config().interval);
    let mut last = String::new();
    loop {
        // A probe that is under way when the node goes down would notice that late.
        let down = cloud.shared.scope.ended();
        let Some(health) = down.run_until_cancelled(cloud.check()).await else { continue };
        let now = describe(&health, cloud.config());
        if now != last {
            let name = cloud.name();
            let usable = health.trusted != Some(false) && health.projects.is_none();
            if health.reachable == Some(true) && usable {
                info!(cloud = name, "{now}");
            } else if joined(&cloud).await {
                warn!(cloud = name, "{now}");
            } else {
                debug!(cloud = name, "{now}");
            }
            last = now;
        }
        let pause = backoff.pause(health.reachable == Some(true));
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = cloud.shared.wake.notified() => {}
        }
    }
}

/// Whether the node is in its tailnet. Where it is not, the log says so once; a line for each cloud would add nothing.
async fn joined(cloud: &Cloud) -> bool {
    cloud.shared.tailnet.watch().newest().await.is_ok_and(|state| state.backend == BackendState::Running)
}

/// How the cloud is, without what changes with each probe.
fn describe(health: &Health, config: &CloudConfig) -> String {
    if let Some(error) = &health.error {
        return format!("unreachable: {error}");
    }
    let by = match &health.path {
        NetworkPath::Unknown => String::new(),
        path => format!(" ({})", path.kind()),
    };
    match (health.trusted, &health.server, &health.version) {
        (Some(false), ..) => format!("reachable{by}, but it does not trust this node's certificate"),
        (_, Some(server), Some(version)) if health.projects.is_some() => {
            let allowed = health.projects.as_deref().unwrap_or_default();
            let (wrong, remedy) = other_project(config, allowed);
            format!("reachable{by}: {server} {version}, trusted; {wrong}; set {remedy}")
        }
        (_, Some(server), Some(version)) => format!("reachable{by}: {server} {version}, trusted"),
        _ => format!("reachable{by}"),
    }
}
