//! Who may do what, as commands are told. The control socket carries it as JSON.

use serde::{Deserialize, Serialize};

pub use super::caller::{Caller, CallerKind, CallerNode, CallerUser};
pub use super::rights::Rights;
pub use crate::config::AccessRule;
use crate::config::{Grant, Verb};

/// Who may do what.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AccessList {
    /// Whether the configuration has the page at all (`tailnet:`).
    pub enabled: bool,
    /// The ACL tags of this node.
    pub tags: Vec<String>,
    /// The names for which this node can get a certificate; none where the tailnet has no HTTPS.
    pub https_names: Vec<String>,
    /// The rules of the configuration.
    pub rules: Vec<AccessRule>,
    /// The nodes that are online, and what each may do by those rules and by the tailnet's policy.
    pub callers: Vec<Caller>,
    /// The nodes of which that is not known, and why.
    pub unknown: Vec<String>,
}

/// What to explain.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ExplainRequest {
    /// A node's name or address, or a user's login name.
    pub peer: String,
    /// What the peer would like to do.
    pub verb: Option<Verb>,
    /// In which cloud; in all where there is none.
    pub cloud: Option<String>,
    /// In which project; in all where there is none.
    pub project: Option<String>,
}

/// What a caller may do, and why.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Explanation {
    /// The caller, with its rights.
    pub caller: Caller,
    /// What gives it those.
    pub given: Vec<Given>,
    /// Entries of the tailnet's policy that give nothing, because they are not understood.
    pub void: Vec<Void>,
    /// Rules that one could think to count here, and why they do not.
    pub passed_over: Vec<String>,
    /// What it may not do where it was asked about.
    pub refused: Vec<Verb>,
    /// The grant that is missing for what was asked; none where nothing is.
    pub missing: Option<Missing>,
}

/// A right that a caller has, and by what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Given {
    /// The rule of the configuration, or the policy.
    pub by: String,
    /// The right.
    pub grant: Grant,
}

/// An entry of the tailnet's policy that gives nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Void {
    /// The entry.
    pub entry: serde_json::Value,
    /// What is wrong with it.
    pub why: String,
}

/// A grant that is missing, to paste into one of two places.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Missing {
    /// The right.
    pub grant: Grant,
    /// For the tailnet's policy: an item of its `grants`.
    pub policy: serde_json::Value,
    /// For `kolaboree.yaml`: an item of `tailnet.access`.
    pub rule: AccessRule,
}

impl Missing {
    /// The text for the tailnet's policy.
    #[must_use]
    pub fn policy_text(&self) -> String {
        format!("\"grants\": [{}]", self.policy)
    }

    /// The text for `kolaboree.yaml`.
    #[must_use]
    pub fn file_text(&self) -> String {
        // JSON is YAML, and quotes the `*`.
        let rule = serde_json::to_string(&self.rule).unwrap_or_default();
        format!("tailnet:\n  access:\n    - {rule}\n")
    }
}
