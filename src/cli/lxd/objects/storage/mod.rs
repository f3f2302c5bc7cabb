//! `lxd storage`.

mod bucket;
mod info;
mod volume;

use std::process::ExitCode;

use super::lists::{self, Clouds, Columns, column};
use super::names::PoolName;
use super::usual::{self, Usual};
use crate::actions::objects::{POOL, setting, text};
use crate::cli::lxd::fleet::Fleet;
use crate::cli::output::Out;

/// The verbs of storage pools.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum StorageCommand {
    /// Lists the storage pools of all clouds.
    #[command(visible_alias = "ls")]
    List(Clouds),
    /// Shows how much a pool holds, and what is in it.
    Info {
        #[command(flatten)]
        pool: PoolName,
        /// Count in bytes.
        #[arg(long)]
        bytes: bool,
    },
    #[command(flatten)]
    Usual(Usual<PoolName>),
    /// Creates a pool, by the YAML on the standard input where that is no terminal.
    Create {
        #[command(flatten)]
        pool: PoolName,
        /// Its driver, such as dir, btrfs, lvm or zfs.
        driver: String,
        /// Settings, such as source=/dev/sdb.
        #[arg(value_name = "KEY=VALUE")]
        settings: Vec<String>,
    },
    /// Works with the volumes of a pool.
    #[command(subcommand)]
    Volume(volume::VolumeCommand),
    /// Works with the buckets of a pool, where the server has them.
    #[command(subcommand)]
    Bucket(bucket::BucketCommand),
}

const COLUMNS: &Columns = &[
    column::NAME,
    ("DRIVER", |pool| text(pool, "driver").to_owned()),
    ("SOURCE", |pool| setting(pool, "source").to_owned()),
    column::DESCRIPTION,
    column::USED_BY,
    column::STATE,
];

pub(super) async fn run(command: &StorageCommand, fleet: &Fleet, out: &Out) -> anyhow::Result<ExitCode> {
    match command {
        StorageCommand::List(of) => lists::list(fleet, &POOL, of, COLUMNS, out).await,
        StorageCommand::Info { pool, bytes } => info::info(fleet, pool, *bytes, out).await,
        StorageCommand::Usual(verb) => usual::usual(fleet, verb, out).await,
        StorageCommand::Create { pool, driver, settings } => {
            usual::create_with(fleet, pool, settings, [("driver", Some(driver))]).await
        }
        StorageCommand::Volume(command) => volume::run(command, fleet, out).await,
        StorageCommand::Bucket(command) => bucket::run(command, fleet, out).await,
    }
}
