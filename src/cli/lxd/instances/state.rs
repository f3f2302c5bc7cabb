//! `lxd start`, `stop`, `restart` and `pause`.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use lxd_client::{Action, Client, StateChange};

use crate::actions::{bulk, instances};
use crate::cli::exit::{Failure, usage};
use crate::cli::lxd::action;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::lxd::sessions::Attached;
use crate::cli::output::report;

/// Which instances.
#[derive(Debug, clap::Args)]
struct Targets {
    /// The instances, such as berlin:c1; with --all the clouds. Default then: every cloud.
    #[arg(required_unless_present = "all")]
    instances: Vec<String>,
    /// All instances.
    #[arg(long)]
    all: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Start {
    #[command(flatten)]
    targets: Targets,
    /// Without the state that was kept when they were stopped.
    #[arg(long)]
    stateless: bool,
    #[command(flatten)]
    attached: Attached,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Stop {
    #[command(flatten)]
    targets: Targets,
    #[command(flatten)]
    how: How,
    /// Keep the state of what runs.
    #[arg(long)]
    stateful: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Restart {
    #[command(flatten)]
    targets: Targets,
    #[command(flatten)]
    how: How,
    #[command(flatten)]
    attached: Attached,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Pause {
    #[command(flatten)]
    targets: Targets,
}

/// How something is stopped.
#[derive(Debug, clap::Args)]
struct How {
    /// By force: without asking what runs in them.
    #[arg(short, long)]
    force: bool,
    /// How many seconds an instance gets to stop by itself. Default: as many as the server gives it.
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, default_value_t = -1, hide_default_value = true)]
    timeout: i64,
}

impl How {
    fn change(&self, action: Action) -> StateChange {
        let change = StateChange::new(action);
        let change = if self.force { change.force() } else { change };
        match u64::try_from(self.timeout) {
            Ok(seconds) => change.within(Duration::from_secs(seconds)),
            Err(_) => change,
        }
    }
}

/// Starts instances; those that are frozen go on.
pub(super) async fn start(fleet: &Fleet, options: &Start) -> anyhow::Result<ExitCode> {
    use instances::Stateful::{Forget, Resume};
    let state = if options.stateless { Forget } else { Resume };
    options.attached.check(options.targets.count())?;
    let targets = options.targets.find(fleet, |status| status != "Running").await?;
    let started =
        targets.run(async |(client, name), job| instances::start(client, name, state, job).await).await?;
    options.targets.then(fleet, &options.attached, started).await
}

pub(super) async fn stop(fleet: &Fleet, options: &Stop) -> anyhow::Result<ExitCode> {
    let change = options.how.change(Action::Stop);
    let change = if options.stateful { change.stateful() } else { change };
    options.targets.find(fleet, |status| status != "Stopped").await?.change(&change).await
}

pub(super) async fn restart(fleet: &Fleet, options: &Restart) -> anyhow::Result<ExitCode> {
    let change = options.how.change(Action::Restart);
    options.attached.check(options.targets.count())?;
    let targets = options.targets.find(fleet, |status| status == "Running").await?;
    let restarted = targets.change(&change).await?;
    options.targets.then(fleet, &options.attached, restarted).await
}

pub(super) async fn pause(fleet: &Fleet, options: &Pause) -> anyhow::Result<ExitCode> {
    let change = StateChange::new(Action::Freeze);
    options.targets.find(fleet, |status| status == "Running").await?.change(&change).await
}

/// Instances with the clients of their clouds, and what kept others from being found.
struct Found {
    instances: Vec<(String, (Client, String))>,
    /// The clouds that could not be asked.
    failures: Vec<Failure>,
}

impl Targets {
    /// How many are named. All are many.
    fn count(&self) -> usize {
        if self.all { usize::MAX } else { self.instances.len() }
    }

    /// Joins the console of the single instance, where that is wanted.
    async fn then(&self, fleet: &Fleet, attached: &Attached, before: ExitCode) -> anyhow::Result<ExitCode> {
        attached.follow(fleet, self.instances.first().map_or("", String::as_str), before).await
    }

    /// The instances that are named, or all that are in such a state.
    async fn find(&self, fleet: &Fleet, fits: impl Fn(&str) -> bool) -> anyhow::Result<Found> {
        if self.all {
            return self.find_all(fleet, fits).await;
        }
        let mut instances = Vec::new();
        for text in &self.instances {
            let (cloud, name) = fleet.target(text)?;
            instances.push((text.clone(), (fleet.client(cloud).await?, name.to_owned())));
        }
        Ok(Found { instances, failures: Vec::new() })
    }

    /// All instances of these clouds. A cloud that cannot be reached does not keep the others from it.
    async fn find_all(&self, fleet: &Fleet, fits: impl Fn(&str) -> bool) -> anyhow::Result<Found> {
        if self.instances.iter().any(|text| text.split_once(':').is_some_and(|(_, name)| !name.is_empty())) {
            return Err(usage("Both --all and instance name given"));
        }
        let clouds = fleet.clouds(&self.instances)?;
        let looks = bulk(clouds, async |cloud| {
            let look = async {
                let client = fleet.client(cloud).await?;
                let found = client.instances().await?;
                anyhow::Ok((client, found))
            };
            (cloud, look.await.with_context(|| cloud.name.clone()))
        });
        let mut found = Found { instances: Vec::new(), failures: Vec::new() };
        for (cloud, look) in looks.await {
            match look {
                Ok((client, instances)) => {
                    let fitting = instances.into_iter().filter(|instance| fits(&instance.status));
                    found.instances.extend(
                        fitting.map(|i| (format!("{}:{}", cloud.name, i.name), (client.clone(), i.name))),
                    );
                }
                Err(error) => found.failures.push(Failure::of(&error)),
            }
        }
        Ok(found)
    }
}

impl Found {
    /// Does the same for each.
    async fn run(
        self,
        action: impl AsyncFn(&(Client, String), &crate::actions::Job) -> Result<(), crate::actions::ActionError>,
    ) -> anyhow::Result<ExitCode> {
        let outcome = action::run_for_all(self.instances, action).await;
        self.failures.iter().for_each(report);
        Ok(self.failures.first().map_or(outcome?, |failure| ExitCode::from(failure.code)))
    }

    async fn change(self, change: &StateChange) -> anyhow::Result<ExitCode> {
        self.run(async |(client, name), job| instances::change_state(client, name, change, job).await).await
    }
}
