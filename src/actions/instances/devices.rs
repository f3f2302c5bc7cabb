//! The devices of an instance.

use lxd_client::Client;

use super::edit::{Device, Devices, change, expanded_devices};
use crate::actions::{ActionError, Job};

/// A change of the devices of an instance or a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DeviceChange {
    /// One more.
    Add(String, Device),
    /// These no longer.
    Remove(Vec<String>),
    /// Settings of one; those that are empty are unset.
    Set(String, Device),
    /// One that comes from a profile, with settings of the instance's own.
    Override(String, Device),
}

impl DeviceChange {
    /// Makes the change. `inherited` are the devices with those of the profiles.
    ///
    /// # Errors
    /// Where the device is there already, or is not.
    pub(crate) fn apply(&self, devices: &mut Devices, inherited: &Devices) -> Result<(), ActionError> {
        let taken = || ActionError::Refused("The device already exists".to_owned());
        match self {
            DeviceChange::Add(name, _) | DeviceChange::Override(name, _) if devices.contains_key(name) => {
                return Err(taken());
            }
            DeviceChange::Add(name, device) => drop(devices.insert(name.clone(), device.clone())),
            DeviceChange::Override(name, settings) => {
                let missing = || ActionError::NotFound("The profile device doesn't exist".to_owned());
                let mut device = inherited.get(name).ok_or_else(missing)?.clone();
                device.extend(settings.clone());
                devices.insert(name.clone(), device);
            }
            DeviceChange::Remove(names) => {
                for name in names {
                    devices.remove(name).ok_or_else(|| missing(name, inherited))?;
                }
            }
            DeviceChange::Set(name, settings) => {
                let device = devices.get_mut(name).ok_or_else(|| missing(name, inherited))?;
                device.extend(settings.clone());
                device.retain(|_, value| !value.is_empty());
            }
        }
        Ok(())
    }
}

/// The error for a device that an instance or a profile does not have itself.
pub(crate) fn missing(name: &str, inherited: &Devices) -> ActionError {
    ActionError::NotFound(if inherited.contains_key(name) {
        format!("The device {name} comes from a profile: override it, or change the profile")
    } else {
        "Device doesn't exist".to_owned()
    })
}

/// Changes the devices of an instance.
pub(crate) async fn change_devices(
    client: &Client,
    instance: &str,
    wanted: &DeviceChange,
    job: &Job,
) -> Result<(), ActionError> {
    change(client, instance, job, |instance| {
        let inherited = expanded_devices(instance);
        wanted.apply(&mut instance.devices, &inherited)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(settings: &[(&str, &str)]) -> Device {
        settings.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn devices_are_changed_as_lxc_does_it() {
        let root = device(&[("type", "disk"), ("path", "/")]);
        let mut devices =
            Devices::from([("d".to_owned(), device(&[("type", "disk"), ("readonly", "true")]))]);
        let inherited = Devices::from([("root".to_owned(), root)]);
        let mut apply = |change: DeviceChange| {
            change.apply(&mut devices, &inherited).map(|()| devices.clone()).map_err(|e| e.to_string())
        };
        let [d, root, e] = ["d", "root", "e"].map(str::to_owned);
        let set = DeviceChange::Set(d.clone(), device(&[("readonly", ""), ("path", "/mnt")]));
        assert_eq!(apply(set).unwrap()["d"], device(&[("type", "disk"), ("path", "/mnt")]));
        let over = DeviceChange::Override(root.clone(), device(&[("size", "1GB")]));
        for (change, refusal) in [
            (DeviceChange::Add(d.clone(), Device::new()), "The device already exists"),
            (DeviceChange::Override(d.clone(), Device::new()), "The device already exists"),
            (DeviceChange::Override(e.clone(), Device::new()), "The profile device doesn't exist"),
            (DeviceChange::Set(e.clone(), Device::new()), "Device doesn't exist"),
            (
                DeviceChange::Remove(vec![root.clone()]),
                "The device root comes from a profile: override it, or change the profile",
            ),
        ] {
            assert_eq!(apply(change).unwrap_err(), refusal);
        }
        assert_eq!(apply(over).unwrap()["root"], device(&[("path", "/"), ("size", "1GB"), ("type", "disk")]));
        assert!(apply(DeviceChange::Remove(vec![d, root])).unwrap().is_empty());
    }
}
