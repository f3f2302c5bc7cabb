//! Who calls, as the tailnet knows it.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Rights;
use crate::config::Development;

/// Who calls, and what they may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Caller {
    /// The address that calls.
    pub address: IpAddr,
    /// The node that has it.
    pub node: CallerNode,
    /// The node's ACL tags.
    pub tags: Vec<String>,
    /// Whose node it is. One with tags is nobody's.
    pub user: Option<CallerUser>,
    /// Which rules count for it.
    pub kind: CallerKind,
    /// The addresses by which it knows this node, if not by this node's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub masquerade: Vec<IpAddr>,
    /// What it may do.
    pub rights: Arc<Rights>,
}

/// The node of a [`Caller`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CallerNode {
    /// The ID that it keeps, whatever becomes of its name and addresses.
    pub id: String,
    /// Its full name, without the final dot.
    pub name: String,
}

/// The user of a [`Caller`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CallerUser {
    /// The number that the user keeps, whatever becomes of the login name.
    pub id: i64,
    /// Such as `alice@example.com`.
    pub login: String,
    /// Such as a person's full name.
    pub display_name: String,
}

/// Which rules count for a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum CallerKind {
    /// A user of this tailnet, at a node of theirs.
    User,
    /// A node with tags, which is nobody's.
    Tagged,
    /// A node of another tailnet.
    Foreign,
    /// A node that routes subnets: whoever is behind it has its address.
    Routed,
}

impl Caller {
    /// Who acts at the address for development.
    pub(super) fn of_development(development: &Development) -> Caller {
        let name = "development".to_owned();
        Caller {
            address: development.listen.ip(),
            node: CallerNode { id: name.clone(), name },
            tags: Vec::new(),
            user: Some(CallerUser {
                id: 0,
                login: development.user.clone(),
                display_name: development.user.clone(),
            }),
            kind: CallerKind::User,
            masquerade: Vec::new(),
            rights: Arc::new([development.grant.clone()].into_iter().collect()),
        }
    }

    /// Somebody with no rights: `alice@example.com` where there are no tags.
    #[cfg(test)]
    pub(crate) fn of_tests(kind: CallerKind, tags: &[&str]) -> Caller {
        let user =
            CallerUser { id: 5, login: "alice@example.com".to_owned(), display_name: "Alice".to_owned() };
        Caller {
            address: "100.64.0.7".parse().unwrap(),
            node: CallerNode { id: "nX1CNTRL".to_owned(), name: "laptop.tail1.ts.net".to_owned() },
            tags: tags.iter().map(|&tag| tag.to_owned()).collect(),
            user: tags.is_empty().then_some(user),
            kind,
            masquerade: Vec::new(),
            rights: Arc::default(),
        }
    }

    /// The login name of the user.
    pub(crate) fn login(&self) -> Option<&str> {
        self.user.as_ref().map(|user| user.login.as_str())
    }
}

/// As people know it: the user and the node, or the node and its tags.
impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.login() {
            Some(login) => write!(f, "{login} at {}", self.node.name),
            None if self.tags.is_empty() => f.write_str(&self.node.name),
            None => write!(f, "{} ({})", self.node.name, self.tags.join(" ")),
        }
    }
}

impl fmt::Display for CallerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CallerKind::User => "a user of this tailnet",
            CallerKind::Tagged => "a node with tags",
            CallerKind::Foreign => "a node of another tailnet",
            CallerKind::Routed => "a node that routes subnets",
        })
    }
}
