//! `lxd image export`: an image as files.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use lxd_client::{ExportedNames, ImageFiles};
use serde_json::json;

use super::super::STANDARD;
use super::image;
use crate::actions::images::{self, Target};
use crate::cli::lxd::action;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::output::Out;

#[derive(Debug, clap::Args)]
pub(crate) struct Export {
    /// Which, such as berlin:debian.
    image: String,
    /// A folder, or the file's name without its end; - is the standard output. Default: this folder.
    target: Option<PathBuf>,
}

pub(super) async fn export(fleet: &Fleet, options: &Export, out: &Out) -> anyhow::Result<ExitCode> {
    let (cloud, client, name) = image(fleet, &options.image).await?;
    let mut standard = tokio::io::stdout();
    let target = options.target.as_deref().unwrap_or(Path::new("."));
    let to_standard = target == Path::new(STANDARD);
    let (folder, base) = if target.is_dir() {
        (target.to_owned(), None)
    } else {
        let folder = target.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
        (folder.to_owned(), Some(target))
    };
    let done = action::run(&options.image, async |job| {
        let to = if to_standard {
            Target::Stream(&mut standard)
        } else {
            Target::Folder {
                folder: &folder,
                named: &|fingerprint, names| named(&folder, base, fingerprint, names),
            }
        };
        images::export(&client, name, to, job).await
    });
    let (fingerprint, files) = done.await?;
    if let Some(files) = files {
        let value = json!({
            "cloud": cloud.name, "fingerprint": fingerprint, "file": files.metadata, "rootfs": files.rootfs,
        });
        out.print(&value, || "Image exported successfully!\n".to_owned())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The names that `lxc image export` gives: those of the server in a folder; else the one that was asked for, with the
/// server's ending, or `.root` for a root disk.
fn named(folder: &Path, base: Option<&Path>, fingerprint: &str, names: &ExportedNames) -> ImageFiles {
    let with_end = |path: &Path, end: &str| {
        let mut path = path.as_os_str().to_owned();
        path.push(end);
        PathBuf::from(path)
    };
    match base {
        None => {
            let metadata = names.metadata.as_deref().unwrap_or(fingerprint);
            let root = format!("{fingerprint}.root");
            let rootfs = names.split.then(|| folder.join(names.rootfs.as_deref().unwrap_or(&root)));
            ImageFiles::new(folder.join(metadata), rootfs)
        }
        Some(base) if names.split => ImageFiles::new(base.to_owned(), Some(with_end(base, ".root"))),
        Some(base) => {
            let end = names.metadata.as_deref().and_then(|name| name.find('.').map(|dot| &name[dot..]));
            ImageFiles::new(with_end(base, end.unwrap_or_default()), None)
        }
    }
}
