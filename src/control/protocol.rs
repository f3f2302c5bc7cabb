//! The protocol of the control socket: JSON over HTTP/1.1 on a Unix socket that only its owner can open.
//!
//! [`endpoints`] lists the requests.
//!
//! A failure has the status 4xx or 5xx and the body [`Failure`].

use serde::{Deserialize, Serialize};

pub use crate::access::report::{
    AccessList, AccessRule, Caller, CallerKind, CallerNode, CallerUser, ExplainRequest, Explanation, Given,
    Missing, Rights, Void,
};
pub use crate::cloud::report::{Cloud, Health, NetworkPath, Stage};
pub use crate::failure_code::FailureCode;
pub use crate::node::report::{
    ExitNode, Netcheck, Peer, PingKind, PingRequest, Pong, Relay, Reloaded, Status, UpRequest, Whois,
};

/// The paths of the requests, with the method and the answer of each.
pub mod endpoints {
    #[cfg(doc)]
    use super::*;

    /// `GET`: [`Status`].
    pub const STATUS: &str = "/v1/status";
    /// `POST` with [`PingRequest`]: [`Pong`].
    pub const PING: &str = "/v1/ping";
    /// `GET` with `?address=IP` (or `IP:PORT`, or a name): [`Whois`].
    pub const WHOIS: &str = "/v1/whois";
    /// `GET`: [`Netcheck`].
    pub const NETCHECK: &str = "/v1/netcheck";
    /// `POST` with [`UpRequest`]: [`Status`], once the node has joined.
    pub const UP: &str = "/v1/up";
    /// `POST`: [`Status`], once the node has left its tailnet.
    pub const DOWN: &str = "/v1/down";
    /// `POST`: [`Status`], once the node has left its tailnet and forgotten its identity.
    pub const LOGOUT: &str = "/v1/logout";
    /// `POST`: [`Reloaded`], once the configuration was read again.
    pub const RELOAD: &str = "/v1/reload";
    /// `GET`: a list of [`Cloud`].
    pub const CLOUDS: &str = "/v1/clouds";
    /// `POST`, with a cloud's name in the place of `{name}`: the [`Cloud`], which is probed for this.
    pub const CHECK: &str = "/v1/clouds/{name}/check";
    /// `GET`: who may do what by the tailnet's policy and the configuration, an [`AccessList`].
    pub const ACCESS: &str = "/v1/access";
    /// `GET` with `?peer=` (a node's name or address, or a user's login name) and, for what they would like to do,
    /// `&verb=`, `&cloud=` and `&project=` (see [`ExplainRequest`]): a list of [`Explanation`], one of each node.
    pub const ACCESS_EXPLAIN: &str = "/v1/access/explain";
    /// `GET`: the inventory's rows. `?clouds=` and `?projects=` with names, `?kinds=` with `instances`, `operations` and
    /// `images`, and `?fields=` with the fields of an instance choose what is told, each with commas between them. Where the
    /// fields name the `state` or the `snapshots`, those are fetched first of instances of which they are not known.
    pub const INVENTORY: &str = "/v1/inventory";
    /// `GET`: how many instances, operations and images each cloud has.
    pub const INVENTORY_OVERVIEW: &str = "/v1/inventory/overview";
    /// `GET` with `?cloud=`, `?project=` and `?name=` of an instance: what it has used during the last hour, oldest first.
    pub const INVENTORY_USAGE: &str = "/v1/inventory/usage";
    /// `GET` with `?since=REVISION`, and `?clouds=`, `?projects=` and `?kinds=`: the changes after that one, as they happen,
    /// in lines of JSON: `{"changes": […]}`, or `{"reset": {…}}` with all rows where they are not known.
    pub const INVENTORY_CHANGES: &str = "/v1/inventory/changes";
    /// `GET`: a list of [`CloudNames`], for the completion of a command. It waits for no cloud.
    pub const INVENTORY_NAMES: &str = "/v1/inventory/names";
    /// `POST` with the clouds, projects and kinds that somebody looks at: their state is fetched soon, and kept fresh for
    /// some minutes.
    pub const INVENTORY_LOOK: &str = "/v1/inventory/look";
    /// `GET` with `?address=HOST:PORT&fingerprint=`, as the asker has them of the cloud, `Connection: Upgrade` and
    /// `Upgrade: tcp`: the status `101`, and then the cloud's API over HTTP without TLS, by the connections and with the
    /// certificate of the node. Refused for a cloud that does not answer, or does not trust the node.
    pub const API: &str = "/v1/clouds/{name}/api";
    /// `GET` with `?address=HOST:PORT`, `Connection: Upgrade` and `Upgrade: tcp`: the status `101`, and then the bytes
    /// of a stream through the tailnet.
    pub const DIAL: &str = "/v1/dial";
}

/// The names in a cloud.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct CloudNames {
    /// Its own name.
    pub cloud: String,
    /// The projects that the node may see.
    pub projects: Vec<String>,
    /// The storage pools.
    pub pools: Vec<String>,
    /// The instances.
    pub instances: Vec<Name>,
    /// The images, by their aliases; those without one by the begin of their fingerprints.
    pub images: Vec<Name>,
    /// The profiles.
    pub profiles: Vec<Name>,
    /// The networks.
    pub networks: Vec<Name>,
}

/// The name of a thing in a project.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Name {
    /// Its project.
    pub project: String,
    /// Its name there.
    pub name: String,
}

/// Why a request failed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Failure {
    /// The error, in one line.
    pub error: String,
    /// The same for programs.
    pub code: FailureCode,
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use serde::de::DeserializeOwned;
    use serde_json::json;

    use tailnet::BackendState;

    use super::*;

    /// Each value has its text in JSON, both ways.
    fn texts<T: Serialize + DeserializeOwned + PartialEq + Debug>(
        pairs: impl IntoIterator<Item = (T, &'static str)>,
    ) {
        for (value, text) in pairs {
            assert_eq!(serde_json::to_value(&value).unwrap(), json!(text));
            assert_eq!(serde_json::from_value::<T>(json!(text)).unwrap(), value);
        }
    }

    #[test]
    fn the_texts_that_scripts_read_stay() {
        texts([
            (BackendState::NoState, "NoState"),
            (BackendState::NeedsLogin, "NeedsLogin"),
            (BackendState::NeedsMachineAuth, "NeedsMachineAuth"),
            (BackendState::Stopped, "Stopped"),
            (BackendState::Starting, "Starting"),
            (BackendState::Running, "Running"),
            (BackendState::Other, "Other"),
        ]);
        texts([
            (NetworkPath::Unknown, ""),
            (NetworkPath::Direct("1.2.3.4:5".parse().unwrap()), "direct 1.2.3.4:5"),
            (NetworkPath::Direct("[fd7a::1]:5".parse().unwrap()), "direct [fd7a::1]:5"),
            (NetworkPath::Relayed("fra".to_owned()), "relay fra"),
        ]);
        texts([(Stage::Netmap, "netmap"), (Stage::Tcp, "tcp"), (Stage::Tls, "tls"), (Stage::Api, "api")]);
        texts([(PingKind::Disco, "disco"), (PingKind::Tsmp, "tsmp"), (PingKind::Icmp, "icmp")]);
        texts(PingKind::NAMES.map(|name| (PingKind::from(name.to_owned()), name)));
        texts([
            (FailureCode::NotRunning, "not_running"),
            (FailureCode::NotInTailnet, "not_in_tailnet"),
            (FailureCode::NoSuchPeer, "no_such_peer"),
            (FailureCode::NoSuchHost, "no_such_host"),
            (FailureCode::NotFound, "not_found"),
            (FailureCode::Invalid, "invalid"),
            (FailureCode::AuthRejected, "auth_rejected"),
            (FailureCode::NeedsLogin, "needs_login"),
            (FailureCode::NeedsApproval, "needs_approval"),
            (FailureCode::KeyExpired, "key_expired"),
            (FailureCode::ControlUnreachable, "control_unreachable"),
            (FailureCode::ControlUntrusted, "control_untrusted"),
            (FailureCode::Refused, "refused"),
            (FailureCode::Unreachable, "unreachable"),
            (FailureCode::Timeout, "timeout"),
            (FailureCode::Failed, "failed"),
        ]);
    }

    #[test]
    fn texts_of_a_newer_node_are_understood_as_something_else() {
        texts([
            (NetworkPath::Other("peer-relay 1.2.3.4:5:vni:1".to_owned()), "peer-relay 1.2.3.4:5:vni:1"),
            (NetworkPath::Other("direct somewhere".to_owned()), "direct somewhere"),
        ]);
        texts([(PingKind::Other("peerapi".to_owned()), "peerapi")]);
        texts([(FailureCode::Other("locked_out".to_owned()), "locked_out")]);
        assert_eq!(serde_json::from_value::<Stage>(json!("http3")).unwrap(), Stage::Other);
        assert_eq!(serde_json::from_value::<BackendState>(json!("Paused")).unwrap(), BackendState::Other);
    }
}
