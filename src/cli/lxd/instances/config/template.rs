//! `lxd config template`.

use std::process::ExitCode;

use anyhow::Context;

use super::target::instance;
use crate::actions::instances::{create_template, delete_template, write_template};
use crate::cli::edit::edit_text;
use crate::cli::lxd::action;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::output::{Out, Table};

/// The templates of files of an instance.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum TemplateCommand {
    /// Lists them.
    #[command(alias = "ls")]
    List {
        /// The instance, such as berlin:c1.
        instance: String,
    },
    /// Shows the text of one.
    Show(Template),
    /// Edits one: in your editor, or from the standard input.
    Edit(Template),
    /// Makes one, which is empty.
    Create(Template),
    /// Deletes one.
    #[command(alias = "rm")]
    Delete(Template),
}

/// A template of an instance.
#[derive(Debug, clap::Args)]
pub(crate) struct Template {
    /// The instance, such as berlin:c1.
    instance: String,
    /// The template's name.
    template: String,
}

pub(super) async fn run(command: &TemplateCommand, fleet: &Fleet, out: &Out) -> anyhow::Result<ExitCode> {
    use TemplateCommand as C;
    let (text, template) = match command {
        C::List { instance } => (instance, ""),
        C::Show(of) | C::Edit(of) | C::Create(of) | C::Delete(of) => (&of.instance, of.template.as_str()),
    };
    let (client, name) = instance(fleet, text).await?;
    let shown = async || {
        let bytes = client.instance(name).template(template).await.with_context(|| text.clone())?;
        anyhow::Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    match command {
        C::List { .. } => {
            let names = client.instance(name).templates().await.with_context(|| text.clone())?;
            let mut table = Table::new(&["FILENAME"]);
            names.iter().for_each(|name| table.row([name.clone()]));
            out.print(&names, || table.to_string())?;
        }
        C::Show(_) => {
            let content = shown().await?;
            out.print(&content, || content.clone())?;
        }
        C::Edit(_) => {
            let write = async |after| {
                action::run(text, async |job| write_template(&client, name, template, after, job).await).await
            };
            edit_text(shown().await?, write).await?;
        }
        C::Create(_) => {
            action::run(text, async |job| create_template(&client, name, template, job).await).await?;
        }
        C::Delete(_) => {
            action::run(text, async |job| delete_template(&client, name, template, job).await).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
