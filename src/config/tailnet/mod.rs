//! `tailnet:`: the page and its API in the tailnet.

pub(super) mod file;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::layers::Layers;
use super::places::Step;
use super::rights::{AccessRule, Grant, Names, Verbs};

/// The page and its API in the tailnet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tailnet {
    /// The node's port for HTTP.
    pub listen: Option<u16>,
    /// The node's port for HTTPS, with the node's certificate.
    pub tls: Option<u16>,
    /// The service that this node is a replica of, `svc:NAME`.
    pub service: Option<String>,
    /// More names by which it is asked.
    pub hosts: Vec<String>,
    /// Who may do what, besides what the tailnet's policy says.
    pub access: Vec<AccessRule>,
    /// The links that the page shows, by their names: URLs with `{cloud}`, `{project}` and `{instance}` in them.
    pub links: BTreeMap<String, String>,
    /// The actions that the page asks about before it does them.
    pub confirm: Vec<Confirm>,
    /// The same on this machine, without knowing who calls.
    pub development: Option<Development>,
}

/// The page on this machine: everybody who reaches the address acts as one user.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Development {
    /// The address, of the loopback.
    pub listen: SocketAddr,
    /// The user's login name.
    pub user: String,
    /// What the user may do.
    pub grant: Grant,
}

/// An action that the page can ask about before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Confirm {
    /// Starting instances.
    Start,
    /// Stopping them.
    Stop,
    /// Restarting them.
    Restart,
    /// Freezing them.
    Freeze,
    /// Putting an instance back to a snapshot.
    Restore,
    /// Making an instance anew from an image.
    Rebuild,
    /// Giving something another name.
    Rename,
    /// Moving an instance.
    Move,
    /// Deleting anything.
    Delete,
}

impl Tailnet {
    /// Nothing that is served, and nobody who may do something. For programs that embed a [`Node`](crate::Node).
    #[must_use]
    pub fn new() -> Tailnet {
        Tailnet {
            listen: None,
            tls: None,
            service: None,
            hosts: Vec::new(),
            access: Vec::new(),
            links: BTreeMap::new(),
            confirm: vec![Confirm::Delete],
            development: None,
        }
    }

    /// Whether it listens in the tailnet.
    #[must_use]
    pub fn in_tailnet(&self) -> bool {
        self.listen.is_some() || self.tls.is_some()
    }
}

impl Default for Tailnet {
    fn default() -> Tailnet {
        Tailnet::new()
    }
}

impl Development {
    /// An address where everybody acts as a user who may do everything.
    #[must_use]
    pub fn new(listen: SocketAddr, user: impl Into<String>) -> Development {
        Development { listen, user: user.into(), grant: Grant::ALL }
    }
}

impl std::fmt::Display for Development {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} as {}: {}", self.listen, self.user, self.grant)
    }
}

impl std::fmt::Display for Confirm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.serialize(f)
    }
}

impl Layers<'_> {
    /// The section, which the file alone gives.
    pub(super) fn tailnet(&mut self, written: file::Tailnet) -> Tailnet {
        let access = written.access.into_iter().enumerate().map(|(index, access)| {
            let file::Access { who, clouds, projects, verbs } = access;
            let rule = AccessRule::new(who, Grant { clouds, projects, verbs });
            let source = self.file_source(&["tailnet".into(), "access".into(), Step::Index(index)]);
            self.show(&format!("tailnet.access[{index}]"), rule.to_string(), source);
            rule
        });
        let access = access.collect();
        let development = written.development.map(|development| {
            let file::Development { listen, user, clouds, projects, verbs } = development;
            let grant = Grant {
                clouds: clouds.unwrap_or(Names::All),
                projects: projects.unwrap_or(Names::All),
                verbs: verbs.unwrap_or(Verbs::ALL),
            };
            Development { listen, user, grant }
        });
        let links = written.links.into_iter().map(|(name, link)| (name, link.0)).collect();
        let links = Some(links).filter(|links: &BTreeMap<_, _>| !links.is_empty());
        let defaults = Tailnet::new();
        Tailnet {
            listen: self.of_file("tailnet.listen", written.listen).map(Into::into),
            tls: self.of_file("tailnet.tls", written.tls).map(Into::into),
            service: self.of_file("tailnet.service", written.service),
            hosts: self.of_file("tailnet.hosts", written.hosts).unwrap_or_default(),
            access,
            links: self.of_file("tailnet.links", links).unwrap_or_default(),
            confirm: self.of_file("tailnet.confirm", written.confirm).unwrap_or(defaults.confirm),
            development: self.of_file("tailnet.development", development),
        }
    }
}
