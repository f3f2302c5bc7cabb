//! `lxd operation`: what the servers work on.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use lxd_client::Operation;

use super::across;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::lxd::words;
use crate::cli::output::{Format, Out, Table};
use crate::config::CloudConfig;
use crate::inventory::{Kind, OperationRow, Query, operation_row};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum OperationCommand {
    /// Lists the operations that go on, as the running node knows them.
    #[command(alias = "ls")]
    List {
        /// Of which clouds. Default: all.
        #[arg(value_name = "CLOUD")]
        clouds: Vec<String>,
    },
    /// Shows an operation.
    Show {
        /// Which, CLOUD:ID.
        operation: String,
    },
    /// Asks the server to stop an operation, if it can.
    #[command(visible_alias = "delete", alias = "rm")]
    Cancel {
        /// Which, CLOUD:ID.
        operation: String,
    },
}

pub(super) async fn run(command: &OperationCommand, fleet: &Fleet, out: &Out) -> anyhow::Result<ExitCode> {
    match command {
        OperationCommand::List { clouds } => return list(fleet, clouds, out).await,
        OperationCommand::Show { operation } => {
            let state = handle(fleet, operation).await?.state().await.with_context(|| operation.clone())?;
            out.print(&state, || crate::config::to_text(&state))?;
        }
        OperationCommand::Cancel { operation } => {
            handle(fleet, operation).await?.cancel().await.with_context(|| operation.clone())?;
            out.print(&serde_json::json!({"cancelled": operation}), || {
                format!("Operation {operation} deleted\n")
            })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn handle(fleet: &Fleet, text: &str) -> anyhow::Result<Operation> {
    let (cloud, id) = fleet.thing(text, "operation")?;
    Ok(fleet.client(cloud).await?.operation(id))
}

async fn list(fleet: &Fleet, clouds: &[String], out: &Out) -> anyhow::Result<ExitCode> {
    let (known, others) = known(fleet, clouds, out).await?;
    let (answers, failures) = match &others[..] {
        [] => (Vec::new(), Vec::new()),
        others => across::ask(fleet, others, async |client| Ok(client.operations().await?)).await?,
    };
    let mut values = Vec::new();
    let mut rows = known;
    for (cloud, operations) in answers {
        for operation in operations {
            values.push(across::of_cloud(&cloud, &operation)?);
            rows.push(Arc::new(operation_row(&cloud, "", operation)));
        }
    }
    rows.sort_by(|a, b| (&a.cloud, &a.created_at).cmp(&(&b.cloud, &b.created_at)));
    let clustered = rows.iter().any(|row| !matches!(row.location.as_str(), "" | "none"));
    let mut heads = vec!["CLOUD", "ID", "TYPE", "DESCRIPTION", "STATUS", "CANCELABLE", "CREATED"];
    heads.extend(clustered.then_some("LOCATION"));
    let mut table = Table::new(&heads);
    for row in &rows {
        let mut cells = vec![
            row.cloud.clone(),
            row.id.clone(),
            row.class.to_uppercase(),
            row.description.clone(),
            row.status.to_uppercase(),
            if row.may_cancel { "YES" } else { "NO" }.to_owned(),
            words::minute(&row.created_at),
        ];
        cells.extend(clustered.then(|| row.location.clone()));
        table.row(cells);
    }
    Ok(across::print(out, &values, &table, "no operations", &failures)?)
}

/// What the running node's inventory has of these clouds, where it is up to date, and the clouds that are to be asked. Whoever
/// wants them as JSON or YAML gets them as the servers tell them.
async fn known(
    fleet: &Fleet,
    clouds: &[String],
    out: &Out,
) -> anyhow::Result<(Vec<Arc<OperationRow>>, Vec<String>)> {
    let clouds = fleet.clouds(clouds)?;
    let names = || clouds.iter().map(|cloud| cloud.name.clone()).collect::<Vec<_>>();
    let node = match out.format {
        Format::Table | Format::Csv => fleet.node().await?,
        _ => None,
    };
    let Some(node) = node else { return Ok((Vec::new(), names())) };
    let query = Query { clouds: names(), kinds: vec![Kind::Operations], ..Query::default() };
    let mut snapshot = node.inventory(&query, &[]).await?;
    let project = |cloud: &CloudConfig| cloud.project.clone().unwrap_or_else(|| "default".to_owned());
    let is_fresh = |cloud: &CloudConfig| {
        let row = snapshot.clouds.iter().find(|row| row.name == cloud.name);
        row.is_some_and(|row| {
            row.filled && row.stale_since.is_none() && row.projects.contains(&project(cloud))
        })
    };
    let (fresh, others): (Vec<&CloudConfig>, Vec<&CloudConfig>) =
        clouds.iter().copied().partition(|cloud| is_fresh(cloud));
    snapshot.operations.retain(|row| {
        let of_it = |cloud: &&CloudConfig| cloud.name == row.cloud && project(cloud) == row.project;
        !row.is_final() && fresh.iter().any(of_it)
    });
    Ok((snapshot.operations, others.into_iter().map(|cloud| cloud.name.clone()).collect()))
}
