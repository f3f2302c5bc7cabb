//! Arguments of the form KEY=VALUE.

use std::collections::BTreeMap;

use crate::actions::instances::Devices;
use crate::cli::edit::input;
use crate::cli::exit::usage;

/// A setting, `key=value`.
pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("it is not KEY=VALUE".to_owned()),
    }
}

/// A setting for a device, `device,key=value`.
pub(super) fn device_setting(text: &str) -> Result<(String, String, String), String> {
    let (device, setting) = text.split_once(',').ok_or("it is not DEVICE,KEY=VALUE")?;
    let (key, value) = pair(setting).map_err(|_| "it is not DEVICE,KEY=VALUE")?;
    Ok((device.to_owned(), key, value))
}

/// The settings by device.
pub(super) fn by_device(settings: &[(String, String, String)]) -> Devices {
    let mut devices = Devices::new();
    for (device, key, value) in settings {
        devices.entry(device.clone()).or_default().insert(key.clone(), value.clone());
    }
    devices
}

/// What is to be set: several `key=value`, or one `key value`, as with `lxc`.
pub(super) fn settings(words: &[String]) -> anyhow::Result<BTreeMap<String, String>> {
    match words {
        [] => Err(usage("there is nothing to set: write KEY=VALUE")),
        [key, value] if !key.contains('=') => Ok([(key.clone(), value.clone())].into()),
        words => {
            words.iter().map(|word| pair(word).map_err(|error| usage(format!("{word:?}: {error}")))).collect()
        }
    }
}

/// The same, where the value `-` is the standard input.
pub(in crate::cli::lxd) async fn settings_or_input(
    words: &[String],
) -> anyhow::Result<BTreeMap<String, String>> {
    let mut settings = settings(words)?;
    for value in settings.values_mut().filter(|value| *value == "-") {
        *value = input().await?.ok_or_else(|| usage("- is the standard input, which is a terminal"))?;
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    #[test]
    fn settings_are_read_as_lxc_reads_them() {
        for (given, read) in [
            (&["a", "b"][..], &[("a", "b")][..]),
            (&["a=b"], &[("a", "b")]),
            (&["a=b=c", "d="], &[("a", "b=c"), ("d", "")]),
            (&["a", "b=c"], &[("a", "b=c")]),
        ] {
            let settings = settings(&words(given)).unwrap();
            let settings: Vec<(&str, &str)> = settings.iter().map(|(k, v)| (&**k, &**v)).collect();
            assert_eq!(settings, read, "{given:?}");
        }
        for wrong in [&[][..], &["a"], &["=b"], &["a=b", "c"], &["a", "b", "c"]] {
            settings(&words(wrong)).unwrap_err();
        }
    }

    #[test]
    fn settings_of_devices_name_their_device() {
        let parsed =
            ["root,size=10GB", "root,path=/", "eth0,a=b,c"].map(|text| device_setting(text).unwrap());
        let devices = by_device(&parsed);
        assert_eq!(devices["root"].len(), 2);
        assert_eq!(devices["eth0"]["a"], "b,c");
        for wrong in ["root", "root,size", "size=1", "root,=1"] {
            device_setting(wrong).unwrap_err();
        }
    }
}
