//! `lxd events`: what happens at the servers, as it happens.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use lxd_client::{Client, Event, EventKind};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::cli::exit::Failure;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::output::{Format, Out, report};

/// What `lxd events` is asked for.
#[derive(Debug, clap::Args)]
pub(crate) struct Events {
    /// At which clouds. Default: all.
    #[arg(value_name = "CLOUD")]
    clouds: Vec<String>,
    /// Only events of this type; may be given several times. Default: lifecycle.
    #[arg(long = "type", value_enum, value_name = "TYPE")]
    types: Vec<Type>,
    /// Operations too, the same as --type lifecycle --type operation.
    #[arg(long)]
    operations: bool,
    /// Of all projects.
    #[arg(long)]
    all_projects: bool,
    /// How to print an event: a line, an object of JSON in a line, or a document of YAML. Default: as --output says.
    #[arg(short, long, value_enum)]
    format: Option<Shape>,
    /// Begin also where a cloud does not answer yet, and follow it from when it does.
    #[arg(long)]
    follow: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Type {
    /// Things that are created, changed and deleted.
    Lifecycle,
    /// What the servers work on.
    Operation,
    /// The lines of the servers' logs.
    Logging,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Shape {
    Pretty,
    Json,
    Yaml,
}

impl Type {
    fn kind(self) -> EventKind {
        match self {
            Type::Lifecycle => EventKind::Lifecycle,
            Type::Operation => EventKind::Operation,
            Type::Logging => EventKind::Logging,
        }
    }
}

/// The pause before a cloud that has not answered yet is asked again.
const PAUSE: Duration = Duration::from_secs(2);

pub(super) async fn events(fleet: &Fleet, options: &Events, out: &Out) -> anyhow::Result<ExitCode> {
    let mut kinds: Vec<EventKind> = options.types.iter().map(|kind| kind.kind()).collect();
    if kinds.is_empty() {
        kinds.push(EventKind::Lifecycle);
    }
    if options.operations && !kinds.contains(&EventKind::Operation) {
        kinds.push(EventKind::Operation);
    }
    let format = match options.format {
        Some(Shape::Pretty) => Format::Table,
        Some(Shape::Json) => Format::Json,
        Some(Shape::Yaml) => Format::Yaml,
        None => out.format,
    };
    let out = Out { format, ..*out };
    let (sender, mut received) = mpsc::channel(64);
    let mut followers = tokio::task::JoinSet::new();
    for cloud in fleet.clouds(&options.clouds)? {
        let client = fleet.client(cloud).await;
        let client = client.with_context(|| cloud.name.clone())?;
        let (sender, name, kinds) = (sender.clone(), cloud.name.clone(), kinds.clone());
        let (all_projects, follow) = (options.all_projects, options.follow);
        followers.spawn(async move {
            if let Err(error) = pass_on(&client, &name, &kinds, all_projects, follow, &sender).await {
                let _ = sender.send((name, Err(error))).await;
            }
        });
    }
    drop(sender);
    let mut failed = None;
    while let Some((cloud, event)) = received.recv().await {
        match event {
            Ok(Event::Lost) => report(&format!("{cloud}: the connection is lost, and is being made again")),
            Ok(Event::Reconnected) => {
                report(&format!("{cloud}: the connection is there again; what happened between is missing"));
            }
            Ok(event) => {
                if let Some((value, text)) = told(&cloud, &event) {
                    out.print_one(&value, || text)?;
                }
            }
            // The others go on, where this is to last.
            Err(error) if options.follow => {
                let failure = Failure::of(&error.context(cloud));
                report(&failure);
                failed.get_or_insert(failure.code);
            }
            Err(error) => return Err(error.context(cloud)),
        }
    }
    Ok(failed.map_or(ExitCode::SUCCESS, ExitCode::from))
}

/// Sends the events of a cloud, until one cannot be followed any more or nobody reads.
async fn pass_on(
    client: &Client,
    cloud: &str,
    kinds: &[EventKind],
    all_projects: bool,
    follow: bool,
    to: &mpsc::Sender<(String, anyhow::Result<Event>)>,
) -> anyhow::Result<()> {
    let mut told = false;
    let mut events = loop {
        let begun = match all_projects {
            true => client.all_events(kinds).await,
            false => client.events(kinds).await,
        };
        match begun {
            Ok(events) => break events,
            Err(error) if follow && error.is_retryable() => {
                if !std::mem::replace(&mut told, true)
                    && to.send((cloud.to_owned(), Ok(Event::Lost))).await.is_err()
                {
                    return Ok(());
                }
                tokio::time::sleep(PAUSE).await;
            }
            Err(error) => return Err(error.into()),
        }
    };
    if told && to.send((cloud.to_owned(), Ok(Event::Reconnected))).await.is_err() {
        return Ok(());
    }
    loop {
        let event = events.next().await?;
        if to.send((cloud.to_owned(), Ok(event))).await.is_err() {
            return Ok(());
        }
    }
}

/// An event as JSON, and in a line.
fn told(cloud: &str, event: &Event) -> Option<(Value, String)> {
    Some(match event {
        Event::Lifecycle(event) => (
            json!({"cloud": cloud, "kind": "lifecycle", "action": event.action, "source": event.source,
                "project": event.project, "time": event.timestamp, "context": event.context,
                "requestor": event.requestor}),
            format!("{} {cloud} {} {}", event.timestamp, event.action, event.source),
        ),
        Event::Operation(state) => (
            json!({"cloud": cloud, "kind": "operation", "id": state.id, "status": state.status,
                "description": state.description, "error": state.err, "time": state.updated_at,
                "resources": state.resources}),
            format!("{} {cloud} {} ({}) {}", state.updated_at, state.description, state.status, state.err),
        ),
        Event::Other(event) => {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let field = |name: &str| event.get(name).cloned().unwrap_or_default();
            let metadata = field("metadata");
            let line = format!(
                "{} {cloud} {} {}",
                text(&field("timestamp")),
                text(&metadata["level"]),
                text(&metadata["message"])
            );
            let value = json!({"cloud": cloud, "kind": field("type"), "time": field("timestamp"), "metadata": metadata});
            (value, line.trim_end().to_owned())
        }
        _ => return None,
    })
}
