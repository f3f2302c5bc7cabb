//! `lxd info`: a server, or an instance.

use std::process::ExitCode;

use anyhow::Context;
use serde_json::{Value, json};

use crate::cli::lxd::fleet::Fleet;
use crate::cli::output::Out;
use crate::cli::tables::bytes;

pub(super) async fn info(fleet: &Fleet, target: &str, out: &Out) -> anyhow::Result<ExitCode> {
    let is_cloud = target.ends_with(':') || fleet.config.clouds.iter().any(|cloud| cloud.name == target);
    let (value, text) = if is_cloud {
        let cloud = fleet.with_api(target)?;
        let server = fleet.client(cloud).await?.server().await.with_context(|| cloud.name.clone())?;
        let environment = server.environment.as_ref();
        let value = json!({
            "cloud": cloud.name, "address": cloud.address.to_string(),
            "auth": server.auth,
            "server": environment.map(|e| &e.server), "version": environment.map(|e| &e.server_version),
            "name": environment.map(|e| &e.server_name),
            "fingerprint": environment.map(|e| &e.certificate_fingerprint),
            "extensions": server.api_extensions.len(), "config": server.config,
        });
        let text = lines(&value);
        (value, text)
    } else {
        let (cloud, name) = fleet.target(target)?;
        let instance =
            fleet.client(cloud).await?.instance(name).get_full().await.with_context(|| target.to_owned())?;
        let state = instance.state.clone().unwrap_or_default();
        let value = json!({
            "cloud": cloud.name, "name": instance.name, "status": instance.status, "type": instance.kind,
            "architecture": instance.architecture, "project": instance.project,
            "description": instance.description, "profiles": instance.profiles, "ephemeral": instance.ephemeral,
            "processes": state.processes, "memory": state.memory_usage(),
            "cpu_seconds": state.cpu_time().as_secs_f64(), "addresses": addresses(&instance),
            "config": instance.config, "devices": instance.devices,
        });
        let mut shown = value.clone();
        shown["memory"] = bytes(state.memory_usage()).into();
        (value, lines(&shown))
    };
    out.print(&value, || text)?;
    Ok(ExitCode::SUCCESS)
}

/// A JSON object for people: a line for each thing.
fn lines(value: &Value) -> String {
    crate::config::to_text(value)
}

/// Its addresses, without those that only it itself or its link can use.
fn addresses(instance: &lxd_client::Instance) -> Vec<String> {
    let networks = instance.state.iter().flat_map(|state| state.network.values());
    networks
        .filter_map(|network| network["addresses"].as_array())
        .flatten()
        .filter(|address| address["scope"] == "global")
        .filter_map(|address| address["address"].as_str().map(str::to_owned))
        .collect()
}
