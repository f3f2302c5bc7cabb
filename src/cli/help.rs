//! What `-h` and `--help` show: `-h` a line for each option, `--help` all of them, with examples. The configuration's flags
//! are taken by every command, and stand in the help of three only.

use std::fmt::Write;

use clap::Command;

use super::{examples, lxd};
use crate::remedy::EXIT_CODES;

/// The heading of the configuration's flags.
const CONFIGURATION: &str = "Configuration";

/// Where the configuration's flags are shown, besides the top.
const CONFIGURED: [&str; 2] = ["run", "config"];

/// Commands whose `--help` lists the exit codes.
const WITH_CODES: [&str; 2] = ["", "lxd"];

const MORE: &str = "--help shows more, with examples. The flags of the configuration, which every command takes, are in \
                    `kolaboree-node --help`.";

/// The commands with their help arranged.
pub(super) fn arranged(command: Command) -> Command {
    let command = command.mut_args(|argument| {
        let of_configuration = argument.get_help_heading() == Some(CONFIGURATION);
        argument.hide_short_help(of_configuration)
    });
    let command = without_configuration(command);
    each(command.mut_subcommand("lxd", grouped), "")
}

/// Hides the configuration's flags in the subcommands where they are not shown. A flag that a command has itself is not passed
/// on to it from above, and so its own stays hidden, below it too.
fn without_configuration(command: Command) -> Command {
    let flags = command.get_arguments().filter(|arg| arg.get_help_heading() == Some(CONFIGURATION));
    let hidden: Vec<_> = flags.map(|flag| flag.clone().hide(true)).collect();
    command.mut_subcommands(|sub| match sub.get_name() {
        "config" => sub.mut_subcommands(|sub| sub.args(&hidden)),
        name if CONFIGURED.contains(&name) => sub,
        _ => sub.args(&hidden),
    })
}

/// Gives each command its examples and exit codes.
fn each(command: Command, path: &str) -> Command {
    let mut after = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
    let lines: String =
        examples::of(&command, path).iter().map(|example| format!("\n  kolaboree-node {example}")).collect();
    let _ = write!(after, "{}Examples:{lines}", if after.is_empty() { "" } else { "\n\n" });
    if WITH_CODES.contains(&path) {
        let _ = write!(after, "\n\n{EXIT_CODES}");
    }
    let command = command.after_help(MORE).after_long_help(after);
    command.mut_subcommands(|sub| {
        let path = format!("{path} {}", sub.get_name());
        each(sub, path.trim_start())
    })
}

/// Lists the subcommands of `lxd` under headings, which clap has not.
fn grouped(command: Command) -> Command {
    let header = *command.get_styles().get_header();
    let literal = *command.get_styles().get_literal();
    let groups = lxd::groups();
    let names = groups.iter().flat_map(|(_, group)| group.get_subcommands());
    let width = names.map(|sub| sub.get_name().len()).max().unwrap_or_default();
    let mut text = String::new();
    for (heading, group) in &groups {
        let _ = writeln!(text, "{header}{heading}:{header:#}");
        for sub in group.get_subcommands().filter(|sub| !sub.is_hide_set()) {
            let about = sub.get_about().map(ToString::to_string).unwrap_or_default();
            let about = about.split(". ").next().unwrap_or_default();
            let _ = writeln!(text, "  {literal}{:width$}{literal:#}  {about}", sub.get_name());
        }
        text.push('\n');
    }
    command.help_template(format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{text}{header}Options:{header:#}\n{{options}}{{after-help}}"
    ))
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, FromArgMatches};

    use super::*;
    use crate::cli::args::Args;
    use crate::cli::command::command;

    /// Each command with its path, such as `lxd file push`.
    fn all() -> Vec<(String, Command)> {
        fn walk(command: &Command, path: &str, found: &mut Vec<(String, Command)>) {
            found.push((path.to_owned(), command.clone()));
            for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
                walk(sub, format!("{path} {}", sub.get_name()).trim_start(), found);
            }
        }
        let mut whole = command();
        whole.build();
        let mut found = Vec::new();
        walk(&whole, "", &mut found);
        assert!(found.len() > 30);
        found
    }

    #[test]
    fn the_short_help_of_a_command_fits_on_a_screen() {
        for (path, mut command) in all() {
            let help = command.render_help().to_string();
            let lines = if path == "lxd" { 90 } else { 45 };
            assert!(help.lines().count() <= lines, "{path}: {} lines\n{help}", help.lines().count());
            assert!(!help.contains("--control-url") && help.contains(MORE), "{path}: {help}");
            assert!(!help.contains("Exit codes"), "{path}");
        }
    }

    #[test]
    fn the_long_help_has_the_configuration_in_three_places_and_the_exit_codes_in_two() {
        for (path, mut command) in all() {
            let help = command.render_long_help().to_string();
            let shown = path.is_empty() || CONFIGURED.contains(&&*path);
            assert_eq!(help.contains("--control-url"), shown, "{path}: {help}");
            assert_eq!(help.contains("Exit codes"), WITH_CODES.contains(&&*path), "{path}: {help}");
        }
    }

    #[test]
    fn the_flags_of_the_configuration_are_taken_everywhere() {
        for line in [
            "kolaboree-node --state-dir x lxd file delete berlin:c1/x",
            "kolaboree-node lxd --state-dir x file delete berlin:c1/x",
            "kolaboree-node lxd file delete berlin:c1/x --state-dir x",
            "kolaboree-node config show --state-dir x",
            "kolaboree-node --state-dir=x status",
            "kolaboree-node status --state-dir=x",
        ] {
            for command in [command(), Args::command()] {
                let matches = command.try_get_matches_from(line.split(' ')).unwrap();
                let args = Args::from_arg_matches(&matches).unwrap();
                assert_eq!(args.flags.state_dir.as_deref(), Some("x".as_ref()), "{line}");
                assert_eq!(args.flags.env_file, std::path::Path::new(".env"), "{line}");
            }
        }
    }

    #[test]
    fn every_command_and_every_argument_has_a_help_text() {
        for (path, command) in all() {
            assert!(command.get_about().is_some(), "{path}");
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{path}: {}", argument.get_id());
            }
        }
    }

    #[test]
    fn every_command_has_an_example_that_is_right() {
        for (path, this) in all() {
            let examples = examples::of(&this, &path);
            assert!(!examples.is_empty(), "{path}");
            for example in examples {
                let words = example.split(" < ").next().unwrap().split(" > ").next().unwrap();
                let words = words.split(" | ").next().unwrap().split_whitespace();
                let matches = command().try_get_matches_from(["kolaboree-node"].into_iter().chain(words));
                let matches = matches.unwrap_or_else(|error| panic!("{example}: {error}"));
                let mut innermost = (&matches, String::new());
                while let Some((name, matches)) = innermost.0.subcommand() {
                    innermost = (matches, format!("{} {name}", innermost.1));
                }
                let given = innermost.1.trim_start();
                assert!(
                    given == path || this.has_subcommands(),
                    "{example} is none of {path:?} but of {given:?}"
                );
            }
        }
    }

    fn command_names() -> Vec<String> {
        let whole = command();
        let lxd = whole.find_subcommand("lxd").unwrap();
        lxd.get_subcommands().map(|sub| sub.get_name().to_owned()).collect()
    }

    #[test]
    fn every_command_of_lxd_stands_under_a_heading() {
        let mut whole = command();
        whole.build();
        let help = whole.find_subcommand_mut("lxd").unwrap().render_help().to_string();
        for name in command_names() {
            let lines = help.lines().filter(|line| line.starts_with(&format!("  {name} "))).count();
            assert_eq!(lines, 1, "{name}: {help}");
        }
        for (_, group) in lxd::groups() {
            assert!(group.has_subcommands());
        }
    }
}
