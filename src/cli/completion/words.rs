//! Which arguments are names of what, and the candidates for them.

use std::ffi::{OsStr, OsString};
use std::sync::{Arc, LazyLock};

use clap::{Arg, ArgMatches, Command, FromArgMatches};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};

use super::names::{self, Kind, Names};
use crate::config::Flags;

/// What an argument names, by its name in the help; there it may be a plural.
const KINDS: [(&str, Kind); 12] = [
    ("CLOUD", Kind::Cloud),
    ("CLOUD:", Kind::Place),
    ("CLOUD:|FILTER", Kind::Place),
    ("PROJECT", Kind::Project),
    ("INSTANCE", Kind::Instance),
    ("SNAPSHOT", Kind::Instance),
    ("IMAGE", Kind::Image),
    ("PROFILE", Kind::Profile),
    ("NETWORK", Kind::Network),
    ("POOL", Kind::Pool),
    ("STORAGE", Kind::Pool),
    ("PEER", Kind::Peer),
];

/// Arguments that go by another name in some commands.
const HERE: [(&str, &str, Kind); 6] = [
    ("lxd", "project", Kind::Project),
    ("info", "target", Kind::Instance),
    ("list", "targets", Kind::Instance),
    ("copy", "source", Kind::Instance),
    ("move", "source", Kind::Instance),
    ("publish", "source", Kind::Instance),
];

fn kind_of(command: &str, argument: &Arg) -> Option<Kind> {
    let here = HERE.iter().find(|(of, id, _)| *of == command && argument.get_id() == *id);
    if let Some((_, _, kind)) = here {
        return Some(*kind);
    }
    let name = argument.get_value_names()?.first()?.to_uppercase();
    let name = name.strip_suffix('S').unwrap_or(&name);
    KINDS.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
}

/// Has each argument that names something complete those names. The words say which node is asked, and in which project.
pub(super) fn with_names(command: Command, words: &[OsString]) -> Command {
    let words = words.to_owned();
    let of_peers = words.clone();
    let names: Lazy<Names> = LazyLock::new(Box::new(move || look(&words).unwrap_or_default()));
    let peers: Lazy<Vec<String>> = LazyLock::new(Box::new(move || peers(&of_peers).unwrap_or_default()));
    let known = Arc::new(Known { names, peers });
    complete(command, &known)
}

/// What is looked up once, by the first argument that needs it.
struct Known {
    names: Lazy<Names>,
    peers: Lazy<Vec<String>>,
}

type Lazy<T> = LazyLock<T, Box<dyn FnOnce() -> T + Send + Sync>>;

impl Known {
    /// The candidates for a word; `bare` without the cloud that they are in.
    fn candidates(&self, kind: Kind, bare: bool, current: &str) -> Vec<String> {
        match kind {
            Kind::Peer => self.peers.iter().filter(|name| name.starts_with(current)).cloned().collect(),
            kind if bare => self.names.bare(kind, current),
            kind => self.names.placed(kind, current),
        }
    }
}

fn complete(command: Command, known: &Arc<Known>) -> Command {
    let name = command.get_name().to_owned();
    let command = command.mut_subcommands(|sub| complete(sub, known));
    command.mut_args(|argument| {
        let Some(kind) = kind_of(&name, &argument) else { return argument };
        let (known, bare) = (known.clone(), !argument.is_positional());
        argument.add(ArgValueCompleter::new(move |current: &OsStr| {
            let Some(current) = current.to_str() else { return Vec::new() };
            known.candidates(kind, bare, current).into_iter().map(CompletionCandidate::new).collect()
        }))
    })
}

/// The names that the node has whom these words would ask.
fn look(words: &[OsString]) -> Option<Names> {
    let (matches, flags) = given(words)?;
    Some(names::look(&flags, project(&matches).as_deref()))
}

/// The nodes that it knows.
fn peers(words: &[OsString]) -> Option<Vec<String>> {
    names::peers(&given(words)?.1)
}

fn given(words: &[OsString]) -> Option<(ArgMatches, Flags)> {
    let matches = super::command().ignore_errors(true).try_get_matches_from(words).ok()?;
    let flags = Flags::from_arg_matches(&matches).ok()?;
    Some((matches, flags))
}

/// The value of `--project`.
fn project(matches: &ArgMatches) -> Option<String> {
    let (_, lxd) = matches.subcommand()?;
    lxd.try_get_one::<String>("project").ok().flatten().cloned()
}
