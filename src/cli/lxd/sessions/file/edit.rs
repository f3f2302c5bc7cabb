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
    let read = async |job: &_| files::read(&at.client, &at.instance, &at.path, job).await;
    let before = run(&options.path, read).await?;
    let (after, copy) = if io::stdin().is_terminal() {
        let copy = copy_of(&at.path, &before.content).context("cannot write a file to edit")?;
        open_editor(copy.path()).await?;
        let after = std::fs::read(copy.path()).context("cannot read the edited file")?;
        (after, Some(copy))
    } else {
        (blocking(read_input).await.context("cannot read the standard input")?, None)
    };
    if after == before.content {
        return Ok(ExitCode::SUCCESS);
    }
    let write =
        async |job: &_| files::write_edited(&at.client, &at.instance, &at.path, &before, after, job).await;
    let written = run(&options.path, write).await;
    match (&written, copy) {
        // The work of the user is not thrown away.
        (Err(_), Some(copy)) => match copy.keep() {
            Ok((_, path)) => written.with_context(|| format!("what you wrote is in {}", path.display()))?,
            Err(_) => written?,
        },
        _ => written?,
    }
    Ok(ExitCode::SUCCESS)
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
