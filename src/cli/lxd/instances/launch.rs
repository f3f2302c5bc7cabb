//! `lxd launch`: creates an instance and starts it.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use lxd_client::{NewInstance, OperationState};
use serde_json::json;

use crate::cli::exit::usage;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::output::{Out, one_line, watched};

#[derive(Debug, clap::Args)]
pub(crate) struct Launch {
    /// The image: an alias or a fingerprint at the server; with --from, an alias at that server.
    pub(crate) image: String,
    /// The new instance, such as berlin:c1.
    pub(crate) instance: String,
    /// A server of images that the cloud fetches from, by its own network.
    #[arg(long, value_name = "URL")]
    pub(crate) from: Option<String>,
    /// What the server of images speaks.
    #[arg(long, default_value = "simplestreams", value_parser = ["simplestreams", "lxd", "incus"])]
    pub(crate) protocol: String,
    /// A profile.
    #[arg(short, long)]
    pub(crate) profile: Vec<String>,
    /// A setting of the instance.
    #[arg(short = 'c', long = "set", value_name = "KEY=VALUE")]
    pub(crate) settings: Vec<String>,
    /// To be deleted when it stops.
    #[arg(short, long)]
    pub(crate) ephemeral: bool,
    /// A virtual machine.
    #[arg(long)]
    pub(crate) vm: bool,
}

/// A fingerprint may be shortened to this much, as with `lxc`.
const SHORT_FINGERPRINT: usize = 12;

pub(super) async fn launch(fleet: &Fleet, options: &Launch, out: &Out) -> anyhow::Result<ExitCode> {
    let (cloud, name) = fleet.target(&options.instance)?;
    let client = fleet.client(cloud).await?;
    let bar = spinner(&format!("creating {}", options.instance));
    let created = async {
        let mut operation = client.create_instance(&wanted(name, options)?).await?;
        operation.wait_with(|state| show(&bar, state)).await?;
        bar.set_message(format!("starting {}", options.instance));
        client.instance(name).start().await?.wait().await?;
        anyhow::Ok(())
    };
    let outcome = created.await.with_context(|| options.instance.clone());
    bar.finish_and_clear();
    outcome?;
    let value = json!({"cloud": cloud.name, "name": name, "status": "Running"});
    out.print(&value, || format!("{}:{name} runs\n", cloud.name))?;
    Ok(ExitCode::SUCCESS)
}

fn wanted(name: &str, options: &Launch) -> anyhow::Result<NewInstance> {
    let image = &options.image;
    let is_fingerprint = image.len() >= SHORT_FINGERPRINT && image.chars().all(|c| c.is_ascii_hexdigit());
    let mut new = match &options.from {
        Some(server) => NewInstance::from_remote(name, server, &options.protocol, image),
        None if is_fingerprint => NewInstance::from_fingerprint(name, image),
        None => NewInstance::from_alias(name, image),
    };
    for profile in &options.profile {
        new = new.profile(profile);
    }
    for setting in &options.settings {
        let (key, value) =
            setting.split_once('=').ok_or_else(|| usage(format!("{setting:?} is not KEY=VALUE")))?;
        new = new.config(key, value);
    }
    if options.ephemeral {
        new = new.ephemeral();
    }
    Ok(if options.vm { new.virtual_machine() } else { new })
}

/// Something that moves while work goes on elsewhere; nothing where nobody watches.
fn spinner(message: &str) -> ProgressBar {
    if !watched() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner().with_message(message.to_owned());
    bar.enable_steady_tick(Duration::from_millis(120));
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
        bar.set_style(style);
    }
    bar
}

fn show(bar: &ProgressBar, state: &OperationState) {
    if let Some(progress) = state.progress() {
        bar.set_message(one_line(progress));
    }
}
