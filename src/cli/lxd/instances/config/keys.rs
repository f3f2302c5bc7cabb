//! `lxd config get`, `set` and `unset`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::Context;
use serde_json::{Value, json};

use super::target::{Target, What, split};
use crate::actions::{instances, server};
use crate::cli::exit::usage;
use crate::cli::lxd::action;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::lxd::instances::pairs::settings_or_input;
use crate::cli::output::Out;

#[derive(Debug, clap::Args)]
pub(crate) struct Get {
    /// The instance (berlin:c1) or server (berlin:), and the key. The server of a single cloud may be left out.
    #[arg(required = true, num_args = 1..=2, value_name = "[TARGET] KEY")]
    words: Vec<String>,
    /// With what the instance has from its profiles.
    #[arg(short, long)]
    expanded: bool,
    /// The member of the cluster whose own settings are meant.
    #[arg(long, value_name = "MEMBER")]
    target: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Set {
    /// The instance (berlin:c1) or server (berlin:), and KEY=VALUE, several if you like, or KEY VALUE. The value - is the
    /// standard input. The server of a single cloud may be left out.
    #[arg(required = true, value_name = "[TARGET] KEY=VALUE")]
    words: Vec<String>,
    /// The member of the cluster whose own settings are meant.
    #[arg(long, value_name = "MEMBER")]
    target: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Unset {
    /// The instance (berlin:c1) or server (berlin:), and the key. The server of a single cloud may be left out.
    #[arg(required = true, num_args = 1..=2, value_name = "[TARGET] KEY")]
    words: Vec<String>,
    /// The member of the cluster whose own settings are meant.
    #[arg(long, value_name = "MEMBER")]
    target: Option<String>,
}

/// The target and the key of one or two words.
fn target_and_key(words: &[String]) -> anyhow::Result<(&str, &str)> {
    match words {
        [key] if !key.contains(':') => Ok(("", key)),
        [target, key] => Ok((target, key)),
        _ => Err(usage("which key?")),
    }
}

pub(super) async fn get(fleet: &Fleet, options: &Get, out: &Out) -> anyhow::Result<ExitCode> {
    let (text, key) = target_and_key(&options.words)?;
    let target = Target::of(fleet, text, options.target.as_deref()).await?;
    let client = &target.client;
    let found = async {
        Ok::<_, lxd_client::Error>(match target.what {
            What::Server => client.server().await?.config.get(key).map(|value| match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            }),
            What::Instance(name) => {
                let instance = client.instance(name).get().await?;
                if options.expanded {
                    instances::expanded_config(&instance).remove(key)
                } else {
                    instance.config.get(key).cloned()
                }
            }
            What::Snapshot(name, snapshot) => {
                client.instance(name).snapshot(snapshot).get().await?.config.get(key).cloned()
            }
        })
    };
    let value = found.await.with_context(|| text.to_owned())?;
    // One that is not set is an empty line, as with lxc.
    let shown = value.clone().unwrap_or_default() + "\n";
    out.print(&json!({"cloud": target.cloud, "key": key, "value": value}), || shown)?;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn set(fleet: &Fleet, options: &Set) -> anyhow::Result<ExitCode> {
    let (text, words) = split(&options.words);
    let settings = settings_or_input(words).await?;
    let settings = settings.into_iter().map(|(key, value)| (key, Some(value))).collect();
    change(fleet, text, options.target.as_deref(), &settings).await
}

pub(super) async fn unset(fleet: &Fleet, options: &Unset) -> anyhow::Result<ExitCode> {
    let (text, key) = target_and_key(&options.words)?;
    change(fleet, text, options.target.as_deref(), &[(key.to_owned(), None)].into()).await
}

async fn change(
    fleet: &Fleet,
    text: &str,
    member: Option<&str>,
    settings: &BTreeMap<String, Option<String>>,
) -> anyhow::Result<ExitCode> {
    let target = Target::of(fleet, text, member).await?;
    let what = if text.is_empty() { target.cloud } else { text };
    action::run(what, async |job| match target.what {
        What::Server => server::set(&target.client, settings, job).await,
        What::Instance(name) => instances::set(&target.client, name, settings, job).await,
        What::Snapshot(..) => Err(crate::actions::ActionError::Refused(
            "a snapshot has no keys to set: `config edit` changes when it expires".to_owned(),
        )),
    })
    .await?;
    Ok(ExitCode::SUCCESS)
}
