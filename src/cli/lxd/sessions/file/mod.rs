//! `lxd file`: files in an instance.

mod create;
mod delete;
mod edit;
mod pull;
mod push;

use std::process::ExitCode;

use clap::Subcommand;
use lxd_client::Client;

use crate::actions::files::Making;
use crate::cli::exit::usage;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::output::{one_line, report};

#[derive(Debug, Subcommand)]
pub(crate) enum FileCommand {
    /// Sends files and folders.
    Push(push::Push),
    /// Fetches files and folders.
    Pull(pull::Pull),
    /// Opens a file in an editor, and writes it back.
    Edit(edit::Edit),
    /// Makes an empty file, a folder or a link.
    Create(create::Create),
    /// Deletes files and folders.
    #[command(visible_alias = "rm")]
    Delete(delete::Delete),
}

/// A source or target that is the standard input or output.
const STANDARD: &str = "-";

pub(super) async fn run(fleet: &Fleet, command: &FileCommand) -> anyhow::Result<ExitCode> {
    match command {
        FileCommand::Push(options) => push::push(fleet, options).await,
        FileCommand::Pull(options) => pull::pull(fleet, options).await,
        FileCommand::Edit(options) => edit::edit(fleet, options).await,
        FileCommand::Create(options) => create::create(fleet, options).await,
        FileCommand::Delete(options) => delete::delete(fleet, options).await,
    }
}

/// Owner and permissions of what is made in an instance.
#[derive(Debug, clap::Args)]
pub(crate) struct Ownership {
    /// The user that owns it there, by number.
    #[arg(long)]
    uid: Option<u32>,
    /// The group that owns it there, by number.
    #[arg(long)]
    gid: Option<u32>,
    /// The permissions of files there, such as 644.
    #[arg(long, value_parser = permissions)]
    mode: Option<u32>,
    /// Make the folders above that are not there.
    #[arg(short = 'p', long)]
    create_dirs: bool,
}

impl Ownership {
    fn making(&self) -> Making {
        Making { uid: self.uid, gid: self.gid, mode: self.mode, parents: self.create_dirs }
    }
}

/// Permissions in octal, with or without 0 or 0o before them.
fn permissions(text: &str) -> Result<u32, String> {
    let digits = text.strip_prefix("0o").unwrap_or(text);
    match u32::from_str_radix(digits, 8) {
        Ok(mode) if mode <= 0o7777 => Ok(mode),
        _ => Err("these are no permissions in octal, such as 644".to_owned()),
    }
}

/// A path in an instance.
struct Place {
    client: Client,
    instance: String,
    path: String,
}

/// The place `berlin:c1/PATH`.
async fn place(fleet: &Fleet, text: &str) -> anyhow::Result<Place> {
    let (instance, path) = text
        .split_once('/')
        .ok_or_else(|| usage(format!("{text:?} has no path: write CLOUD:INSTANCE/PATH")))?;
    let (cloud, name) = fleet.target(instance)?;
    let client = fleet.client(cloud).await?;
    Ok(Place { client, instance: name.to_owned(), path: format!("/{path}") })
}

/// Reports each file that was left out, and gives the exit code: that of a success only when there is none.
fn all_of(left_out: &[String]) -> ExitCode {
    for path in left_out {
        report(&format!("left out: {}", one_line(path)));
    }
    if left_out.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_are_octal() {
        for (text, mode) in [("644", 0o644), ("0644", 0o644), ("0o4755", 0o4755), ("0", 0)] {
            assert_eq!(permissions(text), Ok(mode));
        }
        for text in ["", "8", "rw", "17777", "-1"] {
            assert!(permissions(text).is_err(), "{text}");
        }
    }
}
