//! The commands as clap gets them: the arguments that stand beside each command, and what many of them have alike.

use clap::error::ErrorKind;
use clap::{Arg, ArgMatches, Command, CommandFactory, Error, value_parser};

use super::args::Args;
use super::help;
use super::output::Format;

/// The commands as clap knows them, for the man page and the completions too.
#[must_use]
pub fn command() -> Command {
    help::arranged(unarranged())
}

/// The arguments of this process. An error may be the help that was asked for.
pub(super) fn parse() -> Result<ArgMatches, Error> {
    // Only who asks for help waits until it is arranged.
    unarranged().try_get_matches().or_else(|error| match error.kind() {
        ErrorKind::DisplayHelp => command().try_get_matches(),
        _ => Err(error),
    })
}

fn unarranged() -> Command {
    Args::command().mut_subcommand("lxd", |lxd| with_format(lxd, ""))
}

/// Gives each command that lists the flag that `lxc` has for `--output`.
fn with_format(command: Command, name: &str) -> Command {
    let command = command.mut_subcommands(|sub| {
        let name = sub.get_name().to_owned();
        with_format(sub, &name)
    });
    let taken =
        command.get_arguments().any(|arg| arg.get_long() == Some(FORMAT) || arg.get_short() == Some('f'));
    if !is_list(name) || taken {
        return command;
    }
    let format =
        Arg::new(FORMAT).short('f').long(FORMAT).value_name("FORMAT").value_parser(value_parser!(Format));
    command.arg(format.help("The same as --output, as lxc calls it").conflicts_with("output"))
}

const FORMAT: &str = "format";

/// Whether a command of that name prints a list: `list`, `list-leases`.
fn is_list(name: &str) -> bool {
    name == "list" || name.starts_with("list-")
}

/// Whether the command that was given prints a list, and the format that it was given as `--format`.
pub(super) fn listing(matches: &ArgMatches) -> (bool, Option<Format>) {
    let (mut name, mut innermost) = ("", matches);
    while let Some((sub, matches)) = innermost.subcommand() {
        (name, innermost) = (sub, matches);
    }
    let format = innermost.try_get_one(FORMAT).ok().flatten();
    (is_list(name), format.copied())
}
