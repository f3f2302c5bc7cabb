//! `lxd events`: what happens at the servers.

use std::process::ExitCode;

use anyhow::Context;
use lxd_client::{Event, EventKind};
use serde_json::json;
use tokio::sync::mpsc;

use crate::cli::lxd::fleet::Fleet;
use crate::cli::output::{Out, report};

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
