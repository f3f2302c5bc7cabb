//! Devices by which a profile or an instance has a network or a volume.

use lxd_client::Client;
use serde_json::{Map, Value};

use super::objects::{self, NETWORK, Object, Settings, VOLUME, text};
use super::{ActionError, Job};

/// Gives an instance or a profile an interface in a network, as the device of this name; `interface` is its name inside.
pub(crate) async fn attach_network(
    client: &Client,
    network: &str,
    to: &Object,
    device: &str,
    interface: Option<&str>,
    job: &Job,
) -> Result<(), ActionError> {
    let found = Object::new(client, &NETWORK, &[network]).get(job).await?;
    let managed = found.get("managed").and_then(Value::as_bool).unwrap_or_default();
    let mut nic = if managed {
        settings([("type", "nic"), ("network", network)])
    } else {
        // An interface of the server's own machine.
        let nictype = if text(&found, "type") == "bridge" { "bridged" } else { "macvlan" };
        settings([("type", "nic"), ("nictype", nictype), ("parent", network)])
    };
    if let Some(interface) = interface {
        nic.insert("name".to_owned(), interface.to_owned());
    }
    objects::add_device(to, device, &nic, job).await
}

/// Takes an interface in a network off an instance or a profile: the device of this name, or the only one there is.
pub(crate) async fn detach_network(
    network: &str,
    from: &Object,
    device: Option<&str>,
    job: &Job,
) -> Result<(), ActionError> {
    let fits = |nic: &Map<String, Value>| {
        text(nic, "type") == "nic" && (text(nic, "network") == network || text(nic, "parent") == network)
    };
    detach(from, device, &format!("the network {network}"), fits, job).await
}

/// Gives an instance or a profile a custom volume, as the device of this name; at this path where it is a file system.
pub(crate) async fn attach_volume(
    client: &Client,
    pool: &str,
    volume: &str,
    to: &Object,
    device: &str,
    path: Option<&str>,
    job: &Job,
) -> Result<(), ActionError> {
    let found = Object::new(client, &VOLUME, &[pool, "custom", volume]).get(job).await?;
    let mut disk = settings([("type", "disk"), ("pool", pool), ("source", volume)]);
    match (text(&found, "content_type"), path) {
        ("block" | "iso", _) => {}
        (_, Some(path)) => drop(disk.insert("path".to_owned(), path.to_owned())),
        (_, None) => {
            return Err(ActionError::Refused(format!("the volume {volume} needs a path to be mounted at")));
        }
    }
    objects::add_device(to, device, &disk, job).await
}

/// Takes a custom volume off an instance or a profile: the device of this name, or the only one there is.
pub(crate) async fn detach_volume(
    pool: &str,
    volume: &str,
    from: &Object,
    device: Option<&str>,
    job: &Job,
) -> Result<(), ActionError> {
    let fits = |disk: &Map<String, Value>| {
        text(disk, "type") == "disk" && text(disk, "pool") == pool && text(disk, "source") == volume
    };
    detach(from, device, &format!("the volume {volume}"), fits, job).await
}

async fn detach(
    from: &Object,
    device: Option<&str>,
    what: &str,
    fits: impl Fn(&Map<String, Value>) -> bool,
    job: &Job,
) -> Result<(), ActionError> {
    from.change(job, |fields| {
        let Some(Value::Object(devices)) = fields.get_mut("devices") else {
            return Err(ActionError::NotFound(format!("{} has no devices of its own", from.name())));
        };
        let fitting: Vec<&String> = devices
            .iter()
            .filter(|(name, value)| {
                value.as_object().is_some_and(&fits) && device.is_none_or(|device| device == *name)
            })
            .map(|(name, _)| name)
            .collect();
        let name = match &fitting[..] {
            [name] => (*name).clone(),
            [] => {
                let device = device.map(|name| format!(" {name}")).unwrap_or_default();
                let message = format!("{} has no device{device} of its own for {what}", from.name());
                return Err(ActionError::NotFound(message));
            }
            _ => {
                let message = format!("{} has more than one device for {what}: name it", from.name());
                return Err(ActionError::Refused(message));
            }
        };
        devices.remove(&name);
        Ok(())
    })
    .await
}

fn settings<const N: usize>(pairs: [(&str, &str); N]) -> Settings {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}
