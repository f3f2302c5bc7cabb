//! `lxd operation`: what the servers work on.

use std::process::ExitCode;

use anyhow::Context;
use lxd_client::{Operation, OperationState};

use super::across;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::lxd::words;
use crate::cli::output::{Out, Table};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum OperationCommand {
    /// Lists the operations that go on.
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
    let (answers, failures) =
        across::ask(fleet, clouds, async |client| Ok(client.operations().await?)).await?;
    let mut table = Table::new(&["CLOUD", "ID", "TYPE", "DESCRIPTION", "STATUS", "CANCELABLE", "CREATED"]);
    let mut values = Vec::new();
    for (cloud, operations) in &answers {
        let mut operations: Vec<&OperationState> = operations.iter().collect();
        operations.sort_by(|a, b| a.created_at.cmp(&b.created_at));
        for operation in operations {
            values.push(across::of_cloud(cloud, operation)?);
            table.row([
                cloud.clone(),
                operation.id.clone(),
                operation.class.to_uppercase(),
                operation.description.clone(),
                operation.status.to_uppercase(),
                if operation.may_cancel { "YES" } else { "NO" }.to_owned(),
                words::minute(&operation.created_at),
            ]);
        }
    }
    Ok(across::print(out, &values, &table, "no operations", &failures)?)
}
