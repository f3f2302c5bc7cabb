//! `lxd publish`: an image of an instance.

use std::process::ExitCode;

use lxd_client::ImageOptions;
use serde_json::json;

use crate::actions::images::{self, NewAlias, Published};
use crate::cli::exit::usage;
use crate::cli::lxd::action;
use crate::cli::lxd::copies::place;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::output::Out;

#[derive(Debug, clap::Args)]
pub(crate) struct Publish {
    /// The instance or snapshot, such as berlin:c1 or berlin:c1/snap0.
    source: String,
    /// Another cloud that gets the image, as paris:, and properties of it.
    #[arg(value_name = "CLOUD:|KEY=VALUE")]
    more: Vec<String>,
    /// A name for it.
    #[arg(long, value_name = "NAME")]
    alias: Vec<String>,
    /// Where an alias is taken, delete the image that has it.
    #[arg(long, requires = "alias")]
    reuse: bool,
    /// Strangers may have it.
    #[arg(long)]
    public: bool,
    /// Stop the instance if it runs, and start it again afterwards.
    #[arg(short, long)]
    force: bool,
    /// Compress with this program there, such as gzip or zstd; none leaves it as it is.
    #[arg(long, value_name = "PROGRAM")]
    compression: Option<String>,
    /// When the server may delete it, as 2030-12-31T00:00:00Z.
    #[arg(long, value_name = "TIME")]
    expire: Option<String>,
}

pub(super) async fn publish(fleet: &Fleet, options: &Publish, out: &Out) -> anyhow::Result<ExitCode> {
    let (cloud, name) = fleet.target(&options.source)?;
    let (instance, snapshot) = match name.split_once('/') {
        Some((instance, snapshot)) => (instance, Some(snapshot.to_owned())),
        None => (name, None),
    };
    let mut wanted = ImageOptions::default();
    let mut elsewhere = None;
    for word in &options.more {
        if let Some((key, value)) = word.split_once('=') {
            wanted = wanted.property(key, value);
        } else if word.ends_with(':') && elsewhere.is_none() {
            elsewhere = Some(fleet.place(word)?.0).filter(|to| to.name != cloud.name);
        } else {
            return Err(usage(format!("{word:?} is neither a cloud, as paris:, nor KEY=VALUE")));
        }
    }
    if let Some(program) = &options.compression {
        wanted = wanted.compression(program);
    }
    if let Some(when) = &options.expire {
        wanted = wanted.expires_at(when);
    }
    let published = Published {
        instance: instance.to_owned(),
        snapshot,
        options: wanted,
        public: options.public,
        aliases: options.alias.iter().map(|name| NewAlias::new(name)).collect(),
        reuse: options.reuse,
        force: options.force,
    };
    let between = elsewhere.is_some();
    let from = place(fleet, cloud, None, between).await?;
    let to = match elsewhere {
        Some(to) => Some(place(fleet, to, None, between).await?),
        None => None,
    };
    let publish = async |job: &_| images::publish(&from, to.as_ref(), &published, job).await;
    let fingerprint = action::run(&options.source, publish).await?;
    let value = json!({"cloud": to.as_ref().unwrap_or(&from).cloud, "fingerprint": fingerprint, "aliases": options.alias});
    out.print(&value, || format!("Instance published with fingerprint: {fingerprint}\n"))?;
    Ok(ExitCode::SUCCESS)
}
