//! Editing a thing as YAML: in the user's editor, or from the standard input.

use std::io::{self, IsTerminal, Read, Write};
use std::path::Path;
use std::process::Stdio;

use anyhow::Context;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::exit::usage;
use super::output::report;
use crate::node::blocking;

/// Gives the thing as the user wants it: from the standard input where that is no terminal, and else from the user's editor
/// (`VISUAL`, `EDITOR` or `vi`), which opens again on what is no such thing. None where nothing was changed.
///
/// `kind` is what the thing is, such as `instance`. The explanation stands above the text, in lines that begin with `#`.
pub(super) async fn edit<T: Serialize + DeserializeOwned + PartialEq + Send + 'static>(
    kind: &str,
    explanation: &str,
    before: &T,
) -> anyhow::Result<Option<T>> {
    let before_text = crate::config::to_text(before);
    if let Some(text) = input().await? {
        let after: T = serde_yaml::from_str(&text)
            .map_err(|error| usage(format!("the standard input is no {kind}: {error}")))?;
        return Ok(Some(after));
    }
    let comment: String = explanation.lines().map(|line| format!("# {line}\n")).collect();
    let mut text = format!("{comment}{before_text}");
    loop {
        text = in_editor(text, ".yaml").await?;
        match serde_yaml::from_str::<T>(&text) {
            Ok(after) => return Ok((after != *before).then_some(after)),
            Err(error) => {
                report(&format!(
                    "this is no {kind}: {error}\npress Enter to edit it again, Ctrl-C to leave it"
                ));
                blocking(|| io::stdin().read_line(&mut String::new())).await?;
            }
        }
    }
}

/// The same for a text that is no YAML.
pub(super) async fn edit_text(before: String) -> anyhow::Result<Option<String>> {
    if let Some(text) = input().await? {
        return Ok(Some(text));
    }
    let after = in_editor(before.clone(), ".txt").await?;
    Ok((after != before).then_some(after))
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

/// The text after the user's editor has ended.
async fn in_editor(text: String, ending: &'static str) -> anyhow::Result<String> {
    let file = blocking(move || {
        let mut file = tempfile::Builder::new().prefix("kolaboree-").suffix(ending).tempfile()?;
        file.write_all(text.as_bytes())?;
        io::Result::Ok(file)
    });
    let file = file.await.context("the text was not edited")?;
    open_editor(file.path()).await?;
    // An editor may have put another file there.
    let read = blocking(move || std::fs::read_to_string(file.path()));
    read.await.context("the text was not edited")
}

/// Opens a file in the user's editor (`VISUAL`, `EDITOR` or `vi`), and waits for its end.
pub(super) async fn open_editor(file: &Path) -> anyhow::Result<()> {
    let name = |variable: &str| std::env::var(variable).ok().filter(|name| !name.is_empty());
    let editor = name("VISUAL").or_else(|| name("EDITOR")).unwrap_or_else(|| "vi".to_owned());
    let file = file.to_owned();
    let ended = blocking(move || {
        // A shell, because the variable may hold arguments: "code --wait".
        let status = std::process::Command::new("sh")
            .args(["-c", &format!("{editor} \"$0\"")])
            .arg(file)
            .stdin(Stdio::inherit())
            .status()?;
        if !status.success() {
            return Err(io::Error::other(format!(
                "the editor {editor} ended with {status}; nothing was changed"
            )));
        }
        Ok(())
    });
    ended.await.context("the text was not edited")
}
