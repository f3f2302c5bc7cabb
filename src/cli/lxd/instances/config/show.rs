//! `lxd config show`.

use std::process::ExitCode;

use anyhow::Context;
use serde::Serialize;
use serde_json::json;

use super::target::{Target, What};
use crate::actions::instances::Settings;
use crate::cli::exit::usage;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::output::Out;

#[derive(Debug, clap::Args)]
pub(crate) struct Show {
    /// The instance (berlin:c1), snapshot (berlin:c1/snap0) or server (berlin:). The server of a single cloud may be left out.
    #[arg(default_value = "", hide_default_value = true)]
    of: String,
    /// With what the instance has from its profiles.
    #[arg(short, long)]
    expanded: bool,
    /// The member of the cluster whose own settings are meant.
    #[arg(long, value_name = "MEMBER")]
    target: Option<String>,
}

pub(super) async fn show(fleet: &Fleet, options: &Show, out: &Out) -> anyhow::Result<ExitCode> {
    let target = Target::of(fleet, &options.of, options.target.as_deref()).await?;
    let client = &target.client;
    let context = || options.of.clone();
    match target.what {
        What::Server if options.expanded => return Err(usage("--expanded cannot be used with a server")),
        What::Server => {
            let config = client.server_config().await.with_context(context)?.value;
            print(out, &json!({"config": config}))?;
        }
        What::Instance(name) => {
            let instance = client.instance(name).get().await.with_context(context)?;
            print(out, &Settings::of(&instance, options.expanded))?;
        }
        What::Snapshot(name, snapshot) => {
            print(out, &client.instance(name).snapshot(snapshot).get().await.with_context(context)?.value)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// YAML, where no other format is asked for: there is no table of it.
pub(super) fn print(out: &Out, value: &impl Serialize) -> std::io::Result<()> {
    out.print(value, || crate::config::to_text(value))
}
