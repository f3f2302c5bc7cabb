//! Follows by which names and addresses the node is known.

use tracing::debug;

use super::guard::OwnNames;
use super::state::Api;

/// Keeps the names up to date, over each change of the network map and of the configuration.
pub(super) async fn follow(api: Api) {
    let mut changes = api.access.changes();
    loop {
        changes.borrow_and_update();
        match api.node.status().await {
            Ok(status) => api.set_names(&status.this.name, names_of(&api, &status)),
            Err(error) => debug!("the node's names are not known: {error}"),
        }
        if changes.changed().await.is_err() {
            return;
        }
    }
}

fn names_of(api: &Api, status: &crate::node::report::Status) -> OwnNames {
    let config = api.node.config();
    let (mut names, mut full) = (vec![status.this.name.clone()], vec![status.this.dns_name.clone()]);
    if let Some(tailnet) = &config.tailnet {
        names.extend(tailnet.hosts.iter().cloned());
        if let Some(service) = tailnet.service.as_deref().and_then(|service| service.strip_prefix("svc:")) {
            full.push(format!("{service}.{}", status.tailnet));
            names.push(service.to_owned());
        }
    }
    OwnNames::new(names, full, status.this.ips.iter().copied())
}
