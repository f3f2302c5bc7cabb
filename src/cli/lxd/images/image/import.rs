//! `lxd image import`: an image from files.

use std::path::Path;
use std::process::ExitCode;

use lxd_client::{ImageOptions, ImageSource};
use serde_json::json;

use super::super::STANDARD;
use crate::actions::images::{self, Files, NewAlias};
use crate::actions::{ActionError, Source};
use crate::cli::exit::usage;
use crate::cli::lxd::action;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::output::Out;

#[derive(Debug, clap::Args)]
pub(crate) struct Import {
    /// A file with all in it, a folder with metadata.yaml and rootfs, an https address, or - for the standard input.
    image: String,
    /// The file of the root disk, where the image is in two; the cloud, as berlin:; and properties.
    #[arg(value_name = "ROOTFS|CLOUD:|KEY=VALUE")]
    more: Vec<String>,
    /// A name for it. One that another image has goes over to it.
    #[arg(long, value_name = "NAME")]
    alias: Vec<String>,
    /// Strangers may have it.
    #[arg(long)]
    public: bool,
}

pub(super) async fn import(fleet: &Fleet, options: &Import, out: &Out) -> anyhow::Result<ExitCode> {
    let (mut rootfs, mut place, mut wanted) = (None, "", ImageOptions::default());
    for word in &options.more {
        if let Some((key, value)) = word.split_once('=') {
            wanted = wanted.property(key, value);
        } else if word.ends_with(':') && place.is_empty() {
            place = word;
        } else if rootfs.is_none() {
            rootfs = Some(word);
        } else {
            return Err(usage(format!("{word:?} is too much: write FILE [ROOTFS] [CLOUD:] [KEY=VALUE…]")));
        }
    }
    if options.public {
        wanted = wanted.public();
    }
    let (cloud, _) = fleet.place(place)?;
    let client = fleet.client(cloud).await?;
    let aliases: Vec<NewAlias> = options.alias.iter().map(|name| NewAlias::new(name)).collect();
    let path = Path::new(&options.image);
    if let Some(name) = path.file_name().and_then(|name| name.to_str()).filter(|_| path.is_file()) {
        wanted = wanted.filename(name);
    }
    let fingerprint = action::run(&options.image, async |job| {
        let files = files(&options.image, rootfs.map(String::as_str)).await?;
        images::import(&client, files, wanted, &aliases, job).await
    });
    let fingerprint = fingerprint.await?;
    let value = json!({"cloud": cloud.name, "fingerprint": fingerprint, "aliases": options.alias});
    out.print(&value, || format!("Image imported with fingerprint: {fingerprint}\n"))?;
    Ok(ExitCode::SUCCESS)
}

async fn files(image: &str, rootfs: Option<&str>) -> Result<Files, ActionError> {
    if image.starts_with("https://") {
        return Ok(Files::Elsewhere(ImageSource::url(image)));
    }
    if image.starts_with("http://") {
        let message = "Only https:// is supported for remote image import";
        return Err(ActionError::Refused(message.to_owned()));
    }
    if image == STANDARD {
        return Ok(Files::Unified(Source::new("the standard input", tokio::io::stdin())));
    }
    let path = Path::new(image);
    Ok(match rootfs {
        Some(rootfs) => {
            let (metadata, rootfs) = (Source::file(path).await?, Source::file(Path::new(rootfs)).await?);
            Files::Split { metadata, rootfs }
        }
        None if path.is_dir() => Files::Folder(path.to_owned()),
        None => Files::Unified(Source::file(path).await?),
    })
}
