//! What changes the members and groups of a cluster. The lists of members are in `look/cluster.rs`.

use std::process::ExitCode;

use lxd_client::Evacuation;

use super::lists::{self, Clouds, Columns, column};
use super::names::{GroupName, MemberName, Names};
use super::usual::{self, Create, Rename, Usual, done};
use crate::actions::objects::{self, CLUSTER_GROUP};
use crate::cli::lxd::fleet::Fleet;
use crate::cli::output::Out;

/// The verbs of a member.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum MemberCommand {
    #[command(flatten)]
    Usual(Usual<MemberName>),
    /// Gives a member another name.
    Rename(Rename<MemberName>),
    /// Takes a member out of its cluster.
    Remove {
        #[command(flatten)]
        member: MemberName,
        /// Also one that does not answer, or that still has instances.
        #[arg(short, long)]
        force: bool,
    },
    /// Moves the instances of a member to others, or stops them, before its machine is worked on.
    #[command(visible_alias = "evac")]
    Evacuate(Asked),
    /// Has a member that was evacuated take its instances back.
    Restore(Asked),
    /// Works with groups of members.
    #[command(subcommand)]
    Group(GroupCommand),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Asked {
    #[command(flatten)]
    member: MemberName,
    /// As scripts for `lxc` give it: nothing is asked here in any case.
    #[arg(long)]
    force: bool,
}

/// The verbs of groups.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum GroupCommand {
    /// Lists the groups.
    #[command(visible_alias = "ls")]
    List(Clouds),
    #[command(flatten)]
    Usual(Usual<GroupName>),
    /// Creates a group, by the YAML on the standard input where that is no terminal.
    Create(Create<GroupName>),
    /// Gives a group another name.
    #[command(visible_alias = "mv")]
    Rename(Rename<GroupName>),
    /// Sets the groups of a member.
    Assign {
        #[command(flatten)]
        member: MemberName,
        /// The groups, with commas between them.
        groups: String,
    },
}

const GROUPS: &Columns =
    &[column::NAME, column::DESCRIPTION, ("MEMBERS", |group| objects::count(group, "members").to_string())];

pub(in crate::cli::lxd) async fn run(
    command: &MemberCommand,
    fleet: &Fleet,
    out: &Out,
) -> anyhow::Result<ExitCode> {
    match command {
        MemberCommand::Usual(verb) => usual::usual(fleet, verb, out).await,
        MemberCommand::Rename(rename) => usual::rename(fleet, rename).await,
        MemberCommand::Evacuate(asked) => change_state(fleet, &asked.member, Evacuation::Evacuate).await,
        MemberCommand::Restore(asked) => change_state(fleet, &asked.member, Evacuation::Restore).await,
        MemberCommand::Remove { member, force } => remove(fleet, member, *force).await,
        MemberCommand::Group(command) => group(command, fleet, out).await,
    }
}

async fn change_state(
    fleet: &Fleet,
    member: &MemberName,
    evacuation: Evacuation,
) -> anyhow::Result<ExitCode> {
    let (client, name) = member.client(fleet).await?;
    let handle = client.cluster_member(name);
    done(member, async |job| {
        let operation = job.run(handle.change_state(evacuation)).await?;
        job.follow(operation).await.map(drop)
    })
    .await
}

async fn remove(fleet: &Fleet, member: &MemberName, force: bool) -> anyhow::Result<ExitCode> {
    let (client, name) = member.client(fleet).await?;
    let handle = client.cluster_member(name);
    done(member, async |job| {
        job.run(async { if force { handle.delete_forced().await } else { handle.delete().await } }).await
    })
    .await
}

async fn group(command: &GroupCommand, fleet: &Fleet, out: &Out) -> anyhow::Result<ExitCode> {
    match command {
        GroupCommand::List(of) => lists::list(fleet, &CLUSTER_GROUP, of, GROUPS, out).await,
        GroupCommand::Usual(verb) => usual::usual(fleet, verb, out).await,
        GroupCommand::Create(create) => usual::create(fleet, create).await,
        GroupCommand::Rename(rename) => usual::rename(fleet, rename).await,
        GroupCommand::Assign { member, groups } => {
            let object = member.object(fleet).await?;
            let groups: Vec<&str> = groups.split(',').filter(|group| !group.is_empty()).collect();
            done(member, async |job| {
                object
                    .change(job, |fields| {
                        fields.insert("groups".to_owned(), groups.clone().into());
                        Ok(())
                    })
                    .await
            })
            .await
        }
    }
}
