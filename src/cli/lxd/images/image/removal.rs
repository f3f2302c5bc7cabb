//! `lxd image delete` and `refresh`: for several images at once.

use std::process::ExitCode;

use lxd_client::Client;
use serde_json::json;

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
    let targets = targets.into_iter().map(|(text, image)| (text.clone(), (text, image)));
    let outcome = action::run_for_all(targets, async |(text, (client, name)), job| {
        let is_newer = images::refresh(client, name, job).await?;
        let mut all = refreshed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        all.push((text.clone(), is_newer));
        Ok(())
    });
    let outcome = outcome.await;
    let refreshed = refreshed.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    for text in names {
        let Some((_, is_newer)) = refreshed.iter().find(|(refreshed, _)| refreshed == text) else { continue };
        let words = if *is_newer { "Image refreshed successfully!" } else { "Image already up to date." };
        let words = if names.len() > 1 { format!("{text}: {words}") } else { words.to_owned() };
        out.print_one(&json!({"image": text, "refreshed": is_newer}), || words)?;
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
