//! The names that can be completed: those of the configuration, and those that the running node knows.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::config::{CloudKind, Config, Flags};
use crate::control::protocol::{CloudNames, Name};
use crate::uplink;

/// How long a person waits for a Tab.
const PATIENCE: Duration = Duration::from_millis(300);

/// The names of all clouds.
#[derive(Debug, Default)]
pub(super) struct Names {
    clouds: Vec<CloudNames>,
    /// The project that the command works in, if it says one.
    project: Option<String>,
}

/// What an argument names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Cloud,
    /// A cloud with a colon behind it, where other words may stand too.
    Place,
    Project,
    Instance,
    Image,
    Profile,
    Network,
    Pool,
    /// A node of the tailnet.
    Peer,
}

/// Looks the names up. What fails leaves names out.
pub(super) fn look(flags: &Flags, project: Option<&str>) -> Names {
    let Ok(loaded) = Config::load(flags) else { return Names::default() };
    let config = loaded.config;
    let mut told = ask(&config).unwrap_or_default();
    let with_api = config.clouds.iter().filter(|cloud| cloud.kind != CloudKind::Tcp);
    let clouds = with_api.map(|cloud| {
        let known = told.iter().position(|names| names.cloud == cloud.name);
        let mut names = known.map(|place| told.swap_remove(place)).unwrap_or_default();
        names.cloud.clone_from(&cloud.name);
        names
    });
    Names { clouds: clouds.collect(), project: project.map(str::to_owned) }
}

fn ask(config: &Config) -> Option<Vec<CloudNames>> {
    soon(async { uplink::running(config).await.ok()?.names().await.ok() })
}

/// The short names of the other nodes that the running node knows.
pub(super) fn peers(flags: &Flags) -> Option<Vec<String>> {
    let config = Config::load(flags).ok()?.config;
    let status = soon(async { uplink::running(&config).await.ok()?.status().await.ok() })?;
    let names: BTreeSet<String> = status.peers.into_iter().map(|peer| peer.name).collect();
    Some(names.into_iter().collect())
}

/// What the running node answers, if one answers soon.
fn soon<T>(asked: impl Future<Output = Option<T>>) -> Option<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    runtime.block_on(async { tokio::time::timeout(PATIENCE, asked).await.ok()? })
}

impl Names {
    /// The names that begin so, whichever cloud they are in.
    pub(super) fn bare(&self, kind: Kind, current: &str) -> Vec<String> {
        let all = self.clouds.iter().flat_map(|cloud| self.within(cloud, kind));
        all.filter(|name| name.starts_with(current)).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The names that begin so, behind their cloud: first `berlin:`, and then `berlin:web`. With a single cloud also without
    /// it.
    pub(super) fn placed(&self, kind: Kind, current: &str) -> Vec<String> {
        if kind == Kind::Cloud {
            return self.bare(kind, current);
        }
        if let Some((cloud, rest)) = current.split_once(':') {
            let cloud = self.clouds.iter().filter(|names| names.cloud == cloud);
            let names = cloud.flat_map(|cloud| self.within(cloud, kind).map(|name| (&cloud.cloud, name)));
            let names = names.filter(|(_, name)| name.starts_with(rest));
            return names.map(|(cloud, name)| format!("{cloud}:{name}")).collect();
        }
        let names = if self.clouds.len() == 1 { self.bare(kind, current) } else { Vec::new() };
        let clouds = self.clouds.iter().map(|names| format!("{}:", names.cloud));
        names.into_iter().chain(clouds.filter(|cloud| cloud.starts_with(current))).collect()
    }

    /// The names of a kind in a cloud.
    fn within<'a>(&'a self, cloud: &'a CloudNames, kind: Kind) -> Box<dyn Iterator<Item = String> + 'a> {
        let mine = |name: &&Name| self.project.as_ref().is_none_or(|project| *project == name.project);
        let of = |names: &'a [Name]| Box::new(names.iter().filter(mine).map(|name| name.name.clone()));
        match kind {
            Kind::Place | Kind::Peer => Box::new(std::iter::empty()),
            Kind::Cloud => Box::new([cloud.cloud.clone()].into_iter()),
            Kind::Project => Box::new(cloud.projects.iter().cloned()),
            Kind::Pool => Box::new(cloud.pools.iter().cloned()),
            Kind::Image => of(&cloud.images),
            Kind::Profile => of(&cloud.profiles),
            Kind::Network => of(&cloud.networks),
            Kind::Instance => of(&cloud.instances),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(clouds: &[&str]) -> Names {
        let name = |name: &str| Name { project: "default".to_owned(), name: name.to_owned() };
        let of = |cloud: &&str| CloudNames {
            cloud: (*cloud).to_owned(),
            projects: vec!["default".to_owned(), "team".to_owned()],
            pools: vec!["zfs".to_owned()],
            instances: vec![name("web"), name("db"), Name { project: "team".to_owned(), ..name("website") }],
            profiles: vec![name("default")],
            ..CloudNames::default()
        };
        Names { clouds: clouds.iter().map(of).collect(), project: None }
    }

    #[test]
    fn names_stand_behind_their_cloud() {
        let two = names(&["berlin", "bern"]);
        for (current, expected) in [
            ("", &["berlin:", "bern:"][..]),
            ("berl", &["berlin:"]),
            ("berlin:", &["berlin:web", "berlin:db", "berlin:website"]),
            ("berlin:we", &["berlin:web", "berlin:website"]),
            ("paris:", &[]),
            ("web", &[]),
        ] {
            assert_eq!(two.placed(Kind::Instance, current), expected, "{current}");
        }
        assert_eq!(two.placed(Kind::Cloud, "b"), ["berlin", "bern"]);
        assert_eq!(two.placed(Kind::Pool, "bern:"), ["bern:zfs"]);
        assert_eq!(two.bare(Kind::Profile, ""), ["default"]);
        assert_eq!(two.bare(Kind::Project, "t"), ["team"]);
    }

    #[test]
    fn with_a_single_cloud_names_stand_alone_too() {
        let one = names(&["berlin"]);
        assert_eq!(one.placed(Kind::Instance, "w"), ["web", "website"]);
        assert_eq!(one.placed(Kind::Instance, "b"), ["berlin:"]);
        assert_eq!(one.placed(Kind::Instance, "berlin:d"), ["berlin:db"]);
    }

    #[test]
    fn the_project_of_the_command_decides() {
        let team = Names { project: Some("team".to_owned()), ..names(&["berlin"]) };
        assert_eq!(team.placed(Kind::Instance, "berlin:"), ["berlin:website"]);
    }
}
