//! `lxd list`: the instances of all clouds.

use std::process::ExitCode;

use anyhow::Context;
use lxd_client::Instance;
use serde_json::{Value, json};

use crate::cli::exit::Failure;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::output::{Colour, Out, Table, report};
use crate::config::CloudConfig;

pub(super) async fn list(
    fleet: &Fleet,
    names: &[String],
    all_projects: bool,
    out: &Out,
) -> anyhow::Result<ExitCode> {
    let clouds = fleet.clouds(names)?;
    let answers = clouds.iter().map(|cloud| instances(fleet, cloud, all_projects));
    let answers = futures_util::future::join_all(answers).await;
    let mut values = Vec::new();
    let mut table = Table::new(&["CLOUD", "NAME", "STATE", "IPV4", "IPV6", "TYPE", "PROJECT"]);
    let mut first_failure = None;
    for (cloud, answer) in clouds.iter().zip(answers) {
        match answer.with_context(|| cloud.name.clone()) {
            Ok(instances) => {
                for instance in instances {
                    values.push(value(cloud, &instance));
                    table.row(row(cloud, &instance, out));
                }
            }
            // The others are shown all the same.
            Err(error) => {
                let failure = Failure::of(&error);
                report(&failure);
                first_failure.get_or_insert(failure.code);
            }
        }
    }
    if !values.is_empty() || first_failure.is_none() {
        out.list(&values, &table, "no instances")?;
    }
    Ok(first_failure.map_or(ExitCode::SUCCESS, ExitCode::from))
}

async fn instances(fleet: &Fleet, cloud: &CloudConfig, all_projects: bool) -> anyhow::Result<Vec<Instance>> {
    let client = fleet.client(cloud).await?;
    let mut list = client.instances().with_state();
    if all_projects {
        list = list.all_projects();
    }
    Ok(list.await?)
}

fn value(cloud: &CloudConfig, instance: &Instance) -> Value {
    json!({
        "cloud": cloud.name, "name": instance.name, "status": instance.status, "type": instance.kind,
        "project": instance.project, "architecture": instance.architecture, "addresses": addresses(instance),
        "ephemeral": instance.ephemeral, "profiles": instance.profiles,
    })
}

fn row(cloud: &CloudConfig, instance: &Instance, out: &Out) -> [String; 7] {
    let colour = match instance.status.as_str() {
        "Running" => Colour::Green,
        "Error" => Colour::Red,
        _ => Colour::Yellow,
    };
    let (v4, v6): (Vec<String>, Vec<String>) =
        addresses(instance).into_iter().partition(|a| !a.contains(':'));
    [
        cloud.name.clone(),
        instance.name.clone(),
        out.paint(colour, &instance.status),
        v4.join(" "),
        v6.join(" "),
        instance.kind.clone(),
        instance.project.clone(),
    ]
}

/// Its addresses, without those that only it itself or its link can use.
pub(super) fn addresses(instance: &Instance) -> Vec<String> {
    let networks = instance.state.iter().flat_map(|state| state.network.values());
    networks
        .filter_map(|network| network["addresses"].as_array())
        .flatten()
        .filter(|address| address["scope"] == "global")
        .filter_map(|address| address["address"].as_str().map(str::to_owned))
        .collect()
}
