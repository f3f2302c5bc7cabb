//! `tailnet:` of `kolaboree.yaml` as it is written.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroU16;

use serde::{Deserialize, Deserializer};

use super::Confirm;
use crate::config::check;
use crate::config::file::{Checked, hosts};
use crate::config::rights::{Names, Principal, Verbs};

/// The page and its API in the tailnet, where callers are known by the tailnet itself. Who is named nowhere, here or in the
/// tailnet's policy (capability `kolaboree.dev/cap/clouds`), may do nothing.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Tailnet {
    /// The node's port for HTTP in the tailnet. Default: none.
    pub(in crate::config) listen: Option<NonZeroU16>,
    /// The node's port for HTTPS in the tailnet, with the node's own certificate. Default: none.
    pub(in crate::config) tls: Option<NonZeroU16>,
    /// The service of the tailnet, `svc:NAME`, that this node is a replica of. It needs tags.
    #[serde(deserialize_with = "service")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(in crate::config) service: Option<String>,
    /// More names by which the page is asked. Without: the node's own names and addresses, and the service's.
    #[serde(deserialize_with = "hosts")]
    #[cfg_attr(test, schemars(with = "Option<Vec<String>>"))]
    pub(in crate::config) hosts: Option<Vec<String>>,
    /// Who may do what. The rights of several entries add up.
    pub(in crate::config) access: Vec<Access>,
    /// Links that the page shows, by their names: URLs in which {cloud}, {project} and {instance} are filled in.
    #[cfg_attr(test, schemars(with = "BTreeMap<String, String>"))]
    pub(in crate::config) links: BTreeMap<String, Link>,
    /// The actions that the page asks about before it does them. Default: [delete].
    pub(in crate::config) confirm: Option<Vec<Confirm>>,
    /// The same on this machine, without knowing who calls. For development only.
    pub(in crate::config) development: Option<Development>,
}

/// A right, and who has it.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Access {
    /// Users by their login names (`user:alice@example.com`, and `user:*` for each user of this tailnet), ACL tags
    /// (`tag:ops`), nodes by their full names or stable IDs (`node:laptop.tail1.ts.net`). Nodes with tags, nodes that route
    /// subnets and nodes of other tailnets are never among `user:*`.
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub(in crate::config) who: Vec<Principal>,
    /// The clouds, by their names; * is all.
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub(in crate::config) clouds: Names,
    /// The projects, by their names; * is all.
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub(in crate::config) projects: Names,
    /// What may be done there.
    #[cfg_attr(test, schemars(with = "Vec<crate::config::Verb>"))]
    pub(in crate::config) verbs: Verbs,
}

/// The page on this machine, without knowing who calls.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Development {
    /// The address, of this machine's loopback.
    #[serde(deserialize_with = "loopback")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub(in crate::config) listen: SocketAddr,
    /// The login name under which everybody acts who reaches that address.
    #[serde(deserialize_with = "login")]
    pub(in crate::config) user: String,
    /// The clouds where that user may do something. Default: all.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Option<Vec<String>>"))]
    pub(in crate::config) clouds: Option<Names>,
    /// The projects where that user may do something. Default: all.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Option<Vec<String>>"))]
    pub(in crate::config) projects: Option<Names>,
    /// What that user may do. Default: everything.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Option<Vec<crate::config::Verb>>"))]
    pub(in crate::config) verbs: Option<Verbs>,
}

/// An URL with places to fill in.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(in crate::config) struct Link(pub(in crate::config) String);

impl TryFrom<String> for Link {
    type Error = String;

    fn try_from(text: String) -> Result<Link, String> {
        check::link(&text).map(Link)
    }
}

fn service<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Checked::option(check::service, deserializer)
}

fn loopback<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    Checked::value(check::loopback, deserializer)
}

fn login<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Checked::value(check::login, deserializer)
}
