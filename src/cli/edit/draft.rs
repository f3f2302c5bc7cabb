//! A text that the user works on, in a file.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::Context;
use tempfile::TempPath;

use crate::node::blocking;

/// A text in a file that only its owner may read. The file goes with it, unless the user's work would be lost.
pub(super) struct Draft {
    file: TempPath,
    /// The text as it was when the editor was last opened.
    opened: String,
    /// Whether the user changed it then.
    changed_last: bool,
    /// Whether the user has changed it at all.
    changed: bool,
}

impl Draft {
    /// A file with this text, whose name ends so.
    pub(super) async fn new(text: String, ending: &'static str) -> anyhow::Result<Draft> {
        let opened = text.clone();
        let file = blocking(move || {
            let mut file = tempfile::Builder::new().prefix("kolaboree-").suffix(ending).tempfile()?;
            file.write_all(text.as_bytes())?;
            io::Result::Ok(file.into_temp_path())
        });
        Ok(Draft {
            file: file.await.context("cannot write a file to edit")?,
            opened,
            changed_last: false,
            changed: false,
        })
    }

    /// The text after the user's editor has ended.
    pub(super) async fn open(&mut self) -> anyhow::Result<String> {
        let edited = open_editor(&self.file).await;
        let text = self.text().await?;
        self.changed_last = text != self.opened;
        self.changed |= self.changed_last;
        self.opened.clone_from(&text);
        edited.map(|()| text)
    }

    /// Whether the user changed it when it was opened last.
    pub(super) fn changed_last(&self) -> bool {
        self.changed_last
    }

    /// Puts lines above the text.
    pub(super) async fn put_above(&mut self, lines: &str) -> anyhow::Result<()> {
        self.opened.insert_str(0, lines);
        let (path, text) = (self.path(), self.opened.clone());
        blocking(move || std::fs::write(path, text)).await.context("cannot write the file to edit")
    }

    /// Ends the work on it. What the user has written stays where it could not be written to the server.
    pub(super) fn end<T>(self, outcome: anyhow::Result<T>) -> anyhow::Result<T> {
        match outcome {
            Err(error) if self.changed => match self.file.keep() {
                Ok(path) => Err(error.context(format!("what you wrote is in {}", path.display()))),
                Err(_) => Err(error),
            },
            outcome => outcome,
        }
    }

    async fn text(&self) -> anyhow::Result<String> {
        let path = self.path(); // an editor may have put another file there
        blocking(move || std::fs::read_to_string(path)).await.context("cannot read the edited text")
    }

    fn path(&self) -> PathBuf {
        self.file.to_path_buf()
    }
}

/// Opens a file in the user's editor (`VISUAL`, `EDITOR` or `vi`), and waits for its end.
pub(in crate::cli) async fn open_editor(file: &Path) -> anyhow::Result<()> {
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
