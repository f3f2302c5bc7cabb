//! `lxd logs`: the log files that a server keeps of an instance.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use futures_util::StreamExt;
use lxd_client::{Download, Error, InstanceHandle};

use crate::cli::lxd::fleet::Fleet;
use crate::cli::output::{Out, Table, write_part};

#[derive(Debug, clap::Args)]
pub(crate) struct Logs {
    /// The instance, such as berlin:c1.
    pub(crate) instance: String,
    /// Show this file, such as lxc.log. Default: list the files.
    pub(crate) file: Option<String>,
    /// Go on with what is added to the file, once a second.
    #[arg(short, long, requires = "file")]
    pub(crate) follow: bool,
    /// Delete the file. Servers refuse that of the current logs, and LXD 6 of all.
    #[arg(long, requires = "file", conflicts_with = "follow")]
    pub(crate) delete: bool,
}

/// How long to wait before looking again whether a log has grown.
const AGAIN: Duration = Duration::from_secs(1);

pub(super) async fn logs(fleet: &Fleet, options: &Logs, out: &Out) -> anyhow::Result<ExitCode> {
    let instance = fleet.instance(&options.instance).await?;
    let Some(file) = &options.file else {
        let files = instance.logs().await.with_context(|| options.instance.clone())?;
        out.print(&files, || {
            let mut table = Table::new(&["FILE"]);
            files.iter().for_each(|file| table.row([file.clone()]));
            table.to_string()
        })?;
        return Ok(ExitCode::SUCCESS);
    };
    let about = || format!("{}: {file}", options.instance);
    if options.delete {
        instance.delete_log(file).await.with_context(about)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut length = show(instance.log(file).await.with_context(about)?).await.with_context(about)?;
    if !options.follow {
        return Ok(ExitCode::SUCCESS);
    }
    loop {
        tokio::time::sleep(AGAIN).await;
        length = show_more(&instance, file, length).await.with_context(about)?;
    }
}

/// Shows what was added to a log of that length, and gives its length now.
async fn show_more(instance: &InstanceHandle, file: &str, length: u64) -> anyhow::Result<u64> {
    // The last byte that is known, too: without it nothing new and a log that has begun anew look alike.
    let known = length.saturating_sub(1);
    match instance.log_from(file, known).await {
        Ok(mut end) => {
            let mut left_to_skip = (length - known) as usize;
            let mut now = known;
            while let Some(chunk) = end.next().await {
                let chunk = chunk?;
                now += chunk.len() as u64;
                let skipped = left_to_skip.min(chunk.len());
                left_to_skip -= skipped;
                write_part(&chunk[skipped..])?;
            }
            Ok(now)
        }
        Err(Error::Api { code: 416, .. }) => Ok(0),
        Err(error) => Err(error.into()),
    }
}

/// Shows a log to its end, and gives its length.
pub(in crate::cli::lxd) async fn show(mut log: Download) -> anyhow::Result<u64> {
    let mut length = 0;
    while let Some(chunk) = log.next().await {
        let chunk = chunk?;
        length += chunk.len() as u64;
        write_part(&chunk)?;
    }
    Ok(length)
}
