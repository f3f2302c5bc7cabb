//! Making instances.

use std::collections::BTreeMap;

use lxd_client::{Action, Client, Error, NewInstance, StateChange};

use super::delete::delete;
use super::edit::{Device, Devices};
use super::origin::{Origin, Source};
use super::state::change_state;
use crate::actions::operation::name_of;
use crate::actions::{ActionError, Job};

/// An instance to make.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// Its name; the server chooses one where it is empty.
    pub(crate) name: String,
    pub(crate) origin: Origin,
    /// A virtual machine; else as the image is.
    pub(crate) virtual_machine: bool,
    /// To be deleted when it stops.
    pub(crate) ephemeral: bool,
    /// Its profiles, in this order. Default: `default`.
    pub(crate) profiles: Option<Vec<String>>,
    pub(crate) config: BTreeMap<String, String>,
    pub(crate) devices: Devices,
    /// Settings for devices that it has from here or from its profiles.
    pub(crate) overrides: Devices,
    /// The network for its interface `eth0`.
    pub(crate) network: Option<String>,
    /// The pool for its root disk.
    pub(crate) pool: Option<String>,
    /// Limits by the name of a cloud's offer, such as `t2.micro`.
    pub(crate) instance_type: Option<String>,
    pub(crate) description: String,
}

/// Makes an instance, which does not run yet, and gives its name. When the job is cancelled, or it fails, there is none.
pub(crate) async fn create(client: &Client, wanted: &Wanted, job: &Job) -> Result<String, ActionError> {
    let new = job.run(prepared(client, wanted)).await?;
    job.stage("creating");
    // The request is not given up when the job is cancelled: nobody would know whether there is an instance then.
    let operation = client.create_instance(&new).await.map_err(|error| unsure(error.into(), &wanted.name))?;
    let begun = name_of(operation.begun_as(), "instances");
    let ended = job.follow(operation).await.map_err(|error| unsure(error, &wanted.name))?;
    let name = name_of(&ended, "instances").or(begun).unwrap_or_else(|| wanted.name.clone());
    if job.is_cancelled() { Err(removed(client, &name).await) } else { Ok(name) }
}

/// Makes an instance and starts it. When the job is cancelled, there is none. One that does not start stays, as with `lxc`,
/// so that its log can be read.
pub(crate) async fn launch(client: &Client, wanted: &Wanted, job: &Job) -> Result<String, ActionError> {
    let name = create(client, wanted, job).await?;
    job.stage("starting");
    let started = change_state(client, &name, &StateChange::new(Action::Start), job).await;
    if job.is_cancelled() {
        return Err(removed(client, &name).await);
    }
    match started {
        Ok(()) => Ok(name),
        Err(error) => Err(error.leaving(format!("the instance {name}, which does not run"))),
    }
}

/// Removes an instance that was made although the job was cancelled.
async fn removed(client: &Client, name: &str) -> ActionError {
    let cancelled = ActionError::cancelled();
    match delete(client, name, true, &Job::new()).await {
        Ok(()) => cancelled,
        Err(ActionError::Cloud(error)) if error.is_not_found() => cancelled,
        Err(error) => cancelled.leaving(format!("the instance {name}, which could not be deleted: {error}")),
    }
}

/// An error of a server that has answered leaves nothing, as the server removes what it has begun. After another one nobody
/// knows.
fn unsure(error: ActionError, name: &str) -> ActionError {
    let lost = match &error {
        ActionError::Cloud(error) => {
            matches!(error, Error::Broken { .. } | Error::Timeout { .. } | Error::OperationLost { .. })
        }
        _ => false,
    };
    if !lost {
        return error;
    }
    let name = if name.is_empty() { String::new() } else { format!(" {name}") };
    error.leaving(format!("perhaps the instance{name}, as it is not known how its creation ended"))
}

/// The instance as the server takes it, after a look at what it is made of.
async fn prepared(client: &Client, wanted: &Wanted) -> Result<NewInstance, ActionError> {
    let (Source { source, virtual_machine }, network, inherited) = tokio::try_join!(
        wanted.origin.find(client),
        interface(client, wanted.network.as_deref()),
        inherited(client, wanted)
    )?;
    if wanted.virtual_machine && virtual_machine == Some(false) {
        return Err(ActionError::Refused("Asked for a VM but image is of type container".to_owned()));
    }
    let mut devices = wanted.devices.clone();
    if let Some(pool) = &wanted.pool {
        let root = [("type", "disk"), ("path", "/"), ("pool", pool)];
        devices.insert("root".to_owned(), root.map(|(k, v)| (k.to_owned(), v.to_owned())).into());
    }
    if let Some(interface) = network {
        devices.insert("eth0".to_owned(), interface);
    }
    overridden(&mut devices, &inherited, &wanted.overrides)?;

    let mut new = NewInstance::from_source(&wanted.name, source);
    if wanted.virtual_machine || virtual_machine == Some(true) {
        new = new.virtual_machine();
    }
    if wanted.ephemeral {
        new = new.ephemeral();
    }
    if !wanted.description.is_empty() {
        new = new.description(&wanted.description);
    }
    if let Some(name) = &wanted.instance_type {
        new = new.instance_type(name);
    }
    if let Some(profiles) = &wanted.profiles {
        new = profiles.iter().fold(new.no_profiles(), |new, profile| new.profile(profile));
    }
    new = wanted.config.iter().fold(new, |new, (key, value)| new.config(key, value));
    Ok(devices.iter().fold(new, |new, (name, device)| {
        new.device(name, device.iter().map(|(key, value)| (key.as_str(), value.as_str())))
    }))
}

/// The interface `eth0` in a network: by the network's own settings where the server manages it.
async fn interface(client: &Client, network: Option<&str>) -> Result<Option<Device>, ActionError> {
    let Some(name) = network else { return Ok(None) };
    let network = client.network(name).get().await?;
    let interface = match (network.managed, network.kind.as_str()) {
        (true, _) => vec![("network", name)],
        (false, "bridge") => vec![("nictype", "bridged"), ("parent", name)],
        (false, _) => vec![("nictype", "macvlan"), ("parent", name)],
    };
    let all = [("type", "nic"), ("name", "eth0")].into_iter().chain(interface);
    Ok(Some(all.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()))
}

/// The devices that the instance has from its profiles, where they are needed.
async fn inherited(client: &Client, wanted: &Wanted) -> Result<Devices, ActionError> {
    let mut devices = Devices::new();
    if wanted.overrides.keys().all(|name| wanted.devices.contains_key(name)) {
        return Ok(devices);
    }
    let default = ["default".to_owned()];
    for profile in wanted.profiles.as_deref().unwrap_or(&default) {
        devices.extend(client.profile(profile).get().await?.value.devices);
    }
    Ok(devices)
}

/// Adds the settings to the devices that they are for.
fn overridden(devices: &mut Devices, inherited: &Devices, overrides: &Devices) -> Result<(), ActionError> {
    for (name, settings) in overrides {
        let Some(device) = devices.get(name).or_else(|| inherited.get(name)) else {
            return Err(ActionError::Refused(format!(
                "Cannot override config for device \"{name}\": Device not found in profile devices"
            )));
        };
        let mut device = device.clone();
        device.extend(settings.clone());
        devices.insert(name.clone(), device);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_devices_go_to_the_devices_of_the_profiles_too() {
        let device = |settings: &[(&str, &str)]| -> Device {
            settings.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect()
        };
        let root = || Devices::from([("root".to_owned(), device(&[("type", "disk"), ("size", "1GB")]))]);
        let wanted = Devices::from([("root".to_owned(), device(&[("size", "2GB")]))]);
        for (mut devices, inherited) in [(root(), Devices::new()), (Devices::new(), root())] {
            overridden(&mut devices, &inherited, &wanted).unwrap();
            assert_eq!(devices["root"], device(&[("type", "disk"), ("size", "2GB")]));
        }
        let refused = overridden(&mut Devices::new(), &Devices::new(), &wanted).unwrap_err().to_string();
        assert!(refused.contains("device \"root\""), "{refused}");
    }
}
