//! The clouds that a command works with, and the way to them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lxd_client::{Client, InstanceHandle};
use tokio::sync::OnceCell;

use crate::cli::exit::{Failure, NoCloud, UserError, usage};
use crate::config::{CloudConfig, CloudKind, Config, nearest};
use crate::control::client as control;
use crate::control::protocol::CloudNames;
use crate::uplink::{self, Uplink};

/// The cloud of that name.
pub(in crate::cli) fn named<'a>(config: &'a Config, name: &str) -> anyhow::Result<&'a CloudConfig> {
    let name = name.trim_end_matches(':');
    config.clouds.iter().find(|cloud| cloud.name == name).ok_or_else(|| {
        let names: Vec<&str> = config.clouds.iter().map(|cloud| cloud.name.as_str()).collect();
        let known = match (&names[..], nearest(name, names.iter().copied())) {
            ([], _) => "the configuration has none".to_owned(),
            (_, Some(near)) => format!("did you mean {near}? known are {}", names.join(", ")),
            (names, None) => format!("known are {}", names.join(", ")),
        };
        usage(format!("no cloud is named {name:?}: {known}"))
    })
}

/// The exit code where something is not there.
const NOT_THERE: u8 = 5;

/// How long an error waits for the names that the running node knows.
const PATIENCE: Duration = Duration::from_millis(300);

/// The clouds, and the way to them, which is made when it is first needed: what comes from the running node's inventory needs
/// no client, and then nothing joins the tailnet.
pub(super) struct Fleet {
    pub(super) config: Config,
    node: OnceCell<Option<control::Client>>,
    uplink: OnceCell<Uplink>,
    /// One for each cloud that was asked for, kept for the time of the command.
    clients: Mutex<Vec<(CloudConfig, Arc<OnceCell<Client>>)>>,
    /// The instances that were named, as they were written.
    named: Mutex<Vec<String>>,
}

impl Fleet {
    pub(super) fn new(config: Config) -> Fleet {
        let (node, uplink) = (OnceCell::new(), OnceCell::new());
        Fleet { config, node, uplink, clients: Mutex::default(), named: Mutex::default() }
    }

    /// The running node, if one runs.
    pub(super) async fn node(&self) -> anyhow::Result<Option<&control::Client>> {
        let find = async || match uplink::running(&self.config).await {
            Ok(client) => Ok(Some(client)),
            Err(control::ControlError::NoNode(_)) => Ok(None),
            Err(error) => Err(error),
        };
        Ok(self.node.get_or_try_init(find).await?.as_ref())
    }

    /// The way into the tailnet: the running node, or a node of the command's own, which joins now.
    pub(super) async fn uplink(&self) -> anyhow::Result<&Uplink> {
        let make = async || match self.node().await? {
            Some(node) => Ok(Uplink::Running(node.clone())),
            None => Uplink::own(&self.config).await,
        };
        self.uplink.get_or_try_init(make).await
    }

    /// The clouds of these names, or all that have an API.
    pub(super) fn clouds(&self, names: &[String]) -> anyhow::Result<Vec<&CloudConfig>> {
        if names.is_empty() {
            let all: Vec<_> = self.config.clouds.iter().filter(|c| c.kind != CloudKind::Tcp).collect();
            return if all.is_empty() {
                Err(usage(
                    "the configuration has no cloud of kind lxd or incus: name one in kolaboree.yaml, under clouds",
                ))
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

    /// The client of a cloud, in its project. Each cloud has one for the time of the command.
    pub(super) async fn client(&self, cloud: &CloudConfig) -> anyhow::Result<Client> {
        let made = {
            let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
            match clients.iter().find(|(of, _)| of == cloud) {
                Some((_, client)) => client.clone(),
                None => {
                    let client = Arc::default();
                    clients.push((cloud.clone(), Arc::clone(&client)));
                    client
                }
            }
        };
        let make = async || self.uplink().await?.client(&self.config, cloud).await;
        made.get_or_try_init(make).await.cloned()
    }

    /// The cloud of `berlin:c1`, `berlin:` and, with a single cloud, of `c1` and of nothing; and what stands behind the cloud,
    /// which may be empty.
    pub(super) fn place<'a>(&'a self, text: &'a str) -> anyhow::Result<(&'a CloudConfig, &'a str)> {
        if let Some((cloud, name)) = text.split_once(':') {
            return Ok((self.with_api(cloud)?, name));
        }
        match &self.clouds(&[])?[..] {
            [single] => Ok((*single, text)),
            clouds if text.is_empty() => {
                let names: Vec<String> = clouds.iter().map(|cloud| format!("{}:", cloud.name)).collect();
                Err(usage(format!("no cloud is named: write {}", names.join(" or "))))
            }
            _ => Err(NoCloud { name: text.to_owned() }.into()),
        }
    }

    /// The cloud that an argument of a list names, and the filter for it: of `berlin:`, of `berlin` where that is one, and of
    /// `berlin:web`. Without a cloud it is a filter alone, whose value may have a colon in it (`ipv6=fd42::1`).
    pub(super) fn with_filter<'a>(&self, text: &'a str) -> (Option<&'a str>, &'a str) {
        match text.split_once(':') {
            Some((cloud, filter)) if !cloud.contains('=') => (Some(cloud), filter),
            _ if self.config.clouds.iter().any(|cloud| cloud.name == text) => (Some(text), ""),
            _ => (None, text),
        }
    }

    /// The cloud and the instance of `berlin:c1`; with a single cloud, of `c1`.
    pub(super) fn target<'a>(&'a self, text: &'a str) -> anyhow::Result<(&'a CloudConfig, &'a str)> {
        self.thing(text, "instance")
    }

    /// The cloud and the name of `berlin:NAME`, of a thing of that kind; with a single cloud, of `NAME`.
    pub(super) fn thing<'a>(
        &'a self,
        text: &'a str,
        kind: &str,
    ) -> anyhow::Result<(&'a CloudConfig, &'a str)> {
        let (cloud, name) = self.place(text)?;
        if name.is_empty() {
            let what = kind.to_uppercase();
            return Err(usage(format!("{text:?} names no {kind}: write {}:{what}", cloud.name)));
        }
        if kind == "instance" {
            self.named.lock().unwrap_or_else(PoisonError::into_inner).push(text.to_owned());
        }
        Ok((cloud, name))
    }

    /// The instance, with a client of its cloud.
    pub(super) async fn instance(&self, text: &str) -> anyhow::Result<InstanceHandle> {
        let (cloud, name) = self.target(text)?;
        Ok(self.client(cloud).await?.instance(name))
    }

    /// The error. Of a name without its cloud it also says which clouds have that instance, and of an instance that is not
    /// there which one may be meant, as far as the running node knows.
    pub(super) async fn explain(&self, error: anyhow::Error) -> anyhow::Error {
        let Some(NoCloud { name }) = error.downcast_ref() else { return self.with_the_nearest(error).await };
        let instance = name.split('/').next().unwrap_or_default();
        let clouds = self.names().await;
        let with_it =
            clouds.iter().filter(|cloud| cloud.instances.iter().any(|known| known.name == instance));
        let places: Vec<String> = with_it.map(|cloud| format!("{}:{name}", cloud.cloud)).collect();
        match &places[..] {
            [] => error,
            places => usage(format!("{name:?} does not say in which cloud: write {}", places.join(" or "))),
        }
    }

    /// What the running node knows by name, where it answers at once.
    async fn names(&self) -> Vec<CloudNames> {
        let asked = async { self.node().await.ok()??.names().await.ok() };
        tokio::time::timeout(PATIENCE, asked).await.ok().flatten().unwrap_or_default()
    }

    /// The error, with what may be meant by each instance in it that is not there.
    async fn with_the_nearest(&self, error: anyhow::Error) -> anyhow::Error {
        let failure = Failure::of(&error);
        if failure.code != NOT_THERE || self.node.get().is_none_or(Option::is_none) {
            return error;
        }
        let clouds = self.names().await;
        let named = std::mem::take(&mut *self.named.lock().unwrap_or_else(PoisonError::into_inner));
        let meant: Vec<(&str, String)> =
            named.iter().filter_map(|text| Some((text.as_str(), self.meant(text, &clouds)?))).collect();
        if meant.is_empty() {
            return error;
        }
        let lines = failure.message.lines().map(|line| {
            let of_it = |text: &str| line.strip_prefix(text).is_some_and(|rest| rest.starts_with([':', '/']));
            match meant.iter().find(|(text, _)| of_it(text)) {
                Some((_, meant)) => format!("{line}; did you mean {meant}?"),
                None => line.to_owned(),
            }
        });
        let message = lines.collect::<Vec<_>>().join("\n");
        UserError { code: failure.code, message, hint: failure.hint.unwrap_or_default() }.into()
    }

    /// The instance that may be meant by a name that is none: the same name in another cloud, or the nearest name in this one.
    fn meant(&self, text: &str, clouds: &[CloudNames]) -> Option<String> {
        let (cloud, name) = self.place(text).ok()?;
        let name = name.split('/').next().unwrap_or_default();
        // Each cloud works in its own project.
        let all = |known: &CloudNames| -> Vec<String> {
            let project = self.config.clouds.iter().find(|cloud| cloud.name == known.cloud);
            let project = project.and_then(|cloud| cloud.project.as_deref()).unwrap_or("default");
            known.instances.iter().filter(|i| i.project == project).map(|i| i.name.clone()).collect()
        };
        let has = |cloud: &CloudNames| all(cloud).iter().any(|known| known == name);
        let here = clouds.iter().find(|known| known.cloud == cloud.name)?;
        if has(here) {
            return None; // it is another thing that is not there
        }
        let elsewhere = clouds.iter().find(|cloud| has(cloud)).map(|cloud| format!("{}:{name}", cloud.cloud));
        let known = all(here);
        let near = || nearest(name, known.iter().map(String::as_str));
        elsewhere.or_else(|| Some(format!("{}:{}", cloud.name, near()?)))
    }

    /// Stops the command's own node, if it made one.
    pub(super) async fn close(self) {
        if let Some(uplink) = self.uplink.into_inner() {
            uplink.close().await;
        }
    }
}
