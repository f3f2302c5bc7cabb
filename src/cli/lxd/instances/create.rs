//! `lxd launch` and `init`: make instances.

use std::cell::RefCell;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::pairs::{by_device, device_setting, pair};
use crate::actions::instances::{self, Origin, Settings, Wanted};
use crate::cli::edit::input;
use crate::cli::exit::usage;
use crate::cli::lxd::action;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::lxd::sessions::Attached;
use crate::cli::output::Out;

#[derive(Debug, clap::Args)]
pub(crate) struct Launch {
    #[command(flatten)]
    create: Create,
    #[command(flatten)]
    attached: Attached,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Create {
    #[command(flatten)]
    pub(super) image: Image,
    /// The new instances, such as berlin:c1; without a name, as in berlin:, the server chooses one.
    pub(crate) instances: Vec<String>,
    /// A profile, of several in this order. Default: the profile default.
    #[arg(short, long)]
    pub(crate) profile: Vec<String>,
    /// No profile, not even default.
    #[arg(long, conflicts_with = "profile")]
    pub(crate) no_profiles: bool,
    /// A setting of the instance.
    #[arg(short = 'c', long = "set", value_name = "KEY=VALUE", value_parser = pair)]
    pub(crate) settings: Vec<(String, String)>,
    /// A setting of a device, which it has from here or from its profiles.
    #[arg(short, long, value_name = "DEVICE,KEY=VALUE", value_parser = device_setting)]
    pub(crate) device: Vec<(String, String, String)>,
    /// The network of its interface eth0.
    #[arg(short, long, value_name = "NAME")]
    pub(crate) network: Option<String>,
    /// The storage pool of its root disk.
    #[arg(short, long, value_name = "POOL")]
    pub(crate) storage: Option<String>,
    /// Limits by the name of a cloud's offer, such as t2.micro or c2-m4.
    #[arg(short = 't', long = "type", value_name = "TYPE")]
    pub(crate) instance_type: Option<String>,
    /// The member of the cluster that is to have it.
    #[arg(long, value_name = "MEMBER")]
    pub(crate) target: Option<String>,
    /// To be deleted when it stops.
    #[arg(short, long)]
    pub(crate) ephemeral: bool,
    /// A virtual machine.
    #[arg(long)]
    pub(crate) vm: bool,
}

/// What an instance is made of.
#[derive(Debug, clap::Args)]
pub(crate) struct Image {
    /// The image: an alias or a fingerprint at the server; with --from, an alias at that server. With --empty there is none.
    #[arg(value_name = "IMAGE")]
    pub(super) image: String,
    /// Without anything in it.
    #[arg(long, conflicts_with = "from")]
    empty: bool,
    /// A server of images that the cloud fetches from, by its own network.
    #[arg(long, value_name = "URL")]
    from: Option<String>,
    /// What the server of images speaks.
    #[arg(long, default_value = "simplestreams", value_parser = ["simplestreams", "lxd", "incus"])]
    protocol: String,
}

impl Image {
    /// What the instances are made of, and the instances.
    pub(super) fn split(&self, instances: &[String]) -> (Option<&str>, Vec<String>) {
        if self.empty {
            return (None, [&self.image].into_iter().chain(instances).cloned().collect());
        }
        (Some(&self.image), instances.to_vec())
    }

    /// What an instance of that cloud is made of. The cloud may be named before an image of its own too.
    pub(super) fn origin(&self, image: Option<&str>, cloud: &str) -> anyhow::Result<Origin> {
        Ok(match (image, &self.from) {
            (None, _) => Origin::Nothing,
            (Some(image), Some(url)) => {
                Origin::Server { url: url.clone(), protocol: self.protocol.clone(), image: image.to_owned() }
            }
            (Some(image), None) => match image.split_once(':') {
                None => Origin::Image(image.to_owned()),
                Some((of, image)) if of == cloud => Origin::Image(image.to_owned()),
                Some((of, image)) => {
                    return Err(usage(format!(
                        "the instance is to be in {cloud}, and the image {image} is in {of}: copy it first, or name a server of images with --from"
                    )));
                }
            },
        })
    }
}

impl Create {
    /// The instances that are asked for.
    fn names(&self) -> Vec<String> {
        let (_, mut names) = self.image.split(&self.instances);
        if names.is_empty() {
            names.push(String::new()); // a name of the server's choice, in the single cloud
        }
        names
    }
}

/// Makes the instances and starts them.
pub(super) async fn launch(fleet: &Fleet, options: &Launch, out: &Out) -> anyhow::Result<ExitCode> {
    options.attached.check(options.create.names().len())?;
    let (code, made) = make(fleet, &options.create, true, out).await?;
    let text = |key: &str| made.first().and_then(|made| made[key].as_str()).unwrap_or_default().to_owned();
    options.attached.follow(fleet, &format!("{}:{}", text("cloud"), text("name")), code).await
}

/// Makes the instances.
pub(super) async fn create(fleet: &Fleet, options: &Create, out: &Out) -> anyhow::Result<ExitCode> {
    make(fleet, options, false, out).await.map(|(code, _)| code)
}

/// Makes the instances, many at once, and starts them if they are to run. It gives what it has made.
async fn make(
    fleet: &Fleet,
    options: &Create,
    start: bool,
    out: &Out,
) -> anyhow::Result<(ExitCode, Vec<Value>)> {
    let given: Settings = match input().await? {
        Some(text) if !text.trim().is_empty() => serde_yaml::from_str(&text)
            .map_err(|error| usage(format!("the standard input is no instance: {error}")))?,
        _ => Settings::default(),
    };
    let (image, names) = (options.image.split(&options.instances).0, options.names());
    let mut targets = Vec::new();
    for text in &names {
        let (cloud, name) = fleet.place(text)?;
        let mut client = fleet.client(cloud).await?;
        if let Some(member) = &options.target {
            client = client.target(member);
        }
        let wanted = wanted(name, options.image.origin(image, &cloud.name)?, options, &given);
        let label = format!("{}:{name}", cloud.name);
        targets.push((label, (cloud.name.clone(), client, wanted)));
    }
    let made = RefCell::new(Vec::<Value>::new());
    let outcome = action::run_for_all(targets, async |(cloud, client, wanted), job| {
        let (name, status) = if start {
            (instances::launch(client, wanted, job).await?, "Running")
        } else {
            (instances::create(client, wanted, job).await?, "Stopped")
        };
        made.borrow_mut().push(json!({"cloud": cloud, "name": name, "status": status}));
        Ok(())
    })
    .await;
    let made = made.into_inner();
    let lines = || made.iter().map(|made| line(made, &names)).collect::<String>();
    match &made[..] {
        [] => {}
        [one] if names.len() == 1 => out.print(one, lines)?,
        several => out.print(&several, lines)?,
    }
    Ok((outcome?, made))
}

/// What is said of an instance that was made: its name alone where the server chose it, in the words of `lxc`.
fn line(made: &Value, given: &[String]) -> String {
    let text = |key: &str| made[key].as_str().unwrap_or_default();
    let (cloud, name) = (text("cloud"), text("name"));
    let is_given = given.iter().any(|given| given.rsplit(':').next() == Some(name));
    match text("status") {
        _ if !is_given => format!("Instance name is: {name}\n"),
        "Running" => format!("{cloud}:{name} runs\n"),
        _ => format!("{cloud}:{name} is made\n"),
    }
}

/// The instance, by the options and by what came from the standard input, in this order.
fn wanted(name: &str, origin: Origin, options: &Create, given: &Settings) -> Wanted {
    let mut config = given.config.clone();
    config.extend(options.settings.iter().cloned());
    let profiles = match (options.no_profiles, &options.profile[..], &given.profiles[..]) {
        (true, ..) => Some(Vec::new()),
        (false, [], []) => None,
        (false, [], given) => Some(given.to_vec()),
        (false, chosen, _) => Some(chosen.to_vec()),
    };
    Wanted {
        name: name.to_owned(),
        origin,
        virtual_machine: options.vm,
        ephemeral: options.ephemeral || given.ephemeral,
        profiles,
        config,
        devices: given.devices.clone(),
        overrides: by_device(&options.device),
        network: options.network.clone(),
        pool: options.storage.clone(),
        instance_type: options.instance_type.clone(),
        description: given.description.clone(),
    }
}
