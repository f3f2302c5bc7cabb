//! Editing a thing: in the user's editor, which opens again where the text is refused, or from the standard input.

mod draft;

use std::io::{self, IsTerminal, Read};

use anyhow::Context;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::signal::unix::{SignalKind, signal};

use self::draft::Draft;
use super::exit::{Failure, INTERRUPTED, UserError, usage};
use super::output::report;
use crate::actions::{ActionError, Changed, changes};
use crate::node::blocking;

pub(super) use draft::open_editor;

/// Has the user edit a part of a thing as YAML, and writes it. The text is that of the standard input where that is no
/// terminal. Else it comes from the user's editor (`VISUAL`, `EDITOR` or `vi`), which opens again with the same text where it is
/// no such thing, the server refuses it, or somebody else has changed the thing; what they changed stands above it then.
///
/// `kind` is what the thing is, such as `instance`. The explanation stands above the text, in lines that begin with `#`.
/// `read` reads the thing with its version, `part` gives what can be changed of it, and `write` writes that, unless somebody
/// else changed it since it was read.
///
/// # Errors
/// A text of the user that was not written stays in a file, and the error says where.
pub(super) async fn edit<R, T: Serialize + DeserializeOwned + PartialEq>(
    kind: &str,
    explanation: &str,
    read: impl AsyncFn() -> anyhow::Result<R>,
    part: impl Fn(&R) -> T,
    write: impl AsyncFn(&R, T) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    // Before the server is asked: from then on an interrupt cancels requests, and does not end a read.
    let given = input().await?;
    let mut before = read().await?;
    if let Some(text) = given {
        // `lxc` takes an empty one, as under cron, for a thing without settings, and empties it.
        if text.trim().is_empty() {
            return Err(usage(format!(
                "the standard input is empty: write the {kind} there as YAML, or use a terminal"
            )));
        }
        let after = serde_yaml::from_str(&text)
            .map_err(|error| usage(format!("the standard input is no {kind}: {error}")))?;
        return write(&before, after).await;
    }
    let text = comment(explanation) + &crate::config::to_text(&part(&before));
    let mut draft = Draft::new(text, ".yaml").await?;
    let work = async {
        let mut conflict = None;
        loop {
            let text = draft.open().await?;
            if let Some(error) = conflict.take().filter(|_| !draft.changed_last()) {
                return Err(error); // it was not meant to be written over theirs
            }
            let refused = match serde_yaml::from_str::<T>(&text) {
                Ok(after) if after == part(&before) => return Ok(()),
                Ok(after) => match write(&before, after).await {
                    Ok(()) => return Ok(()),
                    Err(error) => error,
                },
                Err(error) => usage(format!("this is no {kind}: {error}")),
            };
            open_again(&refused).await?;
            if is_conflict(&refused) {
                let now = read().await?;
                draft.put_above(&by_others(&changes(&part(&before), &part(&now)))).await?;
                (before, conflict) = (now, Some(refused));
            }
        }
    };
    let outcome = work.await;
    draft.end(outcome)
}

/// The same for a text of a server that is no YAML, and that nobody watches.
pub(super) async fn edit_text(
    before: String,
    write: impl AsyncFn(String) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    if let Some(text) = input().await? {
        return write(text).await;
    }
    let mut draft = Draft::new(before.clone(), ".txt").await?;
    let work = async {
        loop {
            let text = draft.open().await?;
            if text == before {
                return Ok(());
            }
            match write(text).await {
                Ok(()) => return Ok(()),
                Err(error) => open_again(&error).await?,
            }
        }
    };
    let outcome = work.await;
    draft.end(outcome)
}

/// All of the standard input. None where it is a terminal.
pub(super) async fn input() -> anyhow::Result<Option<String>> {
    if io::stdin().is_terminal() {
        return Ok(None);
    }
    let text = blocking(|| {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).map(|_| text)
    });
    Ok(Some(text.await.context("cannot read the standard input")?))
}

/// Shows why a text was refused, and waits until the user wants to edit it again.
async fn open_again(refused: &anyhow::Error) -> anyhow::Result<()> {
    report(&Failure::of(refused));
    report(&"Press enter to open the editor again or ctrl+c to abort change");
    let enter = blocking(|| io::stdin().read_line(&mut String::new()));
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        read = enter => {
            if read.context("cannot read from the terminal")? > 0 {
                return Ok(());
            }
        }
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated.recv() => {}
    }
    Err(UserError::new(INTERRUPTED, "nothing was changed").into())
}

fn is_conflict(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| matches!(cause.downcast_ref(), Some(ActionError::Conflict(_))))
}

/// What somebody else has changed, as lines above the text.
fn by_others(changes: &[Changed]) -> String {
    let mut text = "Somebody else has changed this meanwhile:\n".to_owned();
    for Changed { place, before, now } in changes {
        text += &format!("  {place}: {before} is now {now}\n");
    }
    comment(&(text + "To write your text over theirs, delete these lines and save."))
}

/// The text in lines that YAML leaves out.
fn comment(text: &str) -> String {
    text.lines().map(|line| format!("# {line}\n")).collect()
}
