//! The names of things, for the completion of commands: those of the inventory, and those that servers are asked for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use lxd_client::{Client, Error};

use super::protocol::{CloudNames, Name};
use crate::cloud::Cloud;
use crate::inventory::{Inventory, Kind, Query};
use crate::node::Node;

/// How long the names of a server are taken for those of now.
const FRESH: Duration = Duration::from_secs(60);

/// The names that the inventory does not have, of each cloud, as its server told them last. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct AskedNames(Arc<Mutex<HashMap<String, Asked>>>);

/// What a server was asked for, and when.
#[derive(Clone, Debug)]
struct Asked {
    at: Instant,
    projects: Vec<String>,
    told: Told,
}

#[derive(Clone, Debug, Default)]
struct Told {
    pools: Vec<String>,
    profiles: Vec<Name>,
    networks: Vec<Name>,
}

/// All names that are known now. What a server has to be asked for is there the next time.
pub(super) fn of(node: &Node, inventory: &Inventory, asked: &AskedNames) -> Vec<CloudNames> {
    let kinds = vec![Kind::Instances, Kind::Images];
    let snapshot = inventory.snapshot(&Query { kinds, ..Query::default() });
    let name = |project: &str, name: &str| Name { project: project.to_owned(), name: name.to_owned() };
    let mut clouds = Vec::new();
    for cloud in node.clouds() {
        let mut names = CloudNames { cloud: cloud.name().to_owned(), ..CloudNames::default() };
        if let Some(row) = snapshot.clouds.iter().find(|row| row.name == names.cloud) {
            names.projects.clone_from(&row.projects);
        }
        let own = |of: &str| of == cloud.name();
        let instances = snapshot.instances.iter().filter(|row| own(&row.key.cloud));
        names.instances = instances.map(|row| name(&row.key.project, &row.key.name)).collect();
        for image in snapshot.images.iter().filter(|row| own(&row.cloud)) {
            let short: String = image.fingerprint.chars().take(12).collect();
            let known_as = if image.aliases.is_empty() { vec![short] } else { image.aliases.clone() };
            names.images.extend(known_as.iter().map(|known_as| name(&image.project, known_as)));
        }
        let told = asked.told(node, &cloud, &names.projects);
        (names.pools, names.profiles, names.networks) = (told.pools, told.profiles, told.networks);
        clouds.push(names);
    }
    clouds
}

impl AskedNames {
    /// What the server has told last. It is asked anew in the background where that is too long ago.
    fn told(&self, node: &Node, cloud: &Cloud, projects: &[String]) -> Told {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.get(cloud.name());
        let told = known.map(|asked| asked.told.clone()).unwrap_or_default();
        let fresh = known.is_some_and(|asked| asked.at.elapsed() < FRESH && asked.projects == projects);
        if let Some(client) = cloud.bare_client().filter(|_| !fresh && !projects.is_empty()) {
            let (name, projects) = (cloud.name().to_owned(), projects.to_owned());
            // From now on nobody else asks.
            all.insert(
                name.clone(),
                Asked { at: Instant::now(), projects: projects.clone(), told: told.clone() },
            );
            let asked = self.clone();
            node.spawn(async move {
                if let Ok(told) = ask(&client, &projects).await {
                    let mut all = asked.0.lock().unwrap_or_else(PoisonError::into_inner);
                    all.insert(name, Asked { at: Instant::now(), projects, told });
                }
            });
        }
        told
    }
}

async fn ask(client: &Client, projects: &[String]) -> Result<Told, Error> {
    let mut told =
        Told { pools: client.storage_pools().names().await.unwrap_or_default(), ..Told::default() };
    for project in projects {
        let client = client.project(project);
        let named = |name: String| Name { project: project.clone(), name };
        let (profiles, networks) = tokio::join!(client.profiles().names(), client.networks().names());
        told.profiles.extend(profiles?.into_iter().map(named));
        told.networks.extend(networks?.into_iter().map(named));
    }
    Ok(told)
}
