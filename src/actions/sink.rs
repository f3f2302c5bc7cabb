//! Where what leaves a cloud goes: a file that is whole or not there at all, or a stream.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use lxd_client::Error;
use tempfile::TempPath;
use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::ActionError;

/// Where bytes go.
pub(crate) enum Sink<'a> {
    /// A file, which comes to its place when it is whole. One that is there is replaced then.
    File(&'a Path),
    /// A stream, such as the standard output.
    Stream(&'a mut (dyn AsyncWrite + Send + Unpin)),
}

/// A sink that is written to. A file that is not finished is removed.
pub(super) enum Writing<'a> {
    File { file: tokio::fs::File, temporary: TempPath, path: PathBuf },
    Stream(&'a mut (dyn AsyncWrite + Send + Unpin)),
}

impl<'a> Sink<'a> {
    /// Begins. A folder where nothing can be written fails now, before a server has worked for it.
    pub(super) async fn open(self) -> Result<Writing<'a>, ActionError> {
        let path = match self {
            Sink::Stream(stream) => return Ok(Writing::Stream(stream)),
            Sink::File(path) => path.to_owned(),
        };
        if path.is_dir() {
            return Err(ActionError::Refused(format!("{} is a folder", path.display())));
        }
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        let any = Permissions::from_mode(0o666); // as the umask has it
        let create =
            move || tempfile::Builder::new().prefix(".kolaboree-").permissions(any).tempfile_in(folder);
        let created =
            tokio::task::spawn_blocking(create).await.map_err(io::Error::other).and_then(|created| created);
        let (file, temporary) = created.map_err(|e| cannot_write(&path, e))?.into_parts();
        Ok(Writing::File { file: tokio::fs::File::from_std(file), temporary, path })
    }
}

impl Writing<'_> {
    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<(), ActionError> {
        match self {
            Writing::File { file, path, .. } => {
                file.write_all(bytes).await.map_err(|e| cannot_write(path, e))
            }
            Writing::Stream(stream) => {
                stream.write_all(bytes).await.map_err(|e| cannot_write(Path::new("-"), e))
            }
        }
    }

    /// Gives the file its name.
    pub(super) async fn finish(self) -> Result<(), ActionError> {
        match self {
            Writing::File { mut file, temporary, path } => {
                file.flush().await.map_err(|e| cannot_write(&path, e))?;
                temporary.persist(&path).map_err(|e| cannot_write(&path, e.error))
            }
            Writing::Stream(stream) => stream.flush().await.map_err(|e| cannot_write(Path::new("-"), e)),
        }
    }
}

fn cannot_write(path: &Path, source: io::Error) -> ActionError {
    let what =
        if path == Path::new("-") { "to the standard output".to_owned() } else { path.display().to_string() };
    Error::Local { message: format!("cannot write {what}"), source }.into()
}
