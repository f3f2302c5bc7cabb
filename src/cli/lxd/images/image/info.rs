//! `lxd image info`: what is known of an image.

use std::process::ExitCode;

use lxd_client::Image;
use serde_json::Value;

use super::image;
use crate::actions::images;
use crate::cli::lxd::action;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::output::Out;

pub(super) async fn info(fleet: &Fleet, text: &str, out: &Out) -> anyhow::Result<ExitCode> {
    let (cloud, client, name) = image(fleet, text).await?;
    let image = action::run(text, async |job| images::get(&client, name, job).await).await?.value;
    let mut value = serde_json::to_value(&image)?;
    value["cloud"] = cloud.name.clone().into();
    value["aliases"] = serde_json::to_value(&image.aliases)?;
    out.print(&value, || words(&image))?;
    Ok(ExitCode::SUCCESS)
}

/// As `lxc image info` says it.
fn words(image: &Image) -> String {
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
        match minute(time(image, key)) {
            Some(time) => text += &format!("    {title}: {time}\n"),
            None if never.is_empty() => {}
            None => text += &format!("    {title}: {never}\n"),
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

/// The parts of a time; none for the years that mean none.
fn parts(time: &str) -> Option<(&str, &str, &str, u32, &str)> {
    let (date, clock) = time.split_once('T')?;
    let mut date = date.split('-');
    let (year, month, day) = (date.next()?, date.next()?, date.next()?);
    let (hour, minute) = (clock.get(..2)?.parse().ok()?, clock.get(3..5)?);
    (!matches!(year, "0001" | "1970")).then_some((year, month, day, hour, minute))
}

/// `2026/11/29 03:27 UTC`.
fn minute(time: &str) -> Option<String> {
    let (year, month, day, hour, minute) = parts(time)?;
    Some(format!("{year}/{month}/{day} {hour:02}:{minute} UTC"))
}

/// `Nov 29, 2026 at 3:27am (UTC)`.
pub(super) fn uploaded(time: &str) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let told = parts(time).and_then(|(year, month, day, hour, minute)| {
        let month = MONTHS.get(month.parse::<usize>().ok()?.checked_sub(1)?)?;
        let half = if hour < 12 { "am" } else { "pm" };
        let hour = if hour % 12 == 0 { 12 } else { hour % 12 };
        Some(format!("{month} {}, {year} at {hour}:{minute}{half} (UTC)", day.trim_start_matches('0')))
    });
    told.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_lxc() {
        for (time, short, long) in [
            ("2026-11-29T03:27:24.34Z", Some("2026/11/29 03:27 UTC"), "Nov 29, 2026 at 3:27am (UTC)"),
            ("2026-01-05T12:05:00Z", Some("2026/01/05 12:05 UTC"), "Jan 5, 2026 at 12:05pm (UTC)"),
            ("2026-01-05T00:59:00Z", Some("2026/01/05 00:59 UTC"), "Jan 5, 2026 at 12:59am (UTC)"),
            ("0001-01-01T00:00:00Z", None, ""),
            ("1970-01-01T00:00:00Z", None, ""),
            ("yesterday", None, ""),
        ] {
            assert_eq!((minute(time).as_deref(), uploaded(time).as_str()), (short, long), "{time}");
        }
    }
}
