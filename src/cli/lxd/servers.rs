//! `lxd ping`, `info`, `events` and `trust`.

use std::io::Read;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use lxd_client::{Event, EventKind, TrustToken};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::super::exit::{UserError, usage};
use super::super::output::{Out, report};
use super::super::tables::{self, bytes};
use super::Fleet;
use crate::config::Environment;
use crate::control::protocol::Cloud;

pub(super) async fn ping(fleet: &Fleet, names: &[String], count: u32, out: &Out) -> anyhow::Result<ExitCode> {
    let clouds: Vec<_> = if names.is_empty() {
        fleet.config.clouds.iter().collect()
    } else {
        names.iter().map(|name| super::named(&fleet.config, name)).collect::<Result<_, _>>()?
    };
    if clouds.is_empty() {
        return Err(usage("the configuration has no clouds"));
    }
    let mut failed = Vec::new();
    for number in 1..=count {
        let probes = clouds.iter().map(|cloud| fleet.uplink.check(&cloud.name));
        let probes = futures_util::future::try_join_all(probes).await?;
        let found: Vec<Cloud> = clouds
            .iter()
            .zip(probes)
            .map(|(cloud, health)| Cloud {
                name: cloud.name.clone(),
                kind: cloud.kind,
                address: cloud.address.to_string(),
                required: cloud.required,
                health,
            })
            .collect();
        out.print(&found, || tables::clouds(&found, out))?;
        failed = found
            .iter()
            .filter_map(|cloud| Some(format!("{}: {}", cloud.name, cloud.health.error.as_ref()?)))
            .collect();
        if number < count {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
    if failed.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    Err(UserError { code: 7, message: failed.join("\n") }.into())
}

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
            "cpu_seconds": state.cpu_time().as_secs_f64(), "addresses": super::instances::addresses(&instance),
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

pub(super) async fn events(
    fleet: &Fleet,
    names: &[String],
    operations: bool,
    out: &Out,
) -> anyhow::Result<ExitCode> {
    let clouds = fleet.clouds(names)?;
    let kinds: &[EventKind] =
        if operations { &[EventKind::Lifecycle, EventKind::Operation] } else { &[EventKind::Lifecycle] };
    let (sender, mut received) = mpsc::channel(64);
    let mut followers = tokio::task::JoinSet::new();
    for cloud in clouds {
        let client = fleet.client(cloud).await?;
        let mut events = client.events(kinds).await.with_context(|| cloud.name.clone())?;
        let (sender, name) = (sender.clone(), cloud.name.clone());
        followers.spawn(async move {
            loop {
                let event = events.next().await;
                let failed = event.is_err();
                if sender.send((name.clone(), event)).await.is_err() || failed {
                    return;
                }
            }
        });
    }
    drop(sender);
    while let Some((cloud, event)) = received.recv().await {
        match event.with_context(|| cloud.clone())? {
            Event::Lifecycle(event) => {
                let value = json!({"cloud": cloud, "kind": "lifecycle", "action": event.action, "source": event.source,
                    "project": event.project, "time": event.timestamp});
                out.print_one(&value, || {
                    format!("{} {cloud} {} {}", event.timestamp, event.action, event.source)
                })?;
            }
            Event::Operation(state) => {
                let value = json!({"cloud": cloud, "kind": "operation", "id": state.id, "status": state.status,
                    "description": state.description, "error": state.err, "time": state.updated_at});
                out.print_one(&value, || {
                    format!(
                        "{} {cloud} {} ({}) {}",
                        state.updated_at, state.description, state.status, state.err
                    )
                })?;
            }
            Event::Lost => report(&format!("{cloud}: the connection is lost, and is being made again")),
            Event::Reconnected => {
                report(&format!("{cloud}: the connection is there again; what happened between is missing"));
            }
            _ => {}
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn trust(
    fleet: &Fleet,
    name: &str,
    token_from: Option<&Path>,
    out: &Out,
) -> anyhow::Result<ExitCode> {
    let cloud = fleet.with_api(name)?;
    let token = match (&cloud.trust.token, token_from) {
        (Some(configured), None) => configured.clone(),
        (_, from) => token(from)?,
    };
    let expected = cloud.trust.fingerprint.unwrap_or(token.fingerprint());
    if expected != token.fingerprint() {
        let message = format!(
            "the token is for a server with the fingerprint {}, and {name} has {expected}",
            token.fingerprint()
        );
        return Err(UserError { code: 8, message }.into());
    }
    let mut pinned = cloud.clone();
    (pinned.trust.fingerprint, pinned.trust.token) = (Some(expected), None);
    let client = fleet.client(&pinned).await?;
    client.trust(&token).await.with_context(|| cloud.name.clone())?;
    let value = json!({"cloud": cloud.name, "trusted": true, "fingerprint": expected.to_string()});
    out.print(&value, || {
        let mut text = format!("{} trusts this node\n", cloud.name);
        if cloud.trust.fingerprint.is_none() {
            text += &format!(
                "put this into the configuration of {}: trust: {{fingerprint: {expected}}}\n",
                cloud.name
            );
        }
        text
    })?;
    Ok(ExitCode::SUCCESS)
}

fn token(from: Option<&Path>) -> anyhow::Result<TrustToken> {
    let text = match from {
        Some(path) => std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the token from {}", path.display()))?,
        None => match Environment::load(".env".as_ref())?.get("LXD_TRUST_TOKEN") {
            Some(token) => token.to_owned(),
            None => {
                let mut text = String::new();
                std::io::stdin().read_to_string(&mut text).context("cannot read the token")?;
                text
            }
        },
    };
    text.trim().parse().map_err(|e: lxd_client::InvalidToken| usage(e.to_string()))
}
