//! `lxd ping`: how the clouds answer.

use std::process::ExitCode;
use std::time::Duration;

use crate::cli::exit::{UserError, usage};
use crate::cli::lxd::fleet::{Fleet, named};
use crate::cli::output::Out;
use crate::cli::tables;
use crate::control::protocol::Cloud;

pub(super) async fn ping(fleet: &Fleet, names: &[String], count: u32, out: &Out) -> anyhow::Result<ExitCode> {
    let clouds: Vec<_> = if names.is_empty() {
        fleet.config.clouds.iter().collect()
    } else {
        names.iter().map(|name| named(&fleet.config, name)).collect::<Result<_, _>>()?
    };
    if clouds.is_empty() {
        return Err(usage("the configuration has no clouds"));
    }
    let uplink = fleet.uplink().await?;
    let mut failed = Vec::new();
    for number in 1..=count {
        let probes = clouds.iter().map(|cloud| uplink.check(&cloud.name));
        let probes = futures_util::future::try_join_all(probes).await?;
        let found: Vec<Cloud> = clouds
            .iter()
            .zip(probes)
            .map(|(cloud, health)| Cloud {
                name: cloud.name.clone(),
                kind: cloud.kind,
                address: cloud.address.to_string(),
                required: cloud.required,
                health,
            })
            .collect();
        out.print(&found, || tables::clouds(&found, out))?;
        failed = found
            .iter()
            .filter_map(|cloud| Some(format!("{}: {}", cloud.name, cloud.health.error.as_ref()?)))
            .collect();
        if number < count {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
    if failed.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    Err(UserError::new(7, failed.join("\n")).into())
}
