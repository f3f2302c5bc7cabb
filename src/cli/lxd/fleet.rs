//! The clouds that a command works with, and the way to them.

use lxd_client::{Client, InstanceHandle};

use crate::cli::exit::usage;
use crate::config::{CloudConfig, CloudKind, Config};
use crate::uplink::Uplink;

/// The cloud of that name.
pub(in crate::cli) fn named<'a>(config: &'a Config, name: &str) -> anyhow::Result<&'a CloudConfig> {
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
pub(super) struct Fleet {
    pub(super) uplink: Uplink,
    pub(super) config: Config,
}

impl Fleet {
    /// The clouds of these names, or all that have an API.
    pub(super) fn clouds(&self, names: &[String]) -> anyhow::Result<Vec<&CloudConfig>> {
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

    pub(super) fn with_api(&self, name: &str) -> anyhow::Result<&CloudConfig> {
        let cloud = named(&self.config, name)?;
        if cloud.kind == CloudKind::Tcp {
            return Err(usage(format!("the cloud {} is of kind tcp: it is only forwarded", cloud.name)));
        }
        Ok(cloud)
    }

    pub(super) async fn client(&self, cloud: &CloudConfig) -> anyhow::Result<Client> {
        self.uplink.client(&self.config, cloud).await
    }

    /// The cloud of `berlin:`, and the cloud and the thing of `berlin:c1`; with a single cloud, of `c1`. The name is empty
    /// where the cloud itself is meant.
    pub(super) fn place<'a>(&'a self, text: &'a str) -> anyhow::Result<(&'a CloudConfig, &'a str)> {
        match text.split_once(':') {
            Some((cloud, name)) => Ok((self.with_api(cloud)?, name)),
            None => match &self.clouds(&[])?[..] {
                [single] => Ok((*single, text)),
                _ => Err(usage(format!("{text:?} does not say in which cloud: write CLOUD:{text}"))),
            },
        }
    }

    /// The cloud and the instance of `berlin:c1`; with a single cloud, of `c1`.
    pub(super) fn target<'a>(&'a self, text: &'a str) -> anyhow::Result<(&'a CloudConfig, &'a str)> {
        let (cloud, instance) = self.place(text)?;
        if instance.is_empty() {
            return Err(usage(format!("{text:?} names no instance: write {}:INSTANCE", cloud.name)));
        }
        Ok((cloud, instance))
    }

    /// The instance, with a client of its cloud.
    pub(super) async fn instance(&self, text: &str) -> anyhow::Result<InstanceHandle> {
        let (cloud, name) = self.target(text)?;
        Ok(self.client(cloud).await?.instance(name))
    }
}
