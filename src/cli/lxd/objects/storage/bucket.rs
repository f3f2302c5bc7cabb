//! `lxd storage bucket`.

use std::process::ExitCode;

use lxd_client::{Bucket, BucketKey};

use crate::actions::objects::{BUCKET, BUCKET_KEY, text};
use crate::cli::lxd::action;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::lxd::instances::pairs::settings_or_input;
use crate::cli::lxd::objects::lists::{self, Columns, column};
use crate::cli::lxd::objects::names::{BucketKeyName, BucketName, Names, PoolName};
use crate::cli::lxd::objects::usual::{self, Usual, done};
use crate::cli::output::Out;

/// The verbs of buckets.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum BucketCommand {
    /// Lists the buckets of a pool.
    #[command(visible_alias = "ls")]
    List(PoolName),
    #[command(flatten)]
    Usual(Usual<BucketName>),
    /// Creates a bucket, and prints the key that the server made for it.
    Create {
        #[command(flatten)]
        bucket: BucketName,
        /// Settings.
        #[arg(value_name = "KEY=VALUE")]
        settings: Vec<String>,
    },
    /// Works with the keys to a bucket.
    #[command(subcommand)]
    Key(KeyCommand),
}

/// The verbs of keys.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum KeyCommand {
    /// Lists the keys to a bucket.
    #[command(visible_alias = "ls")]
    List(BucketName),
    /// Creates a key, and prints it.
    Create {
        #[command(flatten)]
        key: BucketKeyName,
        /// What it is for: admin or read-only.
        #[arg(long, default_value = "read-only")]
        role: String,
    },
    /// Deletes a key.
    #[command(visible_alias = "rm")]
    Delete(BucketKeyName),
}

const COLUMNS: &Columns = &[column::NAME, column::DESCRIPTION];

const KEYS: &Columns = &[column::NAME, column::DESCRIPTION, ("ROLE", |key| text(key, "role").to_owned())];

pub(super) async fn run(command: &BucketCommand, fleet: &Fleet, out: &Out) -> anyhow::Result<ExitCode> {
    match command {
        BucketCommand::List(of) => lists::list_in(fleet, &BUCKET, of, COLUMNS, out).await,
        BucketCommand::Usual(verb) => usual::usual(fleet, verb, out).await,
        BucketCommand::Create { bucket, settings: given } => {
            let (client, name) = bucket.client(fleet).await?;
            let mut wanted = Bucket::new(bucket.name());
            if !given.is_empty() {
                wanted.config = settings_or_input(given).await?;
            }
            let handle = client.storage_pool(name);
            let key =
                action::run(bucket.first(), async |job| job.run(handle.create_bucket(&wanted)).await).await?;
            match key {
                Some(key) => print(&key, out),
                None => Ok(ExitCode::SUCCESS),
            }
        }
        BucketCommand::Key(KeyCommand::List(of)) => lists::list_in(fleet, &BUCKET_KEY, of, KEYS, out).await,
        BucketCommand::Key(KeyCommand::Create { key, role }) => {
            let (client, name) = key.client(fleet).await?;
            let handle = client.storage_pool(name).bucket(&key.bucket);
            let wanted = BucketKey::new(key.name(), role);
            let made =
                action::run(key.first(), async |job| job.run(handle.create_key(&wanted)).await).await?;
            print(&made, out)
        }
        BucketCommand::Key(KeyCommand::Delete(key)) => {
            let object = key.object(fleet).await?;
            done(key, async |job| object.delete(job).await).await
        }
    }
}

/// Prints a key: it is the result.
fn print(key: &BucketKey, out: &Out) -> anyhow::Result<ExitCode> {
    out.print(key, || format!("Access key: {}\nSecret key: {}\n", key.access_key, key.secret_key))?;
    Ok(ExitCode::SUCCESS)
}
