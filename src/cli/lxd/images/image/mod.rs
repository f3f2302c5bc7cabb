//! `lxd image`: the images of the clouds.

mod alias;
mod copy;
mod edit;
mod export;
mod import;
mod info;
mod list;
mod removal;

use std::process::ExitCode;

use lxd_client::Client;

use crate::cli::exit::usage;
use crate::cli::lxd::copies::WAYS;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::output::Out;
use crate::config::CloudConfig;

/// The commands for images. An image is named by an alias, or by its fingerprint or the beginning of it.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum ImageCommand {
    /// Lists the images of all clouds.
    #[command(alias = "ls")]
    List(list::List),
    /// Shows what is known of an image.
    Info {
        /// Which, such as berlin:debian.
        image: String,
    },
    /// Shows what can be changed of an image, as YAML.
    Show {
        /// Which.
        image: String,
    },
    /// Changes an image in an editor, as YAML; or as the standard input says.
    Edit {
        /// Which.
        image: String,
    },
    /// Prints a property of an image.
    GetProperty {
        /// Which.
        image: String,
        /// The property.
        key: String,
    },
    /// Sets a property of an image.
    SetProperty {
        /// Which.
        image: String,
        /// The property.
        key: String,
        /// What it becomes.
        value: String,
    },
    /// Removes a property of an image.
    UnsetProperty {
        /// Which.
        image: String,
        /// The property.
        key: String,
    },
    /// Copies an image to another cloud, or to another project.
    #[command(alias = "cp", after_long_help = WAYS)]
    Copy(copy::Copy),
    /// Imports an image from files, a folder, or an address that the server fetches it from.
    Import(import::Import),
    /// Fetches an image into files, and checks its hash.
    Export(export::Export),
    /// Has the servers look for newer ones of images that came from an image server.
    Refresh {
        /// Which.
        #[arg(required = true)]
        images: Vec<String>,
    },
    /// Deletes images.
    #[command(alias = "rm")]
    Delete {
        /// Which.
        #[arg(required = true)]
        images: Vec<String>,
    },
    /// Lists, creates, renames and deletes the names of images.
    #[command(subcommand)]
    Alias(alias::AliasCommand),
}

pub(super) async fn run(command: &ImageCommand, fleet: &Fleet, out: &Out) -> anyhow::Result<ExitCode> {
    match command {
        ImageCommand::List(options) => list::list(fleet, options, out).await,
        ImageCommand::Info { image } => info::info(fleet, image, out).await,
        ImageCommand::Show { image } => edit::show(fleet, image, out).await,
        ImageCommand::Edit { image } => edit::edit(fleet, image).await,
        ImageCommand::GetProperty { image, key } => edit::get_property(fleet, image, key, out).await,
        ImageCommand::SetProperty { image, key, value } => {
            edit::set_property(fleet, image, key, Some(value)).await
        }
        ImageCommand::UnsetProperty { image, key } => edit::set_property(fleet, image, key, None).await,
        ImageCommand::Copy(options) => copy::copy(fleet, options, out).await,
        ImageCommand::Import(options) => import::import(fleet, options, out).await,
        ImageCommand::Export(options) => export::export(fleet, options, out).await,
        ImageCommand::Refresh { images } => removal::refresh(fleet, images, out).await,
        ImageCommand::Delete { images } => removal::delete(fleet, images).await,
        ImageCommand::Alias(command) => alias::run(command, fleet, out).await,
    }
}

/// The cloud and the image of `berlin:debian`, with a client of the cloud.
async fn image<'a>(fleet: &'a Fleet, text: &'a str) -> anyhow::Result<(&'a CloudConfig, Client, &'a str)> {
    let (cloud, name) = fleet.place(text)?;
    if name.is_empty() {
        return Err(usage(format!("{text:?} names no image: write {}:IMAGE", cloud.name)));
    }
    Ok((cloud, fleet.client(cloud).await?, name))
}

/// The clouds that are named, and the filters, which are for all of them.
fn clouds_and_filters<'a>(fleet: &Fleet, words: &'a [String]) -> anyhow::Result<(Vec<String>, Vec<&'a str>)> {
    let (mut clouds, mut filters, mut of_one) = (Vec::new(), Vec::new(), false);
    for (cloud, filter) in words.iter().map(|word| fleet.with_filter(word)) {
        of_one |= cloud.is_some() && !filter.is_empty();
        clouds.extend(cloud.map(str::to_owned));
        filters.extend((!filter.is_empty()).then_some(filter));
    }
    if of_one && clouds.len() > 1 {
        return Err(usage("a filter is for all clouds here: write berlin: paris: FILTER"));
    }
    Ok((clouds, filters))
}
