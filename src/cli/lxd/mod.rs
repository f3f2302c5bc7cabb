//! `lxd`: works with the instances of all configured clouds.

pub(super) mod args;
mod exec;
mod files;
mod instances;
mod launch;
mod servers;

use std::process::ExitCode;

use lxd_client::{Client, InstanceHandle};

use self::args::{Lxd, LxdCommand};
use super::exit::usage;
use super::output::Out;
use crate::config::{CloudConfig, CloudKind, Config};
use crate::uplink::Uplink;

pub(super) async fn run(command: &Lxd, mut config: Config, out: &Out) -> anyhow::Result<ExitCode> {
    if let Some(project) = &command.project {
        let with_api = config.clouds.iter_mut().filter(|cloud| cloud.kind != CloudKind::Tcp);
        with_api.for_each(|cloud| cloud.project = Some(project.clone()));
    }
    let fleet = Fleet { uplink: Uplink::either(&config).await?, config };
    let outcome = match &command.command {
        LxdCommand::Ping { clouds, count } => servers::ping(&fleet, clouds, *count, out).await,
        LxdCommand::List { clouds, all_projects } => {
            instances::list(&fleet, clouds, *all_projects, out).await
        }
        LxdCommand::Info { target } => servers::info(&fleet, target, out).await,
        LxdCommand::Exec(options) => exec::exec(&fleet, options).await,
        LxdCommand::Start(change) => instances::change(&fleet, change, instances::Verb::Start).await,
        LxdCommand::Stop(change) => instances::change(&fleet, change, instances::Verb::Stop).await,
        LxdCommand::Restart(change) => instances::change(&fleet, change, instances::Verb::Restart).await,
        LxdCommand::Delete(change) => instances::change(&fleet, change, instances::Verb::Delete).await,
        LxdCommand::Launch(options) => launch::launch(&fleet, options, out).await,
        LxdCommand::File(command) => files::run(&fleet, command).await,
        LxdCommand::Events { clouds, operations } => servers::events(&fleet, clouds, *operations, out).await,
        LxdCommand::Trust { cloud, token_from } => {
            servers::trust(&fleet, cloud, token_from.as_deref(), out).await
        }
    };
    fleet.uplink.close().await;
    outcome
}

/// The cloud of that name.
pub(super) fn named<'a>(config: &'a Config, name: &str) -> anyhow::Result<&'a CloudConfig> {
    let name = name.trim_end_matches(':');
    config.clouds.iter().find(|cloud| cloud.name == name).ok_or_else(|| {
        let names: Vec<&str> = config.clouds.iter().map(|cloud| cloud.name.as_str()).collect();
        let known = match &names[..] {
            [] => "the configuration has none".to_owned(),
            names => format!("known are {}", names.join(", ")),
        };
        usage(format!("no cloud is named {name:?}: {known}"))
    })
}

/// The clouds and the way to them.
struct Fleet {
    uplink: Uplink,
    config: Config,
}

impl Fleet {
    /// The clouds of these names, or all that have an API.
    fn clouds(&self, names: &[String]) -> anyhow::Result<Vec<&CloudConfig>> {
        if names.is_empty() {
            let all: Vec<_> = self.config.clouds.iter().filter(|c| c.kind != CloudKind::Tcp).collect();
            return if all.is_empty() {
                Err(usage("the configuration has no cloud of kind lxd or incus"))
            } else {
                Ok(all)
            };
        }
        names.iter().map(|name| self.with_api(name)).collect()
    }

    fn with_api(&self, name: &str) -> anyhow::Result<&CloudConfig> {
        let cloud = named(&self.config, name)?;
        if cloud.kind == CloudKind::Tcp {
            return Err(usage(format!("the cloud {} is of kind tcp: it is only forwarded", cloud.name)));
        }
        Ok(cloud)
    }

    async fn client(&self, cloud: &CloudConfig) -> anyhow::Result<Client> {
        self.uplink.client(&self.config, cloud).await
    }

    /// The cloud and the instance of `berlin:c1`; with a single cloud, of `c1`.
    fn target<'a>(&'a self, text: &'a str) -> anyhow::Result<(&'a CloudConfig, &'a str)> {
        let (cloud, instance) = match text.split_once(':') {
            Some((cloud, instance)) => (self.with_api(cloud)?, instance),
            None => match &self.clouds(&[])?[..] {
                [single] => (*single, text),
                _ => return Err(usage(format!("{text:?} does not say in which cloud: write CLOUD:{text}"))),
            },
        };
        if instance.is_empty() {
            return Err(usage(format!("{text:?} names no instance: write {}:INSTANCE", cloud.name)));
        }
        Ok((cloud, instance))
    }

    /// The instance, with a client of its cloud.
    async fn instance(&self, text: &str) -> anyhow::Result<InstanceHandle> {
        let (cloud, name) = self.target(text)?;
        Ok(self.client(cloud).await?.instance(name))
    }
}
