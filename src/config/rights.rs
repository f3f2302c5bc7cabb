//! Who may do what, as the configuration and the tailnet's policy say it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A kind of thing that somebody may do.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, clap::ValueEnum,
)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Verb {
    /// See what is there.
    View,
    /// Start, stop, restart and freeze instances.
    Operate,
    /// Create, change, snapshot, restore, copy and delete; images too.
    Edit,
    /// Read and write files of instances.
    Files,
    /// Run commands in instances, as root.
    Exec,
    /// Read the metrics.
    Metrics,
    /// Change servers and their trust; read the audit.
    Admin,
}

impl Verb {
    /// All of them.
    pub const ALL: [Verb; 7] =
        [Verb::View, Verb::Operate, Verb::Edit, Verb::Files, Verb::Exec, Verb::Metrics, Verb::Admin];

    fn name(self) -> &'static str {
        match self {
            Verb::View => "view",
            Verb::Operate => "operate",
            Verb::Edit => "edit",
            Verb::Files => "files",
            Verb::Exec => "exec",
            Verb::Metrics => "metrics",
            Verb::Admin => "admin",
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of verbs, as a list in files. A list without any is refused.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Vec<Verb>", into = "Vec<Verb>")]
pub struct Verbs(u8);

impl Verbs {
    /// All verbs.
    pub const ALL: Verbs = Verbs((1 << Verb::ALL.len()) - 1);

    /// Whether the verb is in it.
    #[must_use]
    pub fn contains(self, verb: Verb) -> bool {
        self.0 & Verbs::bit(verb) != 0
    }

    /// Whether no verb is in it.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Its verbs, in the order of [`Verb::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Verb> {
        Verb::ALL.into_iter().filter(move |verb| self.contains(*verb))
    }

    fn bit(verb: Verb) -> u8 {
        1 << verb as u8
    }
}

impl FromIterator<Verb> for Verbs {
    fn from_iter<I: IntoIterator<Item = Verb>>(verbs: I) -> Verbs {
        Verbs(verbs.into_iter().fold(0, |all, verb| all | Verbs::bit(verb)))
    }
}

impl TryFrom<Vec<Verb>> for Verbs {
    type Error = EmptyList;

    fn try_from(list: Vec<Verb>) -> Result<Verbs, EmptyList> {
        if list.is_empty() { Err(EmptyList("verb")) } else { Ok(list.into_iter().collect()) }
    }
}

impl From<Verbs> for Vec<Verb> {
    fn from(verbs: Verbs) -> Vec<Verb> {
        verbs.iter().collect()
    }
}

impl fmt::Display for Verbs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.iter().map(Verb::name).collect();
        f.write_str(&names.join(" "))
    }
}

impl fmt::Debug for Verbs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// Names of clouds or projects, as a list in files, where `*` stands for all. There are no other patterns, and a list
/// without any name is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Name>", into = "Vec<String>")]
#[non_exhaustive]
pub enum Names {
    /// All that are there, now and later.
    All,
    /// These.
    Only(Vec<String>),
}

impl Names {
    /// Whether the name is one of them.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        match self {
            Names::All => true,
            Names::Only(names) => names.iter().any(|known| known == name),
        }
    }

    /// Whether all of the others are among them.
    #[must_use]
    pub fn include(&self, others: &Names) -> bool {
        match (self, others) {
            (Names::All, _) => true,
            (Names::Only(_), Names::All) => false,
            (Names::Only(_), Names::Only(others)) => others.iter().all(|name| self.contains(name)),
        }
    }
}

/// One of [`Names`].
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Name(String);

impl TryFrom<String> for Name {
    type Error = String;

    fn try_from(text: String) -> Result<Name, String> {
        if is_word(&text) && (text == "*" || !text.contains('*')) {
            return Ok(Name(text));
        }
        Err(format!("{text:?} is not a name, nor * for all: there are no other patterns"))
    }
}

impl TryFrom<Vec<Name>> for Names {
    type Error = EmptyList;

    fn try_from(list: Vec<Name>) -> Result<Names, EmptyList> {
        if list.is_empty() {
            return Err(EmptyList("name"));
        }
        let all = list.iter().any(|name| name.0 == "*");
        Ok(if all { Names::All } else { Names::Only(list.into_iter().map(|name| name.0).collect()) })
    }
}

impl From<Names> for Vec<String> {
    fn from(names: Names) -> Vec<String> {
        match names {
            Names::All => vec!["*".to_owned()],
            Names::Only(names) => names,
        }
    }
}

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Names::All => f.write_str("*"),
            Names::Only(names) => f.write_str(&names.join(" ")),
        }
    }
}

/// A list that has to have something in it.
#[derive(Debug, thiserror::Error)]
#[error("the list has no {0} in it")]
pub struct EmptyList(&'static str);

/// A right: what may be done, in which clouds and projects. The tailnet's policy gives it in the same form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// In which clouds.
    pub clouds: Names,
    /// In which of their projects.
    pub projects: Names,
    /// What.
    pub verbs: Verbs,
}

impl Grant {
    /// Everything, everywhere.
    pub const ALL: Grant = Grant { clouds: Names::All, projects: Names::All, verbs: Verbs::ALL };
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; clouds: {}; projects: {}", self.verbs, self.clouds, self.projects)
    }
}

/// Whom a rule is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[non_exhaustive]
pub enum Principal {
    /// `user:*`: each user of the node's own tailnet, at a node without tags that routes nothing.
    AnyUser,
    /// `user:alice@example.com`: a user by login name, exactly as the tailnet has it.
    User(String),
    /// `tag:ops`: the nodes with an ACL tag.
    Tag(String),
    /// `node:laptop.tail1.ts.net`, or `node:` with a stable ID: a node. A name can become another machine's.
    Node(String),
}

impl FromStr for Principal {
    type Err = String;

    fn from_str(text: &str) -> Result<Principal, String> {
        let no = || Err(format!("{text:?} is neither user:LOGIN, tag:NAME nor node:NAME"));
        match text.split_once(':') {
            Some(("user", "*")) => Ok(Principal::AnyUser),
            Some(("user", login)) => super::check::login(login).map(Principal::User),
            Some(("tag", _)) => super::check::tag(text).map(Principal::Tag),
            Some(("node", name)) => super::check::host(name).map(Principal::Node),
            Some(("group" | "autogroup", _)) => {
                Err(format!("{text:?}: nodes do not know the groups of the tailnet's policy"))
            }
            _ => no(),
        }
    }
}

impl TryFrom<String> for Principal {
    type Error = String;

    fn try_from(text: String) -> Result<Principal, String> {
        text.parse()
    }
}

impl From<Principal> for String {
    fn from(principal: Principal) -> String {
        principal.to_string()
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Principal::AnyUser => f.write_str("user:*"),
            Principal::User(login) => write!(f, "user:{login}"),
            Principal::Tag(tag) => f.write_str(tag),
            Principal::Node(node) => write!(f, "node:{node}"),
        }
    }
}

/// A rule of the configuration: a right, and who has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AccessRule {
    /// Who.
    pub who: Vec<Principal>,
    /// What.
    #[serde(flatten)]
    pub grant: Grant,
}

impl AccessRule {
    /// A rule.
    #[must_use]
    pub fn new(who: Vec<Principal>, grant: Grant) -> AccessRule {
        AccessRule { who, grant }
    }
}

impl fmt::Display for AccessRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who: Vec<String> = self.who.iter().map(ToString::to_string).collect();
        write!(f, "{}: {}", who.join(" "), self.grant)
    }
}

/// Whether a text is a word without what would break a line or a name apart.
pub(super) fn is_word(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(text: &str) -> Result<Grant, String> {
        serde_json::from_str(text).map_err(|e| e.to_string())
    }

    #[test]
    fn a_grant_is_read_back_as_it_was_written() {
        for text in [
            r#"{"clouds":["*"],"projects":["*"],"verbs":["view"]}"#,
            r#"{"clouds":["berlin","paris"],"projects":["web"],"verbs":["view","exec","admin"]}"#,
        ] {
            assert_eq!(serde_json::to_string(&grant(text).unwrap()).unwrap(), text);
        }
        let all: Vec<Verb> = Verbs::ALL.into();
        assert_eq!(all, Verb::ALL);
    }

    #[test]
    fn a_grant_that_is_not_understood_wholly_is_refused() {
        for (text, why) in [
            (r#"{"clouds":["*"],"projects":["*"],"verbs":["view","root"]}"#, "unknown variant `root`"),
            (
                r#"{"clouds":["*"],"projects":["*"],"verbs":["view"],"except":["db"]}"#,
                "unknown field `except`",
            ),
            (r#"{"clouds":["*"],"verbs":["view"]}"#, "missing field `projects`"),
            (r#"{"clouds":[],"projects":["*"],"verbs":["view"]}"#, "no name"),
            (r#"{"clouds":["*"],"projects":["*"],"verbs":[]}"#, "no verb"),
            (r#"{"clouds":["ber*"],"projects":["*"],"verbs":["view"]}"#, "no other patterns"),
            (r#"{"clouds":["*"],"projects":[""],"verbs":["view"]}"#, "not a name"),
            (r#"{"clouds":"*","projects":["*"],"verbs":["view"]}"#, "invalid type"),
            (r#"["*"]"#, ""),
        ] {
            let error = grant(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn a_principal_is_a_user_a_tag_or_a_node() {
        for text in
            ["user:*", "user:alice@example.com", "tag:ops", "node:laptop.tail1.ts.net", "node:nXy1CNTRL"]
        {
            assert_eq!(text.parse::<Principal>().unwrap().to_string(), text);
        }
        assert_eq!("user:*".parse(), Ok(Principal::AnyUser));
        for text in [
            "",
            "*",
            "alice@example.com",
            "user:",
            "user:*@example.com",
            "user:a b",
            "tag:",
            "tag:*",
            "tag:a b",
            "node:",
            "node:*",
            "group:ops",
            "autogroup:member",
            "User:a",
        ] {
            assert!(text.parse::<Principal>().is_err(), "{text}");
        }
    }
}
