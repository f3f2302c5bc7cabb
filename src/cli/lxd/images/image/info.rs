//! `lxd image info`: what is known of an image.

use std::process::ExitCode;

use lxd_client::Image;
use serde_json::Value;

use super::image;
use crate::actions::images;
use crate::cli::lxd::action;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::lxd::words;
use crate::cli::output::Out;

pub(super) async fn info(fleet: &Fleet, text: &str, out: &Out) -> anyhow::Result<ExitCode> {
    let (cloud, client, name) = image(fleet, text).await?;
    let image = action::run(text, async |job| images::get(&client, name, job).await).await?.value;
    let mut value = serde_json::to_value(&image)?;
    value["cloud"] = cloud.name.clone().into();
    value["aliases"] = serde_json::to_value(&image.aliases)?;
    out.print(&value, || described(&image))?;
    Ok(ExitCode::SUCCESS)
}

/// As `lxc image info` says it.
fn described(image: &Image) -> String {
    let yes = |yes: bool| if yes { "yes" } else { "no" };
    let rest = |key: &str| image.rest.get(key).cloned().unwrap_or_default();
    let mut text = format!(
        "Fingerprint: {}\nSize: {}\nArchitecture: {}\nType: {}\nPublic: {}\nTimestamps:\n",
        image.fingerprint,
        size(image.size),
        image.architecture,
        image.kind,
        yes(image.public)
    );
    for (title, key, never) in [
        ("Created", "created_at", ""),
        ("Uploaded", "uploaded_at", ""),
        ("Expires", "expires_at", "never"),
        ("Last used", "last_used_at", "never"),
    ] {
        let time = words::minute(time(image, key));
        let time = if time.is_empty() { never } else { &time };
        if !time.is_empty() {
            text += &format!("    {title}: {time}\n");
        }
    }
    text += "Properties:\n";
    for (key, value) in &image.properties {
        text += &format!("    {key}: {value}\n");
    }
    text += "Aliases:\n";
    for alias in &image.aliases {
        let about = if alias.description.is_empty() { "" } else { " (" };
        let end = if about.is_empty() { "" } else { ")" };
        text += &format!("    - {}{about}{}{end}\n", alias.name, alias.description);
    }
    text += &format!("Cached: {}\n", yes(rest("cached").as_bool().unwrap_or_default()));
    text += &format!("Auto update: {}\n", if image.auto_update { "enabled" } else { "disabled" });
    if let Value::Object(source) = rest("update_source") {
        text += "Source:\n";
        for (title, key) in [("Server", "server"), ("Protocol", "protocol"), ("Alias", "alias")] {
            text +=
                &format!("    {title}: {}\n", source.get(key).and_then(Value::as_str).unwrap_or_default());
        }
    }
    text += if image.profiles.is_empty() { "Profiles: []\n" } else { "Profiles:\n" };
    for profile in &image.profiles {
        text += &format!("    - {profile}\n");
    }
    text
}

/// Twelve characters of a fingerprint, as `lxc` shows it.
pub(super) fn short(fingerprint: &str) -> &str {
    fingerprint.get(..12).unwrap_or(fingerprint)
}

/// Bytes as `lxc` shows the size of an image.
pub(super) fn size(bytes: u64) -> String {
    format!("{:.2}MB", bytes as f64 / f64::from(1 << 20))
}

/// A time that a server tells, RFC 3339.
pub(super) fn time<'a>(image: &'a Image, key: &str) -> &'a str {
    image.rest.get(key).and_then(Value::as_str).unwrap_or_default()
}
