//! The node's preferences, and edits of them.

use std::net::IpAddr;

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::go_json::{empty_is_none, null_is_default};
use crate::{LocalApiError, Tailnet, go_json};

const PATH: &str = "/localapi/v0/prefs";

/// What the node is set to, from [`Tailnet::prefs`]: what `tailscale set` changes. With serde it has the
/// names of Go's `ipn.Prefs`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct Prefs {
    /// The name it asks for.
    #[serde(default)]
    pub hostname: String,
    /// Whether it uses the subnet routes that other nodes offer.
    #[serde(rename = "RouteAll", default)]
    pub accept_routes: bool,
    /// The stable id of the node through which everything outside the tailnet goes; empty for none.
    #[serde(rename = "ExitNodeID", default)]
    pub exit_node_id: String,
    /// The address of that node, while its id is not known yet.
    #[serde(rename = "ExitNodeIP", default, with = "empty_is_none")]
    pub exit_node_ip: Option<IpAddr>,
    /// Whether streams from other nodes are refused.
    #[serde(default)]
    pub shields_up: bool,
    /// The ACL tags it asks for.
    #[serde(default, deserialize_with = "null_is_default")]
    pub advertise_tags: Vec<String>,
    /// The subnets it offers to route, such as `192.0.2.0/24`.
    #[serde(default, deserialize_with = "null_is_default")]
    pub advertise_routes: Vec<String>,
    /// Whether it is to be in the tailnet.
    #[serde(default)]
    pub want_running: bool,
    /// Whether it was logged out.
    #[serde(default)]
    pub logged_out: bool,
    /// All else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// What to change of a node's [`Prefs`]; what is not named stays.
///
/// ```
/// use tailnet::PrefsEdit;
///
/// let edit = PrefsEdit::new().accept_routes(true).shields_up(true);
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "an edit does nothing until `Tailnet::edit_prefs`"]
pub struct PrefsEdit {
    masked: Map<String, Value>,
}

impl PrefsEdit {
    /// Changes nothing yet.
    pub fn new() -> PrefsEdit {
        PrefsEdit::default()
    }

    /// The name to ask for.
    pub fn hostname(self, name: impl Into<String>) -> Self {
        self.set("Hostname", json!(name.into()))
    }

    /// Whether to use the subnet routes that other nodes offer.
    pub fn accept_routes(self, accept: bool) -> Self {
        self.set("RouteAll", json!(accept))
    }

    /// The node through which everything outside the tailnet goes, by its address; `None` for no such node. With one
    /// chosen, [`Tailnet::connect`] reaches addresses outside the tailnet too, through that node, and asks it for their
    /// names.
    pub fn exit_node(self, node: Option<IpAddr>) -> Self {
        let ip = node.map_or(String::new(), |ip| ip.to_string());
        self.set("ExitNodeID", json!("")).set("ExitNodeIP", json!(ip))
    }

    /// Whether to refuse streams from other nodes.
    pub fn shields_up(self, up: bool) -> Self {
        self.set("ShieldsUp", json!(up))
    }

    /// The ACL tags to ask for, each `tag:name`.
    pub fn advertise_tags<T: Into<String>>(self, tags: impl IntoIterator<Item = T>) -> Self {
        let tags: Vec<String> = tags.into_iter().map(Into::into).collect();
        self.set("AdvertiseTags", json!(tags))
    }

    /// The subnets to offer to route, such as `192.0.2.0/24`; an administrator approves them. Streams to them are for
    /// the host's network, so this node refuses them: see [`ListenOptions`](crate::ListenOptions) for what it takes.
    pub fn advertise_routes<T: Into<String>>(self, routes: impl IntoIterator<Item = T>) -> Self {
        let routes: Vec<String> = routes.into_iter().map(Into::into).collect();
        self.set("AdvertiseRoutes", json!(routes))
    }

    /// Whether to be in the tailnet, as `tailscale up` and `tailscale down` say.
    pub fn want_running(self, running: bool) -> Self {
        self.set("WantRunning", json!(running))
    }

    /// Any other field of Go's `ipn.Prefs`.
    pub fn set(mut self, field: &str, value: Value) -> Self {
        self.masked.insert(format!("{field}Set"), Value::Bool(true));
        self.masked.insert(field.to_owned(), value);
        self
    }
}

impl Tailnet {
    /// What the node is set to. Cancel safe.
    ///
    /// # Errors
    /// As [`local_api`](Self::local_api).
    pub async fn prefs(&self) -> Result<Prefs, LocalApiError> {
        Ok(go_json::read(&self.local_api(Method::GET, PATH, "").await?)?)
    }

    /// Changes what the node is set to, and gives all of it. A state folder remembers it, except
    /// [`accept_routes`](PrefsEdit::accept_routes), which the builder sets at each start.
    ///
    /// Cancel safe as far as the change is made as a whole or not at all.
    ///
    /// ```no_run
    /// # async fn example(tailnet: tailnet::Tailnet) -> Result<(), tailnet::LocalApiError> {
    /// use tailnet::PrefsEdit;
    ///
    /// let prefs = tailnet.edit_prefs(&PrefsEdit::new().shields_up(true)).await?;
    /// assert!(prefs.shields_up);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`LocalApiError::Refused`] when the backend does not take a value.
    pub async fn edit_prefs(&self, edit: &PrefsEdit) -> Result<Prefs, LocalApiError> {
        let body = Value::Object(edit.masked.clone()).to_string();
        Ok(go_json::read(&self.local_api(Method::PATCH, PATH, &body).await?)?)
    }
}
