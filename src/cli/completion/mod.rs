//! Completion of commands, flags and names in a shell.
//!
//! `completions SHELL` prints a script. It has the shell run this program with `__complete` and the words of the line up to the
//! cursor, for each Tab. The answer is a candidate a line, with its help behind a tab. Nothing is ever printed besides, and
//! nothing joins a tailnet: names come from the running node, if one runs and answers at once.

mod names;
mod words;

use std::ffi::OsString;
use std::fmt::Write;
use std::io;
use std::process::ExitCode;

use clap_complete::Shell;
use clap_complete::engine::CompletionCandidate;

pub(super) use self::names::known;
use super::command::command;
use super::output;

/// The first argument by which the scripts ask for candidates. It is no command, so that no help shows it.
const ASK: &str = "__complete";

/// Answers a shell that asks for candidates. None where the arguments are for a command.
pub(super) fn answer(mut arguments: impl Iterator<Item = OsString>) -> Option<ExitCode> {
    if arguments.nth(1)? != ASK {
        return None;
    }
    let mut text = String::new();
    for candidate in candidates(arguments.collect()) {
        let value = candidate.get_value().to_string_lossy();
        let help = candidate.get_help().map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(text, "{}\t{}", output::one_line(&value), help.lines().next().unwrap_or_default());
    }
    let _ = output::write(&text);
    Some(ExitCode::SUCCESS)
}

/// The candidates for the last word. Flags are offered once a `-` was typed, or where there is nothing else.
fn candidates(words: Vec<OsString>) -> Vec<CompletionCandidate> {
    let Some(last) = words.len().checked_sub(1) else { return Vec::new() };
    let is_flag = |text: &CompletionCandidate| text.get_value().to_string_lossy().starts_with('-');
    let wants_flag = words[last].to_string_lossy().starts_with('-');
    let mut command = words::with_names(command(), &words);
    let here = std::env::current_dir().ok();
    let mut found =
        clap_complete::engine::complete(&mut command, words, last, here.as_deref()).unwrap_or_default();
    if !wants_flag && found.iter().any(|candidate| !is_flag(candidate)) {
        found.retain(|candidate| !is_flag(candidate));
    }
    found
}

/// Prints the script of a shell. Those without a script here get one that knows commands and flags only.
pub(super) fn print(shell: Shell) -> io::Result<()> {
    let script = match shell {
        Shell::Bash => include_str!("bash.sh").to_owned(),
        Shell::Zsh => include_str!("zsh.zsh").to_owned(),
        Shell::Fish => include_str!("fish.fish").to_owned(),
        other => {
            let mut script = Vec::new();
            clap_complete::generate(other, &mut command(), "kolaboree-node", &mut script);
            String::from_utf8_lossy(&script).into_owned()
        }
    };
    output::write(&script.replace("ASK", ASK))
}
