//! `lxd file edit`.

use std::io::{self, IsTerminal, Read, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use tempfile::NamedTempFile;

use super::place;
use crate::actions::files;
use crate::cli::edit::open_editor;
use crate::cli::lxd::action::run;
use crate::cli::lxd::fleet::Fleet;
use crate::node::blocking;

#[derive(Debug, clap::Args)]
pub(crate) struct Edit {
    /// Which file: berlin:c1/PATH. It opens in VISUAL, EDITOR or vi; where the standard input is no terminal, the new content
    /// is read from that. It keeps its owner and permissions, and is not written when somebody else has changed it meanwhile.
    path: String,
}

pub(super) async fn edit(fleet: &Fleet, options: &Edit) -> anyhow::Result<ExitCode> {
    let at = place(fleet, &options.path).await?;
    // Before the server is asked: from then on an interrupt cancels requests, and does not end a read.
    let given = if io::stdin().is_terminal() {
        None
    } else {
        Some(blocking(read_input).await.context("cannot read the standard input")?)
    };
    let read = async |job: &_| files::read(&at.client, &at.instance, &at.path, job).await;
    let before = run(&options.path, read).await?;
    let (after, copy) = match given {
        Some(given) => (given, None),
        None => {
            let copy = copy_of(&at.path, &before.content).context("cannot write a file to edit")?;
            match edited(&copy).await {
                Ok(after) => (after, Some(copy)),
                Err(error) => return Err(kept(copy, Some(&before.content), error)),
            }
        }
    };
    if after == before.content {
        return Ok(ExitCode::SUCCESS);
    }
    let write =
        async |job: &_| files::write_edited(&at.client, &at.instance, &at.path, &before, after, job).await;
    match (run(&options.path, write).await, copy) {
        (Ok(()), _) => Ok(ExitCode::SUCCESS),
        (Err(error), Some(copy)) => Err(kept(copy, None, error)),
        (Err(error), None) => Err(error),
    }
}

/// What the user has made of the copy.
async fn edited(copy: &NamedTempFile) -> anyhow::Result<Vec<u8>> {
    open_editor(copy.path()).await?;
    let path = copy.path().to_owned();
    blocking(move || std::fs::read(path)).await.context("cannot read the edited file")
}

/// The error. The work of the user is not thrown away: the copy stays, unless it is as it was.
fn kept(copy: NamedTempFile, as_it_was: Option<&[u8]>, error: anyhow::Error) -> anyhow::Error {
    if as_it_was.is_some_and(|before| std::fs::read(copy.path()).is_ok_and(|now| now == before)) {
        return error;
    }
    match copy.keep() {
        Ok((_, path)) => error.context(format!("what you wrote is in {}", path.display())),
        Err(_) => error,
    }
}

/// A file of that content, whose name ends as the path does, so that an editor knows its kind.
fn copy_of(path: &str, content: &[u8]) -> io::Result<NamedTempFile> {
    let ending = Path::new(path).extension().map(|ending| format!(".{}", ending.to_string_lossy()));
    let mut copy =
        tempfile::Builder::new().prefix("kolaboree-").suffix(&ending.unwrap_or_default()).tempfile()?;
    copy.write_all(content)?;
    Ok(copy)
}

fn read_input() -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    io::stdin().read_to_end(&mut content).map(|_| content)
}
