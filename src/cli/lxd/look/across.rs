//! The same request to several clouds, each of which fails alone.

use std::process::ExitCode;

use anyhow::Context;
use futures_util::future::join_all;
use lxd_client::Client;

use crate::cli::exit::Failure;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::output::{Out, Table, report};

/// What the clouds of these names, or all, have answered, with the name of each; and the failures of the others.
pub(super) async fn ask<T>(
    fleet: &Fleet,
    names: &[String],
    request: impl AsyncFn(Client) -> anyhow::Result<T>,
) -> anyhow::Result<(Vec<(String, T)>, Vec<Failure>)> {
    let clouds = fleet.clouds(names)?;
    let answers = join_all(clouds.iter().map(async |cloud| {
        let answer = async { request(fleet.client(cloud).await?).await };
        (cloud.name.clone(), answer.await.with_context(|| cloud.name.clone()))
    }));
    let (mut answered, mut failures) = (Vec::new(), Vec::new());
    for (name, answer) in answers.await {
        match answer {
            Ok(answer) => answered.push((name, answer)),
            Err(error) => failures.push(Failure::of(&error)),
        }
    }
    Ok((answered, failures))
}

/// Prints a list and reports the failures, the first of which decides the exit code.
pub(super) fn print(
    out: &Out,
    values: &impl serde::Serialize,
    table: &Table,
    nothing: &str,
    failures: &[Failure],
) -> std::io::Result<ExitCode> {
    for failure in failures {
        report(failure);
    }
    if !table.is_empty() || failures.is_empty() {
        out.list(values, table, nothing)?;
    }
    Ok(failures.first().map_or(ExitCode::SUCCESS, |failure| ExitCode::from(failure.code)))
}

/// A thing of a cloud as JSON, with the cloud's name in it.
pub(super) fn of_cloud(cloud: &str, thing: &impl serde::Serialize) -> anyhow::Result<serde_json::Value> {
    let mut value = serde_json::to_value(thing)?;
    if let Some(fields) = value.as_object_mut() {
        fields.insert("cloud".to_owned(), cloud.into());
    }
    Ok(value)
}
