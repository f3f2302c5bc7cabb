//! The verbs that nearly every kind has: `show`, `get`, `set`, `unset`, `edit`, `delete`, `rename` and `create`.

use std::io::IsTerminal;
use std::process::ExitCode;

use lxd_client::Versioned;
use serde_json::Value;

use super::names::Names;
use crate::actions::Job;
use crate::actions::objects::{self, Fields, Kind};
use crate::cli::edit::{edit, input};
use crate::cli::exit::usage;
use crate::cli::lxd::action;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::lxd::instances::pairs::settings_or_input;
use crate::cli::output::{Format, Out, shown, write};
use crate::config::to_text;

/// The verbs that nearly every kind has.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Usual<N: clap::Args> {
    /// Shows it, as YAML.
    Show(N),
    /// Prints the value of a setting.
    Get(OneKey<N>),
    /// Changes settings.
    Set(Keys<N>),
    /// Removes a setting.
    Unset(OneKey<N>),
    /// Edits it as YAML: in an editor, or from the standard input. Where somebody else changed it meanwhile, nothing is
    /// written.
    Edit(N),
    /// Deletes it.
    #[command(visible_alias = "rm")]
    Delete(N),
}

#[derive(Debug, clap::Args)]
pub(crate) struct OneKey<N: clap::Args> {
    #[command(flatten)]
    thing: N,
    /// The key, such as user.name.
    key: String,
    /// The key is a property of the thing itself, such as description.
    #[arg(short, long)]
    property: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Keys<N: clap::Args> {
    #[command(flatten)]
    thing: N,
    /// The settings. An empty value removes one; `-` reads the value from the standard input.
    #[arg(required = true, value_name = "KEY=VALUE")]
    settings: Vec<String>,
    /// The keys are properties of the thing itself, such as description.
    #[arg(short, long)]
    property: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Rename<N: clap::Args> {
    #[command(flatten)]
    thing: N,
    /// The new name.
    new_name: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Create<N: clap::Args> {
    #[command(flatten)]
    thing: N,
    /// Settings.
    #[arg(value_name = "KEY=VALUE")]
    settings: Vec<String>,
}

/// Runs one of the usual verbs.
pub(super) async fn usual<N: Names + clap::Args>(
    fleet: &Fleet,
    verb: &Usual<N>,
    out: &Out,
) -> anyhow::Result<ExitCode> {
    match verb {
        Usual::Show(thing) => {
            let object = thing.object(fleet).await?;
            show(&action::run(&thing.label(), async |job| object.get(job).await).await?.value, out)
        }
        Usual::Get(OneKey { thing, key, property }) => {
            let object = thing.object(fleet).await?;
            let value = action::run(&thing.label(), async |job| object.get(job).await).await?.value;
            get(if *property { value.get(key) } else { value.get("config").and_then(|c| c.get(key)) }, out)
        }
        Usual::Set(Keys { thing, settings: given, property }) => {
            let (object, given) = (thing.object(fleet).await?, settings_or_input(given).await?);
            done(thing, async |job| match property {
                true => objects::set_fields(&object, &given, job).await,
                false => objects::set_config(&object, &given, job).await,
            })
            .await
        }
        Usual::Unset(OneKey { thing, key, property }) => {
            let object = thing.object(fleet).await?;
            done(thing, async |job| match property {
                true => objects::set_fields(&object, &[(key.clone(), String::new())].into(), job).await,
                false => objects::unset_config(&object, key, job).await,
            })
            .await
        }
        Usual::Edit(thing) => {
            let object = thing.object(fleet).await?;
            edit_object(&object, &thing.label()).await
        }
        Usual::Delete(thing) => {
            let object = thing.object(fleet).await?;
            done(thing, async |job| object.delete(job).await).await
        }
    }
}

/// Gives it another name.
pub(super) async fn rename<N: Names + clap::Args>(
    fleet: &Fleet,
    rename: &Rename<N>,
) -> anyhow::Result<ExitCode> {
    let object = rename.thing.object(fleet).await?;
    done(&rename.thing, async |job| object.rename(&rename.new_name, job).await).await
}

/// Creates a thing with the settings that were given.
pub(super) async fn create<N: Names + clap::Args>(
    fleet: &Fleet,
    create: &Create<N>,
) -> anyhow::Result<ExitCode> {
    create_with(fleet, &create.thing, &create.settings, []).await
}

/// Creates a thing with these settings and fields.
pub(super) async fn create_with<const N: usize>(
    fleet: &Fleet,
    thing: &impl Names,
    given: &[String],
    fields: [(&str, Option<&str>); N],
) -> anyhow::Result<ExitCode> {
    let object = thing.object(fleet).await?;
    let wanted = wanted(thing.kind(), given, fields).await?;
    done(thing, async |job| object.create(wanted.clone(), job).await).await
}

/// What a new thing is to have: the YAML on the standard input where that is no terminal, then these settings and fields.
pub(super) async fn wanted<const N: usize>(
    kind: &Kind,
    given: &[String],
    fields: [(&str, Option<&str>); N],
) -> anyhow::Result<Fields> {
    let reads_a_value = given.iter().any(|setting| setting.ends_with("=-"));
    let mut wanted = Fields::new();
    if !reads_a_value && let Some(text) = input().await? {
        let yaml: Option<Fields> = serde_yaml::from_str(&text)
            .map_err(|error| usage(format!("the standard input is no {}: {error}", kind.one)))?;
        wanted = yaml.unwrap_or_default();
    }
    if !given.is_empty() {
        let given = settings_or_input(given).await?;
        let config = wanted.entry("config").or_insert(Value::Null);
        if config.is_null() {
            *config = Fields::new().into();
        }
        let Value::Object(config) = config else {
            return Err(usage(format!("the standard input is no {}: its config has no keys", kind.one)));
        };
        config.extend(given.into_iter().map(|(key, value)| (key, value.into())));
    }
    for (key, value) in fields {
        if let Some(value) = value {
            wanted.insert(key.to_owned(), value.into());
        }
    }
    Ok(wanted)
}

/// Shows a thing as YAML, or as JSON where that is asked for.
pub(super) fn show(value: &Fields, out: &Out) -> anyhow::Result<ExitCode> {
    match out.format {
        Format::Json => out.print(value, String::new)?,
        _ => write(&to_text(value))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints a value alone, as scripts want it.
pub(in crate::cli::lxd) fn get(value: Option<&Value>, out: &Out) -> anyhow::Result<ExitCode> {
    let text = match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => to_text(other).trim_end().to_owned(),
    };
    match out.format {
        Format::Table | Format::Csv => {
            let terminal = std::io::stdout().is_terminal();
            let text = text + "\n";
            write(&if terminal { shown(&text) } else { text.as_str().into() })?;
        }
        _ => out.print(&value, String::new)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Has the user edit a thing, and writes it.
pub(super) async fn edit_object(object: &objects::Object, name: &str) -> anyhow::Result<ExitCode> {
    let explanation = format!(
        "The {} {name}. Lines that begin with # are left out. An empty value is as good as none.\n\
         Its name cannot be changed here, nor what the server fills in, such as used_by.",
        object.kind.one
    );
    let read = async || action::run(name, async |job: &Job| object.get(job).await).await;
    let write = async |before: &Versioned<Fields>, after| {
        action::run(name, async |job| object.replace(before, after, job).await).await
    };
    edit(object.kind.one, &explanation, read, |before| before.value.clone(), write).await?;
    Ok(ExitCode::SUCCESS)
}

/// Runs an action on a thing.
pub(super) async fn done(
    thing: &impl Names,
    work: impl AsyncFnOnce(&Job) -> Result<(), crate::actions::ActionError>,
) -> anyhow::Result<ExitCode> {
    action::run(&thing.label(), work).await?;
    Ok(ExitCode::SUCCESS)
}
