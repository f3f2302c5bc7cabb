//! `lxd image delete` and `refresh`: for several images at once.

use std::process::ExitCode;

use lxd_client::Client;

use super::image;
use crate::actions::images;
use crate::cli::lxd::action;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::output::Out;

pub(super) async fn delete(fleet: &Fleet, names: &[String]) -> anyhow::Result<ExitCode> {
    let targets = targets(fleet, names).await?;
    action::run_for_all(targets, async |(client, name), job| images::delete(client, name, job).await).await
}

pub(super) async fn refresh(fleet: &Fleet, names: &[String], out: &Out) -> anyhow::Result<ExitCode> {
    let targets = targets(fleet, names).await?;
    let refreshed = std::sync::Mutex::new(Vec::new());
    let outcome = action::run_for_all(targets, async |(client, name), job| {
        let is_newer = images::refresh(client, name, job).await?;
        let mut all = refreshed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        all.push(serde_json::json!({"image": name, "refreshed": is_newer}));
        Ok(())
    });
    let outcome = outcome.await;
    for value in refreshed.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
        let words = if value["refreshed"] == true {
            "Image refreshed successfully!"
        } else {
            "Image already up to date."
        };
        out.print_one(&value, || words.to_owned())?;
    }
    outcome
}

/// Each image by the text that names it, with a client of its cloud.
async fn targets<'a>(
    fleet: &'a Fleet,
    names: &'a [String],
) -> anyhow::Result<Vec<(String, (Client, &'a str))>> {
    let mut targets = Vec::new();
    for text in names {
        let (_, client, name) = image(fleet, text).await?;
        targets.push((text.clone(), (client, name)));
    }
    Ok(targets)
}
