//! `lxd cluster`: the members of clouds that are clusters. What changes them is in `objects/cluster.rs`.

use std::process::ExitCode;

use anyhow::Context;
use lxd_client::{ClusterMember, ClusterMemberHandle};

use super::across;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::lxd::objects::cluster::{self, MemberCommand};
use crate::cli::output::{Out, Table};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum ClusterCommand {
    /// Lists the members of clusters.
    #[command(alias = "ls")]
    List {
        /// Of which clouds. Default: all that are clusters.
        #[arg(value_name = "CLOUD")]
        clouds: Vec<String>,
    },
    /// Shows how much a member has left.
    Info {
        /// Which, CLOUD:MEMBER.
        member: String,
    },
    #[command(flatten)]
    Member(MemberCommand),
}

pub(super) async fn run(command: &ClusterCommand, fleet: &Fleet, out: &Out) -> anyhow::Result<ExitCode> {
    match command {
        ClusterCommand::List { clouds } => return list(fleet, clouds, out).await,
        ClusterCommand::Member(command) => return cluster::run(command, fleet, out).await,
        ClusterCommand::Info { member } => {
            let state = handle(fleet, member).await?.state().await.with_context(|| member.clone())?;
            out.print(&state, || crate::config::to_text(&state))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn handle(fleet: &Fleet, text: &str) -> anyhow::Result<ClusterMemberHandle> {
    let (cloud, member) = fleet.thing(text, "member")?;
    Ok(fleet.client(cloud).await?.cluster_member(member))
}

async fn list(fleet: &Fleet, clouds: &[String], out: &Out) -> anyhow::Result<ExitCode> {
    let named = !clouds.is_empty();
    let (answers, failures) = across::ask(fleet, clouds, async |client| {
        // A server by itself is asked for its members only when it is named: its own words say that it has none.
        if !named && !client.cluster().await?.value.enabled {
            return Ok(Vec::new());
        }
        Ok(client.cluster_members().await?)
    })
    .await?;
    let heads = [
        "CLOUD",
        "NAME",
        "URL",
        "ROLES",
        "ARCHITECTURE",
        "FAILURE DOMAIN",
        "DESCRIPTION",
        "STATE",
        "MESSAGE",
    ];
    let mut table = Table::new(&heads);
    let mut values = Vec::new();
    for (cloud, members) in &answers {
        let mut members: Vec<&ClusterMember> = members.iter().collect();
        members.sort_by(|a, b| a.server_name.cmp(&b.server_name));
        for member in members {
            values.push(across::of_cloud(cloud, member)?);
            let architecture = member.rest.get("architecture").and_then(|name| name.as_str());
            table.row([
                cloud.clone(),
                member.server_name.clone(),
                member.url.clone(),
                member.roles.join(", "),
                architecture.unwrap_or_default().to_owned(),
                member.failure_domain.clone(),
                member.description.clone(),
                member.status.to_uppercase(),
                member.message.clone(),
            ]);
        }
    }
    Ok(across::print(out, &values, &table, "no clusters", &failures)?)
}
