//! `lxd image copy`.

use std::process::ExitCode;

use serde_json::json;

use super::image;
use crate::actions::images::{self, Wanted};
use crate::cli::exit::usage;
use crate::cli::lxd::action;
use crate::cli::lxd::copies::{ModeArg, place};
use crate::cli::lxd::fleet::Fleet;
use crate::cli::output::Out;

#[derive(Debug, clap::Args)]
pub(crate) struct Copy {
    /// Which, such as berlin:debian.
    image: String,
    /// Where to, such as paris:.
    target: String,
    /// A name for the copy. One that another image has goes over to it.
    #[arg(long, value_name = "NAME")]
    alias: Vec<String>,
    /// Give it the names that it has at the source.
    #[arg(long)]
    copy_aliases: bool,
    /// Strangers may have the copy.
    #[arg(long)]
    public: bool,
    /// Have the target look for newer ones at the source, where the image has to be public and named by an alias.
    #[arg(long)]
    auto_update: bool,
    /// Which way the bytes take.
    #[arg(long, value_enum, default_value = "auto")]
    mode: ModeArg,
    /// The project at the target, instead of the one that the configuration names for that cloud.
    #[arg(long, value_name = "NAME")]
    target_project: Option<String>,
}

pub(super) async fn copy(fleet: &Fleet, options: &Copy, out: &Out) -> anyhow::Result<ExitCode> {
    let (from, _, name) = image(fleet, &options.image).await?;
    let (to, rest) = fleet.place(&options.target)?;
    if !rest.is_empty() {
        return Err(usage(format!(
            "{:?} is no cloud: write CLOUD:, and the name as --alias",
            options.target
        )));
    }
    let project = options.target_project.as_deref();
    let elsewhere = project.is_some_and(|project| from.project.as_deref().unwrap_or("default") != project);
    if from.name == to.name && !elsewhere {
        return Err(usage("The source and target servers must be different"));
    }
    let between = from.name != to.name;
    let (source, target) =
        tokio::try_join!(place(fleet, from, None, between), place(fleet, to, project, between))?;
    let wanted = Wanted {
        image: name.to_owned(),
        mode: options.mode.into(),
        aliases: options.alias.clone(),
        copy_aliases: options.copy_aliases,
        public: options.public,
        auto_update: options.auto_update,
    };
    let copy = async |job: &_| images::copy(&source, &target, &wanted, job).await;
    let copied = action::run(&options.image, copy).await?;
    let mut value = serde_json::to_value(&copied)?;
    value["from"] = json!({"cloud": source.cloud, "project": source.project});
    value["to"] = json!({"cloud": target.cloud, "project": target.project});
    out.print(&value, || {
        let mut text = "Image copied successfully!\n".to_owned();
        for refused in &copied.not_by {
            text += &format!("not by {}: {}\n", refused.way.as_str(), refused.why);
        }
        text
    })?;
    Ok(ExitCode::SUCCESS)
}
