//! `lxd import`: an instance from the file of a backup.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use lxd_client::ImportOptions;
use serde_json::json;

use super::STANDARD;
use crate::actions::{Source, backups};
use crate::cli::exit::usage;
use crate::cli::lxd::action;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::output::Out;

#[derive(Debug, clap::Args)]
pub(crate) struct Import {
    /// The cloud, as berlin:, where there are several; the file, which may be - for the standard input; and a name for the
    /// instance, where it is not to have the old one. berlin:NAME names the cloud too.
    #[arg(required = true, num_args = 1..=3, value_names = ["CLOUD:", "FILE", "NAME"])]
    what: Vec<String>,
    /// The storage pool. Default: the one of the same name as before.
    #[arg(short, long, value_name = "POOL")]
    storage: Option<String>,
    /// A setting of a device that replaces the one in the backup.
    #[arg(short, long, value_name = "DEVICE,KEY=VALUE")]
    device: Vec<String>,
}

pub(super) async fn import(fleet: &Fleet, options: &Import, out: &Out) -> anyhow::Result<ExitCode> {
    let (place, file, name) = match &options.what[..] {
        [file] => ("", file, None),
        [cloud, file] if cloud.ends_with(':') => (cloud.as_str(), file, None),
        [file, name] => ("", file, Some(name.as_str())),
        [cloud, file, name] if cloud.ends_with(':') => (cloud.as_str(), file, Some(name.as_str())),
        _ => return Err(usage("write [CLOUD:] FILE [NAME]")),
    };
    let (cloud, name) = match name {
        Some(name) if place.is_empty() => {
            let (cloud, name) = fleet.place(name)?;
            (cloud, Some(name).filter(|name| !name.is_empty()))
        }
        name => (fleet.place(place)?.0, name),
    };
    let mut wanted = ImportOptions {
        name: name.map(str::to_owned),
        pool: options.storage.clone(),
        ..ImportOptions::default()
    };
    for device in &options.device {
        let wrong = || usage(format!("{device:?} is not DEVICE,KEY=VALUE"));
        let (device, setting) = device.split_once(',').ok_or_else(wrong)?;
        let (key, value) = setting.split_once('=').ok_or_else(wrong)?;
        wanted.devices.entry(device.to_owned()).or_default().insert(key.to_owned(), value.to_owned());
    }
    let source = source(file).await?;
    let client = fleet.client(cloud).await?;
    let what = match name {
        Some(name) => format!("{file} to {}:{name}", cloud.name),
        None => format!("{file} to {}", cloud.name),
    };
    let import = async |job: &_| backups::import_instance(&client, source, &wanted, job).await;
    let name = action::run(&what, import).await?;
    let value = json!({"cloud": cloud.name, "name": name});
    out.print(&value, || format!("Instance imported: {}:{name}\n", cloud.name))?;
    Ok(ExitCode::SUCCESS)
}

/// A file, or the standard input.
pub(in crate::cli::lxd) async fn source(file: &str) -> anyhow::Result<Source> {
    if file == STANDARD {
        return Ok(Source::new("the standard input", tokio::io::stdin()));
    }
    Source::file(Path::new(file)).await.context("nothing was imported")
}
