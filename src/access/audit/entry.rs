//! What somebody wants to do, and how that ends.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::access::Caller;
use crate::config::Verb;

/// How long a text may be, in bytes. A longer one is cut, so that nobody fills the disk with one request.
const LONGEST: usize = 4096;

/// Who wants to do what. It has no secrets in it, and nothing of what is sent to a command or a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// The ID of the request.
    pub(crate) request: String,
    /// The user, where the node belongs to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<EntryUser>,
    /// The node that called.
    pub(crate) node: EntryNode,
    /// Its ACL tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tags: Vec<String>,
    /// Its address.
    pub(crate) address: IpAddr,
    /// The right that the action needs.
    pub(crate) verb: Verb,
    /// What it is, such as `start`, `exec` or `file.push`.
    pub(crate) action: String,
    /// In which cloud.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cloud: Option<String>,
    /// In which project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) project: Option<String>,
    /// What it is done to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) object: Option<String>,
    /// What else there is to say, such as the command of an exec.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) detail: Option<String>,
}

/// The user of an [`Entry`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EntryUser {
    pub(crate) id: i64,
    pub(crate) login: String,
}

/// The node of an [`Entry`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EntryNode {
    pub(crate) id: String,
    pub(crate) name: String,
}

impl Entry {
    /// An action of a caller's.
    pub(crate) fn new(request: &str, caller: &Caller, verb: Verb, action: &str) -> Entry {
        let user = caller.user.as_ref().map(|user| EntryUser { id: user.id, login: user.login.clone() });
        Entry {
            request: cut(request),
            user,
            node: EntryNode { id: caller.node.id.clone(), name: caller.node.name.clone() },
            tags: caller.tags.clone(),
            address: caller.address,
            verb,
            action: cut(action),
            cloud: None,
            project: None,
            object: None,
            detail: None,
        }
    }

    /// Says in which cloud.
    pub(crate) fn cloud(mut self, cloud: &str) -> Entry {
        self.cloud = Some(cut(cloud));
        self
    }

    /// Says in which project.
    pub(crate) fn project(mut self, project: &str) -> Entry {
        self.project = Some(cut(project));
        self
    }

    /// Says to what it is done.
    pub(crate) fn object(mut self, object: &str) -> Entry {
        self.object = Some(cut(object));
        self
    }

    /// Says what else there is to say.
    pub(crate) fn detail(mut self, detail: &str) -> Entry {
        self.detail = Some(cut(detail));
        self
    }
}

/// How a change has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is done.
    Done,
    /// A command has run, and ended with this code.
    Exited(i32),
    /// It failed, with this error.
    Failed(String),
    /// It was cancelled.
    Cancelled,
    /// The node stopped before that; a cloud may go on with it.
    Unknown,
}

/// A text that is not too long.
pub(super) fn cut(text: &str) -> String {
    if text.len() <= LONGEST {
        return text.to_owned();
    }
    let end = (0..=LONGEST).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    format!("{}…", &text[..end])
}
