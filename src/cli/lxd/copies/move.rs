//! `lxd move`.

use std::process::ExitCode;

use super::options::Options;
use super::outcome::{Done, print};
use super::place::sides;
use crate::actions::copy::{Moved, move_instance};
use crate::cli::lxd::action;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::output::Out;

#[derive(Debug, clap::Args)]
pub(crate) struct Move {
    /// The instance, such as berlin:web; or a snapshot that gets another name.
    pub(crate) source: String,
    /// Where it goes, such as paris:web; berlin:www gives it another name, and berlin:web/new a snapshot of it.
    pub(crate) destination: Option<String>,
    #[command(flatten)]
    pub(crate) options: Options,
}

pub(super) async fn r#move(fleet: &Fleet, arguments: &Move, out: &Out) -> anyhow::Result<ExitCode> {
    let Move { source, destination, options } = arguments;
    let sides = sides(fleet, source, destination.as_deref(), options).await?;
    let wanted = options.wanted(&sides.name)?;
    let moved = action::run(source, async |job| {
        move_instance(&sides.from, &sides.source, &sides.to, &wanted, job).await
    });
    match moved.await? {
        Moved::ByServer => print(&sides, &Done::MovedThere, out),
        Moved::ByCopy(copied) => print(&sides, &Done::Moved(&copied), out),
    }
}
